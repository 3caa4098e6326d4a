package machine

import (
	"encoding/json"
	"fmt"
	"heddle/events"
	"heddle/expressions"
	"strconv"
	"time"
)

// The kinds of waits.
const (
	waitTimer     = "timer"
	waitCondition = "condition"
	waitSignal    = "signal"
)

// Codes of errors that are made or compared in several places.
const (
	codeTimeout         = "timeout"          // of a step or a loop, by timeout_seconds
	codeWaitTimeout     = "wait_timeout"     // of a wait, by its own timeout_seconds
	codeInterrupted     = "interrupted"      // cut off, and on_interrupt is fail
	codeIterationFailed = "iteration_failed" // of a loop; its details name the cause
)

// waits is the part of a transition that performs the steps of type wait: timers,
// conditions and signals.
//
// The events of a wait that does not end at once, in order:
//
//	timer       step_started, step_waiting, step_completed
//	condition   step_started, step_waiting, step_completed; with a probe one step_waiting for
//	            the probe and one for the time until the next poll
//	signal      step_started, step_waiting, input_requested, input_resolved, step_completed
type waits struct{ *transition }

// openWait begins a wait, or ends it at once where it has nothing to wait for.
func (t waits) openWait(p position) {
	w := t.node(p).wait
	switch {
	case w.condition != nil && w.probe != nil:
		t.probe(p)
	case w.condition != nil:
		t.poll(p, nil)
	case w.name != nil:
		t.openSignalWait(p)
	default:
		t.openTimer(p)
	}
}

// openTimer opens a wait for seconds or until. One that is over already completes at once,
// without waiting.
func (t waits) openTimer(p position) {
	until, err := t.timerEnd(p)
	if err != nil {
		t.fail(p, expressionFailure(err), Usage{})
		return
	}
	// No event of a wait: one that has nothing to wait for is not shown as open.
	if until <= t.now {
		t.completeWait(p, &Detail{})
		return
	}
	t.emit(events.StepWaiting, p, int(t.stepAt(p).lastAttempt), &Detail{Kind: waitTimer, Until: instant(until), TimeoutAt: t.waitTimeoutAt(p)})
}

// timerEnd returns when a timer wait is over, in milliseconds since 1970. Errors: those of
// expressions, and a value that is neither a number of seconds nor an RFC 3339 time.
func (t waits) timerEnd(p position) (int64, error) {
	w, scope := t.node(p).wait, view{run: t.Run, position: p}
	switch {
	case w.seconds != nil:
		raw, err := w.seconds.Render(scope)
		if err != nil {
			return 0, err
		}
		v, err := strconv.ParseFloat(string(raw), 64)
		if err != nil {
			return 0, &expressions.Error{Code: expressions.CodeType, Message: "wait.seconds must be a number"}
		}
		return addDuration(t.now, secondsToDuration(v)), nil
	case w.until == nil:
		return w.fixedTime.UnixMilli(), nil
	}
	raw, err := w.until.EvalJSON(scope)
	if err != nil {
		return 0, err
	}
	var text string
	at := time.Time{}
	if err = json.Unmarshal(raw, &text); err == nil {
		at, err = time.Parse(time.RFC3339Nano, text)
	}
	if err != nil {
		return 0, &expressions.Error{Code: expressions.CodeType, Message: "wait.until must be an RFC 3339 time"}
	}
	return at.UnixMilli(), nil
}

// attemptTimeoutAt returns when the step's own timeout_seconds passes; zero: it
// has none.
func (t waits) attemptTimeoutAt(p position) time.Time {
	if limit := t.node(p).timeout; limit > 0 {
		return instant(addDuration(t.stepAt(p).attemptStartedAt, limit))
	}
	return time.Time{}
}

// waitTimeoutAt returns when the wait times out, by its own timeout or the
// step's, whichever comes first; zero: never.
func (t waits) waitTimeoutAt(p position) time.Time {
	at := t.attemptTimeoutAt(p)
	if own := t.node(p).wait.timeout; own > 0 {
		end := instant(addDuration(t.stepAt(p).attemptStartedAt, own))
		if at.IsZero() || end.Before(at) {
			return end
		}
	}
	return at
}

