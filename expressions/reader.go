package expressions

import (
	"encoding/json"
	"heddle/internal/exactjson"
	"slices"
)

// reader reads the values of one run from its scope, each path at most once.
type reader struct {
	scope  Scope
	paths  []path         // the program's; "$path" names one by its index
	memo   []memo         // the values of paths that were read, by the same index
	steps  map[string]any // the values of steps[x] that were read, by id; nil until one is
	unread int            // bytes of JSON that may still be decoded, of MaxRead
}

// memo is the decoded value of a path; known is false until it was read. A separate
// flag, because nil is a value.
type memo struct {
	value any
	known bool
}

// begin prepares for one run of the program with these paths.
func (r *reader) begin(s Scope, paths []path) {
	r.scope, r.paths, r.unread = s, paths, MaxRead
	// A pooled reader has served the same program, so that memo fits already.
	if cap(r.memo) < len(paths) {
		r.memo = make([]memo, len(paths))
	}
	r.memo = r.memo[:len(paths)]
}

// end forgets all values; the memory of memo is kept for the next run.
func (r *reader) end() {
	clear(r.memo)
	r.scope, r.steps = nil, nil
}

// value returns the decoded value of paths[i]. It is resolved and decoded once per
// evaluation, however often it is read; an error is not remembered, since it ends
// the evaluation.
func (r *reader) value(i int) (any, *Error) {
	if r.memo[i].known {
		return r.memo[i].value, nil
	}
	raw, err := r.resolve(r.paths[i])
	if err != nil {
		return nil, err
	}
	v, err := r.decode(raw)
	if err != nil {
		return nil, err.at(r.paths[i].column)
	}
	r.memo[i] = memo{v, true}
	return v, nil
}

// decode reads JSON, and takes its length from what the evaluation may still read.
// The error has CodeLarge when that is too little.
func (r *reader) decode(raw json.RawMessage) (any, *Error) {
	if len(raw) > r.unread {
		return nil, fail(CodeLarge, "the expression reads more than %d bytes of values; name a smaller part of them", MaxRead)
	}
	r.unread -= len(raw)
	return decode(raw)
}

// resolve finds the JSON that a path names, as a part of the stored bytes where it
// can. No bytes stand for null. The error has CodeUnknown where the scope does not
// show the root, the step or the secret, CodeFailed for a member of null or of a
// scalar, and CodeLarge for steps as a whole beyond MaxRead bytes. It takes no
// fuel: reading it costs at most one pass over the bytes of the value.
func (r *reader) resolve(p path) (json.RawMessage, *Error) {
	switch p.root {
	case nameSteps:
		return r.resolveStep(p)
	case nameSignals:
		return r.resolveSignal(p)
	case nameSecrets:
		return r.resolveSecret(p)
	}
	raw, ok := r.scope.Value(p.root)
	if !ok {
		return nil, failAt(CodeUnknown, p.column, "%s is not visible here", p.root)
	}
	return descend(raw, p, 0)
}

// resolveStep resolves steps, steps.ID and what follows. Of a step of which only
// the status, the output or the error is named, the other parts are not even
// loaded.
func (r *reader) resolveStep(p path) (json.RawMessage, *Error) {
	id, ok := p.first()
	if !ok {
		raw, err := r.allSteps()
		if err != nil {
			return nil, err.at(p.column)
		}
		return descend(raw, p, 0)
	}
	step, ok := r.scope.Step(id)
	if !ok {
		return nil, failAt(CodeUnknown, p.column, "the step %s is not visible here", id)
	}
	rest := 1
	// One member of the step is named: the others need not be loaded or
	// written.
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

// stepField returns status, output or error of a step; false for any other name,
// for which stepObject knows the answer.
func stepField(s StepValue, name string) (json.RawMessage, bool, *Error) {
	switch name {
	case "status":
		return exactjson.Quote(s.Status), true, nil
	case "output":
		raw, err := s.output()
		return raw, true, err
	case "error":
		return s.Error, true, nil
	}
	return nil, false, nil
}

// stepObject writes a step as the object {"error": …, "output": …, "status": …}; it
// loads the output.
func stepObject(s StepValue) (json.RawMessage, *Error) {
	output, err := s.output()
	if err != nil {
		return nil, err
	}
	var o exactjson.Object
	o.Raw("error", orNull(s.Error))
	o.Raw("output", orNull(output))
	o.Text("status", s.Status)
	return o.End(), nil
}

// orNull returns null for no bytes.
func orNull(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("null")
	}
	return raw
}

