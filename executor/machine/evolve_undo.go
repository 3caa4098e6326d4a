package machine

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
	Begun   int64
	Running bool
}

// compensationStarted takes the place from the run itself, because a path may
// name an iteration twice.
func (r *Run) compensationStarted(ev *events.Event) {
	u := undoing{Attempt: ev.Attempt, Begun: r.updated, Running: true}
	if r.undoing != nil {
		u.At, u.Tries = r.undoing.At, r.undoing.Tries
	} else {
		key, next, _ := r.undo.max()
		r.undo.delete(r.edit, key)
		u.At = next.at
	}
	p := u.At
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

func (r *Run) compensationEnded(ev *events.Event) {
	p := r.undoing.At
	r.undoing = nil
	if ev.Kind == events.CompensationFailed {
		id := r.node(p).step.ID
		if p.at != nil {
			id = p.at.path + "." + id
		}
		r.undoFailed = append(r.undoFailed[:len(r.undoFailed):len(r.undoFailed)], id)
	}
}
