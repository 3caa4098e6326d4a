// Package machine is a run as a pure state machine: given a run, an input and the time, it
// says what happened (Events), what the run is now (Run) and what has to be done outside
// (Effects).
//
// # What it promises
//
// Apply does not change its arguments, and the same run, input and time always lead to the
// same change. A run folded from its journal (Restore) equals the run that Apply returned.
// An input costs O(log n) in the number of steps per event that it emits, and emits at most
// about 500 before it says More.
//
// # What it must not know
//
// It has no clock, no goroutine, no I/O, makes no ids and draws no random numbers beyond a
// hash of what it is given. It knows neither secrets nor the catalogue of step types: an
// Execute carries its config unrendered, and what differs between types comes in through
// Compile.
//
// # How it is made
//
//	Plan        a definition made ready to run, shared by all of its runs
//	Run         the state, immutable; its methods only read
//	transition  one Apply at work: it decides what an input leads to
//	evolver     folds one event into a draft; used by Apply and by Restore
//	draft       a copy that may still be changed, and the moves that change it
//
// For a workflow of two steps, b after a, the first inputs of a run lead to this:
//
//	Begin             state_changed running, step_started a    Execute a
//	StepEnded a       step_completed a, step_started b         Execute b
//	StepEnded b       step_completed b, state_changed          -
//	                  completed, run_completed
//
// decide and evolve are kept apart: a transition never writes state itself, it emits an
// event, and the evolver changes the draft by it. So whatever is not in the event cannot be
// in the state either, and the journal is complete. The exception is the backlog, which is
// not journalled: Recover makes it anew.
//
// Times inside are milliseconds since 1970 in UTC, 0 meaning none; at the package's border
// they are time.Time, zero meaning none.
package machine
