package machine

import (
	"heddle/events"
	"slices"
)

// Roles of an Execute and of the events about it.
const (
	roleProbe        = "probe"
	roleCompensation = "compensation"
)

// compensable is a completed step that has a compensation. Its key is the seq of the
// completion. The iterations around it are retained while it is remembered, because the
// compensation's expressions read their state.
type compensable struct{ at position }

// activeCompensation is the compensation under way: in flight, or waiting for its next
// attempt. It never changes in place. Times are in milliseconds since 1970.
type activeCompensation struct {
	position       position
	attempt        int
	failedAttempts int   // that count against the step's max_attempts
	dueAt          int64 // of the next attempt, while none is in flight
	keyFirstUsedAt int64 // of the first attempt
	startedAt      int64 // of the last
	running        bool  // an attempt is in flight
}

// currentCompensation returns the position of the compensation under way, or of the next
// one, which is that of the step that completed last. Events name it by a path, which may
// fit an iteration twice (a loop that was tried anew), so replay asks here too.
func (r *Run) currentCompensation() position {
	if r.compensating != nil {
		return r.compensating.position
	}
	_, next, _ := r.compensations.max()
	return next.at
}

// compensationStarted begins an attempt of a compensation. Its step, or the
// top-level loop around it, is marked: a resume cannot keep what has begun to
// be undone.
func (r evolver) compensationStarted(ev *events.Event, p position) {
	u := activeCompensation{position: p, attempt: ev.Attempt, keyFirstUsedAt: r.updatedAt, startedAt: r.updatedAt, running: true}
	if r.compensating != nil {
		u.failedAttempts, u.keyFirstUsedAt = r.compensating.failedAttempts, r.compensating.keyFirstUsedAt
	} else if key, _, ok := r.compensations.max(); ok {
		r.compensations.delete(r.edit, key)
	}
	r.compensating = &u
	r.editStep(p).attemptNumber = int32(ev.Attempt)
	// A resume judges top-level steps, so the mark goes to the outermost loop.
	for p.frame != nil {
		p = p.frame.loopPosition()
	}
	r.editStep(p).compensated = true
}

// compensationRetrying lets the compensation wait for its next attempt.
func (r evolver) compensationRetrying(d *Detail) {
	u := *r.compensating
	u.failedAttempts, u.dueAt, u.running = u.failedAttempts+1, millis(d.NextAttemptAt), false
	r.compensating = &u
}

// compensationEnded makes room for the next compensation; one that failed
// permanently is remembered for the run's error.
func (r evolver) compensationEnded(ev *events.Event, p position) {
	r.compensating = nil
	if ev.Kind == events.CompensationFailed {
		id := r.node(p).step.ID
		if p.frame != nil {
			id = p.frame.path + "." + id
		}
		r.failedCompensations = append(slices.Clip(r.failedCompensations), id)
	}
}
