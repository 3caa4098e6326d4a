package expressions

import "encoding/json"

// Scope is what an expression can see. Values are JSON, exactly as stored; a
// plain path ("input.a.b", "steps.fetch.output.items") keeps the value's bytes.
type Scope interface {
	// Value gives input, run, item, index, last, probe, or the name that a
	// loop's "as" introduced. False: the name is not visible here.
	Value(name string) (json.RawMessage, bool)
	// Step gives a step that is visible here (an ancestor). Output is "null"
	// for a step without one.
	Step(id string) (StepValue, bool)
	// StepIDs lists the visible steps, for expressions that use all of them.
	StepIDs() []string
	// Signal gives the payload of the last signal of that name.
	Signal(name string) (json.RawMessage, bool)
	// SignalNames lists the signals received so far.
	SignalNames() []string
	// Secret gives a secret's value; only templates in config may ask.
	Secret(name string) (string, bool)
}

// StepValue is what steps.<id> shows.
type StepValue struct {
	Status string
	Output json.RawMessage
	Error  json.RawMessage
	// Load, where it is set, gives the output in the place of Output; it is
	// called only for expressions that read it.
	Load func() (json.RawMessage, error)
}

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
