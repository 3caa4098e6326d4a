package machine

// timer is one node of a persistent leftist heap, earliest due first; equal
// times in the order in which they were set. Merging shares all nodes off the
// right spine, so a push or pop costs O(log n) and older heaps stay whole.
//
// Entries are not removed when a wait ends early: slot no longer names a
// parked step then, and the entry is dropped when it reaches the top.
type timer struct {
	due         int64 // milliseconds since 1970
	slot        uint64
	rank        int32
	left, right *timer
}

func (t *timer) before(o *timer) bool {
	return t.due < o.due || t.due == o.due && t.slot < o.slot
}

func (t *timer) height() int32 {
	if t == nil {
		return 0
	}
	return t.rank
}

func mergeTimers(a, b *timer) *timer {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	if b.before(a) {
		a, b = b, a
	}
	m := &timer{due: a.due, slot: a.slot, left: a.left, right: mergeTimers(a.right, b)}
	if m.left.height() < m.right.height() {
		m.left, m.right = m.right, m.left
	}
	m.rank = m.right.height() + 1
	return m
}

func pushTimer(t *timer, due int64, slot uint64) *timer {
	return mergeTimers(t, &timer{due: due, slot: slot, rank: 1})
}
