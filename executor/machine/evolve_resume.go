package machine

// reopen makes a failed or cancelled run ready to go on: what finished stays,
// all else and what depends on it runs again, under a new generation.
func (r *Run) reopen() {
	r.CompletedAt = instant(0)
	r.Output, r.Err, r.undoFailed = nil, nil, nil
	again := r.toRunAgain()
	s := r.editScope(nil)
	s.left, s.busy, s.parked, s.failed, s.ticket = 0, 0, 0, nil, 0
	for at := range s.list.nodes {
		if again[at] {
			s.left++
			r.resetStep(int32(at), again)
		}
	}
	r.forgetUndo(again)
	for at, n := range s.list.nodes {
		p := place{step: int32(at)}
		switch {
		case again[at]:
			if n.owner < 0 && r.stepAt(p).unmet == 0 {
				r.enqueue(p)
			}
		case n.condition != nil:
			r.skipAgain(p)
		case n.fallback >= 0:
			r.skipSoon(place{step: n.fallback}, "fallback_unused")
		}
	}
	if s.left == 0 {
		r.enqueueScope(nil)
	}
}

// toRunAgain says for each step of the definition's own list whether resume
// runs it again.
func (r *Run) toRunAgain() []bool {
	list := r.root.list
	again := make([]bool, len(list.nodes))
	for _, at := range list.order {
		n, st := list.nodes[at], r.root.step(at)
		again[at] = again[at] || !st.stays(n)
		for _, parent := range n.parents {
			again[at] = again[at] || again[parent]
		}
		if n.fallback >= 0 && r.root.step(n.fallback).undone {
			again[at] = true
		}
	}
	return again
}

// stays tells whether a resumed run keeps what the step did.
func (s *stepState) stays(n *node) bool {
	if s.undone || s.falling {
		return false
	}
	return s.status == StepCompleted || s.status == StepSkipped || s.status == StepFailed && n.survivable()
}

func (r *Run) resetStep(at int32, again []bool) {
	p := place{step: at}
	n, old := r.node(p), r.stepAt(p)
	st := &stepState{edit: r.edit, status: StepPending, attempt: old.attempt, generation: old.generation, usage: old.usage}
	if old.attempt > 0 {
		st.generation++
	}
	for _, id := range n.step.DependsOn {
		switch parent := r.plan.index[id]; {
		case again[parent.at]:
			st.unmet++
		case r.root.step(parent.at).status != StepSkipped:
			st.live++
		}
	}
	r.editScope(nil).steps.set(r.edit, uint64(at), st)
}

// skipAgain marks the branches that a kept condition did not take.
func (r *Run) skipAgain(p place) {
	st := r.stepAt(p)
	if st.status != StepCompleted {
		r.branchTaken(p, -1)
		return
	}
	r.branchTaken(p, r.node(p).condition.taken(&Detail{Output: st.output}))
}

// forgetUndo drops the compensations of steps that run again.
func (r *Run) forgetUndo(again []bool) {
	var gone []uint64
	r.undo.all(func(key uint64, u undo) bool {
		p := u.at
		for p.at != nil {
			p = p.at.home()
		}
		if again[p.step] {
			gone = append(gone, key)
		}
		return true
	})
	for _, key := range gone {
		r.undo.delete(r.edit, key)
	}
}
