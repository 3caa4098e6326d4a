package expressions

import (
	"encoding/json"
	"slices"
)

// evaluation is the state of one run of a program: what it may still spend,
// and the values that it has read. It is never shared.
type evaluation struct {
	scope Scope
	paths []path
	memo  []memo
	steps map[string]any
	fuel  int // visits left
	read  int // bytes of JSON that may still be decoded
	built int // bytes of strings that may still be built
	// lastPattern is the last regular expression that was computed.
	lastPattern *pattern
}

type memo struct {
	value any
	known bool
}

func (e *evaluation) begin(s Scope, paths []path) {
	e.scope, e.paths = s, paths
	e.fuel, e.read, e.built = MaxFuel, MaxRead, MaxBuilt
	if cap(e.memo) < len(paths) {
		e.memo = make([]memo, len(paths))
	}
	e.memo = e.memo[:len(paths)]
}

func (e *evaluation) end() {
	clear(e.memo)
	e.scope, e.steps, e.lastPattern = nil, nil, nil
}

// spend takes fuel; limit_exceeded when there is none left.
func (e *evaluation) spend(n int) *Error {
	if n > e.fuel {
		e.fuel = 0
		return fail(CodeLimit, "the expression does too much work (more than %d element visits); use a step for it", MaxFuel)
	}
	e.fuel -= n
	return nil
}

// grow asks for a string of n bytes.
func (e *evaluation) grow(n int) *Error {
	if n > MaxString {
		return fail(CodeLarge, "a string of %d bytes would be built; at most %d are allowed", n, MaxString)
	}
	if n > e.built {
		return fail(CodeLarge, "the expression builds more than %d bytes of strings", MaxBuilt)
	}
	e.built -= n
	return e.spend(1 + n/1024)
}

// value gives the decoded value of the path with that number, once per evaluation.
func (e *evaluation) value(i int) (any, *Error) {
	if e.memo[i].known {
		return e.memo[i].value, nil
	}
	raw, err := e.resolve(e.paths[i])
	if err != nil {
		return nil, err
	}
	v, err := e.decode(raw)
	if err != nil {
		return nil, err.at(e.paths[i].column)
	}
	e.memo[i] = memo{v, true}
	return v, nil
}

// decode reads JSON, within what the evaluation may still read.
func (e *evaluation) decode(raw json.RawMessage) (any, *Error) {
	if len(raw) > e.read {
		return nil, fail(CodeLarge, "the expression reads more than %d bytes of values; name a smaller part of them", MaxRead)
	}
	e.read -= len(raw)
	return decode(raw)
}

// resolve finds the JSON that a path names. No bytes: null.
func (e *evaluation) resolve(p path) (json.RawMessage, *Error) {
	switch p.root {
	case nameSteps:
		return e.resolveStep(p)
	case nameSignals:
		return e.resolveSignal(p)
	case nameSecrets:
		return e.resolveSecret(p)
	}
	raw, ok := e.scope.Value(p.root)
	if !ok {
		return nil, failAt(CodeUnknown, p.column, "%s is not visible here", p.root)
	}
	return descend(raw, p, 0)
}

func (e *evaluation) resolveStep(p path) (json.RawMessage, *Error) {
	id, ok := p.first()
	if !ok {
		raw, err := e.allSteps()
		if err != nil {
			return nil, err.at(p.column)
		}
		return descend(raw, p, 0)
	}
	step, ok := e.scope.Step(id)
	if !ok {
		return nil, failAt(CodeUnknown, p.column, "the step %s is not visible here", id)
	}
	rest := 1
	if len(p.hops) > rest && !p.hops[rest].ends && !p.hops[rest].numeric {
		if raw, ok, err := stepField(step, p.hops[rest].key); ok || err != nil {
			if err != nil {
				return nil, err.at(p.column)
			}
			return descend(raw, p, rest+1)
		}
	}
	raw, err := stepObject(step)
	if err != nil {
		return nil, err.at(p.column)
	}
	return descend(raw, p, rest)
}

