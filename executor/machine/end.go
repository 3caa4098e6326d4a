package machine

import (
	"encoding/json"
	"fmt"
	"heddle/events"
	"maps"
)

// maxOutput is how many bytes a run's output may have.
const maxOutput = 64 << 20

// endRun completes the run: all its steps are finished.
func (t *turn) endRun() {
	if t.handling != nil {
		t.handlersEnded()
		return
	}
	if _, failure := t.rendered(); failure != nil {
		t.finalize(&ending{Outcome: Failed, Error: &failure.Error})
		return
	}
	t.wrapUp(&ending{Outcome: Completed})
}

// completed journals the end of a completed run.
func (t *turn) completed() {
	output, failure := t.output()
	if failure != nil {
		t.conclude(&ending{Outcome: Failed, Error: &failure.Error})
		return
	}
	t.emit(events.StateChanged, whole, 0, &Detail{State: Completed, From: t.State})
	t.emit(events.RunCompleted, whole, 0, &Detail{Output: output, DurationMS: t.duration()})
}

// output is what the run gives, as it is journalled.
func (t *turn) output() (json.RawMessage, *Failure) {
	out, failure := t.rendered()
	if failure == nil && len(out) > MaxInline {
		return t.apart(out)
	}
	return out, failure
}

// rendered is the run's output. The default output holds references as they
// are; what an output template reads is their content.
func (t *turn) rendered() (json.RawMessage, *Failure) {
	var out json.RawMessage
	var err error
	if t.plan.output == nil {
		out, err = t.sinks(nil, func(v json.RawMessage) (json.RawMessage, error) { return v, nil })
	} else {
		out, err = t.plan.output.Render(view{run: t.Run, at: whole})
	}
	var failure Failure
	switch {
	case err != nil:
		failure = expressionFailure(err)
	case len(out) > maxOutput:
		failure = permanent("output_too_large", fmt.Sprintf("The run's output is larger than %d MiB.", maxOutput>>20))
	default:
		return out, nil
	}
	return nil, &failure
}

func (t *turn) duration() int64 { return t.latency(millis(t.StartedAt)) }

// windUp works on a run that will not complete: waits and retries are
// cancelled, steps in action are awaited, loops end, compensations run. False:
// there is nothing to do but wait.
func (t *turn) windUp() bool {
	if t.State == Compensating {
		return t.compensate()
	}
	if _, p, ok := t.parked.min(); ok {
		t.emit(events.StepCancelled, p, int(t.stepAt(p).last), &Detail{})
		return true
	}
	if t.action.len() > 0 {
		return false
	}
	if _, p, ok := t.loops.max(); ok {
		t.emit(events.StepCancelled, p, int(t.stepAt(p).last), &Detail{})
		return true
	}
	t.finalize(t.ending)
	return true
}

// finalize goes over to the compensations, or ends the run where none are due.
func (t *turn) finalize(e *ending) {
	if t.undo.len() > 0 {
		t.emit(events.StateChanged, whole, 0, &Detail{State: Compensating, From: t.State, Outcome: e.Outcome, Error: e.Error})
		return
	}
	t.wrapUp(e)
}

// conclude journals the end of a failed or cancelled run.
func (t *turn) conclude(e *ending) {
	if e.Outcome == Completed {
		t.completed()
		return
	}
	err := *e.Error
	if len(t.undoFailed)+len(t.handlersFailed) > 0 {
		details := map[string]any{}
		if len(t.undoFailed) > 0 {
			details["compensation_failed"] = t.undoFailed
		}
		if len(t.handlersFailed) > 0 {
			details["handlers_failed"] = t.handlersFailed
		}
		maps.Copy(details, err.Details)
		err.Details = details
	}
	by := e.by()
	t.emit(events.StateChanged, whole, 0, by.detail(&Detail{State: e.Outcome, From: t.State}))
	kind := events.RunFailed
	if e.Outcome == Cancelled {
		kind = events.RunCancelled
	}
	t.emit(kind, whole, 0, by.detail(&Detail{Error: &err, DurationMS: t.duration()}))
}

// windScope does the same for a failed iteration.
func (t *turn) windScope(f *frame, s *scopeState) {
	err := s.failed
	t.cancelParked(f)
	if s = t.scope(f); s.busy > 0 {
		return
	}
	t.cancelLoops(f)
	t.emit(events.IterationFailed, place{f, -1}, 0, &Detail{Error: err, LatencyMS: t.latency(s.begun)})
}

// cancelParked cancels the waits and retries of an iteration, inner ones
// included.
func (t *turn) cancelParked(f *frame) {
	for _, p := range t.underWay(f) {
		if t.node(p).loop != nil && t.stepAt(p).status == StepRunning {
			for _, inner := range t.iterations(p) {
				t.cancelParked(inner)
			}
			continue
		}
		if _, ok := t.parked.get(t.stepAt(p).slot); ok {
			t.emit(events.StepCancelled, p, int(t.stepAt(p).last), &Detail{})
		}
	}
}

// cancelLoops cancels what is left of an iteration in which nothing is in
// action: its loops, the inner ones first.
func (t *turn) cancelLoops(f *frame) {
	for _, p := range t.underWay(f) {
		if st := t.stepAt(p); st.loop != nil && !st.falling {
			for _, inner := range t.iterations(p) {
				t.cancelLoops(inner)
			}
		}
		t.emit(events.StepCancelled, p, int(t.stepAt(p).last), &Detail{})
	}
}

// timeoutRun ends a run whose timeout_seconds passed; its error is
// run_timeout.
func (t *turn) timeoutRun() {
	message := fmt.Sprintf("The run took longer than %s.", t.plan.timeout)
	t.wind(&ending{Outcome: Failed, Error: &Error{Code: "run_timeout", Message: message}}, "")
}

// wind begins to end the run from outside: steps in action are told to stop. A
// run that failed already ends as it would have, only sooner.
func (t *turn) wind(e *ending, reason string) {
	if t.ending != nil {
		e = t.ending
	}
	t.stopAll()
	if t.InAction()+t.parked.len()+t.loops.len()+t.undo.len() == 0 {
		t.wrapUp(e)
		return
	}
	d := Detail{State: Cancelling, From: t.State, Outcome: e.Outcome, Error: e.Error, Reason: reason}
	t.emit(events.StateChanged, whole, 0, e.by().detail(&d))
}

func (t *turn) stopAll() {
	t.action.all(func(_ uint64, p place) bool {
		t.effects = append(t.effects, Stop{Ref: t.ref(p), Attempt: int(t.stepAt(p).last)})
		return true
	})
}
