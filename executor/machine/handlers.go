package machine

import (
	"heddle/events"
	"slices"
)

// A definition may have two further lists of steps: on_failure, which runs when the run has
// failed, and finally, which runs before any end but a terminated one. Their nodes stand in
// the plan's top list behind the main steps, so that a position names them as it names any
// other; part says which list a node is of.
const (
	partMain = iota
	partFailure
	partFinally
	parts
)

// partNames are the fields of a definition that hold them.
var partNames = [parts]string{"", "on_failure", "finally"}

// partOf returns the list of handlers with this name, partMain for any other.
func partOf(name string) int {
	for part := partFailure; part < parts; part++ {
		if partNames[part] == name {
			return part
		}
	}
	return partMain
}

// handlerRun is the list of handlers that runs, and how the run ends after it. It never
// changes in place. The JSON names are those of snapshots.
type handlerRun struct {
	Part    int    `json:"part"`    // partFailure or partFinally
	Outcome State  `json:"outcome"` // Completed, Failed or Cancelled
	Error   *Error `json:"error,omitempty"`
	StepID  string `json:"step_id,omitempty"` // the step that failed the run
}

// part returns the list that runs now.
func (r *Run) part() int {
	if r.handlers == nil {
		return partMain
	}
	return r.handlers.Part
}

// nextPart returns the list of handlers that follows the list after for this outcome;
// partMain: none. A run that never began has nothing to clean up.
func (r *Run) nextPart(outcome State, after int) int {
	top := r.plan.top
	switch {
	case r.StartedAt.IsZero():
	case after < partFailure && outcome == Failed && top.count[partFailure] > 0:
		return partFailure
	case after < partFinally && top.count[partFinally] > 0:
		return partFinally
	}
	return partMain
}

// runHandlersOrConclude runs the next list of handlers that comes before this end, or ends
// the run where there is none. A run that failed comes here up to three times: before
// on_failure, before finally, and at its end.
func (t endings) runHandlersOrConclude(e *ending) {
	part := t.nextPart(e.Outcome, t.part())
	if part == partMain {
		t.conclude(e)
		return
	}
	t.emit(events.HandlersStarted, wholeRun, 0, &Detail{Handlers: partNames[part], Outcome: e.Outcome, Error: e.Error})
	if t.State != Running {
		t.emit(events.StateChanged, wholeRun, 0, &Detail{State: Running, From: t.State})
	}
}

// handlersEnded goes on after a list of handlers. A step of finally that failed makes a
// completed run failed, with finally_failed; other ends keep their outcome and error.
func (t endings) handlersEnded() {
	h := t.handlers
	e := &ending{Outcome: h.Outcome, Error: h.Error}
	// on_failure does not run for a run that completed, so the failed handler is of
	// finally.
	if h.Outcome == Completed && len(t.failedHandlers) > 0 {
		id := t.failedHandlers[0]
		message := "Step '" + id + "' of finally failed."
		if err := t.root.step(t.plan.index[id].index).err; err != nil {
			message = "Step '" + id + "' of finally failed: " + err.Message
		}
		e = &ending{Outcome: Failed, Error: &Error{Code: "finally_failed", Message: message}}
	}
	t.runHandlersOrConclude(e)
}

// handlersStarted leaves what the run did before and begins a list of handlers. From here
// on the run is under way again, with that list as its work; its counters are those of that
// list.
func (r evolver) handlersStarted(d *Detail) {
	h := &handlerRun{Part: partOf(d.Handlers), Outcome: d.Outcome, Error: d.Error}
	switch {
	case r.ending != nil:
		h.StepID = r.ending.StepID
	case r.handlers != nil:
		h.StepID = r.handlers.StepID
	}
	r.clearActivity()
	r.handlers = h
	s := r.editScope(nil)
	s.unfinished, s.inFlight, s.parked, s.err, s.agendaKey = r.plan.top.count[h.Part], 0, 0, nil, 0
	// All are reset before the first is put on the agenda, because one may name another.
	for _, n := range r.plan.top.nodes {
		if n.part == h.Part {
			r.resetHandler(n)
		}
	}
	for _, n := range r.plan.top.nodes {
		if n.part == h.Part && n.dependencyCount == 0 && n.fallbackOf < 0 {
			r.enqueue(position{step: n.index})
		}
	}
}

// resetHandler makes a handler ready to run: one that ran at an earlier end of
// the run, before it was resumed, runs again in a new generation.
func (r evolver) resetHandler(n *node) {
	p := position{step: n.index}
	old := r.stepAt(p)
	st := &stepState{edit: r.edit, status: StepPending, unmet: n.dependencyCount, stepAttempts: stepAttempts{attemptNumber: old.attemptNumber, generation: old.generation}, stepOutcome: stepOutcome{usage: old.usage}}
	if old.attemptNumber > 0 && (old.hasEnd() || n.loop != nil) {
		st.generation++
	} else {
		st.keyFirstUsedAt = old.keyFirstUsedAt
	}
	if old.wait != nil && old.wait.RequestID != "" {
		r.signals.seen.set(r.edit, old.wait.RequestID, struct{}{}) // a late answer must not end another wait
	}
	// A loop among the handlers that was cut off keeps the keys of what was cut off in it.
	cut := r.cutOffOf(old)
	st.cutOff = withoutEnded(r.edit, values(&cut))
	st.counted = old.counted
	r.editScope(nil).steps.set(r.edit, uint64(n.index), st)
	r.tally.touch(n.index)
}

// handlerFailed records a handler that failed permanently. What depends on it
// is skipped, all else goes on.
func (r evolver) handlerFailed(p position) {
	n := r.node(p)
	r.failedHandlers = append(slices.Clip(r.failedHandlers), n.step.ID)
	for _, at := range n.dependents {
		r.scheduleSkip(position{step: at}, "dependencies")
	}
	if n.condition != nil {
		r.branchTaken(p, -1)
	}
	r.unblockDependents(p, false)
}

// shownState returns the state of the run as a step's status is read in it: to
// the main steps, a run that has come to its handlers is over.
func (r *Run) shownState(n *node) State {
	if n.list == r.plan.top {
		return shownPart(r, n.part)
	}
	return r.State
}

// shownPart is shownState for the definition's own steps of one part.
func shownPart(r *Run, part int) State {
	if r.handlers != nil && part != r.handlers.Part {
		return Cancelled
	}
	return r.State
}

// handlerOf returns the name of the handlers' list that a step belongs to, ""
// for a main step.
func (r *Run) handlerOf(n *node) string {
	if n.list != r.plan.top {
		return ""
	}
	return partNames[n.part]
}

// appendEnding adds what handlers see of run: how it ends (state), and its error or null.
// It adds nothing before the handlers run.
func (v view) appendEnding(o *jsonObject) {
	h := v.run.handlers
	if h == nil {
		return
	}
	o.text("state", string(h.Outcome))
	if h.Error == nil {
		o.raw("error", null)
		return
	}
	o.Name("error")
	e := objectIn(o.Buf)
	e.text("code", h.Error.Code)
	e.Text("message", h.Error.Message)
	if h.StepID == "" {
		e.raw("step_id", null)
	}
	e.text("step_id", h.StepID)
	o.Buf = e.End()
}