// allSteps returns {id: {error, output, status}} of all visible steps, in the order
// of their ids. It loads every output; beyond MaxRead bytes in total the error has
// CodeLarge.
func (r *reader) allSteps() (json.RawMessage, *Error) {
	// Cloned, because the list belongs to the scope.
	ids := slices.Clone(r.scope.StepIDs())
	slices.Sort(ids)
	var o exactjson.Object
	for _, id := range ids {
		step, ok := r.scope.Step(id)
		if !ok {
			continue
		}
		object, err := stepObject(step)
		if err != nil {
			return nil, err
		}
		if len(o.Buf)+len(object) > MaxRead {
			return nil, fail(CodeLarge, "steps as a whole is more than %d bytes; name the steps that are needed", MaxRead)
		}
		o.Raw(id, object)
	}
	return o.End(), nil
}

// resolveSignal resolves signals, signals.NAME and what follows. A signal that was
// not received is null: expressions ask for it that way.
func (r *reader) resolveSignal(p path) (json.RawMessage, *Error) {
	name, ok := p.first()
	if !ok {
		return descend(r.allSignals(), p, 0)
	}
	// No bytes are null.
	raw, _ := r.scope.Signal(name)
	return descend(raw, p, 1)
}

// allSignals returns {name: payload} of all signals received, in the order of their
// names.
func (r *reader) allSignals() json.RawMessage {
	names := slices.Clone(r.scope.SignalNames())
	slices.Sort(names)
	var o exactjson.Object
	for _, name := range names {
		if payload, ok := r.scope.Signal(name); ok {
			o.Raw(name, orNull(payload))
		}
	}
	return o.End()
}

// resolveSecret resolves secrets.NAME. Analysis has seen to it that a name follows.
func (r *reader) resolveSecret(p path) (json.RawMessage, *Error) {
	name, _ := p.first()
	value, ok := r.scope.Secret(name)
	if !ok {
		return nil, failAt(CodeUnknown, p.column, "there is no secret %s", name)
	}
	return descend(exactjson.Quote(value), p, 1)
}

// computedStep is steps[x], read once per id and evaluation: a predicate may ask
// for the same step at every element. The key must be a string (else CodeType) and
// name a visible step (else CodeUnknown).
func (r *reader) computedStep(key any) (any, *Error) {
	id, ok := key.(string)
	if !ok {
		return nil, fail(CodeType, "steps[…] takes a step's id, not %s", kindOf(key))
	}
	if v, ok := r.steps[id]; ok {
		return v, nil
	}
	step, ok := r.scope.Step(id)
	if !ok {
		return nil, fail(CodeUnknown, "the step %s is not visible here", id)
	}
	raw, err := stepObject(step)
	if err != nil {
		return nil, err
	}
	v, err := r.decode(raw)
	if err != nil {
		return nil, err
	}
	if r.steps == nil {
		r.steps = map[string]any{}
	}
	r.steps[id] = v
	return v, nil
}

// computedSignal is signals[x]; null for one that was not received, CodeType for a
// key that is not a string. Each call decodes the payload again.
func (r *reader) computedSignal(key any) (any, *Error) {
	name, ok := key.(string)
	if !ok {
		return nil, fail(CodeType, "signals[…] takes a signal's name, not %s", kindOf(key))
	}
	raw, ok := r.scope.Signal(name)
	if !ok {
		return nil, nil
	}
	return r.decode(raw)
}
