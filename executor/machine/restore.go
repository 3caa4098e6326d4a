package machine

import (
	"fmt"
	"heddle/events"
)

// Restore folds the journal of a run that only ever ran on one plan; see RestoreAcross.
func Restore(plan *Plan, h Header, snapshot []byte, evs []events.Event) (*Run, error) {
	return RestoreAcross(func(VersionSpan) (*Plan, error) { return plan, nil }, h, snapshot, evs)
}

// RestoreAcross folds a journal: a snapshot (nil, or made by Snapshot of that run) and the
// events after it. The header is the run's present one; plans returns the plan of each
// version that its journal comes through, and its error is returned as it is. The result
// equals the run that emitted the last event, but for the backlog. A journal that does not
// fit is an error, never a panic. O(snapshot + events).
//
// Example of plans: a run created on version 1 and resumed on version 2 with event 40 asks
// for version 1 first and for version 2 when it comes to event 40; with a snapshot of seq
// 55 it asks for version 2 alone.
func RestoreAcross(plans func(VersionSpan) (*Plan, error), h Header, snapshot []byte, evs []events.Event) (run *Run, err error) {
	defer func() {
		// A journal of another plan can contradict the state in more ways than
		// replay checks; the caller gets an error for each of them.
		if p := recover(); p != nil {
			run, err = nil, fmt.Errorf("the journal of run %s does not fit its plan: %v", h.RunID, p)
		}
	}()
	// One edit for the whole replay: no other code holds the run before it is returned, so
	// its parts may be changed in place.
	r := replayer{&Run{Header: h, stepTree: stepTree{edit: 1}}, plans}
	if err := r.loadFirst(snapshot); err != nil {
		return nil, err
	}
	for i := range evs {
		if err := r.replay(&evs[i]); err != nil {
			return nil, err
		}
	}
	if r.root == nil {
		return nil, fmt.Errorf("run %s has no journal", h.RunID)
	}
	draft{r.Run}.trimTimers()
	draft{r.Run}.settleTally()
	return r.Run, nil
}

// Advance folds the events that follow on a run as Restore or Advance returned it. Of the
// runs that come of one run only one may be kept, and no two may be made at a time. The
// errors are those of RestoreAcross. O(events).
func Advance(plans func(VersionSpan) (*Plan, error), from *Run, evs []events.Event) (run *Run, err error) {
	defer func() {
		if p := recover(); p != nil {
			run, err = nil, fmt.Errorf("the journal of run %s does not fit its plan: %v", from.RunID, p)
		}
	}()
	r := replayer{from.fork().Run, plans}
	for i := range evs {
		if err := r.replay(&evs[i]); err != nil {
			return nil, err
		}
	}
	draft{r.Run}.trimTimers()
	draft{r.Run}.settleTally()
	return r.Run, nil
}

// replayer restores a run from its journal. Its run is not visible to other code before it
// is whole.
type replayer struct {
	*Run
	plans func(VersionSpan) (*Plan, error) // the plan of each version that the journal comes through
}

// loadFirst prepares the run for the first event to come: it loads the snapshot, if there
// is one, on the version that it was made on. The header goes back to that version, and
// forward again with the events.
func (r replayer) loadFirst(snapshot []byte) error {
	var s *savedRun
	seq := int64(0)
	if len(snapshot) > 0 {
		var err error
		if s, err = readSnapshot(snapshot); err != nil {
			return fmt.Errorf("load the snapshot of run %s: %w", r.RunID, err)
		}
		seq = s.Seq
	}
	span := r.rewindHeader(seq)
	plan, err := r.plans(span)
	if err != nil {
		return err
	}
	r.plan = plan
	if s == nil {
		return nil
	}
	if err := (snapshotReader{draft{r.Run}}).load(s); err != nil {
		return fmt.Errorf("load the snapshot of run %s: %w", r.RunID, err)
	}
	return nil
}

