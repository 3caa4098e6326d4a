package expressions

import "time"

// evaluation is the state of one run of a program: what it may still spend, and the
// values that it has read. One goroutine uses it at a time; between two uses it
// waits in its program's pool.
type evaluation struct {
	meter
	reader
	// lastPattern is the last regular expression that was computed, so that one
	// inside a predicate is compiled once and not per element; nil: none was.
	lastPattern *pattern
	// zones are those that were looked for, by name, because loading one costs more
	// than all else in a call of date; nil: none was.
	zones map[string]*time.Location
}

// begin prepares for one run of the program with these paths, with all limits full.
func (e *evaluation) begin(s Scope, paths []path) {
	e.meter = fullMeter()
	e.reader.begin(s, paths)
}

// end forgets all values; the memory of memo is kept for the next run.
func (e *evaluation) end() {
	e.reader.end()
	e.lastPattern, e.zones = nil, nil
}
