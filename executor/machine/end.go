package machine

import (
	"encoding/json"
	"fmt"
	"heddle/events"
	"maps"
)

// maxOutputBytes is how many bytes a run's output may have; more fails the run with
// output_too_large.
const maxOutputBytes = 64 << 20

// endings is the part of a transition that brings a run to its end: it stops what is under
// way, then runs the compensations, then the handlers (on_failure, finally), and journals
// the result.
//
// The way of a run that fails, from the failure to its last event:
//
//	step_failed                       ending is set, the agenda is emptied
//	step_cancelled …                  waits and retries, then loops, once no attempt is in flight
//	state_changed compensating        if any completed step has a compensation
//	compensation_started … completed  in reverse order of completion
//	handlers_started on_failure       each list only if the definition has it
//	state_changed running
//	handlers_started finally
//	state_changed failed, run_failed
type endings struct{ *transition }

// endRun ends a run of which all steps are finished, or goes on after a list of handlers.
// The output is rendered first: one that cannot be makes the run failed while its
// compensations and handlers can still run.
func (t endings) endRun() {
	if t.handlers != nil {
		t.handlersEnded()
		return
	}
	if _, failure := t.renderOutput(); failure != nil {
		t.compensateOrConclude(&ending{Outcome: Failed, Error: &failure.Error})
		return
	}
	t.runHandlersOrConclude(&ending{Outcome: Completed})
}

// concludeCompleted journals the end of a completed run. Handlers may have
// changed what the output template reads, so the output is rendered again.
func (t endings) concludeCompleted() {
	output, failure := t.journalledOutput()
	// Handlers ran already, so the failure only changes the result.
	if failure != nil {
		t.conclude(&ending{Outcome: Failed, Error: &failure.Error})
		return
	}
	t.emit(events.StateChanged, wholeRun, 0, &Detail{State: Completed, From: t.State})
	t.emit(events.RunCompleted, wholeRun, 0, &Detail{Output: output, DurationMS: t.duration()})
}

// journalledOutput returns the run's output as the journal keeps it: itself, or the
// reference of a blob.
func (t endings) journalledOutput() (json.RawMessage, *Failure) {
	out, failure := t.renderOutput()
	if failure == nil && len(out) > MaxInline {
		return t.externalize(out)
	}
	return out, failure
}

// renderOutput returns the run's output: that of the output template or, without one, an
// object of the outputs of the steps that nothing depends on. The latter holds references
// as they are; what an output template reads is their content. Failures: those of
// expressions, and output_too_large.
func (t endings) renderOutput() (json.RawMessage, *Failure) {
	var out json.RawMessage
	var err error
	if t.plan.output == nil {
		out, err = t.sinks(nil, func(v json.RawMessage) (json.RawMessage, error) { return v, nil })
	} else {
		out, err = t.plan.output.Render(view{run: t.Run, position: wholeRun})
	}
	var failure Failure
	switch {
	case err != nil:
		failure = expressionFailure(err)
	case len(out) > maxOutputBytes:
		failure = permanentFailure("output_too_large", fmt.Sprintf("The run's output is larger than %d MiB.", maxOutputBytes>>20))
	default:
		return out, nil
	}
	return nil, &failure
}

// duration returns how long ago the run started, in milliseconds; 0 if it did not.
func (t *transition) duration() int64 { return t.latency(millis(t.StartedAt)) }

// finishEnding does one piece of work on a run that will not complete: waits and retries
// are cancelled, attempts in flight are awaited, loops end, compensations run, in this
// order. It returns false when there is nothing to do but wait. Loops end in the order
// opposite to that in which they started, so that inner ones come first.
func (t endings) finishEnding() bool {
	if t.State == Compensating {
		return t.nextCompensation()
	}
	if _, p, ok := t.parked.min(); ok {
		t.emit(events.StepCancelled, p, int(t.stepAt(p).lastAttempt), &Detail{})
		return true
	}
	if t.attempts.len() > 0 {
		return false
	}
	if _, p, ok := t.loops.max(); ok {
		t.emit(events.StepCancelled, p, int(t.stepAt(p).lastAttempt), &Detail{})
		return true
	}
	t.compensateOrConclude(t.ending)
	return true
}

// compensateOrConclude goes over to the compensations, or ends the run where
// there are none.
func (t endings) compensateOrConclude(e *ending) {
	if t.compensations.len() > 0 {
		t.emit(events.StateChanged, wholeRun, 0, &Detail{State: Compensating, From: t.State, Outcome: e.Outcome, Error: e.Error})
		return
	}
	t.runHandlersOrConclude(e)
}

