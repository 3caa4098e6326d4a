package definitions

import "strings"

// unreachable warns of steps that can never start: all they depend on is
// disabled, never true, or itself unreachable. components come in dependency
// order.
func (v *validator) unreachable(components [][]int32) {
	idle := make([]bool, len(v.graph.entries)) // never runs
	dropped := v.droppedBranches()
	for _, group := range components {
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
			v.finds.warn(UnreachableStep, e.node, "Step '%s' can never start: %s", e.name(), why)
		}
	}
	v.idleFallbacks(idle)
}

// starved says why a step can never start, "" when it can.
func (v *validator) starved(e *entry, idle, dropped []bool) string {
	if dropped[e.place] {
		return "its branch is never taken"
	}
	if len(e.step.DependsOn) == 0 {
		return ""
	}
	resolved := 0
	for _, dep := range e.deps {
		if dep.at.parent != e.node.member("depends_on") {
			continue
		}
		if !idle[dep.to] {
			return ""
		}
		resolved++
	}
	if resolved < len(e.step.DependsOn) {
		return ""
	}
	return "all that it depends on is disabled, never true or cannot start either"
}

// idleFallbacks warns of fallbacks whose owner never runs.
func (v *validator) idleFallbacks(idle []bool) {
	for _, e := range v.graph.entries {
		if e.owner >= 0 && idle[e.owner] && !idle[e.place] {
			v.finds.warn(UnreachableStep, e.node, "Step '%s' can never start: it is the fallback of '%s', which never runs", e.name(), v.graph.entries[e.owner].name())
		}
	}
}

// droppedBranches marks the steps listed only in branches that a constant
// condition never takes.
func (v *validator) droppedBranches() []bool {
	dropped := make([]bool, len(v.graph.entries))
	for _, e := range v.graph.entries {
		c := e.step.Condition
		if c == nil || c.Expression == "" {
			continue
		}
		taken, left := c.Then, c.Else
		switch {
		case never(c.Expression):
			taken, left = left, taken
		case !always(c.Expression):
			continue
		}
		for _, id := range left {
			if to, ok := v.graph.find(id, e.list); ok && !contains(taken, id) {
				dropped[to.place] = true
			}
		}
	}
	return dropped
}

func never(expression string) bool  { return bare(expression) == "false" }
func always(expression string) bool { return bare(expression) == "true" }

// bare takes the one enclosing {{ }} off that an expression may have.
func bare(expression string) string {
	s := strings.TrimSpace(expression)
	if isTemplate(s) {
		s = strings.TrimSpace(s[2 : len(s)-2])
	}
	return s
}
