package machine

// reopen makes a run that was paused or had ended ready to go on: what finished
// stays, all else and what depends on it runs again. The order matters: the
// reasons to rerun are read from the state as it was, before compensations are
// forgotten and the run moves to another plan.
func (r evolver) reopen(d *Detail) {
	r.CompletedAt = instant(0)
	r.Output, r.Err, r.failedCompensations, r.failedHandlers = nil, nil, nil, nil
	r.clearActivity()
	plan := r.plan
	if r.incoming != nil {
		plan, r.incoming = r.incoming, nil
	}
	again := resumeAssessment{r.Run, plan}.rerunReasons(d.FromStep + d.Redrive) // at most one of them is given
	r.forgetCompensations(plan, again)
	// Loops that were cut off with the run leave what their iterations would have left.
	for at := range r.plan.top.nodes {
		if st := r.root.step(int32(at)); st.loop != nil {
			r.editStep(position{step: int32(at)}).cutOff = r.cutOffOf(st)
		}
	}
	if d.Hash != "" {
		r.moveTo(plan, again, d)
	}
	s := r.editScope(nil)
	// What was under way has been forgotten, so the counters begin at zero; steps that run
	// again are counted as they are reset.
	s.unfinished, s.inFlight, s.parked, s.err, s.agendaKey = 0, 0, 0, nil, 0
	for at := range s.list.nodes {
		if again[at] != "" {
			s.unfinished++
			r.resetStep(int32(at), again, d)
		}
	}
	// Only now, when all steps are reset: what is put on the agenda depends on its
	// neighbours.
	for at, n := range s.list.nodes {
		p := position{step: int32(at)}
		switch {
		case n.part != partMain:
		case again[at] != "":
			if n.fallbackOf < 0 && r.stepAt(p).unmet == 0 {
				r.enqueue(p)
			}
		case n.condition != nil:
			r.skipBranchesAgain(p)
		case n.fallback >= 0:
			r.scheduleSkip(position{step: n.fallback}, "fallback_unused")
		}
	}
	if s.unfinished == 0 {
		r.enqueueScope(nil)
	}
}

// resetStep makes a step pending again. A step whose effect has an end in the
// journal begins a new generation, and with it a new idempotency key; one that
// was cut off keeps both, so that the receiver can tell the repetition. Attempt
// numbers and usage go on.
func (r evolver) resetStep(at int32, again []string, d *Detail) {
	p := position{step: at}
	n, old := r.node(p), r.stepAt(p)
	if old.wait != nil && old.wait.RequestID != "" {
		r.signals.seen.set(r.edit, old.wait.RequestID, struct{}{}) // a late answer must not end another wait
	}
	st := &stepState{edit: r.edit, status: StepPending, stepAttempts: stepAttempts{attemptNumber: old.attemptNumber, generation: old.generation}, stepOutcome: stepOutcome{usage: old.usage}}
	// Journals from before keep_keys gave every step a new generation; a replay must do the
	// same.
	if old.attemptNumber > 0 && (!d.KeepKeys || old.hasEnd() || n.loop != nil || n.step.ID == d.FromStep) {
		st.generation++
	} else {
		st.keyFirstUsedAt = old.keyFirstUsedAt
	}
	if d.KeepKeys && n.step.ID != d.FromStep {
		st.cutOff = withoutEnded(r.edit, values(&old.cutOff))
	}
	if n.step.ID == d.Redrive {
		st.redrive = redriveOf(old)
	}
	// The counters as they would be if the dependencies that stay had finished just now.
	for _, id := range n.step.DependsOn {
		switch parent := r.plan.index[id]; {
		case again[parent.index] != "":
			st.unmet++
		case r.root.step(parent.index).status != StepSkipped:
			st.notSkipped++
		}
	}
	st.counted = old.counted
	r.editScope(nil).steps.set(r.edit, uint64(at), st)
	r.tally.touch(at)
}

// skipBranchesAgain has the branches skipped that a condition which stays did not take,
// because their steps may be pending again.
func (r evolver) skipBranchesAgain(p position) {
	st := r.stepAt(p)
	if st.status != StepCompleted {
		r.branchTaken(p, -1)
		return
	}
	r.branchTaken(p, r.node(p).condition.taken(&Detail{Output: st.output}))
}

// forgetCompensations drops the compensations of steps that run again, and of
// those that the plan to come does not have.
func (r evolver) forgetCompensations(plan *Plan, again []string) {
	var gone []uint64
	r.compensations.all(func(key uint64, u compensable) bool {
		p := u.at
		for p.frame != nil {
			p = p.frame.loopPosition()
		}
		n := plan.index[r.node(p).step.ID]
		if n == nil || n.list != plan.top || n.part != partMain || again[n.index] != "" {
			gone = append(gone, key)
		}
		return true
	})
	for _, key := range gone {
		r.compensations.delete(r.edit, key)
	}
}
