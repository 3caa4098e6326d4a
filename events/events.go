// Package events holds the names of run events and the hub that wakes those
// who watch a run. An event is a row of the run's journal first: recovery,
// history and live streams all read the same rows. The hub never carries an
// event, it only says "look again".
package events

import (
	"encoding/json"
	"time"
)

// Kind names what happened. The wording is internal; each API dialect
// translates the kinds that it has a word for and leaves the others out.
type Kind string

// The catalogue. Data is described beside each kind; the payload types live in
// executor/machine.
const (
	StateChanged          Kind = "state_changed"       // the run's state: {"state","from",...}
	StepStarted           Kind = "step_started"        // an attempt begins
	StepCompleted         Kind = "step_completed"      // {"output",...}
	StepFailed            Kind = "step_failed"         // failed permanently: {"error"}
	StepRetrying          Kind = "step_retrying"       // an attempt failed, another follows: {"error","next_attempt_at"}
	StepInterrupted       Kind = "step_interrupted"    // an attempt was cut off by a crash
	StepSkipped           Kind = "step_skipped"        // {"reason"}
	StepWaiting           Kind = "step_waiting"        // a wait is open: {"until","signal","timeout_at",...}
	StepCancelled         Kind = "step_cancelled"      // ended by the run's end
	IterationStarted      Kind = "iteration_started"   // Step is the loop, Iteration the new path
	IterationCompleted    Kind = "iteration_completed" // {"result"}
	IterationFailed       Kind = "iteration_failed"    // {"error"}
	SignalReceived        Kind = "signal_received"     // {"name","payload","request_id"}
	SignalRejected        Kind = "signal_rejected"     // a kept signal that broke the wait's schema
	InputRequested        Kind = "input_requested"     // {"request_id","name","schema","prompt"}
	InputResolved         Kind = "input_resolved"      // {"request_id","payload"}
	CompensationStarted   Kind = "compensation_started"
	CompensationCompleted Kind = "compensation_completed"
	CompensationFailed    Kind = "compensation_failed"
	HandlersStarted       Kind = "handlers_started" // on_failure or finally begins: {"handlers","outcome","error"}
	RunCompleted          Kind = "run_completed"    // the run's last event: {"output"}
	RunFailed             Kind = "run_failed"       // the run's last: {"error"}
	RunCancelled          Kind = "run_cancelled"    // the run's last
)

// Terminal reports whether the kind is the last event of a run. (A failed or
// cancelled run that is resumed goes on with the next seq.)
func (k Kind) Terminal() bool {
	return k == RunCompleted || k == RunFailed || k == RunCancelled
}

// Event is one row of a run's journal. Seq starts at 1, is dense and rises
// strictly within the run. Iteration is empty outside loop bodies, otherwise a
// path such as "each[3]" or "each[3].inner[0]". Attempt counts from 1 on step
// events and is 0 elsewhere. At has millisecond precision, UTC. Data is one
// JSON object or nil.
type Event struct {
	RunID     string
	Seq       int64
	Kind      Kind
	StepID    string
	Iteration string
	Attempt   int
	At        time.Time
	Data      json.RawMessage
}