func stepField(s StepValue, name string) (json.RawMessage, bool, *Error) {
	switch name {
	case "status":
		return appendString(nil, s.Status), true, nil
	case "output":
		raw, err := s.output()
		return raw, true, err
	case "error":
		return s.Error, true, nil
	}
	return nil, false, nil
}

func stepObject(s StepValue) (json.RawMessage, *Error) {
	output, err := s.output()
	if err != nil {
		return nil, err
	}
	raw := append([]byte(`{"error":`), orNull(s.Error)...)
	raw = append(append(raw, `,"output":`...), orNull(output)...)
	raw = appendString(append(raw, `,"status":`...), s.Status)
	return append(raw, '}'), nil
}

func orNull(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("null")
	}
	return raw
}

// allSteps gives {id: {error, output, status}} of every visible step.
func (e *evaluation) allSteps() (json.RawMessage, *Error) {
	ids := slices.Clone(e.scope.StepIDs())
	slices.Sort(ids)
	raw := []byte{'{'}
	for _, id := range ids {
		step, ok := e.scope.Step(id)
		if !ok {
			continue
		}
		object, err := stepObject(step)
		if err != nil {
			return nil, err
		}
		if len(raw)+len(object) > MaxRead {
			return nil, fail(CodeLarge, "steps as a whole is more than %d bytes; name the steps that are needed", MaxRead)
		}
		raw = append(appendKey(raw, id), object...)
	}
	return append(raw, '}'), nil
}

// appendKey begins a member of an object that is being written.
func appendKey(raw []byte, key string) []byte {
	if raw[len(raw)-1] != '{' {
		raw = append(raw, ',')
	}
	return append(appendString(raw, key), ':')
}

func (e *evaluation) resolveSignal(p path) (json.RawMessage, *Error) {
	name, ok := p.first()
	if !ok {
		return descend(e.allSignals(), p, 0)
	}
	raw, _ := e.scope.Signal(name)
	return descend(raw, p, 1)
}

func (e *evaluation) allSignals() json.RawMessage {
	names := slices.Clone(e.scope.SignalNames())
	slices.Sort(names)
	raw := []byte{'{'}
	for _, name := range names {
		if payload, ok := e.scope.Signal(name); ok {
			raw = append(appendKey(raw, name), orNull(payload)...)
		}
	}
	return append(raw, '}')
}

func (e *evaluation) resolveSecret(p path) (json.RawMessage, *Error) {
	name, _ := p.first()
	value, ok := e.scope.Secret(name)
	if !ok {
		return nil, failAt(CodeUnknown, p.column, "there is no secret %s", name)
	}
	return descend(appendString(nil, value), p, 1)
}

// computedStep is steps[x].
func (e *evaluation) computedStep(key any) (any, *Error) {
	id, ok := key.(string)
	if !ok {
		return nil, fail(CodeType, "steps[…] takes a step's id, not %s", kindOf(key))
	}
	if v, ok := e.steps[id]; ok {
		return v, nil
	}
	step, ok := e.scope.Step(id)
	if !ok {
		return nil, fail(CodeUnknown, "the step %s is not visible here", id)
	}
	raw, err := stepObject(step)
	if err != nil {
		return nil, err
	}
	v, err := e.decode(raw)
	if err != nil {
		return nil, err
	}
	if e.steps == nil {
		e.steps = map[string]any{}
	}
	e.steps[id] = v
	return v, nil
}

// computedSignal is signals[x].
func (e *evaluation) computedSignal(key any) (any, *Error) {
	name, ok := key.(string)
	if !ok {
		return nil, fail(CodeType, "signals[…] takes a signal's name, not %s", kindOf(key))
	}
	raw, ok := e.scope.Signal(name)
	if !ok {
		return nil, nil
	}
	return e.decode(raw)
}
