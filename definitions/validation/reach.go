package validation

import (
	"heddle/definitions/source"
	"slices"
	"strings"
)

// reachValidator warns of steps that never run.
type reachValidator struct{ *pass }

// check warns of steps that can never start: all that they depend on is
// disabled, never true, or itself unreachable. Steps of a cycle are reported
// as that. A step that is switched off on purpose is not a mistake; only what is
// lost with it is reported.
func (v *reachValidator) check() {
	idle := make([]bool, len(v.graph.entries)) // by place: never runs
	dropped := v.droppedBranches()
	// What a step depends on is judged before it.
	for _, group := range v.ancestry.order {
		if len(group) > 1 {
			continue
		}
		e := v.graph.entries[group[0]]
		if e.step.Disabled() || never(e.step.If) {
			idle[e.place] = true
			continue
		}
		if why := v.starved(e, idle, dropped); why != "" {
			idle[e.place] = true
			v.finds.Warn(source.UnreachableStep, e.node, "Step '%s' can never start: %s", e.name(), why)
		}
	}
}

// starved returns why a step can never start, "" when it can or that is not
// known, because some of its dependencies do not resolve.
func (v *reachValidator) starved(e *entry, idle, dropped []bool) string {
	if dropped[e.place] {
		return "its branch is never taken"
	}
	if e.owner != none && idle[e.owner] {
		return "it is the fallback of '" + v.graph.entries[e.owner].name() + "', which never runs"
	}
	// A step without dependencies starts at once; one with unresolved ones
	// was reported.
	if len(e.deps) == 0 || len(e.deps) < len(e.step.DependsOn) {
		return ""
	}
	for _, dep := range e.deps {
		if !idle[dep.to] {
			return ""
		}
	}
	return "all that it depends on is disabled, never true or cannot start either"
}

// droppedBranches marks, by place, the steps listed only in branches that a
// constant condition never takes.
func (v *reachValidator) droppedBranches() []bool {
	dropped := make([]bool, len(v.graph.entries))
	for _, e := range v.graph.entries {
		c := e.step.Condition
		if c == nil || c.Expression == "" {
			continue
		}
		// A step of both branches runs whichever is taken.
		taken, left := c.Then, c.Else
		switch {
		case never(c.Expression):
			taken, left = left, taken
		case !always(c.Expression):
			continue
		}
		for _, id := range left {
			if to, ok := v.graph.find(id, e.list); ok && !slices.Contains(taken, id) {
				dropped[to.place] = true
			}
		}
	}
	return dropped
}

// never reports whether an expression is constantly false.
func never(expression string) bool {
	value, ok := constant(expression)
	return ok && !value
}

// always reports whether an expression is constantly true.
func always(expression string) bool {
	value, ok := constant(expression)
	return ok && value
}

// bare returns an expression without the one enclosing {{ }} that it may
// have.
func bare(expression string) string {
	s := strings.TrimSpace(expression)
	if isTemplate(s) {
		s = strings.TrimSpace(s[2 : len(s)-2])
	}
	return s
}