// conclude journals the end of the run with two events: the state, then the run's last
// event with its output or error. The error tells of compensations and handlers that
// failed, in its details; its own details win over those names.
func (t endings) conclude(e *ending) {
	if e.Outcome == Completed {
		t.concludeCompleted()
		return
	}
	// A copy: the run's ending and a step may share the error.
	err := *e.Error
	if len(t.failedCompensations)+len(t.failedHandlers) > 0 {
		details := map[string]any{}
		if len(t.failedCompensations) > 0 {
			details["compensation_failed"] = t.failedCompensations
		}
		if len(t.failedHandlers) > 0 {
			details["handlers_failed"] = t.failedHandlers
		}
		maps.Copy(details, err.Details)
		err.Details = details
	}
	by := e.cancelledBy()
	t.emit(events.StateChanged, wholeRun, 0, by.addToDetail(&Detail{State: e.Outcome, From: t.State}))
	kind := events.RunFailed
	if e.Outcome == Cancelled {
		kind = events.RunCancelled
	}
	t.emit(kind, wholeRun, 0, by.addToDetail(&Detail{Error: &err, DurationMS: t.duration()}))
}

// finishScope ends a failed iteration: its waits are cancelled, its attempts in flight
// awaited, its loops ended. It is called again when the last attempt has ended.
func (t loops) finishScope(f *frame, s *scopeState) {
	err := s.err
	t.cancelParked(f)
	if s = t.scope(f); s.inFlight > 0 {
		return
	}
	t.cancelLoops(f)
	t.emit(events.IterationFailed, position{f, -1}, 0, &Detail{Error: err, LatencyMS: t.latency(s.startedAt)})
}

// cancelParked cancels the waits and retries of an iteration, inner ones
// included.
func (t loops) cancelParked(f *frame) {
	for _, p := range t.activeIn(f) {
		if t.node(p).loop != nil && t.stepAt(p).status == StepRunning {
			for _, inner := range t.iterations(p) {
				t.cancelParked(inner)
			}
			continue
		}
		if _, ok := t.parked.get(t.stepAt(p).activityKey); ok {
			t.emit(events.StepCancelled, p, int(t.stepAt(p).lastAttempt), &Detail{})
		}
	}
}

// cancelLoops cancels what is left of an iteration in which nothing is in flight: its
// loops, the inner ones first, and steps whose fallback had not finished.
func (t loops) cancelLoops(f *frame) {
	for _, p := range t.activeIn(f) {
		if st := t.stepAt(p); st.loop != nil && !st.fallbackRunning {
			for _, inner := range t.iterations(p) {
				t.cancelLoops(inner)
			}
		}
		t.emit(events.StepCancelled, p, int(t.stepAt(p).lastAttempt), &Detail{})
	}
}

// timeoutRun begins to end a run whose timeout_seconds passed; its error is run_timeout.
func (t endings) timeoutRun() {
	message := fmt.Sprintf("The run took longer than %s.", t.plan.timeout)
	t.beginEnd(&ending{Outcome: Failed, Error: &Error{Code: "run_timeout", Message: message}}, "")
}

// beginEnd begins to end the run from outside: attempts in flight are told to stop. A run
// that failed already ends as it would have, only sooner. Where nothing is left to stop or
// to compensate the handlers run at once, or the run ends. reason is for the journal; "":
// none.
func (t endings) beginEnd(e *ending, reason string) {
	// The first reason to end stays.
	if t.ending != nil {
		e = t.ending
	}
	t.stopAllAttempts()
	if t.InFlight()+t.parked.len()+t.loops.len()+t.compensations.len() == 0 {
		t.runHandlersOrConclude(e)
		return
	}
	d := Detail{State: Cancelling, From: t.State, Outcome: e.Outcome, Error: e.Error, Reason: reason}
	t.emit(events.StateChanged, wholeRun, 0, e.cancelledBy().addToDetail(&d))
}

// stopAllAttempts emits a Stop for every attempt of a step in flight;
// compensations are not stopped.
func (t *transition) stopAllAttempts() {
	t.attempts.all(func(_ uint64, p position) bool {
		t.effects = append(t.effects, Stop{Ref: t.ref(p), Attempt: int(t.stepAt(p).lastAttempt)})
		return true
	})
}
