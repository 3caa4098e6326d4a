package schedules

import (
	"heddle/executor/machine"
	"heddle/fault"
	"time"
)

// Overview is what lists say of a schedule beside its own row.
type Overview struct {
	Workflow WorkflowName
	// Last is the line of its latest due time; nil: it has none yet.
	Last *Slot
}

// WorkflowName names a schedule's workflow, as it is now.
type WorkflowName struct{ ID, Slug, Name string }

// SlotRun is the run of a line of the ledger, as it is now.
type SlotRun struct {
	State                  machine.State
	StartedAt, CompletedAt time.Time // zero: not yet
}

// Order is the order of a list of schedules.
type Order string

// The orders; "" is NewestFirst.
const (
	NewestFirst Order = "-created"
	// NextFirst lists active schedules by their next due times, then paused and ended ones.
	NextFirst Order = "next"
)

// Health selects schedules with which something is wrong.
type Health string

// The states of health.
const (
	// Failing: the run of the latest due time failed, or could not be started.
	Failing Health = "failing"
	// Behind: the latest due time was late or missed, or the next one has passed by more than
	// a minute and its jitter.
	Behind Health = "late"
)

// Holds reports whether a schedule is in this state of health; run is that of last, and both may
// be nil. Only status, next due time and jitter of the schedule are looked at.
func (h Health) Holds(s Schedule, last *Slot, run *SlotRun, now time.Time) bool {
	switch h {
	case Failing:
		return last != nil && (run != nil && run.State == machine.Failed || last.Refused())
	case Behind:
		overdue := s.WakeAt()
		return !overdue.IsZero() && now.Sub(overdue) > missedThreshold ||
			last != nil && (last.Outcome == Late || last.Outcome == CaughtUp || last.Missed())
	}
	return true
}

// Refused reports whether the slot has no run because its workflow took none: it was not active,
// or the start failed.
func (s Slot) Refused() bool {
	switch s.Reason {
	case reasonOverlap, reasonQueueFull, reasonNoCatchUp, reasonWindow, reasonMax, reasonEnded:
		return false
	}
	return s.Outcome == Skipped
}

// check refuses a filter with a value that cannot be: fault.Malformed invalid_request.
func (q Query) check() error {
	switch {
	case q.Status != "" && q.Status != Active && q.Status != Paused && q.Status != Ended:
		return fault.New(fault.Malformed, "invalid_request", "status must be active, paused or ended, not %q.", truncate(string(q.Status)))
	case q.Health != "" && q.Health != Failing && q.Health != Behind:
		return fault.New(fault.Malformed, "invalid_request", "health must be failing or late, not %q.", truncate(string(q.Health)))
	case q.Order != "" && q.Order != NewestFirst && q.Order != NextFirst:
		return fault.New(fault.Malformed, "invalid_request", "order must be -created or next, not %q.", truncate(string(q.Order)))
	}
	return nil
}
