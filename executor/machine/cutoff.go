package machine

// A step that was cut off (by a crash, a cancel, a quarantine) may have taken
// effect although its end is not journalled. It keeps its generation, and with
// it its idempotency key, until it ends: the receiver can tell the repetition.

// cutOff holds the generations of one iteration's steps that were cut off, and that so lag
// behind the loop's. It never changes once it is stored. The JSON names are those of
// snapshots.
type cutOff struct {
	Index uint64               `json:"i"`
	Steps map[string]int32     `json:"steps,omitempty"` // by step id
	Ended map[string]int32     `json:"ended,omitempty"` // those that ended since: a retry of the loop keeps them, a resume does not
	Since map[string]int64     `json:"since,omitempty"` // when the first attempt of that generation began, of both
	Loops map[string][]*cutOff `json:"loops,omitempty"` // by the id of an inner loop
}

// isEmpty reports whether nothing is remembered, so that c need not be kept.
func (c *cutOff) isEmpty() bool { return len(c.Steps)+len(c.Ended)+len(c.Loops) == 0 }

// hasEnd reports whether the step's effect has an end in the journal. A step
// that on_interrupt failed has none, however its fallback ended: whether it took
// effect is unknown.
func (s *stepState) hasEnd() bool {
	return (s.status == StepCompleted || s.status == StepFailed) && !s.outcomeUnknown
}

// cutOff reports whether the error is that of an attempt that was cut off and
// must not be repeated (on_interrupt: fail).
func (e *Error) cutOff() bool { return e != nil && e.Code == codeInterrupted }

// cutOffIn collects what is cut off in an iteration, its inner loops included; nil: nothing
// is. O(steps touched).
func (r *stepTree) cutOffIn(index uint64, s *scopeState) *cutOff {
	c := &cutOff{Index: index}
	s.steps.all(func(at uint64, st *stepState) bool {
		n := s.list.nodes[at]
		switch {
		case n.loop != nil:
			if inner := r.cutOffOf(st); inner.len() > 0 {
				putEntry(&c.Loops, n.step.ID, values(&inner))
			}
		// The machine performs it: there is no effect outside to repeat.
		case !n.external():
		// It ended in a generation of its own, because it had been cut off before.
		case st.hasEnd() && st.generation != 0:
			putEntry(&c.Ended, n.step.ID, s.generation+st.generation)
			putEntry(&c.Since, n.step.ID, st.keyFirstUsedAt)
		// It may have taken effect, or still has the generation of one that may have.
		case !st.hasEnd() && (st.lastAttempt > 0 || st.generation != 0):
			putEntry(&c.Steps, n.step.ID, s.generation+st.generation)
			putEntry(&c.Since, n.step.ID, st.keyFirstUsedAt)
		}
		return true
	})
	if c.isEmpty() {
		return nil
	}
	return c
}

// cutOffOf collects what is cut off in a loop, by iteration: what is remembered, and what
// its open iterations would leave now. The loop is not changed by what the caller does with
// the answer. O(iterations that are remembered or open).
func (r *stepTree) cutOffOf(st *stepState) trie[*cutOff] {
	if st.loop == nil {
		return st.cutOff
	}
	// all has nodes of its own: those that the loop's trie got in this edit would be changed
	// in place, under a loop that goes on.
	all := cutOffTrie(r.edit, values(&st.loop.cutOff))
	st.loop.open.all(func(index uint64, s *scopeState) bool {
		if c := r.cutOffIn(index, s); c != nil {
			all.set(r.edit, index, c)
		}
		return true
	})
	return all
}

// restoreCutOff gives the steps of an iteration that starts anew, and that were cut off in
// it before, the generation that they had: so their idempotency keys come again. f has just
// been opened.
func (r draft) restoreCutOff(f *frame, l *loopState) {
	c, ok := l.cutOff.get(uint64(f.index))
	if !ok {
		return
	}
	r.editLoop(f.loopPosition()).cutOff.delete(r.edit, uint64(f.index))
	r.editScope(f).hasCutOff = true
	body := f.loop.loop.body
	for _, n := range body.nodes {
		generation, ok := c.Steps[n.step.ID]
		if !ok {
			generation, ok = c.Ended[n.step.ID]
		}
		if ok && n.external() {
			st := r.editStep(position{f, n.index})
			st.generation, st.keyFirstUsedAt = generation-r.scope(f).generation, c.Since[n.step.ID]
		}
		if inner := c.Loops[n.step.ID]; len(inner) > 0 && n.loop != nil {
			r.editStep(position{f, n.index}).cutOff = cutOffTrie(r.edit, inner)
		}
	}
}

// withoutEnded returns the list by iteration, without the steps that have ended since: a
// resume runs those in a new generation.
func withoutEnded(edit uint64, list []*cutOff) (t trie[*cutOff]) {
	for _, c := range list {
		left := &cutOff{Index: c.Index, Steps: c.Steps, Since: c.Since}
		for id, inner := range c.Loops {
			if still := withoutEnded(edit, inner); still.len() > 0 {
				putEntry(&left.Loops, id, values(&still))
			}
		}
		if !left.isEmpty() {
			t.set(edit, c.Index, left)
		}
	}
	return t
}

// putEntry sets an entry of a map that may not exist yet.
func putEntry[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
}

// cutOffTrie returns a saved list by iteration, as it was before values.
func cutOffTrie(edit uint64, list []*cutOff) (t trie[*cutOff]) {
	for _, c := range list {
		t.set(edit, c.Index, c)
	}
	return t
}

// values returns a trie's values in order of their keys.
func values[T any](t *trie[T]) []T {
	var list []T
	t.all(func(_ uint64, v T) bool {
		list = append(list, v)
		return true
	})
	return list
}
