package machine

// reopen makes a run that came to rest ready to go on: what finished stays,
// all else and what depends on it runs again, under a new generation.
func (r *Run) reopen(d *Detail) {
	r.CompletedAt = instant(0)
	r.Output, r.Err, r.undoFailed, r.handlersFailed = nil, nil, nil, nil
	r.dropWork()
	plan := r.plan
	if r.incoming != nil {
		plan, r.incoming = r.incoming, nil
	}
	again := r.toRunAgain(plan, d.FromStep+d.Redrive) // at most one of them is given
	r.forgetUndo(plan, again)
	for at := range r.plan.top.nodes {
		if st := r.root.step(int32(at)); st.loop != nil {
			r.editStep(place{step: int32(at)}).cut = r.cutOffOf(st)
		}
	}
	if d.Hash != "" {
		r.moveTo(plan, again, d)
	}
	s := r.editScope(nil)
	s.left, s.busy, s.parked, s.failed, s.ticket = 0, 0, 0, nil, 0
	for at := range s.list.nodes {
		if again[at] != "" {
			s.left++
			r.resetStep(int32(at), again, d)
		}
	}
	for at, n := range s.list.nodes {
		p := place{step: int32(at)}
		switch {
		case n.part != partMain:
		case again[at] != "":
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

func (r *Run) resetStep(at int32, again []string, d *Detail) {
	p := place{step: at}
	n, old := r.node(p), r.stepAt(p)
	if old.wait != nil && old.wait.RequestID != "" {
		r.signals.seen.set(r.edit, old.wait.RequestID, struct{}{}) // a late answer must not end another wait
	}
	st := &stepState{edit: r.edit, status: StepPending, attempt: old.attempt, generation: old.generation, usage: old.usage}
	if old.attempt > 0 && (!d.KeepKeys || old.hasEnd() || n.loop != nil || n.step.ID == d.FromStep) {
		st.generation++
	} else {
		st.since = old.since
	}
	if d.KeepKeys && n.step.ID != d.FromStep {
		st.cut = stillCutOff(r.edit, values(&old.cut))
	}
	if n.step.ID == d.Redrive {
		st.redo = redoOf(old)
	}
	for _, id := range n.step.DependsOn {
		switch parent := r.plan.index[id]; {
		case again[parent.at] != "":
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

// forgetUndo drops the compensations of steps that run again, and of those
// that the plan to come does not have.
func (r *Run) forgetUndo(plan *Plan, again []string) {
	var gone []uint64
	r.undo.all(func(key uint64, u undo) bool {
		p := u.at
		for p.at != nil {
			p = p.at.home()
		}
		n := plan.index[r.node(p).step.ID]
		if n == nil || n.list != plan.top || n.part != partMain || again[n.at] != "" {
			gone = append(gone, key)
		}
		return true
	})
	for _, key := range gone {
		r.undo.delete(r.edit, key)
	}
}
