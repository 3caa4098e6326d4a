package machine

import (
	"encoding/json"
	"fmt"
	"heddle/events"
)

// evolver folds events into a draft. One method handles one kind of event and
// decides nothing: what it does follows from the event and the state alone, so
// that a replay of the journal comes to the same run.
type evolver struct{ draft }

// evolve folds one event into the run. It is the only code that changes a
// run's state: Apply calls it for each event that it emits, Restore for each
// event that it reads. p is the event's place; for iteration events the place
// of the iteration's list.
func (r evolver) evolve(ev *events.Event, p position, d *Detail) {
	r.Seq, r.updatedAt = ev.Seq, ev.At.UnixMilli()
	r.Usage.Tokens += d.Tokens
	r.Usage.CostMicroUSD += d.CostMicroUSD
	if ev.Iteration != "" {
		r.maxLoopAttempt = max(r.maxLoopAttempt, ev.Attempt)
	}
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
	}
}

// requeued begins a new run, or makes a paused, failed or cancelled one ready
// to go on.
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

// beginEnding stops the agenda: nothing starts any more.
func (r draft) beginEnding(e *ending) {
	r.ending = e
	r.agenda.clear()
}

// onTerminal drops what only a run under way has.
func (r draft) onTerminal() {
	r.CompletedAt, r.inactiveSince = instant(r.updatedAt), r.updatedAt
	r.clearActivity()
}

// clearActivity empties what holds work that can go on or is under way.
func (r draft) clearActivity() {
	r.agenda.clear()
	r.activity = activity{}
	r.ending, r.compensating, r.handlers = nil, nil, nil
}

func (r evolver) stepStarted(ev *events.Event, p position, d *Detail) {
	n, st := r.node(p), r.editStep(p)
	r.untrack(p, st)
	r.removeFromAgenda(st)
	st.attemptNumber, st.lastAttempt = int32(ev.Attempt), int32(ev.Attempt)
	st.status, st.attemptStartedAt = StepRunning, r.updatedAt
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

func (r evolver) stepCompleted(ev *events.Event, p position, d *Detail) {
	n, st := r.node(p), r.finish(p, StepCompleted)
	st.output, st.fallbackStep = d.Output, d.Fallback
	if !st.fallbackRunning {
		st.err = nil
	}
	st.fallbackRunning = false
	r.addUsage(st, d)
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

// taken finds the branch that a condition's output names.
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

// branchTaken marks what the other branches list as skipped; -1: none was
// taken.
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

// scheduleSkip puts a pending step on the agenda to be skipped.
func (r draft) scheduleSkip(p position, reason string) {
	if st := r.stepAt(p); st.status != StepPending || st.skipReason != "" {
		return
	}
	r.editStep(p).skipReason = reason
	r.enqueue(p)
}

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
	case p.frame != nil:
		r.failScope(p.frame, d.Error)
	case n.part != partMain:
		r.handlerFailed(p)
	case r.ending == nil:
		r.beginEnding(&ending{Outcome: Failed, Error: d.Error, StepID: n.step.ID})
	}
}

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

func (r evolver) stepCancelled(p position, d *Detail) {
	st := r.finish(p, StepCancelled)
	if d.Error != nil {
		st.err = d.Error
	}
	st.fallbackRunning = false
	r.addUsage(st, d)
	r.requeueFailedScopes(p.frame)
}

// stepRetrying parks a step until its next attempt, or hands it over to its
// fallback step.
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
// anything may start.
func (r evolver) stepInterrupted(p position, d *Detail) {
	if d.Role == roleCompensation {
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

func (r evolver) stepWaiting(ev *events.Event, p position, d *Detail) {
	st := r.editStep(p)
	r.untrack(p, st)
	r.removeFromAgenda(st)
	st.interrupted = false
	w := &waitState{Kind: d.Kind, Name: d.Name, Until: millis(d.Until), TimeoutAt: millis(d.TimeoutAt)}
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

func (r evolver) inputRequested(p position, d *Detail) {
	st := r.editStep(p)
	w := *st.wait
	w.RequestID, w.Prompt = d.RequestID, d.Prompt
	st.wait = &w
}

func (r evolver) addUsage(st *stepState, d *Detail) {
	st.usage.Tokens += d.Tokens
	st.usage.CostMicroUSD += d.CostMicroUSD
}

// earliest is the lower of two times of which 0 means none.
func earliest(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// corrupt says that a journal does not fit the plan or itself.
func corrupt(ev *events.Event, why string) error {
	return fmt.Errorf("event %d (%s %s %s) of run %s does not fit its journal: %s", ev.Seq, ev.Kind, ev.StepID, ev.Iteration, ev.RunID, why)
}
