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
	// known, as in a snapshot of an older version.
	LastSeq int64
	// Waiting: it is a loop of which nothing is in flight, and that has a wait or a retry pending.
	Waiting bool
}

// Steps reads the steps of a run one by one. It may be used concurrently, as the run may.
type Steps struct{ run *Run }

// StepsOf returns the steps of a run.
func StepsOf(r *Run) Steps { return Steps{r} }

// At returns the top-level step, or handler, at an index of the definition, from 0 to below
// DefinedSteps. O(1).
func (s Steps) At(index int) StepView { return s.view(position{step: int32(index)}) }

// Index returns the index of a top-level step; false: there is none of that id.
func (s Steps) Index(stepID string) (int, bool) {
	n := s.run.plan.index[stepID]
	if n == nil || n.list != s.run.plan.top {
		return 0, false
	}
	return int(n.index), true
}

// OfLoop returns the steps of a loop's open iterations that started or were skipped, by
// iteration and in the order of the definition; false: the definition has no such loop.
func (s Steps) OfLoop(loopID string) ([]StepView, bool) {
	r := s.run
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
					list = append(list, s.view(position{f, int32(at)}))
				}
				return true
			})
		}
		return true
	})
	return list, true
}

// In returns a step by its id and iteration; false: there is none, or its iteration is not
// under way, and then only what the definition says of it is returned.
func (s Steps) In(ref Ref) (StepView, bool) {
	p, found := s.run.find(ref.StepID, ref.Iteration)
	if found && s.run.scope(p.frame) != nil {
		return s.view(p), true
	}
	plan, known := s.run.plan.Step(ref.StepID)
	if !known {
		return StepView{}, false
	}
	return StepView{StepRun: StepRun{StepID: ref.StepID, Type: plan.Type}, Name: plan.Name, MaxAttempts: plan.MaxAttempts}, false
}

// view returns the step at p.
func (s Steps) view(p position) StepView {
	r := s.run
	plan, _ := r.plan.Step(r.node(p).step.ID)
	v := StepView{
		StepRun: r.stepRun(p), Iteration: p.path(), Name: plan.Name, MaxAttempts: plan.MaxAttempts,
		Generation: r.generation(p), LastSeq: r.stepAt(p).lastSeq,
	}
	if l := r.stepAt(p).loop; l != nil && v.Status == StepRunning {
		v.Waiting = l.waiting()
	}
	return v
}

// waiting reports whether nothing of the loop is in flight although a wait or a retry in an
// open iteration is pending. O(open iterations).
func (l *loopState) waiting() bool {
	inFlight, parked := int32(0), int32(0)
	l.open.all(func(_ uint64, s *scopeState) bool {
		inFlight, parked = inFlight+s.inFlight, parked+s.parked
		return inFlight == 0
	})
	return inFlight == 0 && parked > 0
}

// waitsLookedAt bounds how many parked steps FirstWait looks at.
const waitsLookedAt = 32

// FirstWait returns the oldest open wait, one for a signal before all others, and how many
// there are, loop bodies included; nil: none. Behind many pending retries it may find none.
// O(1).
func (s Steps) FirstWait() (first *Wait, count int) {
	r := s.run
	count = r.parked.len() - r.retrying
	if count <= 0 || r.State.Terminal() {
		return nil, 0
	}
	looked := 0
	r.parked.all(func(_ uint64, p position) bool {
		looked++
		if w := r.wait(p); w != nil && (first == nil || w.Kind == waitSignal) {
			first = w
		}
		return looked < waitsLookedAt && (first == nil || first.Kind != waitSignal && r.signalWaits > 0)
	})
	return first, count
}
