package machine

import (
	"encoding/json"
	"slices"
	"time"
)

// StepRun is what became of one top-level step, or of one handler, as callers see it.
type StepRun struct {
	StepID          string
	Type            string
	Status          StepStatus
	Attempt         int             // the last one; 0: it did not start
	CountedAttempts int             // attempts that count against the plan's MaxAttempts, the present one included
	Output          json.RawMessage // nil: none
	Error           *Error          // of the last failed attempt; nil: none, or a later one completed
	Fallback        string          // the step that ran in its place
	StartedAt       time.Time       // zero: it did not start
	CompletedAt     time.Time       // zero: not yet
	NextAttemptAt   time.Time       // of a retry that is pending
	Wait            *Wait
	Usage           Usage            // the sum over its attempts, without tool calls
	Iterations      *IterationCounts // of a loop that started; nil otherwise
	Handler         string           // on_failure or finally, "" for a main step
}

// IterationCounts says how far a loop is. Total is -1 while it is unknown.
type IterationCounts struct {
	Total     int
	Started   int // open ones included
	Completed int
	Failed    int
}

// Wait is an open wait. Until is when it is over or polls again, TimeoutAt when
// it times out; a zero time: never by itself.
type Wait struct {
	Ref       Ref
	Kind      string          // timer, condition, signal
	Name      string          // of the signal
	RequestID string          // of a signal's wait: the id that answers it
	Prompt    string          // for people; "": none
	Schema    json.RawMessage // of the payload; nil: any fits
	Until     time.Time
	TimeoutAt time.Time
	StartedAt time.Time
}

// StepCounts counts the top-level steps, and the handlers that ran or run, by status; a
// pending retry counts as running. Total is the sum of the others.
type StepCounts struct {
	Total, Pending, Running, Waiting, Completed, Failed, Skipped, Cancelled int
}

// Waits returns the open waits, loop bodies included, oldest first.
func (r *Run) Waits() []Wait {
	var waits []Wait
	r.parked.all(func(_ uint64, p position) bool {
		if w := r.wait(p); w != nil {
			waits = append(waits, *w)
		}
		return true
	})
	return waits
}

// wait returns the open wait of a step; nil: it has none, or the run has ended.
func (r *Run) wait(p position) *Wait {
	st, n := r.stepAt(p), r.node(p)
	if st.wait == nil || st.status.shownIn(r.State) != StepWaiting {
		return nil
	}
	return &Wait{
		Ref: Ref{n.step.ID, p.path()}, Kind: st.wait.Kind, Name: st.wait.Name, RequestID: st.wait.RequestID, Prompt: st.wait.Prompt,
		Schema: n.wait.schema, Until: instant(st.wait.Until), TimeoutAt: instant(st.wait.TimeoutAt), StartedAt: instant(st.attemptStartedAt),
	}
}

// shownIn returns the status that a step shows in a run of this state: what did
// not finish when the run ended is cancelled, what did not start stays pending.
func (s StepStatus) shownIn(run State) StepStatus {
	if run.Terminal() && (s == StepRunning || s == StepWaiting || s == StepRetrying) {
		return StepCancelled
	}
	return s
}

// StepRuns returns the top-level steps that started or were skipped, in the order in which
// they did, handlers included. O(n log n) of them.
func (r *Run) StepRuns() []StepRun {
	type at struct {
		order int64
		p     position
	}
	var order []at
	r.root.steps.all(func(i uint64, st *stepState) bool {
		if st.firstSeq != 0 {
			order = append(order, at{st.firstSeq, position{step: int32(i)}})
		}
		return true
	})
	slices.SortFunc(order, func(a, b at) int { return int(a.order - b.order) })
	runs := make([]StepRun, len(order))
	for i, o := range order {
		runs[i] = r.stepRun(o.p)
	}
	return runs
}

// stepRun returns what became of the top-level step at p.
func (r *Run) stepRun(p position) StepRun {
	n, st := r.node(p), r.stepAt(p)
	s := StepRun{
		StepID: n.step.ID, Type: n.step.Type, Handler: r.handlerOf(n), Status: st.shownStatus(r.shownState(n)), Attempt: int(st.lastAttempt), Output: st.output, Error: st.err,
		Fallback: st.fallbackStep, StartedAt: instant(st.startedAt), CompletedAt: instant(st.endedAt), Wait: r.wait(p), Usage: st.usage,
	}
	if s.CountedAttempts = int(st.failedAttempts); st.startedAt != 0 && s.Status != StepRetrying {
		s.CountedAttempts++
	}
	if s.CompletedAt.IsZero() && s.Status == StepCancelled {
		s.CompletedAt = r.CompletedAt // it was cut off by the run's end
	}
	if s.Status == StepRetrying {
		s.NextAttemptAt = instant(st.dueAt)
	}
	if c := st.loopCounts; c != nil {
		s.Iterations = c
	} else if l := st.loop; l != nil {
		s.Iterations = l.counts()
	}
	return s
}

// counts returns how far the loop is.
func (l *loopState) counts() *IterationCounts {
	return &IterationCounts{Total: l.total, Started: l.nextIndex, Completed: l.completed, Failed: l.failed}
}

// shownStatus returns the status as callers see it. A step that was interrupted
// and starts again as soon as it may is running.
func (s *stepState) shownStatus(run State) StepStatus {
	if s.status == StepPending && s.interrupted {
		return StepRunning.shownIn(run)
	}
	return s.status.shownIn(run)
}

// StepCounts counts the top-level steps by status. O(1): see stepTally.
func (r *Run) StepCounts() StepCounts {
	c := StepCounts{Total: int(r.plan.top.count[partMain])}
	if r.handlers != nil {
		c.Total += int(r.plan.top.count[r.handlers.Part])
	}
	for part, byKind := range r.tally.n {
		for kind, n := range byKind {
			if n == 0 {
				continue
			}
			// Of handlers that do not run now, those count that ran.
			if part != partMain && part != r.part() {
				c.Total += int(n)
			}
			c.add(tallied[kind].shownIn(shownPart(r, part)), int(n))
		}
	}
	c.Pending = c.Total - c.Running - c.Waiting - c.Completed - c.Failed - c.Skipped - c.Cancelled
	return c
}

// add counts n more steps of a status; pending ones are what is left of the total.
func (c *StepCounts) add(status StepStatus, n int) {
	switch status {
	case StepRunning, StepRetrying:
		c.Running += n
	case StepWaiting:
		c.Waiting += n
	case StepCompleted:
		c.Completed += n
	case StepFailed:
		c.Failed += n
	case StepSkipped:
		c.Skipped += n
	case StepCancelled:
		c.Cancelled += n
	default:
	}
}

// DefinedSteps returns how many steps the run's definition has at its top level, handlers
// included.
func (r *Run) DefinedSteps() int { return len(r.plan.top.nodes) }
