package validation

import (
	"encoding/json"
	"heddle/definitions/source"
	"heddle/expressions"
	"slices"
)

// scope is the place of an expression: which steps and names it can see.
type scope struct {
	list    int32 // the list that it belongs to
	at      int32 // the step in it; none: the list's end, which sees all of it
	self    bool  // the step itself is visible: to its compensation
	next    *entry
	probe   bool
	shape   *expressions.Shape // of the probe's output
	secrets bool
	blind   bool // no steps at all
}

const none = int32(-1)

// handlerRun is run as handlers see it. The error is null where the run
// completed.
var handlerRun = expressions.ParseShape(json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"id":{"type":"string"},` +
	`"workflow_id":{"type":"string"},"version":{},"trigger":{"type":"string"},"started_at":{"type":"string"},` +
	`"state":{"type":"string","enum":["completed","failed","cancelled"]},"error":{"type":"object","additionalProperties":false,` +
	`"properties":{"code":{"type":"string"},"message":{"type":"string"},"step_id":{}}}}}`))

// of is the scope of a step's own expressions.
func of(e *entry) scope { return scope{list: e.list, at: e.place} }

// withSecrets lets the templates of an effect's config name secrets.
func (s scope) withSecrets() scope {
	s.secrets = true
	return s
}

// env is what is known at a place.
func (v *validator) env(s scope) expressions.Env {
	env := expressions.NewEnv()
	env.Secrets, env.Budget = s.secrets, &v.budget
	env.Shape("input", v.typing.input)
	if v.graph.parts[s.list] != mainPart {
		env.Shape("run", handlerRun)
		env.Completed = v.mayHaveCompleted(s)
	}
	v.iterations(env, s.list)
	if s.next != nil {
		v.iteration(env, s.next)
	}
	if s.probe {
		env.Shape("probe", s.shape)
	}
	find := func(id string) (expressions.Visibility, *expressions.Shape) {
		place, ok := v.graph.byID[id]
		switch {
		case !ok:
			return expressions.StepAbsent, nil
		case s.blind || !v.visible(s, v.graph.entries[place]):
			return expressions.StepHidden, nil
		}
		return expressions.StepVisible, v.typing.shape(v.output(v.graph.entries[place]))
	}
	env.Reasons(func(id string) string { return v.whyHidden(s, id) })
	env.Loops(func(id string) (string, bool) { return v.loopAway(s, id) })
	return env.Lookup(find, func() []string {
		if v.comparisons <= 0 {
			return nil
		}
		v.comparisons -= len(v.graph.entries)
		if v.allIDs == nil {
			for _, e := range v.graph.entries {
				v.allIDs = append(v.allIDs, e.step.ID)
			}
			slices.Sort(v.allIDs)
		}
		return v.allIDs
	})
}

// mayHaveCompleted reports whether the run of a handler's expression may have
// completed: in finally, unless the step's own if asks how it went.
func (v *validator) mayHaveCompleted(s scope) bool {
	if v.graph.parts[s.list] != "finally" {
		return false
	}
	if s.at == none {
		return true
	}
	condition := v.graph.entries[s.at].node.Member("if")
	return condition == nil || condition.Kind != source.String || !expressions.JudgesRun(condition.Text)
}

// whyHidden says why a step cannot be read at a place, whatever depends_on
// says; "": depends_on would do.
func (v *validator) whyHidden(s scope, id string) string {
	place, ok := v.graph.byID[id]
	if !ok {
		return ""
	}
	target, at := v.graph.entries[place], s.at
	here, there := v.graph.parts[s.list], v.graph.parts[target.list]
	switch {
	case s.blind:
		return "no step has run here yet: input alone can be read"
	case here != there && there != mainPart:
		return "the step " + id + " is in " + there + ", which runs after the main steps, and nothing outside of it can read its steps"
	case at == place:
		return "the step " + id + " cannot read itself here; its output is there for the steps after it"
	case at != none && target.list == s.list && v.ancestry.has(place, at):
		return "the step " + id + " runs after this one, on which it depends; only what ran before can be read"
	}
	return ""
}

// loopAway names the loop whose body a step is in, where that is not around
// the scope.
func (v *validator) loopAway(s scope, id string) (string, bool) {
	place, ok := v.graph.byID[id]
	if !ok {
		return "", false
	}
	around := map[int32]bool{mainList: v.graph.parts[s.list] != mainPart}
	for list := s.list; ; {
		around[list] = true
		loop := v.graph.loops[list]
		if loop == none {
			break
		}
		list = v.graph.entries[loop].list
	}
	// The outermost body that the scope is not in: its loop is what it can see.
	loop := none
	for list := v.graph.entries[place].list; !around[list]; list = v.graph.entries[loop].list {
		loop = v.graph.loops[list]
		if loop == none {
			return "", false
		}
	}
	if loop == none {
		return "", false
	}
	return v.graph.entries[loop].step.ID, true
}

// iterations adds the names of the loops around a list, the innermost last, so
// that it wins.
func (v *validator) iterations(env expressions.Env, list int32) {
	loop := v.graph.loops[list]
	if loop == none {
		return
	}
	e := v.graph.entries[loop]
	v.iterations(env, e.list)
	v.iteration(env, e)
}

func (v *validator) iteration(env expressions.Env, loop *entry) {
	as := loop.step.Loop.As
	if as == "" {
		as = "item"
	}
	env.Shape("index", v.typing.integer)
	env.Shape("last", nil)
	item, known := v.items[loop.place]
	if !known {
		item = v.item(loop)
		v.items[loop.place] = item
	}
	env.Shape(as, item)
}

// visible tells whether an expression may read a step: an ancestor, or one of
// a loop around it.
func (v *validator) visible(s scope, target *entry) bool {
	list, at, own := s.list, s.at, true
	for target.list != list {
		loop := v.graph.loops[list]
		if loop == none {
			return target.list == mainList && v.graph.parts[list] != mainPart // handlers see all main steps
		}
		list, at, own = v.graph.entries[loop].list, loop, false
	}
	switch at {
	case none:
		return true
	case target.place:
		return own && s.self
	}
	return v.ancestry.has(at, target.place)
}
