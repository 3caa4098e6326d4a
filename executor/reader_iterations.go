package executor

import (
	"context"
	"encoding/json"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/fault"
	"slices"
	"strconv"
	"time"
)

// Iteration is one iteration of a loop. A redriven loop can have an iteration
// twice: as it failed, and as it went later.
type Iteration struct {
	Path        string // "each[3].inner[0]"
	Status      machine.StepStatus
	StartedAt   time.Time
	CompletedAt time.Time // zero: not yet
	Result      json.RawMessage
	Error       *machine.Error
	Waiting     bool // of an open one: see machine.OpenIteration
}

// IterationQuery selects a part of a loop's iterations. Status "" is all of running,
// completed and failed, and waiting those of the running ones that wait; Cursor is from IterationPage.Next, "" for the first page.
type IterationQuery struct {
	StepID string
	Status machine.StepStatus
	Limit  int
	Cursor string
}

// IterationPage has the ended iterations in the order in which they ended,
// then the running ones. It may hold fewer than the limit although there
// are more: Next is empty on the last page alone.
type IterationPage struct {
	Iterations []Iteration
	Next       string
}

// How much of the journal one page of iterations may read, in events, in all and at once.
const (
	iterationEvents = 20_000
	iterationPage   = 500
)

// Iterations reads a page of a loop's iterations: ended ones from the run's journal,
// running ones from the run folded. An id that is not a loop of the run's definition is
// fault.NotFound step_not_found; a strange cursor is fault.Malformed invalid_request. A
// page may cost reading iterationEvents events.
func (s *Reader) Iterations(ctx context.Context, tenantID, runID string, q IterationQuery) (IterationPage, error) {
	phase, after, err := readIterationCursor(q.Cursor)
	if err != nil {
		return IterationPage{}, err
	}
	if _, err := s.cfg.Store.Run(ctx, tenantID, runID); err != nil {
		return IterationPage{}, err
	}
	run, _, _, err := s.plans.restore(ctx, runID)
	if err != nil {
		return IterationPage{}, err
	}
	open, isLoop := run.OpenIterations(q.StepID)
	if !isLoop {
		return IterationPage{}, fault.New(fault.NotFound, "step_not_found", "The run's definition has no loop %q.", q.StepID)
	}
	var page IterationPage
	if phase == 'e' && q.Status != machine.StepRunning && q.Status != machine.StepWaiting {
		more, err := s.endedIterations(ctx, run, q, after, &page)
		if more || err != nil {
			return page, err
		}
	}
	// The ended iterations are through: the open ones begin with the first.
	if phase == 'e' {
		after = 0
	}
	if q.Status == machine.StepWaiting {
		open = slices.DeleteFunc(open, func(it machine.OpenIteration) bool { return !it.Waiting })
	}
	if q.Status == "" || q.Status == machine.StepRunning || q.Status == machine.StepWaiting {
		page.running(open, int(after), q.Limit)
	}
	return page, nil
}

// endedIterations adds the iterations that ended after the event after to page. It returns
// true if the page is full, or enough was read for one request; Next then says where to go
// on.
func (s *Reader) endedIterations(ctx context.Context, run *machine.Run, q IterationQuery, after int64, page *IterationPage) (bool, error) {
	for read := 0; after < run.Seq; {
		batch, err := s.cfg.Store.Events(ctx, run.RunID, after, iterationPage)
		if err != nil {
			return false, err
		}
		for _, ev := range batch {
			after = ev.Seq
			if ev.StepID != q.StepID || ev.Seq > run.Seq {
				continue
			}
			it, ended, err := endedIteration(ev)
			if err != nil {
				return false, err
			}
			if !ended || q.Status != "" && q.Status != it.Status {
				continue
			}
			page.Iterations = append(page.Iterations, it)
			if len(page.Iterations) == q.Limit {
				break
			}
		}
		if read += len(batch); len(batch) == 0 {
			break
		}
		if len(page.Iterations) == q.Limit || read >= iterationEvents {
			page.Next = "e" + strconv.FormatInt(after, 10)
			return true, nil
		}
	}
	return false, nil
}

// endedIteration returns the iteration whose end the event is; false: it is not the end of
// one. Its start is computed from the latency in the event.
func endedIteration(ev events.Event) (Iteration, bool, error) {
	it := Iteration{Path: ev.Iteration, CompletedAt: ev.At}
	switch ev.Kind {
	case events.IterationCompleted:
		it.Status = machine.StepCompleted
	case events.IterationFailed:
		it.Status = machine.StepFailed
	default:
		return it, false, nil
	}
	d, err := machine.ReadDetail(ev)
	it.Result, it.Error = d.Result, d.Error
	it.StartedAt = ev.At.Add(-time.Duration(d.LatencyMS) * time.Millisecond)
	return it, true, err
}

// running adds the open iterations from the offset on, up to limit in all. The offset is an
// index into a list that changes, so an iteration may be missed or come twice between
// pages.
func (p *IterationPage) running(open []machine.OpenIteration, offset, limit int) {
	for i := offset; i < len(open); i++ {
		if len(p.Iterations) == limit {
			p.Next = "o" + strconv.Itoa(i)
			return
		}
		p.Iterations = append(p.Iterations, Iteration{Path: open[i].Path, Status: machine.StepRunning, StartedAt: open[i].StartedAt, Waiting: open[i].Waiting})
	}
}

// readIterationCursor reads a cursor: in phase e the ended iterations go on after
// that event, in phase o the open ones from that index. The error is fault.Malformed
// invalid_request.
func readIterationCursor(cursor string) (phase byte, after int64, err error) {
	if cursor == "" {
		return 'e', 0, nil
	}
	after, err = strconv.ParseInt(cursor[1:], 10, 64)
	if err != nil || after < 0 || cursor[0] != 'e' && cursor[0] != 'o' {
		return 0, 0, fault.New(fault.Malformed, "invalid_request", "cursor is not one that this API returned. Start again without it.")
	}
	return cursor[0], after, nil
}
