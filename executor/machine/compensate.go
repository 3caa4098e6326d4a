package machine

import "heddle/events"

// nextCompensation begins the next compensation, in reverse order of completion, or goes on
// to the handlers after the last. It returns false while one is in flight or waits for its
// retry.
func (t endings) nextCompensation() bool {
	if u := t.compensating; u != nil {
		if u.running || u.dueAt > t.now {
			return false
		}
		t.startCompensation(u.position)
		return true
	}
	if t.compensations.len() == 0 {
		t.runHandlersOrConclude(t.ending)
		return true
	}
	t.startCompensation(t.currentCompensation())
	return true
}

// startCompensation begins an attempt of the compensation of the step at p. Its expressions
// see the step itself. Its key is that of the step's generation in the role of a
// compensation.
func (t endings) startCompensation(p position) {
	n, attempt := t.node(p), t.nextAttempt(p)
	if p.frame != nil {
		// A loop that was tried again may have numbered later attempts of this position
		// than the retained iteration knows.
		attempt = max(attempt, t.maxLoopAttempt+1)
	}
	t.emit(events.CompensationStarted, p, attempt, &Detail{})
	t.effects = append(t.effects, Execute{
		Ref: t.ref(p), Attempt: attempt, Type: n.compensate.stepType, Config: n.compensate.config,
		Scope: view{run: t.Run, position: p, seesItself: true}, Timeout: n.compensate.timeout,
		IdempotencyKey: t.effectKey(p, roleCompensation), KeyFirstUsedAt: instant(t.compensating.keyFirstUsedAt), Role: roleCompensation,
	})
}

// compensationAttemptEnded takes the end of a compensation's attempt. It is retried by the
// step's own policy; one that fails permanently is recorded, and the others go on: it does
// not stop the run from ending.
func (t endings) compensationAttemptEnded(in StepEnded) {
	u := t.compensating
	p := u.position
	n := t.node(p)
	d := Detail{LatencyMS: t.latency(u.startedAt), Usage: in.Usage}
	if in.Failure == nil {
		d.Output = in.Output
		t.emit(events.CompensationCompleted, p, u.attempt, &d)
		return
	}
	d.Error = validUTF8(in.Failure.Error)
	if n.retry.retries(in.Failure, u.failedAttempts) {
		delay := n.retry.delayAfter(u.failedAttempts+1, t.fraction(p, u.attempt), in.Failure.RetryAfter)
		d.Role, d.NextAttemptAt = roleCompensation, instant(addDuration(t.now, delay))
		t.emit(events.StepRetrying, p, u.attempt, &d)
		return
	}
	t.emit(events.CompensationFailed, p, u.attempt, &d)
}
