package expressions

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/expr-lang/expr/types"
)

// Visibility says whether an expression may use a step.
type Visibility uint8

// A step is absent, visible (an ancestor), or there but not an ancestor.
const (
	StepAbsent  Visibility = iota // there is no such step
	StepVisible                   // an ancestor of the expression's step
	StepHidden                    // it exists, but is not an ancestor
)

// Env is what is known, before anything runs, about the names that an expression
// sees. input, run, steps and signals are always there. Copies of an Env share what
// Value, Shape, Step, Hidden and the functions add, so these are called before any
// check; checks alone may then run concurrently, unless they share a Budget. The
// zero Env is one in which nothing was added; only NewEnv's may be added to.
type Env struct {
	// Secrets permits secrets.NAME, as in the templates of config.
	Secrets bool
	// Loop makes item, index and last visible.
	Loop bool
	// Probe makes probe visible.
	Probe bool
	// Completed says that the run may have completed, so that run.error may be
	// null.
	Completed bool
	// Budget bounds the work of checks; nil: nothing does.
	Budget *Budget
	// Forms spares checks of expressions that differ only in their steps; nil: each is
	// checked itself.
	Forms *Forms

	known *known
}

// known holds the names of an Env. A nil *Shape is of unknown type; a nil function
// is not set, and a nil map empty.
type known struct {
	values  map[string]*Shape                          // root names
	steps   map[string]*Shape                          // outputs of visible steps, by id
	hidden  map[string]bool                            // ids of steps that are not ancestors
	find    func(id string) (Visibility, *Shape)       // from Lookup: consulted after steps and hidden
	loops   func(id string) (loop string, inside bool) // from Loops
	why     func(id string) string                     // from Reasons
	stepIDs func() []string                            // from Lookup: all ids that may be suggested
}

// runSchema is the schema of run, without what only some places add to it.
const runSchema = `{"type":"object","additionalProperties":false,"properties":{"id":{"type":"string"},
"workflow_id":{"type":"string"},"version":{},"trigger":{"type":"string"},"started_at":{"type":"string"}}}`

// stepErrorSchema is the schema of steps.<id>.error.
const stepErrorSchema = `{"type":"object","additionalProperties":false,"properties":{"code":{"type":"string"},
"message":{"type":"string"},"details":{}}}`

// runShape is the shape of run, unless Value or Shape replaces it.
var runShape = ParseShape(json.RawMessage(runSchema))

// NewEnv returns an Env in which nothing is known of input, and no step exists.
func NewEnv() Env {
	return Env{known: &known{values: map[string]*Shape{"input": nil, "run": runShape}}}
}

// Value makes a name visible, or replaces its schema. The schema may be nil: any
// value. Like the methods below it changes e and returns it.
func (e Env) Value(name string, schema json.RawMessage) Env {
	return e.Shape(name, ParseShape(schema))
}

// Shape is Value with a schema that was parsed before; nil: any value.
func (e Env) Shape(name string, s *Shape) Env {
	e.known.values[name] = s
	return e
}

// Step makes a step visible. The schema is that of its output; nil: any value.
func (e Env) Step(id string, outputSchema json.RawMessage) Env {
	if e.known.steps == nil {
		e.known.steps = map[string]*Shape{}
	}
	e.known.steps[id] = ParseShape(outputSchema)
	return e
}

// Hidden names steps that exist and are not ancestors.
func (e Env) Hidden(ids ...string) Env {
	if e.known.hidden == nil {
		e.known.hidden = map[string]bool{}
	}
	for _, id := range ids {
		e.known.hidden[id] = true
	}
	return e
}

// Lookup answers for steps instead of Step and Hidden: with thousands of steps an
// Env per step need not list them all. find is called for the ids that an
// expression names; ids is called only when one of them is absent, for a
// suggestion.
func (e Env) Lookup(find func(id string) (Visibility, *Shape), ids func() []string) Env {
	e.known.find, e.known.stepIDs = find, ids
	return e
}

// Loops sets the function that says of a hidden step whether it is in the body of a
// loop that does not enclose the expression, and which loop that is.
func (e Env) Loops(loops func(id string) (loop string, inside bool)) Env {
	e.known.loops = loops
	return e
}

// Reasons sets the function that says of a hidden step why no depends_on can make
// it visible; "": one can.
func (e Env) Reasons(why func(id string) string) Env {
	e.known.why = why
	return e
}

