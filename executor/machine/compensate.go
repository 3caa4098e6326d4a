package machine

import "heddle/events"

// compensate makes the next compensation, in reverse order of completion, or
// ends the run after the last. False: one is in action or waits for its retry.
func (t *turn) compensate() bool {
	if u := t.undoing; u != nil {
		if u.Running || u.Due > t.now {
			return false
		}
		t.undoStep(u.At)
		return true
	}
	if t.undo.len() == 0 {
		t.wrapUp(t.ending)
		return true
	}
	t.undoStep(t.undoPlaceNow())
	return true
}

func (t *turn) undoStep(p place) {
	n, attempt := t.node(p), t.nextAttempt(p)
	if p.at != nil {
		// A loop that was tried anew may have numbered later attempts of this
		// place than the kept iteration knows.
		attempt = max(attempt, t.attempts+1)
	}
	t.emit(events.CompensationStarted, p, attempt, &Detail{})
	t.effects = append(t.effects, Execute{
		Ref: t.ref(p), Attempt: attempt, Type: n.compensate.kind, Config: n.compensate.config,
		Scope: view{run: t.Run, at: p, self: true}, Timeout: n.compensate.timeout,
		Key: t.effectKey(p, roleCompensation), Since: instant(t.undoing.Since), Role: roleCompensation,
	})
}

// undone takes the end of a compensation's attempt. One that fails for good is
// recorded and the others go on.
func (t *turn) undone(in StepEnded) {
	u := t.undoing
	p := u.At
	n := t.node(p)
	d := Detail{LatencyMS: t.latency(u.Begun), Usage: in.Usage}
	if in.Failure == nil {
		d.Output = in.Output
		t.emit(events.CompensationCompleted, p, u.Attempt, &d)
		return
	}
	d.Error = cleaned(in.Failure.Error)
	if n.retry.again(in.Failure, u.Tries) {
		wait := n.retry.after(u.Tries+1, t.fraction(p, u.Attempt), in.Failure.RetryAfter)
		d.Role, d.NextAttemptAt = roleCompensation, instant(later(t.now, wait))
		t.emit(events.StepRetrying, p, u.Attempt, &d)
		return
	}
	t.emit(events.CompensationFailed, p, u.Attempt, &d)
}
