package machine

// StepView is a step of a run, whether it has started or not, with what its definition says
// of it.
type StepView struct {
	StepRun
	Iteration   string // the path of the iteration, "" for a top-level step
	Name        string // its id where it has none
	MaxAttempts int
	// Generation is how often it was run again on purpose: see Execute.
	Generation int
	// LastSeq is the seq of its last event, or of one of its iterations; 0: none, or not
	// known, as of steps in a loop's body.
	LastSeq int64
}

// StepAt returns the top-level step, or handler, at an index of the definition, from 0 to
// below DefinedSteps. O(1).
func (r *Run) StepAt(index int) StepView { return r.stepView(position{step: int32(index)}) }

// StepIndex returns the index of a top-level step; false: there is none of that id.
func (r *Run) StepIndex(stepID string) (int, bool) {
	n := r.plan.index[stepID]
	if n == nil || n.list != r.plan.top {
		return 0, false
	}
	return int(n.index), true
}

// BodySteps returns the steps of a loop's open iterations that started or were skipped, by
// iteration and in the order of the definition; false: the definition has no such loop.
func (r *Run) BodySteps(loopID string) ([]StepView, bool) {
	n := r.plan.index[loopID]
	if n == nil || n.loop == nil {
		return nil, false
	}
	var list []StepView
	r.loops.all(func(_ uint64, p position) bool {
		if r.node(p) != n {
			return true
		}
		for _, f := range r.iterations(p) {
			r.scope(f).steps.all(func(at uint64, st *stepState) bool {
				if st.firstSeq != 0 {
					list = append(list, r.stepView(position{f, int32(at)}))
				}
				return true
			})
		}
		return true
	})
	return list, true
}

// stepView returns the step at p.
func (r *Run) stepView(p position) StepView {
	plan, _ := r.plan.Step(r.node(p).step.ID)
	return StepView{
		StepRun: r.stepRun(p), Iteration: p.path(), Name: plan.Name, MaxAttempts: plan.MaxAttempts,
		Generation: r.generation(p), LastSeq: r.stepAt(p).lastSeq,
	}
}

// StepIn returns a step by its id and iteration; false: there is none, or its iteration is not
// under way, and then only what the definition says of it is returned.
func (r *Run) StepIn(ref Ref) (StepView, bool) {
	p, found := r.find(ref.StepID, ref.Iteration)
	if found && r.scope(p.frame) != nil {
		return r.stepView(p), true
	}
	plan, known := r.plan.Step(ref.StepID)
	if !known {
		return StepView{}, false
	}
	return StepView{StepRun: StepRun{StepID: ref.StepID, Type: plan.Type}, Name: plan.Name, MaxAttempts: plan.MaxAttempts}, false
}
