package executor

import (
	"heddle/events"
	"heddle/executor/machine"
)

// Tracer makes spans of what runs do. The goroutines that drive runs call it,
// so it returns at once and never fails them.
type Tracer interface {
	// Committed sees each growth of a run after it is durable, in order, and
	// no event twice: a process sees what it committed itself.
	Committed(Growth)
	// Outgoing is the traceparent that an attempt sends on.
	Outgoing(call Call) string
}

// Growth is what one commit added to a run. It and what it points at must not be changed.
type Growth struct {
	Before *machine.Run // nil: the run is new
	After  *machine.Run
	Events []events.Event
	Trace  Trace
}

// trace passes what is durable now to the tracer, where there is one. It is called before
// a.run moves on, so that the tracer sees the run before and after. A change without events
// is not passed on.
func (d *driver) trace(a *activeRun, change machine.Change) {
	if t := d.cfg.Tracer; t != nil && len(change.Events) > 0 {
		t.Committed(Growth{Before: a.run, After: change.Run, Events: change.Events, Trace: a.trace})
	}
}
