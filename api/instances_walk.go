package api

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"time"

	"heddle/events"
	"heddle/executor/machine"
)

// instanceWalk gathers a page of a run's steps and one of its events from its
// journal. Of the steps that are not on the page no more than a hash is kept.
type instanceWalk struct {
	number int
	steps  *window[walkedStep]
	events *window[historyEvent]
	open   map[machine.Ref]*walkedStep
	seen   map[uint64]struct{}
	bySeq  map[int64]*historyEvent
}

// walkedStep is a step of the page on its way.
type walkedStep struct {
	historyStep
	stepID   string
	ref      machine.Ref
	ended    bool // a further start begins it anew
	resolved bool // a wait that an event satisfied
}

func newInstanceWalk(number, size int, stepsAt, eventsAt historyCursor) *instanceWalk {
	return &instanceWalk{
		number: number, steps: newWindow[walkedStep](size, stepsAt), events: newWindow[historyEvent](size, eventsAt),
		open: map[machine.Ref]*walkedStep{}, seen: map[uint64]struct{}{}, bySeq: map[int64]*historyEvent{},
	}
}

func (w *instanceWalk) visit(e events.Event) error {
	if e.Kind != events.SignalReceived && e.StepID == "" {
		return nil
	}
	d, err := machine.ReadDetail(e)
	if err != nil {
		return err
	}
	switch e.Kind {
	case events.SignalReceived:
		w.received(e, d)
		return nil
	case events.InputResolved:
		if got := w.bySeq[d.SignalSeq]; got != nil {
			got.DeliveredAt, got.ConsumedByStepKey = stampOf(e.At), textOrNull(stepKey(e.StepID, e.Iteration))
		}
	}
	ref := machine.Ref{StepID: e.StepID, Iteration: e.Iteration}
	s := w.open[ref]
	if s == nil {
		s = w.begin(ref, e)
	}
	if s != nil {
		s.add(e, d)
	}
	return nil
}

// received takes an event into its page.
func (w *instanceWalk) received(e events.Event, d machine.Detail) {
	got := &historyEvent{
		ID: rowID(e), RunNumber: w.number, Type: d.Name, Payload: d.Payload, CreatedAt: stamp(e.At),
	}
	kept, gone := w.events.take(e.Seq, got)
	if kept {
		w.bySeq[e.Seq] = got
	}
	if gone != 0 {
		delete(w.bySeq, gone)
	}
}

func rowID(e events.Event) string { return fmt.Sprintf("%s_%d", e.RunID, e.Seq) }

// begin takes a step into its page when this is its first event.
func (w *instanceWalk) begin(ref machine.Ref, e events.Event) *walkedStep {
	if e.Kind != events.StepStarted && e.Kind != events.StepSkipped {
		return nil
	}
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(ref.StepID + "\x00" + ref.Iteration))
	if _, old := w.seen[sum.Sum64()]; old {
		return nil
	}
	w.seen[sum.Sum64()] = struct{}{}
	s := &walkedStep{stepID: ref.StepID, ref: ref}
	s.ID, s.RunNumber, s.StepKey, s.CreatedAt = rowID(e), w.number, stepKey(ref.StepID, ref.Iteration), stamp(e.At)
	first := w.steps.oldest()
	kept, gone := w.steps.take(e.Seq, s)
	if gone != 0 {
		delete(w.open, first.ref)
	}
	if !kept {
		return nil
	}
	w.open[ref] = s
	return s
}

// add tells the step what happened.
func (s *walkedStep) add(e events.Event, d machine.Detail) {
	switch e.Kind {
	case events.StepStarted:
		if s.ended {
			s.Attempts, s.Error, s.Result, s.resolved, s.ended = 0, nil, nil, false, false
		}
		s.Attempts++
		s.under("running")
	case events.StepWaiting:
		s.waits(d.Kind, d.Name, stampOf(d.Until), stampOf(d.TimeoutAt))
	case events.StepInterrupted:
		if d.Role == "" {
			s.Attempts-- // it does not count
			s.under("running")
		}
	case events.StepRetrying:
		if d.Role != "" {
			return
		}
		s.under("retrying")
		s.Error, s.NextRetryAt = instanceErrorOf(d.Error), stampOf(d.NextAttemptAt)
	case events.InputResolved:
		s.resolved = true
	case events.StepSkipped:
		s.end("skipped")
	case events.StepCompleted:
		s.end("completed")
		s.Result = s.result(d.Output)
		if d.Fallback == "" {
			s.Error = nil
		}
	case events.StepFailed:
		s.end("failed")
		s.Error, s.Attempts = instanceErrorOf(d.Error), max(s.Attempts, 1)
	case events.StepCancelled:
		s.end("cancelled")
	default:
		return
	}
	s.UpdatedAt = stamp(e.At)
}

func (s *walkedStep) under(status string) {
	s.Status, s.NextRetryAt, s.WakeAt = status, nil, nil
}

func (s *walkedStep) end(status string) {
	s.under(status)
	s.ended = true
}

// result is a step's output; that of a wait which an event satisfied in the
// dialect's words.
func (s *walkedStep) result(output json.RawMessage) json.RawMessage {
	if !s.resolved {
		return output
	}
	var got struct {
		Name    string          `json:"name"`
		Payload json.RawMessage `json:"payload"`
		At      time.Time       `json:"received_at"`
	}
	if json.Unmarshal(output, &got) != nil {
		return output
	}
	text, err := encode(satisfied{got.Name, got.Payload, stamp(got.At)})
	if err != nil {
		return output
	}
	return text
}

// satisfied is the result of a wait that an event satisfied.
type satisfied struct {
	Type      string          `json:"type"`
	Payload   json.RawMessage `json:"payload"`
	Timestamp stamp           `json:"timestamp"`
}

// close ends what the run's end cut off without a word of its own.
func (s *walkedStep) close(state machine.State) {
	if state.Terminal() && !s.ended {
		s.end("cancelled")
	}
}

// window keeps one page of a list that is walked in rising order: the first
// ones behind a place, or the last ones before it.
type window[T any] struct {
	size  int
	asc   bool
	at    int64
	items []*T
	seqs  []int64
	more  bool
}

func newWindow[T any](size int, at historyCursor) *window[T] {
	return &window[T]{size: size, asc: at.Asc, at: at.Seq}
}

// take offers an item; gone is the place of one that had to leave for it, 0:
// none.
func (w *window[T]) take(seq int64, item *T) (kept bool, gone int64) {
	switch {
	case w.asc && seq <= w.at, !w.asc && w.at > 0 && seq >= w.at:
		return false, 0
	case w.asc && len(w.items) == w.size:
		w.more = true
		return false, 0
	}
	w.items, w.seqs = append(w.items, item), append(w.seqs, seq)
	if len(w.items) > w.size {
		gone = w.seqs[0]
		w.items, w.seqs, w.more = w.items[1:], w.seqs[1:], true
	}
	return true, gone
}

func (w *window[T]) oldest() *T {
	if len(w.items) == 0 {
		return nil
	}
	return w.items[0]
}

// page lists the items in the order of the list.
func (w *window[T]) page() []*T {
	if w.asc {
		return w.items
	}
	list := make([]*T, len(w.items))
	for i, item := range w.items {
		list[len(list)-1-i] = item
	}
	return list
}

// next gives the cursor of the next page, if there is one.
func (w *window[T]) next(at historyCursor) (cursor string, more bool) {
	if !w.more {
		return "", false
	}
	at.Asc, at.Seq = w.asc, w.seqs[0]
	if w.asc {
		at.Seq = w.seqs[len(w.seqs)-1]
	}
	return at.encode(), true
}
