package machine

import "time"

// ActiveStep is a step under way, or the compensation of one, as those need it who measure
// runs.
type ActiveStep struct {
	Ref
	Type             string
	Seq              int64     // of the event that started it; of a compensation, of the step that it undoes
	StartedAt        time.Time // zero for a compensation
	Attempt          int       // the last one
	AttemptStartedAt time.Time // when the last attempt began
	AttemptRunning   bool      // that attempt has not ended
}

// ActiveStep returns a step under way; false where it has not started, has finished, or the
// run has no such position now. O(depth).
func (r *Run) ActiveStep(ref Ref) (ActiveStep, bool) {
	p, ok := r.find(ref.StepID, ref.Iteration)
	if !ok {
		return ActiveStep{}, false
	}
	return r.activeStepAt(p)
}

// activeStepAt is ActiveStep for a position.
func (r *Run) activeStepAt(p position) (ActiveStep, bool) {
	n, st := r.node(p), r.stepAt(p)
	if st.firstSeq == 0 || st.finished() || st.lastAttempt == 0 {
		return ActiveStep{}, false
	}
	c := ActiveStep{
		Ref: Ref{n.step.ID, p.path()}, Type: n.step.Type, Seq: st.firstSeq,
		StartedAt: instant(st.startedAt), Attempt: int(st.lastAttempt), AttemptStartedAt: instant(st.attemptStartedAt),
	}
	switch {
	case n.wait != nil && n.wait.probe != nil:
		c.AttemptStartedAt, c.AttemptRunning = instant(st.executedAt), st.status == StepRunning // an attempt is a probe
	case st.status == StepWaiting:
		c.AttemptRunning = true
	default:
		c.AttemptRunning = st.status == StepRunning && !st.fallbackRunning
	}
	return c, true
}

// ActiveSteps returns the steps that started and have not finished, those of loop bodies
// after their loop. O(steps touched).
func (r *Run) ActiveSteps() []ActiveStep { return r.activeStepsIn(nil, nil) }

// activeStepsIn adds those of one list, and of what is below it, to list. It goes down into
// open iterations only.
func (r *Run) activeStepsIn(f *frame, list []ActiveStep) []ActiveStep {
	s := r.scope(f)
	s.steps.all(func(at uint64, st *stepState) bool {
		p := position{f, int32(at)}
		c, ok := r.activeStepAt(p)
		if ok {
			list = append(list, c)
		}
		if ok && st.loop != nil {
			for _, inner := range r.iterations(p) {
				list = r.activeStepsIn(inner, list)
			}
		}
		return true
	})
	return list
}

// RunningCompensation returns the compensation whose attempt is in flight; false: none is.
func (r *Run) RunningCompensation() (ActiveStep, bool) {
	u := r.compensating
	if u == nil || !u.running {
		return ActiveStep{}, false
	}
	n := r.node(u.position)
	return ActiveStep{
		Ref: Ref{n.step.ID, u.position.path()}, Type: n.compensate.stepType, Seq: r.stepAt(u.position).firstSeq,
		Attempt: u.attempt, AttemptStartedAt: instant(u.startedAt), AttemptRunning: true,
	}, true
}

// compensationType returns the step type that a step's compensation is of, ""
// without one.
func (p *Plan) compensationType(id string) string {
	if n := p.index[id]; n != nil && n.compensate != nil {
		return n.compensate.stepType
	}
	return ""
}

// StepType returns a step's type, "" for an id that the run's version lacks.
func (r *Run) StepType(id string) string { return r.plan.StepType(id) }

// CompensationType returns the type of a step's compensation, "" without one.
func (r *Run) CompensationType(id string) string { return r.plan.compensationType(id) }

// Resumes returns how often the run was resumed after it had ended, and when it
// last was; for a run that never ended, when it was created.
func (r *Run) Resumes() (n int, since time.Time) {
	if r.resumeCount == 0 {
		return 0, r.CreatedAt
	}
	return r.resumeCount, instant(r.resumedAt)
}
