package machine

import "heddle/events"

// draft is a run that may still be changed: a copy that no other code holds. Its methods
// are the moves that events are made of. They are the only ones besides evolver's that
// write to a run. Each keeps the counters and indexes that belong to what it changes.
type draft struct{ *Run }

// enqueue puts a step that can go on on the agenda. It has no effect where the step is
// there already, or where nothing may start in its list. O(log n).
func (r draft) enqueue(p position) {
	if r.halted(p.frame) {
		return
	}
	if r.stepAt(p).agendaKey != 0 {
		return
	}
	st := r.editStep(p)
	st.agendaKey = r.agenda.add(r.edit, p)
}

// enqueueScope puts a list that has ended, or that failed, on the agenda. It has no effect
// where it is there already, while the run is ending, or in an iteration whose surroundings
// have failed: those end first.
func (r draft) enqueueScope(f *frame) {
	s := r.scope(f)
	if s.agendaKey != 0 || r.ending != nil || f != nil && r.halted(f.parent) {
		return
	}
	r.editScope(f).agendaKey = r.agenda.add(r.edit, position{f, -1})
}

// removeFromAgenda takes the step off the agenda, where it is on it; st must come from
// editStep.
func (r draft) removeFromAgenda(st *stepState) {
	if st.agendaKey != 0 {
		r.agenda.delete(r.edit, st.agendaKey)
		st.agendaKey = 0
	}
}

// trackAttempt counts an attempt in flight, in the activity index and in every scope around
// it. ev is the event that began it; its seq is the step's key.
func (r draft) trackAttempt(ev *events.Event, p position, st *stepState) {
	st.activityKey, st.executedAt = uint64(ev.Seq), r.updatedAt
	r.attempts.set(r.edit, st.activityKey, p)
	for f := p.frame; f != nil; f = f.parent {
		r.editScope(f).inFlight++
	}
}

// park records an open wait or a pending retry, and sets its timer for due, in
// milliseconds; 0: nothing timed ends it. st.status and st.wait must be set before, because
// they are counted.
func (r draft) park(ev *events.Event, p position, st *stepState, due int64) {
	st.activityKey, st.dueAt = uint64(ev.Seq), due
	r.parked.set(r.edit, st.activityKey, p)
	r.countParked(st, 1)
	for f := p.frame; f != nil; f = f.parent {
		r.editScope(f).parked++
	}
	if due != 0 {
		r.timers.push(due, st.activityKey)
	}
}

// countParked adds by to the counter that a parked step belongs to, if any: from the two
// follows in which waiting state the run is.
func (r draft) countParked(st *stepState, by int) {
	switch {
	case st.status == StepRetrying:
		r.retrying += by
	case st.wait != nil && st.wait.Kind == waitSignal:
		r.signalWaits += by
	}
}

// untrack takes a step out of the activity index, whichever set it is in, and undoes the
// counts of trackAttempt or park, for which its status must still be the old one. Its timer
// turns stale and is dropped later. st must come from editStep.
func (r draft) untrack(p position, st *stepState) {
	slot := st.activityKey
	if slot == 0 {
		return
	}
	st.activityKey, st.dueAt = 0, 0
	if _, ok := r.attempts.get(slot); ok {
		r.attempts.delete(r.edit, slot)
		for f := p.frame; f != nil; f = f.parent {
			r.editScope(f).inFlight--
		}
		return
	}
	if _, ok := r.parked.get(slot); ok {
		r.parked.delete(r.edit, slot)
		r.countParked(st, -1)
		for f := p.frame; f != nil; f = f.parent {
			r.editScope(f).parked--
		}
		return
	}
	// A loop under way is counted nowhere else: its iterations count for themselves.
	r.loops.delete(r.edit, slot)
}

