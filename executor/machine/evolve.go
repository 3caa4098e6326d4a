package machine

import (
	"encoding/json"
	"fmt"
	"heddle/events"
)

// evolver folds events into a draft. One method handles one kind of event and decides
// nothing: what it does follows from the event and the state alone, so that a replay of the
// journal comes to the same run. It must not look at the clock, evaluate expressions or
// refuse anything.
//
// The methods change state in the same order, as far as it matters: the indexes first
// (untrack, removeFromAgenda), while the old status is there to count by; then the step;
// then what depends on it (unblockDependents, failScope).
type evolver struct{ draft }

// evolve folds one event into the draft. With the draft's moves it is the only code that
// changes a run's state: Apply calls it for each event that it emits, Restore for each
// event that it reads. p is the event's position; for iteration events that of the
// iteration's list. d is the event's data; its values are kept.
func (r evolver) evolve(ev *events.Event, p position, d *Detail) {
	r.Seq, r.updatedAt = ev.Seq, ev.At.UnixMilli()
	// Added for every kind of event, so that the sum misses no attempt.
	r.Usage.Tokens += d.Tokens
	r.Usage.CostMicroUSD += d.CostMicroUSD
	if ev.Iteration != "" {
		r.maxLoopAttempt = max(r.maxLoopAttempt, ev.Attempt)
	}
	defer r.noteLast(ev.Seq, p)
	switch ev.Kind {
	case events.StateChanged:
		r.stateChanged(d)
	case events.StepStarted:
		r.stepStarted(ev, p, d)
	case events.StepCompleted:
		r.stepCompleted(ev, p, d)
	case events.StepFailed:
		r.stepFailed(p, d)
	case events.StepRetrying:
		r.stepRetrying(ev, p, d)
	case events.StepInterrupted:
		r.stepInterrupted(p, d)
	case events.StepSkipped:
		r.stepSkipped(p)
	case events.StepWaiting:
		r.stepWaiting(ev, p, d)
	case events.StepCancelled:
		r.stepCancelled(p, d)
	case events.IterationStarted:
		r.iterationStarted(p)
	case events.IterationCompleted:
		r.iterationCompleted(p, d)
	case events.IterationFailed:
		r.iterationFailed(p, d)
	case events.SignalReceived:
		r.signalReceived(ev, d)
	case events.SignalRejected:
		r.signals.kept.delete(r.edit, uint64(d.SignalSeq))
	case events.InputRequested:
		r.inputRequested(p, d)
	case events.InputResolved:
		r.signals.kept.delete(r.edit, uint64(d.SignalSeq))
	case events.CompensationStarted:
		r.compensationStarted(ev, p)
	case events.CompensationCompleted, events.CompensationFailed:
		r.compensationEnded(ev, p)
	case events.HandlersStarted:
		r.handlersStarted(d)
	case events.RunCompleted:
		r.Output = d.Output
	case events.RunFailed, events.RunCancelled:
		r.Err = d.Error
	}
}

// noteLast notes the event as the last one of the step that it is about, or of the loop
// whose iteration it is about. A step whose iteration has ended is not known any more.
func (r evolver) noteLast(seq int64, p position) {
	if p.frame != nil && p.step < 0 {
		p = p.frame.loopPosition() // an iteration began or ended
	}
	if p.step >= 0 && r.scope(p.frame) != nil {
		r.editStep(p).lastSeq = seq
	}
}

// stateChanged follows a change of the run's state. Time spent queued after a pause or an
// end, or paused, is taken out of the run's timeout when the run goes on.
func (r evolver) stateChanged(d *Detail) {
	from := r.State
	r.State = d.State
	switch d.State {
	case Queued:
		r.requeued(from, d)
	case Running:
		if r.StartedAt.IsZero() {
			r.StartedAt = instant(r.updatedAt)
		}
		// Set by a pause or an end alone: the time in the queue before the first begin
		// counts for nothing, because the timeout starts with the begin.
		if (from == Queued || from == Paused) && r.inactiveSince != 0 {
			r.inactiveTime += max(0, instant(r.updatedAt).Sub(instant(r.inactiveSince)))
			r.inactiveSince = 0
		}
	case Paused:
		r.inactiveSince = r.updatedAt
	case Cancelling:
		r.beginEnding(&ending{Outcome: d.Outcome, Error: d.Error, Stop: true})
	case Compensating:
		if r.ending == nil {
			r.beginEnding(&ending{Outcome: d.Outcome, Error: d.Error})
		}
	case Completed, Failed, Cancelled:
		r.onTerminal()
	default: // the other states change nothing but themselves
	}
}

// requeued begins a new run, or makes a paused, failed or cancelled one ready to go on. A
// plain resume of a paused run changes nothing here: its agenda is as it was. A resume of a
// run that had ended is counted.
func (r evolver) requeued(from State, d *Detail) {
	switch {
	case from == "":
		r.openScope(nil, &scopeState{list: r.plan.top})
	case from == Failed, from == Cancelled:
		r.resumeCount, r.resumedAt = r.resumeCount+1, r.updatedAt
		r.reopen(d)
	case d.FromStep != "", d.Hash != "", d.Redrive != "":
		r.reopen(d)
	}
}

