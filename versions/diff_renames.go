package versions

import "heddle/internal/exactjson"

import "strings"

// renames maps the old ids of renamed steps to the new ones and back; the two
// maps mirror each other.
type renames struct {
	toNew map[string]string
	toOld map[string]string
}

// newID returns the new id of a step with an old one; the same where the step is
// not renamed.
func (r renames) newID(old string) string {
	if id, ok := r.toNew[old]; ok {
		return id
	}
	return old
}

// newIDs returns the new ids of the old definition's steps, in their order.
func (r renames) newIDs(nodes []*stepNode) []string {
	list := make([]string, len(nodes))
	for i, n := range nodes {
		list[i] = r.newID(n.id)
	}
	return list
}

// before is the idRewriter for the old definition. With after for the new one,
// both sides write references to renamed steps with the new id and in the same
// form.
func (r renames) before(id string) (string, bool) {
	to, ok := r.toNew[id]
	return to, ok
}

// after is the idRewriter for the new definition: the id stays, but the form of
// its references becomes that of before.
func (r renames) after(id string) (string, bool) {
	_, ok := r.toOld[id]
	return id, ok
}

// findRenames pairs removed steps with added ones that have the same content in
// the same list, apart from references to other renamed steps. Several with the
// same content are paired in document order. First steps are paired with all
// candidates' ids masked; then verify drops pairs whose references disagree.
// O(size of the candidates), but for verify.
func findRenames(before, after *outline) renames {
	gone, fresh := stepsMissing(before, after), stepsMissing(after, before)
	r := renames{toNew: map[string]string{}, toOld: map[string]string{}}
	if len(gone) == 0 || len(fresh) == 0 {
		return r
	}
	waiting := make(map[string][]*stepNode, len(fresh))
	masked := maskIDs(fresh)
	for _, n := range fresh {
		key := skeleton(n, masked)
		waiting[key] = append(waiting[key], n)
	}
	masked = maskIDs(gone)
	for _, n := range gone {
		key := skeleton(n, masked)
		if queue := waiting[key]; len(queue) > 0 {
			r.toNew[n.id], r.toOld[queue[0].id] = queue[0].id, n.id
			waiting[key] = queue[1:]
		}
	}
	r.verify(after, gone)
	return r
}

// stepsMissing lists the steps of one definition whose id the other does not
// have, in document order.
func stepsMissing(from, in *outline) []*stepNode {
	var list []*stepNode
	for _, n := range from.order {
		if in.byID[n.id] == nil {
			list = append(list, n)
		}
	}
	return list
}

// maskIDs returns a rewriter that replaces the ids of some steps by one mask.
func maskIDs(nodes []*stepNode) idRewriter {
	set := make(map[string]bool, len(nodes))
	for _, n := range nodes {
		set[n.id] = true
	}
	return func(id string) (string, bool) { return "\x00", set[id] }
}

// skeleton returns a text that is equal for steps of the same list and content,
// apart from masked ids. The loop that holds the step counts as a reference.
func skeleton(n *stepNode, mask idRewriter) string {
	var b strings.Builder
	b.WriteString(n.list)
	b.WriteByte('\n')
	b.WriteString(mask.id(n.loop))
	b.WriteByte('\n')
	b.Write(exactjson.Canonical(mask.step(n.value)))
	return b.String()
}

// verify drops the pairs that differ once references are followed, and then those
// that relied on them. A pair is checked again at most once per reference that it
// holds.
func (r renames) verify(after *outline, gone []*stepNode) {
	users := map[string][]*stepNode{} // by the old id that they name
	for _, n := range gone {
		if _, paired := r.toNew[n.id]; !paired {
			continue
		}
		// A rewriter that changes nothing, and sees every id that the step
		// names.
		noted := idRewriter(func(id string) (string, bool) {
			if _, ok := r.toNew[id]; ok && id != n.id {
				users[id] = append(users[id], n)
			}
			return id, false
		})
		noted.id(n.loop)
		noted.step(n.value)
	}
	// All pairs once, then again those that name a step whose pair was dropped.
	queue := gone
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		to, paired := r.toNew[n.id]
		if !paired || r.same(n, after.byID[to]) {
			continue
		}
		delete(r.toNew, n.id)
		delete(r.toOld, to)
		queue = append(queue, users[n.id]...)
	}
}

// same reports whether two steps are equal under the renames.
func (r renames) same(a, b *stepNode) bool {
	return a.list == b.list && r.newID(a.loop) == b.loop &&
		exactjson.Equal(idRewriter(r.before).step(a.value), idRewriter(r.after).step(b.value))
}