// finish ends a step: it leaves the agenda and the activity index, its loop is dropped, and
// the list counts one step less. What a top-level loop over items that did not complete
// leaves is kept for a redrive. It returns the step's state for changing. unblockDependents
// is the caller's next move where the list goes on.
func (r draft) finish(p position, status StepStatus) *stepState {
	st := r.editStep(p)
	// Before the status changes, because untrack counts by the old one.
	r.untrack(p, st)
	r.removeFromAgenda(st)
	if l := st.loop; l != nil && p.frame == nil && r.node(p).part == partMain && r.node(p).loop.items != nil && (status == StepFailed || status == StepCancelled) {
		st.redrive = l.redriveState()
	}
	r.dropLoop(p, st)
	if st.wait != nil && st.wait.RequestID != "" {
		r.signals.seen.set(r.edit, st.wait.RequestID, struct{}{}) // a late answer must not end another wait
	}
	st.status, st.endedAt, st.interrupted = status, r.updatedAt, false
	st.wait = nil
	r.editScope(p.frame).unfinished--
	return st
}

// unblockDependents lets go what waited for a finished step: its dependants, its fallback
// step or the step that it is the fallback of, and the list's end. live: the step was not
// skipped, so that dependants may run. O(dependants).
//
// A dependant whose last dependency has finished goes on the agenda even if it is to be
// skipped: start decides about that, because a skip is an event of its own.
func (r draft) unblockDependents(p position, live bool) {
	n := r.node(p)
	for _, at := range n.dependents {
		d := position{p.frame, at}
		st := r.editStep(d)
		st.unmet--
		if live {
			st.notSkipped++
		}
		if st.unmet == 0 && st.status == StepPending {
			r.enqueue(d)
		}
	}
	// The owner has finished: a fallback step that has not started by now never will.
	if n.fallback >= 0 {
		r.scheduleSkip(position{p.frame, n.fallback}, "fallback_unused")
	}
	// The owner ends as its fallback step did.
	if n.fallbackOf >= 0 {
		if o := (position{p.frame, n.fallbackOf}); r.stepAt(o).fallbackRunning {
			r.enqueue(o)
		}
	}
	// The last step of the list ends the list.
	if r.scope(p.frame).unfinished == 0 {
		r.enqueueScope(p.frame)
	}
	r.requeueFailedScopes(p.frame)
}

// failScope makes an iteration fail: nothing starts in it any more, and it ends once
// nothing is in flight in it. The first error stays.
func (r draft) failScope(f *frame, err *Error) {
	s := r.editScope(f)
	if s.err != nil {
		r.requeueFailedScopes(f)
		return
	}
	s.err = err
	r.clearAgenda(f, s)
	r.requeueFailedScopes(f)
}

// clearAgenda takes what a list has on the agenda off it, inner lists included. O(steps
// touched in them).
func (r draft) clearAgenda(f *frame, s *scopeState) {
	if s.agendaKey != 0 {
		r.agenda.delete(r.edit, s.agendaKey)
		r.editScope(f).agendaKey = 0
	}
	// Collected first: the trie must not be changed while it is walked.
	var ticketed []position
	s.steps.all(func(at uint64, st *stepState) bool {
		if st.agendaKey != 0 || st.loop != nil && st.activityKey != 0 {
			ticketed = append(ticketed, position{f, int32(at)})
		}
		return true
	})
	for _, p := range ticketed {
		st := r.editStep(p)
		r.removeFromAgenda(st)
		if st.loop == nil {
			continue
		}
		for _, inner := range r.iterations(p) {
			r.clearAgenda(inner, r.scope(inner))
		}
	}
}

// requeueFailedScopes puts failed iterations around f, and f itself, on the agenda while
// there is something to do in them: waits to cancel, or their end, once nothing is in
// flight any more. One that has to wait for its attempts is taken off. It is called
// whenever those counts may have changed.
func (r draft) requeueFailedScopes(f *frame) {
	for ; f != nil; f = f.parent {
		s := r.scope(f)
		switch {
		case s == nil || s.err == nil:
		case s.inFlight == 0 || s.parked > 0:
			r.enqueueScope(f)
		case s.agendaKey != 0:
			r.agenda.delete(r.edit, s.agendaKey)
			r.editScope(f).agendaKey = 0
		}
	}
}