// probe begins the request that comes before an evaluation of wait.condition.
// The first one belongs to the attempt that started the step, each later one
// has a number of its own.
func (t waits) probe(p position) {
	n := t.node(p)
	attempt := int(t.stepAt(p).lastAttempt)
	if t.stepAt(p).wait != nil {
		attempt = t.nextAttempt(p)
	}
	t.emit(events.StepWaiting, p, attempt, &Detail{Kind: waitCondition, Role: roleProbe, TimeoutAt: t.waitTimeoutAt(p)})
	t.effects = append(t.effects, Execute{
		Ref: t.ref(p), Attempt: attempt, Type: n.wait.probe.stepType, Config: n.wait.probe.config,
		Scope: view{run: t.Run, position: p}, Timeout: attemptTimeout, IdempotencyKey: t.effectKey(p, roleProbe), Role: roleProbe,
	})
}

// probeEnded takes the probe's end. A failure that is not permanent counts as
// "not yet": the next poll tries again.
func (t waits) probeEnded(p position, in StepEnded) {
	switch {
	// The run or the iteration is ending: what the probe found does not matter any more.
	case t.halted(p.frame):
		t.emit(events.StepCancelled, p, in.Attempt, &Detail{Usage: in.Usage})
	case in.Failure == nil:
		t.poll(p, &in)
	case in.Failure.Permanent:
		t.fail(p, *in.Failure, in.Usage)
	default:
		t.rescheduleWait(p, &Detail{Error: validUTF8(in.Failure.Error), Usage: in.Usage})
	}
}

// poll evaluates wait.condition; probe is the end of the probe before it, nil where the
// wait has none. A condition that is not true yet is parked again, unless it is parked as
// it stands.
func (t waits) poll(p position, probe *StepEnded) {
	scope := view{run: t.Run, position: p}
	var usage Usage
	if probe != nil {
		scope.probe, usage = probe.Output, probe.Usage
	}
	ok, err := t.node(p).wait.condition.EvalBool(scope)
	switch {
	case err != nil:
		t.fail(p, expressionFailure(err), usage)
	case ok:
		t.completeWait(p, &Detail{Usage: usage})
	case probe == nil && t.stepAt(p).status == StepWaiting:
		// Nothing changed: only a signal or the timeout can end this wait.
	default:
		t.rescheduleWait(p, &Detail{Usage: usage})
	}
}

// rescheduleWait parks a condition wait until its next poll. Without a probe
// nothing but a signal can change the condition, so there is no next poll.
func (t waits) rescheduleWait(p position, d *Detail) {
	w := t.node(p).wait
	d.Kind, d.TimeoutAt = waitCondition, t.waitTimeoutAt(p)
	if w.probe != nil {
		d.Until = instant(addDuration(t.now, w.poll))
	}
	t.emit(events.StepWaiting, p, int(t.stepAt(p).lastAttempt), d)
}

// completeWait completes a wait whose output is how long it waited. A nil
// detail: it timed out, and on_timeout says to continue.
func (t waits) completeWait(p position, d *Detail) {
	buf := append(make([]byte, 0, 48), `{"waited_seconds":`...)
	buf = strconv.AppendFloat(buf, float64(t.latency(t.stepAt(p).attemptStartedAt))/1000, 'f', -1, 64)
	if d == nil {
		d = &Detail{}
		buf = append(buf, `,"timed_out":true`...)
	}
	d.Output = append(buf, '}')
	t.complete(p, d)
}

// wakeWait acts on a wait that is due: it is over, polls again, or timed out. The step's
// timeout fails the step with timeout; the wait's own fails it with wait_timeout or, with
// on_timeout: continue, completes it.
func (t waits) wakeWait(p position) {
	n, w := t.node(p), t.stepAt(p).wait
	// At one and the same instant the end of a wait wins over its timeout.
	timedOut := w.TimeoutAt != 0 && w.TimeoutAt <= t.now && (w.Until == 0 || w.TimeoutAt < w.Until)
	switch {
	case timedOut && !t.attemptTimeoutAt(p).IsZero() && millis(t.attemptTimeoutAt(p)) == w.TimeoutAt:
		t.fail(p, Failure{Error: Error{Code: codeTimeout, Message: fmt.Sprintf("Step '%s' took longer than %s.", n.step.ID, n.timeout)}}, Usage{})
	case timedOut && !n.wait.continueOnTimeout:
		t.fail(p, Failure{Error: Error{Code: codeWaitTimeout, Message: fmt.Sprintf("Wait '%s' timed out after %s.", n.step.ID, n.wait.timeout)}}, Usage{})
	// on_timeout: continue, as in the next case.
	case timedOut && w.Kind == waitSignal:
		t.complete(p, &Detail{Output: signalOutput(w.Name, null, w.RequestID, 0), timedOut: true})
	case timedOut:
		t.completeWait(p, nil)
	case w.Kind == waitCondition:
		t.probe(p)
	default:
		t.completeWait(p, &Detail{})
	}
}