// beginEnding sets how the run ends and empties the agenda: from now on nothing starts but
// what the end needs.
func (r draft) beginEnding(e *ending) {
	r.ending = e
	r.agenda.clear()
}

// onTerminal drops what only a run under way has, and stops the clock of its timeout.
func (r draft) onTerminal() {
	r.CompletedAt, r.inactiveSince = instant(r.updatedAt), r.updatedAt
	r.clearActivity()
}

// clearActivity forgets all work that could go on or is under way. Steps keep their last
// status; reports show it as it is read in the run's state (shownIn). Attempts that are
// still in flight outside are no longer known, and their ends have no effect.
func (r draft) clearActivity() {
	r.agenda.clear()
	r.activity = activity{}
	r.ending, r.compensating, r.handlers = nil, nil, nil
}

// stepStarted begins an attempt. The first one of a generation also fixes when the step
// started, and the first one under its key when that key came into use. A condition or a
// wait is not counted as in flight: the machine performs it.
func (r evolver) stepStarted(ev *events.Event, p position, d *Detail) {
	n, st := r.node(p), r.editStep(p)
	r.untrack(p, st)
	r.removeFromAgenda(st)
	st.attemptNumber, st.lastAttempt = int32(ev.Attempt), int32(ev.Attempt)
	st.status, st.attemptStartedAt = StepRunning, r.updatedAt
	// What an earlier attempt left open is settled by this one.
	st.interrupted, st.outcomeUnknown, st.dueAt, st.wait = false, false, 0, nil
	if st.firstSeq == 0 {
		st.firstSeq = ev.Seq
	}
	if st.startedAt == 0 {
		st.startedAt = r.updatedAt
	}
	if st.keyFirstUsedAt == 0 {
		st.keyFirstUsedAt = r.keyFirstUsedAt(p)
	}
	switch {
	case n.loop != nil:
		r.loopStarted(ev, p, st, d)
	case n.external():
		r.trackAttempt(ev, p, st)
	}
}

// stepCompleted ends a step with its output. One that has a compensation is
// remembered for it, and so are the iterations around it, whose state the
// compensation's expressions will read.
func (r evolver) stepCompleted(ev *events.Event, p position, d *Detail) {
	n, st := r.node(p), r.finish(p, StepCompleted)
	st.output, st.fallbackStep = d.Output, d.Fallback
	// After a fallback the step keeps the error that led to it.
	if !st.fallbackRunning {
		st.err = nil
	}
	st.fallbackRunning = false
	r.addUsage(st, d)
	// By the seq of completion, because compensations run in the reverse order.
	if n.compensate != nil {
		r.compensations.set(r.edit, uint64(ev.Seq), compensable{at: p})
		for f := p.frame; f != nil; f = f.parent {
			r.editScope(f).compensations++
		}
	}
	if n.condition != nil {
		r.branchTaken(p, n.condition.taken(d))
	}
	r.unblockDependents(p, true)
}

// taken returns the index of the branch that a condition's output names. In an
// Apply the detail carries it; in a replay it is read from the output. A name
// that no branch has means else, the last one.
func (c *conditionPlan) taken(d *Detail) int {
	if d.branch > 0 {
		return d.branch - 1
	}
	var out struct {
		Branch string `json:"branch"`
	}
	if json.Unmarshal(d.Output, &out) == nil {
		for i, b := range c.branches {
			if b.name == out.Branch {
				return i
			}
		}
	}
	return len(c.branches) - 1
}

// branchTaken has the steps skipped that the branches other than taken list; -1: no branch
// was taken, and all are skipped. A step that the taken branch lists too is kept. It must
// come before unblockDependents, so that no listed step starts.
func (r draft) branchTaken(p position, taken int) {
	c := r.node(p).condition
	if taken < 0 {
		for _, at := range c.listed {
			r.scheduleSkip(position{p.frame, at}, "branch")
		}
		return
	}
	spared := c.branches[taken].members
	for _, at := range c.listed {
		if !spared[at] {
			r.scheduleSkip(position{p.frame, at}, "branch")
		}
	}
}

// scheduleSkip puts a pending step on the agenda to be skipped. A step that has
// started, or has a reason already, stays as it is.
func (r draft) scheduleSkip(p position, reason string) {
	if st := r.stepAt(p); st.status != StepPending || st.skipReason != "" {
		return
	}
	r.editStep(p).skipReason = reason
	r.enqueue(p)
}

