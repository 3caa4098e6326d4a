package machine

import "time"

// Course is where a step under way stands, or the compensation of one: what
// those need who measure it.
type Course struct {
	Ref
	Type    string
	Seq     int64     // of the event that started it; of a compensation, of the step that it undoes
	Started time.Time // zero for a compensation
	Attempt int       // the last one
	Begun   time.Time // when the last attempt began
	Trying  bool      // that attempt has not ended
}

// Course tells where a step stands; false where it has not started, has
// finished, or is not there (any more).
func (r *Run) Course(ref Ref) (Course, bool) {
	p, ok := r.find(ref.StepID, ref.Iteration)
	if !ok {
		return Course{}, false
	}
	return r.courseAt(p)
}

func (r *Run) courseAt(p place) (Course, bool) {
	n, st := r.node(p), r.stepAt(p)
	if st.order == 0 || st.finished() || st.last == 0 {
		return Course{}, false
	}
	c := Course{
		Ref: Ref{n.step.ID, p.path()}, Type: n.step.Type, Seq: st.order,
		Started: instant(st.started), Attempt: int(st.last), Begun: instant(st.begun),
	}
	switch {
	case n.wait != nil && n.wait.probe != nil:
		c.Begun, c.Trying = instant(st.acted), st.status == StepRunning // an attempt is a probe
	case st.status == StepWaiting:
		c.Trying = true
	default:
		c.Trying = st.status == StepRunning && !st.falling
	}
	return c, true
}

// UnderWay lists the steps that started and have not finished, the outer ones
// first.
func (r *Run) UnderWay() []Course { return r.underWayIn(nil, nil) }

func (r *Run) underWayIn(f *frame, list []Course) []Course {
	s := r.scope(f)
	s.steps.all(func(at uint64, st *stepState) bool {
		p := place{f, int32(at)}
		c, ok := r.courseAt(p)
		if ok {
			list = append(list, c)
		}
		if ok && st.loop != nil {
			for _, inner := range r.iterations(p) {
				list = r.underWayIn(inner, list)
			}
		}
		return true
	})
	return list
}

// Undoing gives the compensation whose attempt is in action.
func (r *Run) Undoing() (Course, bool) {
	u := r.undoing
	if u == nil || !u.Running {
		return Course{}, false
	}
	n := r.node(u.At)
	return Course{
		Ref: Ref{n.step.ID, u.At.path()}, Type: n.compensate.kind, Seq: r.stepAt(u.At).order,
		Attempt: u.Attempt, Begun: instant(u.Begun), Trying: true,
	}, true
}

// UndoType is the step type that a step's compensation is of, "" without one.
func (p *Plan) UndoType(id string) string {
	if n := p.index[id]; n != nil && n.compensate != nil {
		return n.compensate.kind
	}
	return ""
}

// StepType tells a step's type, "" for an id that the run's version lacks.
func (r *Run) StepType(id string) string { return r.plan.StepType(id) }

// UndoType tells the type of a step's compensation, "" without one.
func (r *Run) UndoType(id string) string { return r.plan.UndoType(id) }

// Life tells how often the run was resumed after it had ended, and when it last
// was; a run that never ended began its life when it was created.
func (r *Run) Life() (n int, since time.Time) {
	if r.lives == 0 {
		return 0, r.CreatedAt
	}
	return r.lives, instant(r.revived)
}
