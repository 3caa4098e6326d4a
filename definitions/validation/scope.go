package validation

import (
	"encoding/json"
	"heddle/definitions/source"
	"heddle/expressions"
	"slices"
)

// scope is the place of an expression: it decides which steps and names it
// can see.
//
// In the definition
//
//	steps:
//	  - {id: a, …}
//	  - {id: b, type: loop, depends_on: [a], config: {…, steps: [{id: c, …}, {id: d, …}]}}
//
// the scope of d is {list: 1, at: place of d}: it sees c only if it depends
// on it, and a because the loop around it does.
type scope struct {
	list    int32              // number of the list that it belongs to
	at      int32              // the step in it; none: the list's end, which sees all of it
	self    bool               // the step itself is visible too: to its compensation
	next    *entry             // the loop whose iteration's names are visible: to its while; nil: none
	probe   bool               // the name probe is visible
	shape   *expressions.Shape // of the probe's output; nil: unknown
	secrets bool               // secrets may be named
	blind   bool               // no steps are visible: nothing has run
}

// none is the place of no step.
const none = int32(-1)

// handlerRun is the type of run as handlers see it. The error is null where
// the run completed.
var handlerRun = expressions.ParseShape(json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"id":{"type":"string"},` +
	`"workflow_id":{"type":"string"},"version":{},"trigger":{"type":"string"},"started_at":{"type":"string"},` +
	`"state":{"type":"string","enum":["completed","failed","cancelled"]},"error":{"type":"object","additionalProperties":false,` +
	`"properties":{"code":{"type":"string"},"message":{"type":"string"},"step_id":{}}}}}`))

// of returns the scope of a step's own expressions.
func of(e *entry) scope { return scope{list: e.list, at: e.place} }

// withSecrets returns the scope in which templates may name secrets: that of
// an attempt's config. Secrets are known only where attempts are made, so no
// expression of the machine may name one.
func (s scope) withSecrets() scope {
	s.secrets = true
	return s
}

// visibility answers what can be read at a place, and of which type it is.
type visibility struct {
	*pass
	typing *typing
	allIDs []string // of all steps, sorted; nil until needed
}

// env returns what is known at a place. Its functions are called only for
// names that the expression has, and read the pass: it is used before
// the pass goes on.
func (v *visibility) env(s scope) expressions.Env {
	env := expressions.NewEnv()
	env.Secrets, env.Budget, env.Forms = s.secrets, &v.budget, &v.forms
	// The input is visible everywhere.
	env.Shape("input", v.typing.input)
	// Handlers also see how the run went.
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
	// Called for each step that an expression names.
	find := func(id string) (expressions.Visibility, *expressions.Shape) {
		place, ok := v.graph.byID[id]
		switch {
		case !ok:
			return expressions.StepAbsent, nil
		// A hidden step is reported as such and not as absent: adding
		// depends_on may be the fix.
		case s.blind || !v.visible(s, v.graph.entries[place]):
			return expressions.StepHidden, nil
		}
		return expressions.StepVisible, v.typing.shape(v.typing.output(v.graph.entries[place]))
	}
	env.Reasons(func(id string) string { return v.whyHidden(s, id) })
	env.Loops(func(id string) (string, bool) { return v.loopAway(s, id) })
	return env.Lookup(find, func() []string {
		// Without comparisons left there is no suggestion for an unknown
		// step.
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
// completed, so that its error is null: in finally, unless the step's own if
// asks how it went.
func (v *visibility) mayHaveCompleted(s scope) bool {
	if v.graph.parts[s.list] != "finally" {
		return false
	}
	if s.at == none {
		return true
	}
	condition := v.graph.entries[s.at].node.Member("if")
	return condition == nil || condition.Kind != source.String || !expressions.JudgesRun(condition.Text)
}

// whyHidden returns why a step cannot be read at a place, whatever depends_on
// says; "": depends_on would do, or there is no such step.
func (v *visibility) whyHidden(s scope, id string) string {
	place, ok := v.graph.byID[id]
	if !ok {
		return ""
	}
	target, at := v.graph.entries[place], s.at
	here, there := v.graph.parts[s.list], v.graph.parts[target.list]
	switch {
	case s.blind:
		return "no step has run here yet: input alone can be read"
	// A handler may read the main steps, and nothing reads a handler's.
	case here != there && there != mainPart:
		return "the step " + id + " is in " + there + ", which runs after the main steps, and nothing outside of it can read its steps"
	case at == place:
		return "the step " + id + " cannot read itself here; its output is there for the steps after it"
	case at != none && target.list == s.list && v.ancestry.has(place, at):
		return "the step " + id + " runs after this one, on which it depends; only what ran before can be read"
	}
	return ""
}

// loopAway returns the id of the loop whose body a step is in, where that
// loop is not around the scope: its output is what can be read instead. Of
// loops in each other it is the outermost that the scope is not in.
func (v *visibility) loopAway(s scope, id string) (string, bool) {
	place, ok := v.graph.byID[id]
	if !ok {
		return "", false
	}
	// For handlers the main list is around them too, as far as reading goes.
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

// iterations adds the names of the loops around a list, the innermost last,
// so that it wins where names are equal.
func (v *visibility) iterations(env expressions.Env, list int32) {
	loop := v.graph.loops[list]
	if loop == none {
		return
	}
	e := v.graph.entries[loop]
	// Outer loops first, so that inner names replace theirs.
	v.iterations(env, e.list)
	v.iteration(env, e)
}

// iteration adds the names that one loop's iterations have: index, last and
// the item.
func (v *visibility) iteration(env expressions.Env, loop *entry) {
	as := loop.step.Loop.As
	if as == "" {
		as = "item"
	}
	env.Shape("index", v.typing.integer)
	// Nothing is known of what the iteration before has made.
	env.Shape("last", nil)
	env.Shape(as, v.typing.item(loop))
}

// visible reports whether an expression may read a step: an ancestor, or an
// ancestor of a loop around it; for handlers, all main steps as well. A
// loop's body cannot read the loop itself, which has not ended.
func (v *visibility) visible(s scope, target *entry) bool {
	// From a body outwards: what counts there is what the loop depends on.
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
