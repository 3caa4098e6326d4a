package expressions

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/expr-lang/expr/types"
)

// Visibility is what an expression may know of a step.
type Visibility uint8

// A step is absent, visible (an ancestor), or there but not an ancestor.
const (
	StepAbsent Visibility = iota
	StepVisible
	StepHidden
)

// Env is what is known, before anything runs, about the names that an
// expression sees. input, run, steps and signals are always there. Copies of
// an Env share what Value, Step and Hidden add.
type Env struct {
	// Secrets: secrets.NAME may be used (templates of config).
	Secrets bool
	// Loop: item, index and last are visible.
	Loop bool
	// Probe: probe is visible.
	Probe bool
	// Completed: the run may have completed, so that run.error may be null.
	Completed bool
	// Budget bounds the work of checks; nil: nothing does.
	Budget *Budget

	known *known
}

type known struct {
	values  map[string]*Shape
	steps   map[string]*Shape
	hidden  map[string]bool
	find    func(id string) (Visibility, *Shape)
	loops   func(id string) (loop string, inside bool)
	why     func(id string) string
	stepIDs func() []string
}

const runSchema = `{"type":"object","additionalProperties":false,"properties":{"id":{"type":"string"},
"workflow_id":{"type":"string"},"version":{},"trigger":{"type":"string"},"started_at":{"type":"string"}}}`

const stepErrorSchema = `{"type":"object","additionalProperties":false,"properties":{"code":{"type":"string"},
"message":{"type":"string"},"details":{}}}`

var runShape = ParseShape(json.RawMessage(runSchema))

// NewEnv gives an Env in which nothing is known of input, and no step is there.
func NewEnv() Env {
	return Env{known: &known{
		values: map[string]*Shape{"input": nil, "run": runShape},
		steps:  map[string]*Shape{},
		hidden: map[string]bool{},
	}}
}

// Value makes a name visible. The schema may be nil: anything.
func (e Env) Value(name string, schema json.RawMessage) Env {
	return e.Shape(name, ParseShape(schema))
}

// Shape is Value with a schema that was read before.
func (e Env) Shape(name string, s *Shape) Env {
	e.known.values[name] = s
	return e
}

// Step makes a step visible. The schema is that of its output, or nil.
func (e Env) Step(id string, outputSchema json.RawMessage) Env {
	e.known.steps[id] = ParseShape(outputSchema)
	return e
}

// Hidden names steps that exist and are no ancestors.
func (e Env) Hidden(ids ...string) Env {
	for _, id := range ids {
		e.known.hidden[id] = true
	}
	return e
}

// Lookup answers for steps in the place of Step and Hidden: with thousands of
// steps an Env per step need not list them all. find is asked for the ids that
// an expression names, ids only when one of them is absent, for a suggestion.
func (e Env) Lookup(find func(id string) (Visibility, *Shape), ids func() []string) Env {
	e.known.find, e.known.stepIDs = find, ids
	return e
}

// Loops tells of a hidden step whether it is in the body of a loop that is not
// around the expression, and of which.
func (e Env) Loops(loops func(id string) (loop string, inside bool)) Env {
	e.known.loops = loops
	return e
}

// Reasons tells of a hidden step why no depends_on can make it visible; "": one
// can.
func (e Env) Reasons(why func(id string) string) Env {
	e.known.why = why
	return e
}

func (e Env) whyHidden(id string) string {
	if e.known.why == nil {
		return ""
	}
	return e.known.why(id)
}

func (e Env) loopOf(id string) (string, bool) {
	if e.known.loops == nil {
		return "", false
	}
	return e.known.loops(id)
}

func (e Env) step(id string) (Visibility, *Shape) {
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

func (e Env) ids() []string {
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

// value gives the shape of a root name; false where it is not visible.
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

// names lists the visible root names.
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

var stepErrorShape = ParseShape(json.RawMessage(stepErrorSchema))

// statusShape is that of steps.<id>.status.
var statusShape = func() *Shape {
	s := newShape(Shape{kind: shapeString, status: true})
	for _, word := range statuses {
		s.values = append(s.values, word)
	}
	return s
}()

// stepShape is the shape of steps.<id>.
func stepShape(output *Shape) *Shape {
	return newShape(Shape{kind: shapeObject, closed: true, fields: map[string]*Shape{
		"output": output,
		"status": statusShape,
		"error":  stepErrorShape,
	}})
}

// checkerEnv gives the library's checker the names that an expression reads.
// With guess, every name and member is accepted (other problems were found).
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
		env[r.Name] = types.Any
		if s, ok := e.value(r.Name); ok && !guess {
			env[r.Name] = s.of(strict)
		}
	}
	return env
}
