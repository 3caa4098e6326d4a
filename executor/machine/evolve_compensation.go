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

// compensable is a completed step that has a compensation.
type compensable struct{ at position }

// activeCompensation is the compensation under way: in action, or waiting for its next
// attempt. It never changes in place.
type activeCompensation struct {
	position       position
	attempt        int
	failedAttempts int   // failed attempts
	dueAt          int64 // of the next attempt, while none is in action
	keyFirstUsedAt int64 // of the first attempt
	startedAt      int64 // of the last
	running        bool
}

// currentCompensation is where the compensation under way is, or the next one. Events
// name it by a path, which may fit an iteration twice, so replay asks here too.
func (r *Run) currentCompensation() position {
	if r.compensating != nil {
		return r.compensating.position
	}
	_, next, _ := r.compensations.max()
	return next.at
}

func (r evolver) compensationStarted(ev *events.Event, p position) {
	u := activeCompensation{position: p, attempt: ev.Attempt, keyFirstUsedAt: r.updatedAt, startedAt: r.updatedAt, running: true}
	if r.compensating != nil {
		u.failedAttempts, u.keyFirstUsedAt = r.compensating.failedAttempts, r.compensating.keyFirstUsedAt
	} else if key, _, ok := r.compensations.max(); ok {
		r.compensations.delete(r.edit, key)
	}
	r.compensating = &u
	r.editStep(p).attemptNumber = int32(ev.Attempt)
	for p.frame != nil {
		p = p.frame.loopPosition()
	}
	r.editStep(p).compensated = true
}

func (r evolver) compensationRetrying(d *Detail) {
	u := *r.compensating
	u.failedAttempts, u.dueAt, u.running = u.failedAttempts+1, millis(d.NextAttemptAt), false
	r.compensating = &u
}

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
