package versions

import "heddle/internal/exactjson"

import "slices"

// changes lists the changes of steps and settings, by kind in the order of the
// summary, within a kind in document order: that of the new definition, and of
// the old one for removed steps. a and b are the two definitions.
func (c *comparison) changes(a, b map[string]any) []Change {
	// By Change.Change; within each, in document order.
	by := map[string][]Change{}
	for _, n := range c.after.order {
		if change, changed := c.stepChange(n); changed {
			by[change.Change] = append(by[change.Change], change)
		}
	}
	for _, n := range c.before.order {
		if c.after.byID[c.renames.newID(n.id)] == nil {
			by[Removed] = append(by[Removed], Change{StepID: &n.id, Change: Removed, kind: n.kind()})
		}
	}
	if fields := c.settings(a, b); len(fields) > 0 {
		by[Settings] = []Change{{Change: Settings, Fields: fields}}
	}
	list := []Change{}
	for _, word := range []string{Added, Removed, Renamed, Moved, Modified, Settings} {
		list = append(list, by[word]...)
	}
	return list
}

// stepChange returns the change of one step of the new definition; false where
// it has none. Renamed wins over Moved, and Modified does too.
func (c *comparison) stepChange(n *stepNode) (Change, bool) {
	change := Change{StepID: &n.id, kind: n.kind()}
	// A renamed step has the same content, so that nothing else is to be said
	// of it.
	if old, ok := c.renames.toOld[n.id]; ok {
		change.Change, change.PreviousID = Renamed, old
		return change, true
	}
	old := c.before.byID[n.id]
	if old == nil {
		change.Change = Added
		return change, true
	}
	if change.Fields = c.fields(old, n); len(change.Fields) > 0 {
		change.Change = Modified
		return change, true
	}
	change.Change = Moved
	return change, c.moved[n.id]
}

// fields lists the differences between two states of one step, without the
// steps of a loop's body, which have changes of their own. Where steps are
// renamed, the values are compared with all references rewritten, and reported
// as they are written.
func (c *comparison) fields(a, b *stepNode) []Field {
	var list fieldList
	if a.list != b.list {
		list.add("list", a.list, b.list)
	}
	if loop := c.renames.newID(a.loop); loop != b.loop {
		list.add("loop", idOrNull(a.loop), idOrNull(b.loop))
	}
	// A body that is empty on both sides is compared as a value: that it is
	// there may be the difference.
	looped := len(a.body) > 0 || len(b.body) > 0
	x, y := a.own(looped), b.own(looped)
	if exactjson.Equal(x, y) {
		return list
	}
	// Without renames the values decide as they are.
	rx, ry := x, y
	if len(c.renames.toNew) > 0 {
		rx, ry = idRewriter(c.renames.before).step(x), idRewriter(c.renames.after).step(y)
	}
	list.objects("", valuePair{x, y}, valuePair{rx, ry})
	return list
}

// own returns the step as an object, with bodiless without the steps of its
// body. The object may be the definition's own: it is not to be changed.
func (n *stepNode) own(bodiless bool) map[string]any {
	if n.body == nil || !bodiless {
		return n.value
	}
	return with(n.value, "config", without(n.config(), "steps"))
}

// settings lists the differences outside the lists of steps, and lists that
// appear or vanish without a step in them.
func (c *comparison) settings(a, b map[string]any) []Field {
	x, y := without(a, stepLists...), without(b, stepLists...)
	rx, ry := x, y
	if len(c.renames.toNew) > 0 {
		rx, ry = idRewriter(c.renames.before).settings(x), idRewriter(c.renames.after).settings(y)
	}
	var list fieldList
	list.objects("", valuePair{x, y}, valuePair{rx, ry})
	for _, field := range stepLists { // a missing list differs from an empty one
		if len(c.before.lists[field])+len(c.after.lists[field]) == 0 {
			list.member("/"+field, field, valuePair{a, b}, valuePair{a, b})
		}
	}
	return list
}

// settings returns a copy of a definition's settings with the references in its
// templates rewritten; only output and concurrency hold any.
func (f idRewriter) settings(settings map[string]any) map[string]any {
	out := make(map[string]any, len(settings))
	for field, v := range settings {
		out[field] = v
		if field == "output" || field == "concurrency" {
			out[field] = f.templates(v)
		}
	}
	return out
}

// plainChanges returns the changes of documents that are not definitions: one, of
// the settings.
func (c *comparison) plainChanges(a, b any) []Change {
	var list fieldList
	list.values("", valuePair{a, b}, valuePair{a, b})
	return []Change{{Change: Settings, Fields: list}}
}

// idOrNull returns nil, JSON's null, for an empty id.
func idOrNull(id string) any {
	if id == "" {
		return nil
	}
	return id
}

// without returns a copy of an object without some keys; the values are shared.
func without(object map[string]any, keys ...string) map[string]any {
	out := make(map[string]any, len(object))
	for k, v := range object {
		if !slices.Contains(keys, k) {
			out[k] = v
		}
	}
	return out
}

// with returns a copy of an object with one member set; the other values are
// shared.
func with(object map[string]any, key string, v any) map[string]any {
	out := without(object, key)
	out[key] = v
	return out
}
