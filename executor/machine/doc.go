// Package machine is a run as a pure state machine: given a run, an input and
// the time, it says what happened (Events), what the run is now (Run) and what
// is to be done outside (Effects). It has no clock, no goroutine, no I/O, makes
// no ids and draws no random numbers beyond a hash of what it is given.
//
// Two halves: decide (Apply) turns an input into events; evolve folds one event
// into the run. Apply evolves the run by each event that it emits, so a run
// folded from its journal equals the run that Apply returned.
//
// A Run is never changed once returned: Apply works on a copy that shares all
// unchanged parts, and costs O(log n) in the number of steps per event.
package machine
