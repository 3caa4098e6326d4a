package machine

import "heddle/events"

// begin starts a queued run, or lets a resumed one go on. In any other state it has no
// effect. The event of the first begin says who started the run.
func (t *transition) begin() {
	if t.State != Queued {
		return
	}
	d := Detail{State: Running, From: Queued}
	if t.StartedAt.IsZero() {
		d.Actor = t.StartedBy
	}
	t.emit(events.StateChanged, wholeRun, 0, &d)
	t.queueKeptSignals()
	t.queuePolls()
}

// cancel begins to end the run as cancelled; a run that is ending already, or is in its
// handlers, goes on as it would have. A run that failed and still waits for its attempts
// ends as failed, but they are told to stop.
func (t *transition) cancel(in Cancel) {
	switch t.State {
	case Cancelling, Compensating, Completed, Failed, Cancelled:
		return
	default: // a run in any other state is cancelled, unless it is in its handlers
	}
	if t.handlers != nil {
		return
	}
	message := in.Reason
	if message == "" {
		message = "The run was cancelled."
	}
	endings{t}.beginEnd(&ending{Outcome: Cancelled, Error: in.By.addTo(&Error{Code: "cancelled", Message: message})}, in.Reason)
}

// terminate ends the run at once; what is in flight is stopped and not awaited,
// compensations included. The error is fault.Conflict run_finished.
func (t *transition) terminate(in Terminate) error {
	if t.State.Terminal() {
		return finishedError(t.Run)
	}
	t.stopAllAttempts()
	if u := t.compensating; u != nil && u.running {
		t.effects = append(t.effects, Stop{Ref: t.ref(u.position), Attempt: u.attempt})
	}
	message := in.Reason
	if message == "" {
		message = "The run was terminated."
	}
	endings{t}.conclude(&ending{Outcome: Cancelled, Error: in.By.addTo(&Error{Code: "terminated", Message: message})})
	return nil
}

// pause lets attempts in flight finish and starts nothing more. A run that is ending, or is
// in its handlers, is left as it is. The error is fault.Conflict run_finished.
func (t *transition) pause(in Pause) error {
	switch t.State {
	case Completed, Failed, Cancelled:
		return finishedError(t.Run)
	case Pausing, Paused, Cancelling, Compensating:
		return nil
	default: // a run in any other state is paused, unless it is about to end
	}
	if t.ending != nil || t.handlers != nil {
		return nil // the run is about to end: nothing but its end starts any more
	}
	to := Paused
	if t.InFlight() > 0 {
		to = Pausing
	}
	t.emit(events.StateChanged, wholeRun, 0, in.By.addToDetail(&Detail{State: to, From: t.State}))
	return nil
}

// interrupt ends an attempt in flight whose process is gone. The step runs again under the
// same key, unless its on_interrupt is fail or nothing may start in its list any more.
func (t *transition) interrupt(p position) {
	n, st := t.node(p), t.stepAt(p)
	attempt, d := int(st.lastAttempt), Detail{}
	if n.wait != nil {
		d.Role = roleProbe
	}
	t.emit(events.StepInterrupted, p, attempt, &d)
	switch {
	case n.wait == nil && n.step.OnInterrupt == "fail":
		t.fail(p, Failure{Error: *interruptedError(), Permanent: true}, Usage{})
	case t.halted(p.frame):
		t.emit(events.StepCancelled, p, attempt, &Detail{})
	}
}

// interruptedError returns the error of an attempt that was cut off and must not be
// repeated.
func interruptedError() *Error {
	return &Error{Code: codeInterrupted, Message: "The process stopped while the step ran; whether it took effect is unknown, and on_interrupt is fail."}
}
