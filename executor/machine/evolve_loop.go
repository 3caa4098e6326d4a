package machine

import (
	"encoding/json"
	"fmt"
	"heddle/events"
)

// maxResults is how many bytes a loop may collect.
const maxResults = 64 << 20

func (r *Run) loopStarted(ev *events.Event, p place, st *stepState, d *Detail) {
	l := &loopState{edit: r.edit, total: -1, fixed: d.Items, items: &itemBox{}}
	if d.Count != nil {
		l.total = *d.Count
	}
	l.generation = int32(r.generation(p))
	if ev.Attempt > 1 {
		l.base = int32(r.attempts)
	}
	if old := st.loop; old != nil {
		l.kept = old.kept
	}
	l.takeUp(st.redo)
	l.cut = st.cut
	st.redo, st.cut = nil, trie[*cutOff]{}
	st.loop, st.slot, st.counts = l, uint64(ev.Seq), nil
	r.loops.set(r.edit, st.slot, p)
	if !d.TimeoutAt.IsZero() {
		r.timers = pushTimer(r.timers, millis(d.TimeoutAt), st.slot)
		st.due = millis(d.TimeoutAt)
		r.timed++
	}
	r.enqueueLoop(p)
}

// enqueueLoop keeps a loop on the agenda while it can start an iteration or is
// through.
func (r *Run) enqueueLoop(p place) {
	st := r.stepAt(p)
	if st.loop.open.len() == 0 || st.loop.canStart(r.node(p).loop) {
		r.enqueue(p)
	} else if st.ticket != 0 {
		r.unticket(r.editStep(p))
	}
}

// canStart tells whether another iteration may start. Of a while loop the
// condition has still to be asked.
func (l *loopState) canStart(plan *loopPlan) bool {
	return l.doomed == nil && (l.total < 0 || l.next < l.total || len(l.again) > 0) && l.open.len() < plan.concurrency
}

// dropLoop forgets a loop's course, but for what compensations need.
func (r *Run) dropLoop(p place, st *stepState) {
	if st.loop == nil {
		return
	}
	for _, f := range r.iterations(p) {
		r.clearTickets(f, r.scope(f))
	}
	l := st.loop
	st.counts, st.cut = l.counts(), r.cutOffOf(st)
	kept := l.kept
	l.open.all(func(_ uint64, s *scopeState) bool {
		if s.undos > 0 {
			kept.set(r.edit, s.id, s)
		}
		return true
	})
	if kept.len() == 0 {
		st.loop = nil
		return
	}
	st.loop = &loopState{
		edit: r.edit, total: l.total, next: l.next, completed: l.completed, failed: l.failed,
		kept: kept, cut: st.cut, fixed: l.fixed, items: l.items, generation: l.generation, base: l.base,
	}
}

func (r *Run) iterationStarted(p place) {
	f := p.at
	home := f.home()
	r.unticket(r.editStep(home))
	l := r.editLoop(home)
	if len(l.again) > 0 {
		l.again = l.again[1:]
	} else {
		l.next = f.index + 1
	}
	r.openScope(f, &scopeState{list: f.loop.loop.body, generation: l.generation, base: l.base})
	r.restoreCutOff(f, l)
	r.enqueueLoop(home)
}

func (r *Run) iterationCompleted(p place, d *Detail) {
	f := p.at
	l := r.closeIteration(f)
	l.completed++
	plan := f.loop.loop
	if plan.collect != nil {
		l.size += sizeOf(d.Result) + 1
		l.results.set(r.edit, uint64(f.index), d.Result)
		if l.size > maxResults && l.doomed == nil {
			l.doomed = &Error{Code: "output_too_large", Message: fmt.Sprintf("The results of loop '%s' pass 64 MiB; collect less per iteration.", f.loop.step.ID)}
		}
	}
	if plan.while != nil {
		l.last = d.Result
	}
	r.enqueueLoop(f.home())
}

func (r *Run) iterationFailed(p place, d *Detail) {
	f := p.at
	l := r.closeIteration(f)
	l.failed++
	l.failedAt.set(r.edit, uint64(f.index), struct{}{})
	if f.loop.loop.while != nil {
		l.last = json.RawMessage("null")
	}
	if l.doomed == nil && l.failed > f.loop.loop.tolerance.of(l.total) {
		l.doomed = iterationError(f, d.Error)
	}
	r.enqueueLoop(f.home())
}

// iterationError is a loop's error when more iterations failed than it
// tolerates.
func iterationError(f *frame, cause *Error) *Error {
	e := &Error{Code: codeIteration, Message: fmt.Sprintf("Iteration %s failed.", f.path)}
	e.Details = map[string]any{"iteration": f.path}
	if cause != nil {
		e.Message = fmt.Sprintf("Iteration %s failed: %s", f.path, cause.Message)
		e.Details["code"] = cause.Code
		for _, name := range []string{"status_code", "exit_code"} {
			if v, ok := cause.Details[name]; ok {
				e.Details[name] = v
			}
		}
	}
	return e
}

// closeIteration takes an iteration out of the loop; one that compensations
// need is kept aside.
func (r *Run) closeIteration(f *frame) *loopState {
	s := r.editScope(f)
	if s.ticket != 0 {
		r.agenda.delete(r.edit, s.ticket)
		s.ticket = 0
	}
	l := r.editLoop(f.home())
	if s.failed != nil || s.list.fragile || s.lagging {
		if c := r.cutOffIn(uint64(f.index), s); c != nil {
			l.cut.set(r.edit, c.Index, c)
		}
	}
	l.open.delete(r.edit, uint64(f.index))
	if s.undos > 0 {
		l.kept.set(r.edit, f.id, s)
	}
	return l
}
