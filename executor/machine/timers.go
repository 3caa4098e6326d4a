package machine

// timer is one node of a persistent leftist heap, earliest due first; equal times in the
// order in which they were set. Merging shares all nodes off the right spine, so a push or
// pop costs O(log n) and older heaps stay whole.
//
// Entries are not removed when a wait ends early: the key no longer names a parked step
// then, or one that is due at another time, and the entry is dropped when it reaches the
// top.
type timer struct {
	due         int64  // milliseconds since 1970
	key         uint64 // activityKey of the step that it was set for
	rank        int32  // length of the right spine
	left, right *timer
}

// before reports whether t is due earlier than o; equal times go by the order
// in which they were set.
func (t *timer) before(o *timer) bool {
	return t.due < o.due || t.due == o.due && t.key < o.key
}

// height returns the length of the right spine, 0 for the empty heap.
func (t *timer) height() int32 {
	if t == nil {
		return 0
	}
	return t.rank
}

// mergeTimers returns a heap with the entries of both, in O(log n). Neither
// argument changes.
func mergeTimers(a, b *timer) *timer {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	// a becomes the root, so it has to be the earlier one.
	if b.before(a) {
		a, b = b, a
	}
	m := &timer{due: a.due, key: a.key, left: a.left, right: mergeTimers(a.right, b)}
	// The shorter side goes to the right, which keeps the right spine at log2 of the
	// entries.
	if m.left.height() < m.right.height() {
		m.left, m.right = m.right, m.left
	}
	m.rank = m.right.height() + 1
	return m
}

// timerHeap is the heap and how many entries it holds, stale ones included.
type timerHeap struct {
	first *timer // the earliest; nil: empty
	size  int
}

// push adds a due time, in milliseconds, of the step whose activityKey is slot.
func (h *timerHeap) push(due int64, slot uint64) {
	h.first = mergeTimers(h.first, &timer{due: due, key: slot, rank: 1})
	h.size++
}

// pop drops the earliest entry; the heap must not be empty.
func (h *timerHeap) pop() {
	h.first = mergeTimers(h.first.left, h.first.right)
	h.size--
}

// trimTimers drops stale timers from the top, and rebuilds the heap once stale ones
// outnumber the live ones two to one. So the heap stays within a constant factor of what is
// parked, at an amortized cost of O(1) per timer. It is called once at the end of each
// transition, and before a timer is looked at.
func (r draft) trimTimers() {
	for r.timers.first != nil && !r.armed(r.timers.first) {
		r.timers.pop()
	}
	// The constant spares runs with few waits the rebuilding.
	if live := r.parked.len() + r.loops.len(); r.timers.size > 2*live+64 {
		r.resetTimers()
	}
}

// armed reports whether the step that the timer was set for still waits for it.
func (r draft) armed(t *timer) bool {
	p, ok := r.parked.get(t.key)
	if !ok {
		p, ok = r.loops.get(t.key)
	}
	return ok && r.stepAt(p).dueAt == t.due
}

// resetTimers builds the heap anew from what is parked and the loops under way. O(n log n)
// of them.
func (r draft) resetTimers() {
	r.timers = timerHeap{}
	set := func(slot uint64, p position) bool {
		if due := r.stepAt(p).dueAt; due != 0 {
			r.timers.push(due, slot)
		}
		return true
	}
	r.parked.all(set)
	r.loops.all(set)
}

// fireTimer acts on the earliest timer, if it is due by now: a loop times out,
// a retry begins, a wait ends or polls. It returns false where none is due.
func (t *transition) fireTimer() bool {
	t.trimTimers()
	if t.timers.first == nil || t.timers.first.due > t.now {
		return false
	}
	// A loop has one timer alone: that of its timeout.
	if p, ok := t.loops.get(t.timers.first.key); ok {
		loops{t}.loopTimedOut(p)
		return true
	}
	p, _ := t.parked.get(t.timers.first.key)
	if t.stepAt(p).status == StepRetrying {
		t.attempt(p)
	} else {
		waits{t}.wakeWait(p)
	}
	return true
}