// stepFailed ends a step permanently. What follows depends on where it is: its
// list goes on (on_error: continue), its iteration fails, the handlers go on
// without it, or the run begins to end as failed.
func (r evolver) stepFailed(p position, d *Detail) {
	n, st := r.node(p), r.finish(p, StepFailed)
	st.err, st.fallbackStep, st.fallbackRunning = d.Error, d.Fallback, false
	if d.Fallback == "" { // how a fallback ended says nothing about the step's own effect
		st.outcomeUnknown = d.Error.cutOff()
	}
	r.addUsage(st, d)
	switch {
	case n.continuesOnFailure():
		if n.condition != nil {
			r.branchTaken(p, -1)
		}
		r.unblockDependents(p, true)
	// An iteration fails as a whole; whether the loop does is for its tolerance to say.
	case p.frame != nil:
		r.failScope(p.frame, d.Error)
	case n.part != partMain:
		r.handlerFailed(p)
	case r.ending == nil:
		r.beginEnding(&ending{Outcome: Failed, Error: d.Error, StepID: n.step.ID})
	}
}

// stepSkipped ends a step that does not run. Its dependants are skipped too,
// unless another dependency of theirs was not.
func (r evolver) stepSkipped(p position) {
	st := r.finish(p, StepSkipped)
	if st.firstSeq == 0 {
		st.firstSeq = r.Seq
	}
	if n := r.node(p); n.condition != nil {
		r.branchTaken(p, -1)
	}
	r.unblockDependents(p, false)
}

// stepCancelled ends a step because the run or the iteration around it ends.
func (r evolver) stepCancelled(p position, d *Detail) {
	st := r.finish(p, StepCancelled)
	if d.Error != nil {
		st.err = d.Error
	}
	st.fallbackRunning = false
	r.addUsage(st, d)
	r.requeueFailedScopes(p.frame)
}

// stepRetrying parks a step until its next attempt, or hands it over to its fallback step.
// The counter of failed attempts goes up in the first case only. The iterations of a loop
// are dropped: the next attempt walks the items anew.
func (r evolver) stepRetrying(ev *events.Event, p position, d *Detail) {
	if d.Role == roleCompensation {
		r.compensationRetrying(d)
		return
	}
	st := r.editStep(p)
	r.untrack(p, st)
	r.removeFromAgenda(st)
	r.dropLoop(p, st)
	st.err, st.outcomeUnknown, st.wait = d.Error, d.Error.cutOff(), nil
	r.addUsage(st, d)
	if d.Fallback != "" {
		st.fallbackRunning, st.status = true, StepRunning
		r.enqueue(position{p.frame, r.node(p).fallback})
		return
	}
	st.failedAttempts++
	st.status = StepRetrying
	r.park(ev, p, st, millis(d.NextAttemptAt))
}

// stepInterrupted puts the step back on the agenda: it starts again as soon as
// anything may start, under the same key. A compensation is due at once.
func (r evolver) stepInterrupted(p position, d *Detail) {
	if d.Role == roleCompensation {
		// Not changed in place: the run before this event holds the old one.
		r.compensating = &activeCompensation{position: p, attempt: r.compensating.attempt, failedAttempts: r.compensating.failedAttempts, keyFirstUsedAt: r.compensating.keyFirstUsedAt, dueAt: r.updatedAt}
		return
	}
	st := r.editStep(p)
	r.untrack(p, st)
	if d.Role == roleProbe {
		st.status = StepWaiting
		st.interrupted = true
		r.enqueue(p)
		return
	}
	st.status, st.interrupted = StepPending, true
	r.enqueue(p)
}

// stepWaiting opens a wait, parks it until its next poll, or (role probe)
// begins an attempt of its probe. The id and prompt of an input request stay
// with the wait.
func (r evolver) stepWaiting(ev *events.Event, p position, d *Detail) {
	st := r.editStep(p)
	r.untrack(p, st)
	r.removeFromAgenda(st)
	st.interrupted = false
	w := &waitState{Kind: d.Kind, Name: d.Name, Until: millis(d.Until), TimeoutAt: millis(d.TimeoutAt)}
	// A wait that is parked again keeps the request under which it can be answered.
	if st.wait != nil && st.status == StepWaiting {
		w.RequestID, w.Prompt = st.wait.RequestID, st.wait.Prompt
	}
	st.wait = w
	if d.Role == roleProbe {
		st.attemptNumber, st.lastAttempt, st.status = int32(ev.Attempt), int32(ev.Attempt), StepRunning
		r.trackAttempt(ev, p, st)
		return
	}
	st.status = StepWaiting
	r.park(ev, p, st, earliest(w.Until, w.TimeoutAt))
}

// inputRequested gives the open wait the id under which it can be answered, and its prompt.
func (r evolver) inputRequested(p position, d *Detail) {
	st := r.editStep(p)
	w := *st.wait
	w.RequestID, w.Prompt = d.RequestID, d.Prompt
	st.wait = &w
}

// addUsage adds what an attempt consumed to its step; the run's sum is kept by
// evolve.
func (r evolver) addUsage(st *stepState, d *Detail) {
	st.usage.Tokens += d.Tokens
	st.usage.CostMicroUSD += d.CostMicroUSD
}

// earliest returns the lower of two times of which 0 means none.
func earliest(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// corrupt returns the error of an event that does not fit the plan or the
// events before it.
func corrupt(ev *events.Event, why string) error {
	return fmt.Errorf("event %d (%s %s %s) of run %s does not fit its journal: %s", ev.Seq, ev.Kind, ev.StepID, ev.Iteration, ev.RunID, why)
}