// whyHidden returns the reason of Reasons, or "".
func (e Env) whyHidden(id string) string {
	if e.known.why == nil {
		return ""
	}
	return e.known.why(id)
}

// loopOf returns the answer of Loops; false where none was set.
func (e Env) loopOf(id string) (string, bool) {
	if e.known.loops == nil {
		return "", false
	}
	return e.known.loops(id)
}

// step returns whether a step is visible, and the shape of its output; the shape is
// nil unless it is visible.
func (e Env) step(id string) (Visibility, *Shape) {
	// What was added by name comes before what Lookup would find.
	if s, ok := e.known.steps[id]; ok {
		return StepVisible, s
	}
	if e.known.hidden[id] {
		return StepHidden, nil
	}
	if e.known.find != nil {
		return e.known.find(id)
	}
	return StepAbsent, nil
}

// ids lists the ids of all steps that may be suggested, hidden ones included. The
// result is not to be changed.
func (e Env) ids() []string {
	// The usual case: Lookup alone was used, and nothing has to be joined.
	if e.known.stepIDs != nil && len(e.known.steps)+len(e.known.hidden) == 0 {
		return e.known.stepIDs()
	}
	ids := slices.Collect(maps.Keys(e.known.steps))
	ids = slices.AppendSeq(ids, maps.Keys(e.known.hidden))
	if e.known.stepIDs != nil {
		ids = append(ids, e.known.stepIDs()...)
	}
	slices.Sort(ids)
	return ids
}

// value returns the shape of a root name; false where it is not visible. steps,
// signals and secrets are not among them.
func (e Env) value(name string) (*Shape, bool) {
	if s, ok := e.known.values[name]; ok {
		return s, true
	}
	switch name {
	case "item", "index", "last":
		return nil, e.Loop
	case "probe":
		return nil, e.Probe
	}
	return nil, false
}

// names lists the visible root names, sorted, for suggestions.
func (e Env) names() []string {
	names := slices.Collect(maps.Keys(e.known.values))
	names = append(names, nameSteps, nameSignals)
	if e.Loop {
		names = append(names, "item", "index", "last")
	}
	if e.Probe {
		names = append(names, "probe")
	}
	if e.Secrets {
		names = append(names, nameSecrets)
	}
	slices.Sort(names)
	return names
}

// stepErrorShape is the shape of steps.<id>.error.
var stepErrorShape = readShape(json.RawMessage(stepErrorSchema))

// statusShape is that of steps.<id>.status.
var statusShape = func() *Shape {
	s := newShape(Shape{kind: shapeString, status: true})
	for _, word := range statuses {
		s.values = append(s.values, word)
	}
	return s
}()

// stepShape returns the shape of steps.<id>, for an output of the given shape.
func stepShape(output *Shape) *Shape {
	switch {
	case output == nil:
		return unknownStep
	case output.step != nil:
		return output.step
	}
	return newStepShape(output)
}

// unknownStep is the shape of a step of whose output nothing is known, as most are.
var unknownStep = newStepShape(nil)

// newStepShape is stepShape, which it computes.
func newStepShape(output *Shape) *Shape {
	return newShape(Shape{kind: shapeObject, closed: true, fields: map[string]*Shape{
		"output": output,
		"status": statusShape,
		"error":  stepErrorShape,
	}})
}

// checkerEnv returns the names that an expression reads, as the library's checker
// takes them; others are left out, since it looks at all of them. With strict,
// objects have only the members that their schema lists. With guess, every name and
// member is accepted, because another problem was found before.
func (e Env) checkerEnv(refs References, strict, guess bool) types.Map {
	env := types.Map{nameSignals: types.Map{types.Extra: types.Any}, nameSecrets: types.Map{types.Extra: types.String}}
	steps := types.Map{types.Extra: types.Any}
	for _, r := range refs.Steps {
		if visibility, output := e.step(r.Name); visibility == StepVisible && !guess {
			steps[r.Name] = stepShape(output).of(strict)
		}
	}
	env[nameSteps] = steps
	for _, r := range refs.Names {
		// Also a name that is not visible: that has been reported by path.
		env[r.Name] = types.Any
		if s, ok := e.value(r.Name); ok && !guess {
			env[r.Name] = s.of(strict)
		}
	}
	return env
}
