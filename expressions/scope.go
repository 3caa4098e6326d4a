package expressions

import "encoding/json"

// Scope is what an expression can see. Values are JSON, exactly as stored; a plain
// path ("input.a.b", "steps.fetch.output.items") keeps the value's bytes. An
// evaluation calls it from one goroutine and only for what the expression names;
// what it returns is never changed.
type Scope interface {
	// Value returns input, run, item, index, last, probe, or the name that a loop's
	// "as" introduced. False: the name is not visible here. No bytes are null.
	Value(name string) (json.RawMessage, bool)
	// Step returns a step that is visible here (an ancestor); false for any other.
	// Output is "null", or empty, for a step without one.
	Step(id string) (StepValue, bool)
	// StepIDs lists the visible steps in any order, for expressions that use all of
	// them. The list is not changed.
	StepIDs() []string
	// Signal returns the payload of the last signal of that name; false: none was
	// received.
	Signal(name string) (json.RawMessage, bool)
	// SignalNames lists the names of the signals received so far, in any order.
	SignalNames() []string
	// Secret returns a secret's value; false: there is none of that name. It is
	// called only for templates in config.
	Secret(name string) (string, bool)
}

// StepValue is what steps.<id> shows: its members status, output and error.
type StepValue struct {
	Status string          // one of statuses
	Output json.RawMessage // JSON; empty is null
	Error  json.RawMessage // {"code": …, "message": …, "details": …}; empty is null
	// Load, where it is set, returns the output in the place of Output. It is
	// called only when an expression reads the output, and once for each path that
	// does. Its error ends the evaluation; one that is an *Error keeps its code,
	// any other has CodeFailed.
	Load func() (json.RawMessage, error)
}

// output returns the step's output, loading it where it must be.
func (s StepValue) output() (json.RawMessage, *Error) {
	if s.Load == nil {
		return s.Output, nil
	}
	raw, err := s.Load()
	if err != nil {
		return nil, asError(err)
	}
	return raw, nil
}
