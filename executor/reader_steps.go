package executor

import (
	"context"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/fault"
	"slices"
	"strconv"
	"strings"
)

// StepQuery selects steps of a run. Zero values do not filter.
type StepQuery struct {
	Statuses []machine.StepStatus
	Types    []string
	Text     string // in the id or the name, whatever the case
	// Parent is a loop: the steps of its open iterations, instead of the top-level steps.
	Parent string
	// ChangedAfter selects steps that have changed with an event behind that seq; -1: all.
	ChangedAfter int64
	Limit        int
	Cursor       string
}

// StepPage is a page of steps in the order of the definition, handlers last. Seq is the
// last event that it knows of: what changes later is found by it as ChangedAfter. Next is
// empty on the last page.
type StepPage struct {
	Seq   int64
	Steps []machine.StepView
	Next  string
}

// changesRead is how many events are read to find what has changed; behind more, every step
// counts as changed.
const changesRead = 2000

// Steps reads a page of a run's steps, pending ones included. With ChangedAfter it costs in
// proportion to what has changed, once the run was read before (restoredRuns). Errors:
// fault.NotFound run_not_found and step_not_found (Parent is not a loop), fault.Malformed
// invalid_request.
func (s *Reader) Steps(ctx context.Context, tenantID, runID string, q StepQuery) (StepPage, error) {
	from, err := stepCursor(q.Cursor)
	if err != nil {
		return StepPage{}, err
	}
	row, err := s.cfg.Store.Run(ctx, tenantID, runID)
	if err != nil {
		return StepPage{}, err
	}
	if q.ChangedAfter > row.Seq {
		return StepPage{}, fault.New(fault.Malformed, "invalid_request", "changed_after is beyond the run's last event, which is %d.", row.Seq)
	}
	if q.ChangedAfter == row.Seq && q.Parent == "" {
		return StepPage{Seq: row.Seq}, nil
	}
	run, err := s.restored.get(ctx, row)
	if err != nil {
		return StepPage{}, err
	}
	page := StepPage{Seq: run.Seq}
	changed := stepChanges{all: true}
	if q.ChangedAfter >= 0 {
		if changed, err = s.changes(ctx, run, q.ChangedAfter); err != nil {
			return page, err
		}
	}
	if q.Parent != "" {
		return page, page.ofLoop(run, q, changed, from)
	}
	page.topLevel(run, q, changed, from)
	return page, nil
}

// stepChanges are the steps that events are about; all: every step may have changed.
type stepChanges struct {
	all   bool
	refs  map[machine.Ref]bool
	outer []string // ids of top-level steps that events are about, or that are loops around one
}

// changes returns what the events behind a seq are about.
func (s *Reader) changes(ctx context.Context, run *machine.Run, after int64) (stepChanges, error) {
	c := stepChanges{refs: map[machine.Ref]bool{}}
	if run.Seq-after > changesRead {
		return stepChanges{all: true}, nil
	}
	evs, err := s.cfg.Store.Events(ctx, run.RunID, after, changesRead)
	for _, e := range evs {
		if e.Seq > run.Seq {
			break
		}
		switch e.Kind {
		case events.StateChanged, events.HandlersStarted, events.RunFailed, events.RunCancelled:
			// A resume resets steps, and such an end cuts them off, without events of their own.
			c.all = c.all || e.Kind != events.StateChanged || resets(e)
			continue
		default:
		}
		if e.StepID == "" {
			continue
		}
		c.refs[machine.Ref{StepID: e.StepID, Iteration: e.Iteration}] = true
		id, _, _ := strings.Cut(e.Iteration, "[")
		if id == "" {
			id = e.StepID
		}
		if n := len(c.outer); n == 0 || c.outer[n-1] != id {
			c.outer = append(c.outer, id)
		}
	}
	return c, err
}

// resets reports whether a state_changed event is that of a resume.
func resets(e events.Event) bool {
	d, err := machine.ReadDetail(e)
	return err != nil || d.State == machine.Queued
}

// topLevel adds the top-level steps that the query selects, from an index on.
func (p *StepPage) topLevel(run *machine.Run, q StepQuery, changed stepChanges, from int) {
	indexes := changed.indexes(run)
	for _, i := range indexes {
		if i < from {
			continue
		}
		step := machine.StepsOf(run).At(i)
		if !q.selects(step) {
			continue
		}
		if len(p.Steps) == q.Limit {
			p.Next = strconv.Itoa(i)
			return
		}
		p.Steps = append(p.Steps, step)
	}
}

// indexes returns the indexes of the top-level steps that have changed, in order.
func (c stepChanges) indexes(run *machine.Run) []int {
	var list []int
	if c.all {
		for i := range run.DefinedSteps() {
			list = append(list, i)
		}
		return list
	}
	for _, id := range c.outer {
		if i, found := machine.StepsOf(run).Index(id); found {
			list = append(list, i)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// ofLoop adds the steps of a loop's open iterations.
func (p *StepPage) ofLoop(run *machine.Run, q StepQuery, changed stepChanges, from int) error {
	steps, found := machine.StepsOf(run).OfLoop(q.Parent)
	if !found {
		return fault.New(fault.NotFound, "step_not_found", "The run's definition has no loop %q.", q.Parent)
	}
	for i, step := range steps {
		if i < from || !q.selects(step) || !changed.all && !changed.refs[machine.Ref{StepID: step.StepID, Iteration: step.Iteration}] {
			continue
		}
		if len(p.Steps) == q.Limit {
			p.Next = strconv.Itoa(i)
			return nil
		}
		p.Steps = append(p.Steps, step)
	}
	return nil
}

// selects reports whether a step fits the query.
func (q *StepQuery) selects(s machine.StepView) bool {
	text := strings.ToLower(q.Text)
	return (q.Statuses == nil || slices.Contains(q.Statuses, s.Status)) && (q.Types == nil || slices.Contains(q.Types, s.Type)) &&
		(text == "" || strings.Contains(strings.ToLower(s.StepID), text) || strings.Contains(strings.ToLower(s.Name), text))
}

// stepCursor reads a cursor: the index at which the page begins.
func stepCursor(cursor string) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(cursor)
	if err != nil || n < 0 || strconv.Itoa(n) != cursor {
		return 0, fault.New(fault.Malformed, "invalid_request", "cursor is not one that this API returned. Start again without it.")
	}
	return n, nil
}