// VersionAt returns the version that the event seq belongs to, and the first event of the
// next one (0: the run is on it still). Versions are in order of FromSeq.
func (h Header) VersionAt(seq int64) (span VersionSpan, next int64) {
	if len(h.Versions) == 0 {
		return VersionSpan{h.Version, h.Hash, 1}, 0
	}
	at := h.versionIndex(seq)
	if at+1 < len(h.Versions) {
		next = h.Versions[at+1].FromSeq
	}
	return h.Versions[at], next
}

// versionIndex returns the index in Versions of the version that the event seq
// belongs to.
func (h Header) versionIndex(seq int64) int {
	at := 0
	for at+1 < len(h.Versions) && h.Versions[at+1].FromSeq <= seq {
		at++
	}
	return at
}

// rewindHeader takes the header back to what it was after the event seq, and
// returns the version that the run was on then.
func (r replayer) rewindHeader(seq int64) VersionSpan {
	span, _ := r.VersionAt(seq)
	if len(r.Versions) == 0 {
		return span
	}
	r.Version, r.Hash = span.Version, span.Hash
	if at := r.versionIndex(seq); at == 0 {
		r.Versions = nil
	} else {
		r.Versions = r.Versions[: at+1 : at+1]
	}
	return span
}

// replay checks that an event fits what came before it, and folds it. The checks are those
// without which evolve could not work; they do not prove that the event is right.
func (r replayer) replay(ev *events.Event) error {
	if ev.Seq != r.Seq+1 {
		return corrupt(ev, fmt.Sprintf("the event before it is %d", r.Seq))
	}
	if r.root == nil && ev.Kind != events.StateChanged {
		return corrupt(ev, "a journal begins with state_changed")
	}
	d, err := ReadDetail(*ev)
	if err != nil {
		return err
	}
	// The event moves the run to another version, whose plan evolve cannot look up.
	if d.Hash != "" {
		if r.incoming, err = r.plans(VersionSpan{d.Version, d.Hash, ev.Seq}); err != nil {
			return err
		}
	}
	p := wholeRun
	if ev.StepID != "" {
		var why string
		if p, why = r.locate(ev); why != "" {
			return corrupt(ev, why)
		}
	}
	evolver{draft{r.Run}}.evolve(ev, p, &d)
	return nil
}

// locate returns where an event happened, or why it cannot have happened ("": it can).
func (r replayer) locate(ev *events.Event) (position, string) {
	switch ev.Kind {
	case events.IterationStarted, events.IterationCompleted, events.IterationFailed:
		f, ok := r.findFrame(ev.Iteration)
		if !ok || f == nil || f.loop.step.ID != ev.StepID {
			return position{}, "there is no such iteration"
		}
		if ev.Kind != events.IterationStarted && r.scope(f) == nil {
			return position{}, "the iteration is not open"
		}
		// The scope that the event opens is identified by the event's seq.
		if ev.Kind == events.IterationStarted {
			f = newFrame(f.parent, f.loop, f.index, uint64(ev.Seq))
		}
		return position{f, -1}, ""
	case events.CompensationStarted:
		if r.compensating == nil && r.compensations.len() == 0 {
			return position{}, "there is nothing to compensate"
		}
		return r.currentCompensation(), ""
	case events.CompensationCompleted, events.CompensationFailed:
		if r.compensating == nil {
			return position{}, "no compensation is under way"
		}
		return r.compensating.position, ""
	default: // the others happen at a step
	}
	if r.compensating != nil && r.compensating.running && (ev.Kind == events.StepRetrying || ev.Kind == events.StepInterrupted) {
		return r.compensating.position, "" // role compensation
	}
	p, ok := r.find(ev.StepID, ev.Iteration)
	if !ok || r.scope(p.frame) == nil {
		return position{}, "there is no such step"
	}
	if ev.Kind == events.InputRequested && r.stepAt(p).wait == nil {
		return position{}, "the step is not waiting"
	}
	return p, ""
}
