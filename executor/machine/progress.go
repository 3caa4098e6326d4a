package machine

import "heddle/events"

// The moves that evolve is made of: a step enters action, is parked, leaves
// again, finishes, and lets others go.

// enqueue puts a step that can go on on the agenda, once.
func (r *Run) enqueue(p place) {
	if r.halted(p.at) {
		return
	}
	if r.stepAt(p).ticket != 0 {
		return
	}
	st := r.editStep(p)
	r.tickets++
	st.ticket = r.tickets
	r.agenda.set(r.edit, r.tickets, p)
}

// enqueueScope puts a list that is through, or that failed, on the agenda.
func (r *Run) enqueueScope(f *frame) {
	s := r.scope(f)
	if s.ticket != 0 || r.ending != nil || f != nil && r.halted(f.up) {
		return
	}
	r.tickets++
	r.editScope(f).ticket = r.tickets
	r.agenda.set(r.edit, r.tickets, place{f, -1})
}

func (r *Run) unticket(st *stepState) {
	if st.ticket != 0 {
		r.agenda.delete(r.edit, st.ticket)
		st.ticket = 0
	}
}

// act counts an attempt in action.
func (r *Run) act(ev *events.Event, p place, st *stepState) {
	st.slot, st.acted = uint64(ev.Seq), r.updated
	r.action.set(r.edit, st.slot, p)
	for f := p.at; f != nil; f = f.up {
		r.editScope(f).busy++
	}
}

// park counts an open wait or a pending retry; due 0: nothing timed ends it.
func (r *Run) park(ev *events.Event, p place, st *stepState, due int64) {
	st.slot, st.due = uint64(ev.Seq), due
	r.parked.set(r.edit, st.slot, p)
	r.tally(st, 1)
	for f := p.at; f != nil; f = f.up {
		r.editScope(f).parked++
	}
	if due != 0 {
		r.timers = pushTimer(r.timers, due, st.slot)
		r.timed++
	}
}

func (r *Run) tally(st *stepState, by int) {
	switch {
	case st.status == StepRetrying:
		r.retrying += by
	case st.wait != nil && st.wait.Kind == waitSignal:
		r.signalWaits += by
	}
}

// unslot takes a step out of action, parked or loops, wherever it is.
func (r *Run) unslot(p place, st *stepState) {
	slot := st.slot
	if slot == 0 {
		return
	}
	st.slot, st.due = 0, 0
	if _, ok := r.action.get(slot); ok {
		r.action.delete(r.edit, slot)
		for f := p.at; f != nil; f = f.up {
			r.editScope(f).busy--
		}
		return
	}
	if _, ok := r.parked.get(slot); ok {
		r.parked.delete(r.edit, slot)
		r.tally(st, -1)
		for f := p.at; f != nil; f = f.up {
			r.editScope(f).parked--
		}
		return
	}
	r.loops.delete(r.edit, slot)
}

// finish ends a step's part in the run.
func (r *Run) finish(p place, status StepStatus) *stepState {
	st := r.editStep(p)
	r.unslot(p, st)
	r.unticket(st)
	if l := st.loop; l != nil && p.at == nil && r.node(p).part == partMain && r.node(p).loop.items != nil && (status == StepFailed || status == StepCancelled) {
		st.redo = l.redo()
	}
	r.dropLoop(p, st)
	if st.wait != nil && st.wait.RequestID != "" {
		r.signals.seen.set(r.edit, st.wait.RequestID, struct{}{}) // a late answer must not end another wait
	}
	st.status, st.ended, st.interrupted = status, r.updated, false
	st.wait = nil
	r.editScope(p.at).left--
	return st
}

// release lets go what waited for a finished step: its dependants, its
// fallback step or the step that it is the fallback of, and the list's end.
func (r *Run) release(p place, live bool) {
	n := r.node(p)
	for _, at := range n.dependents {
		d := place{p.at, at}
		st := r.editStep(d)
		st.unmet--
		if live {
			st.live++
		}
		if st.unmet == 0 && st.status == StepPending {
			r.enqueue(d)
		}
	}
	if n.fallback >= 0 {
		r.skipSoon(place{p.at, n.fallback}, "fallback_unused")
	}
	if n.owner >= 0 {
		if o := (place{p.at, n.owner}); r.stepAt(o).falling {
			r.enqueue(o)
		}
	}
	if r.scope(p.at).left == 0 {
		r.enqueueScope(p.at)
	}
	r.settle(p.at)
}

// failScope dooms an iteration: nothing starts in it any more.
func (r *Run) failScope(f *frame, err *Error) {
	s := r.editScope(f)
	if s.failed != nil {
		r.settle(f)
		return
	}
	s.failed = err
	r.clearTickets(f, s)
	r.settle(f)
}

// clearTickets takes what a list has on the agenda off it, inner lists
// included.
func (r *Run) clearTickets(f *frame, s *scopeState) {
	if s.ticket != 0 {
		r.agenda.delete(r.edit, s.ticket)
		r.editScope(f).ticket = 0
	}
	var ticketed []place
	s.steps.all(func(at uint64, st *stepState) bool {
		if st.ticket != 0 || st.loop != nil && st.slot != 0 {
			ticketed = append(ticketed, place{f, int32(at)})
		}
		return true
	})
	for _, p := range ticketed {
		st := r.editStep(p)
		r.unticket(st)
		if st.loop == nil {
			continue
		}
		for _, inner := range r.iterations(p) {
			r.clearTickets(inner, r.scope(inner))
		}
	}
}

// settle puts failed iterations around f on the agenda while there is
// something to do: waits to cancel, or nothing in action any more.
func (r *Run) settle(f *frame) {
	for ; f != nil; f = f.up {
		s := r.scope(f)
		switch {
		case s == nil || s.failed == nil:
		case s.busy == 0 || s.parked > 0:
			r.enqueueScope(f)
		case s.ticket != 0:
			r.agenda.delete(r.edit, s.ticket)
			r.editScope(f).ticket = 0
		}
	}
}
