package templates

import "slices"

// stepList is a list of steps by id.
type stepList struct {
	ids  []string       // in the order of the list
	byID map[string]any // the steps as they are written
}

// step returns the step with an id, which may be missing.
func (l stepList) step(id string) optional { return member(l.byID, id) }

// stepLists reads a value of the three definitions as lists of steps; a missing list
// is empty. It returns false where one is not a list of steps that have different
// ids.
func stepLists(t threeWay) (lists [3]stepList, ok bool) {
	for i, side := range t.sides() {
		list, isList := side.v.([]any)
		if side.ok && !isList {
			return lists, false
		}
		lists[i].byID = make(map[string]any, len(list))
		for _, step := range list {
			id, named := objectOf(step)["id"].(string)
			if _, twice := lists[i].byID[id]; !named || id == "" || twice {
				return lists, false
			}
			lists[i].ids = append(lists[i].ids, id)
			lists[i].byID[id] = step
		}
	}
	return lists, true
}

// steps merges three lists of steps, base, edited and next: first each step by
// itself, then their order. A step that one side removed and the other left as
// it was is gone.
func (m *merger) steps(lists [3]stepList) []any {
	base, edited, next := lists[0], lists[1], lists[2]
	merged := map[string]any{}
	for _, id := range order(next.ids, edited.ids, base.ids) {
		v := m.merge(location{step: &id}, threeWay{base.step(id), edited.step(id), next.step(id)})
		if v.ok {
			merged[id] = v.v
		}
	}
	first, second := next.ids, edited.ids
	if reordered(base, edited) {
		first, second = second, first
	}
	out := make([]any, 0, len(merged))
	for _, id := range order(first, second, nil) {
		if step, stays := merged[id]; stays {
			out = append(out, step)
		}
	}
	return out
}

// reordered reports whether the steps that both lists have are in different
// orders. Steps that were added or removed do not count.
func reordered(base, edited stepList) bool {
	was := slices.DeleteFunc(slices.Clone(base.ids), func(id string) bool { return !edited.step(id).ok })
	now := slices.DeleteFunc(slices.Clone(edited.ids), func(id string) bool { return !base.step(id).ok })
	return !slices.Equal(was, now)
}

// order joins lists of ids, each without repetition: the first as it is, and
// each id that only a later one has behind its predecessor there. Of a b c and
// a x b it is a x b c. O(n).
func order(lists ...[]string) []string {
	var out chain
	for _, ids := range lists {
		out.join(ids)
	}
	return out.list()
}

// chain is a linked list of ids, next mapping each to the one behind it; the
// empty id is its head and its end.
type chain struct{ next map[string]string }

// join inserts the ids that are new, each after the id that precedes it in ids;
// the first at the head.
func (c *chain) join(ids []string) {
	if c.next == nil {
		c.next = map[string]string{"": ""}
	}
	before := ""
	for _, id := range ids {
		if _, known := c.next[id]; !known {
			c.next[id], c.next[before] = c.next[before], id
		}
		before = id
	}
}

// list returns the ids in the order of the chain.
func (c *chain) list() []string {
	var ids []string
	for id := c.next[""]; id != ""; id = c.next[id] {
		ids = append(ids, id)
	}
	return ids
}
