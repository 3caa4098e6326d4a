package validation

import "heddle/definitions/source"

// edgeValidator resolves what steps say of each other by id into the edges of
// the graph, and reports what does not resolve.
type edgeValidator struct{ *pass }

// check fills the graph's ids, then its edges, then its owners and rescues.
func (v *edgeValidator) check() {
	v.ids()
	v.dependencies()
	v.fallbacks()
}

// ids fills the graph's index of ids and reports steps that share one. Ids
// are unique in the whole definition, handlers and loop bodies included; the
// first one counts.
func (v *edgeValidator) ids() {
	for _, e := range v.graph.entries {
		id := e.step.ID
		// Decoding has reported that it is missing.
		if id == "" {
			continue
		}
		first, taken := v.graph.byID[id]
		if !taken {
			v.graph.byID[id] = e.place
			continue
		}
		v.finds.Error(source.DuplicateStepID, e.node.Pick("id"), "Step id '%s' is used twice; ids must be unique in the whole definition", source.Clip(id)).
			WithRelated(v.graph.entries[first].node.Pick("id"))
	}
}

// dependencies resolves depends_on into edges. Entries that decoding refused,
// and those that do not resolve, make no edge.
func (v *edgeValidator) dependencies() {
	for _, e := range v.graph.entries {
		at := e.node.Member("depends_on")
		seen := map[string]bool{}
		for i, id := range e.step.DependsOn {
			item := at.Item(i)
			// A refused item has its zero value in DependsOn, which must not
			// be looked up.
			if item == nil || item.Kind == source.Bad || id == "" && item.Kind != source.String {
				continue
			}
			if seen[id] {
				v.finds.Error(source.InvalidValue, item, "Step '%s' depends on '%s' twice; remove one of them", e.name(), source.Clip(id))
				continue
			}
			seen[id] = true
			v.dependency(e, id, item)
		}
	}
}

// dependency resolves one entry of depends_on, written at a node.
func (v *edgeValidator) dependency(e *entry, id string, at *source.Node) {
	if id == e.step.ID {
		v.finds.Error(source.SelfDependency, at, "Cycle detected: %s → %s", id, id)
		return
	}
	if to, ok := v.graph.find(id, e.list); ok {
		e.deps = append(e.deps, edge{to: to.place, at: at})
		return
	}
	if place, ok := v.graph.byID[id]; ok {
		v.finds.Error(source.UnknownDependency, at, "Step '%s' depends on '%s' which is in another list of steps; only steps of the same list can be named", e.name(), source.Clip(id)).
			WithRelated(v.graph.entries[place].node)
		return
	}
	v.finds.Error(source.UnknownDependency, at, "Step '%s' depends on '%s' which doesn't exist", e.name(), source.Clip(id)).
		WithSuggestion(v.nearest(id, func() []string { return v.graph.siblings(e.list) }))
}

// fallbacks resolves fallback_step, sets owners and rescues, and reports
// fallbacks that cannot serve: a fallback has one owner and no dependencies.
func (v *edgeValidator) fallbacks() {
	for _, e := range v.graph.entries {
		at := e.node.Member("fallback_step")
		if at == nil {
			if e.step.OnError == "fallback" {
				v.finds.Error(source.MissingField, e.node, "Step '%s' has on_error fallback; name the step to run instead in fallback_step", e.name())
			}
			continue
		}
		if at.Kind == source.Bad {
			continue
		}
		if e.step.OnError != "fallback" && e.node.Pick("on_error").Kind != source.Bad {
			v.finds.Error(source.FallbackInvalid, at, "Step '%s' names a fallback_step, which needs on_error: fallback", e.name())
		}
		v.fallback(e, at)
	}
}

// fallback resolves the fallback_step of one step. The edge is kept even
// where the fallback has dependencies, so that a cycle through them is found
// as well.
func (v *edgeValidator) fallback(e *entry, at *source.Node) {
	id := e.step.FallbackStep
	to, ok := v.graph.find(id, e.list)
	switch {
	case !ok:
		v.finds.Error(source.UnknownDependency, at, "Step '%s' falls back on '%s' which doesn't exist in the same list of steps", e.name(), source.Clip(id)).
			WithSuggestion(v.nearest(id, func() []string { return v.graph.siblings(e.list) }))
		return
	case to == e:
		v.finds.Error(source.SelfDependency, at, "Cycle detected: %s → %s", id, id)
		return
	case to.owner != none:
		v.finds.Error(source.FallbackInvalid, at, "Step '%s' is the fallback of '%s' already; a fallback step has one owner", source.Clip(id), v.graph.entries[to.owner].name()).
			WithRelated(v.graph.entries[to.owner].node.Pick("fallback_step"))
	case len(to.step.DependsOn) > 0:
		v.finds.Error(source.FallbackInvalid, at, "Fallback step '%s' has depends_on; a fallback step runs when its owner fails and depends on nothing", source.Clip(id)).
			WithRelated(to.node.Pick("depends_on"))
	}
	if to.owner == none {
		to.owner = e.place
	}
	e.rescue = edge{to: to.place, at: at}
}
