package machine

import "slices"

import "heddle/events"

// Roles of an Execute and of the events about it.
const (
	roleProbe        = "probe"
	roleCompensation = "compensation"
)

// undo is a completed step that has a compensation.
type undo struct{ at place }

// undoing is the compensation under way: in action, or waiting for its next
// attempt. It never changes in place.
type undoing struct {
	At      place
	Attempt int
	Tries   int   // failed attempts
	Due     int64 // of the next attempt, while none is in action
	Since   int64 // of the first attempt
	Begun   int64 // of the last
	Running bool
}

// undoPlaceNow is where the compensation under way is, or the next one. Events
// name it by a path, which may fit an iteration twice, so replay asks here too.
func (r *Run) undoPlaceNow() place {
	if r.undoing != nil {
		return r.undoing.At
	}
	_, next, _ := r.undo.max()
	return next.at
}

func (r *Run) compensationStarted(ev *events.Event, p place) {
	u := undoing{At: p, Attempt: ev.Attempt, Since: r.updated, Begun: r.updated, Running: true}
	if r.undoing != nil {
		u.Tries, u.Since = r.undoing.Tries, r.undoing.Since
	} else if key, _, ok := r.undo.max(); ok {
		r.undo.delete(r.edit, key)
	}
	r.undoing = &u
	r.editStep(p).attempt = int32(ev.Attempt)
	for p.at != nil {
		p = p.at.home()
	}
	r.editStep(p).undone = true
}

func (r *Run) compensationRetrying(d *Detail) {
	u := *r.undoing
	u.Tries, u.Due, u.Running = u.Tries+1, millis(d.NextAttemptAt), false
	r.undoing = &u
}

func (r *Run) compensationEnded(ev *events.Event, p place) {
	r.undoing = nil
	if ev.Kind == events.CompensationFailed {
		id := r.node(p).step.ID
		if p.at != nil {
			id = p.at.path + "." + id
		}
		r.undoFailed = append(slices.Clip(r.undoFailed), id)
	}
}
