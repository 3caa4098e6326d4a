package machine

import (
	"encoding/json"
	"fmt"
	"heddle/events"
)

// maxResultBytes is how many bytes a loop may collect, blobs included; more makes it fail
// with output_too_large.
const maxResultBytes = 64 << 20

// loopStarted begins a loop, or begins it anew after a retry. A redrive continues from what
// the earlier attempt left. Iterations that compensations need are carried over.
func (r evolver) loopStarted(ev *events.Event, p position, st *stepState, d *Detail) {
	l := &loopState{edit: r.edit, total: -1, storedItems: d.Items, items: &itemCache{}}
	if d.Count != nil {
		l.total = *d.Count
	}
	l.generation = int32(r.generation(p))
	// An earlier attempt of the loop may have used numbers for its body up to this one.
	if ev.Attempt > 1 {
		l.attemptBase = int32(r.maxLoopAttempt)
	}
	// What is left of an earlier attempt are the iterations that compensations need.
	if old := st.loop; old != nil {
		l.retained = old.retained
	}
	l.continueFrom(st.redrive)
	l.cutOff = st.cutOff
	// Both have moved to the loop.
	st.redrive, st.cutOff = nil, trie[*cutOff]{}
	st.loop, st.activityKey, st.loopCounts = l, uint64(ev.Seq), nil
	r.loops.set(r.edit, st.activityKey, p)
	if !d.TimeoutAt.IsZero() {
		// dueAt is what tells this timer from a stale one; see armed.
		r.timers.push(millis(d.TimeoutAt), st.activityKey)
		st.dueAt = millis(d.TimeoutAt)
	}
	r.enqueueLoop(p)
}

// enqueueLoop keeps a loop on the agenda while it can start an iteration or has
// ended, and takes it off otherwise.
func (r draft) enqueueLoop(p position) {
	st := r.stepAt(p)
	if st.loop.open.len() == 0 || st.loop.canStart(r.node(p).loop) {
		r.enqueue(p)
	} else if st.agendaKey != 0 {
		r.removeFromAgenda(r.editStep(p))
	}
}

// canStart reports whether another iteration may start: the loop is not failing, has an
// iteration left and fewer open than its concurrency. A while loop has to evaluate its
// condition besides.
func (l *loopState) canStart(plan *loopPlan) bool {
	return l.failing == nil && (l.total < 0 || l.nextIndex < l.total || len(l.rerun) > 0) && l.open.len() < plan.concurrency
}

// dropLoop ends a loop's state, but for the counts, what was cut off in it, and the
// iterations that compensations need. It has no effect on another step. Nothing may be in
// flight or parked in the loop any more.
func (r draft) dropLoop(p position, st *stepState) {
	if st.loop == nil {
		return
	}
	for _, f := range r.iterations(p) {
		r.clearAgenda(f, r.scope(f))
	}
	l := st.loop
	st.loopCounts, st.cutOff = l.counts(), r.cutOffOf(st)
	// An open iteration whose steps completed may have to be compensated, too.
	kept := l.retained
	l.open.all(func(_ uint64, s *scopeState) bool {
		if s.compensations > 0 {
			kept.set(r.edit, s.id, s)
		}
		return true
	})
	if kept.len() == 0 {
		st.loop = nil
		return
	}
	st.loop = &loopState{
		edit: r.edit, total: l.total, nextIndex: l.nextIndex, completed: l.completed, failed: l.failed,
		retained: kept, cutOff: st.cutOff, storedItems: l.storedItems, items: l.items, generation: l.generation, attemptBase: l.attemptBase,
	}
}

// iterationStarted opens the scope of an iteration and keeps its loop on the agenda if
// another may start.
func (r evolver) iterationStarted(p position) {
	f := p.frame
	home := f.loopPosition()
	r.removeFromAgenda(r.editStep(home))
	l := r.editLoop(home)
	// Iterations of a redrive come first and lie below nextIndex.
	if len(l.rerun) > 0 {
		l.rerun = l.rerun[1:]
	} else {
		l.nextIndex = f.index + 1
	}
	r.openScope(f, &scopeState{list: f.loop.loop.body, generation: l.generation, attemptBase: l.attemptBase})
	r.restoreCutOff(f, l)
	r.enqueueLoop(home)
}

// iterationCompleted closes an iteration and collects its result.
func (r evolver) iterationCompleted(p position, d *Detail) {
	f := p.frame
	l := r.closeIteration(f)
	l.completed++
	plan := f.loop.loop
	if plan.collect != nil {
		// The comma or bracket counts, since it is in the output.
		l.resultBytes += sizeOf(d.Result) + 1
		l.results.set(r.edit, uint64(f.index), d.Result)
		if l.resultBytes > maxResultBytes && l.failing == nil {
			l.failing = &Error{Code: "output_too_large", Message: fmt.Sprintf("The results of loop '%s' pass 64 MiB; collect less per iteration.", f.loop.step.ID)}
		}
	}
	if plan.while != nil {
		l.lastResult = d.Result
	}
	r.enqueueLoop(f.loopPosition())
}

// iterationFailed closes an iteration; one more than tolerate_failures allows makes the
// loop fail, once its open iterations have ended.
func (r evolver) iterationFailed(p position, d *Detail) {
	f := p.frame
	l := r.closeIteration(f)
	l.failed++
	l.failedIndexes.set(r.edit, uint64(f.index), struct{}{})
	if f.loop.loop.while != nil {
		l.lastResult = json.RawMessage("null")
	}
	if l.failing == nil && l.failed > f.loop.loop.tolerance.of(l.total) {
		l.failing = iterationError(f, d.Error)
	}
	r.enqueueLoop(f.loopPosition())
}

// iterationError returns a loop's error when more iterations failed than it tolerates:
// iteration_failed. Its details carry what retry rules match on: the cause's code, status
// and exit code.
func iterationError(f *frame, cause *Error) *Error {
	e := &Error{Code: codeIterationFailed, Message: fmt.Sprintf("Iteration %s failed.", f.path)}
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

// closeIteration takes an iteration out of its loop and returns the loop's
// state for changing. An iteration that compensations need is retained; what
// was cut off in it is remembered.
func (r draft) closeIteration(f *frame) *loopState {
	s := r.editScope(f)
	if s.agendaKey != 0 {
		r.agenda.delete(r.edit, s.agendaKey)
		s.agendaKey = 0
	}
	l := r.editLoop(f.loopPosition())
	if s.err != nil || s.list.mayCompleteCutOff || s.hasCutOff {
		if c := r.cutOffIn(uint64(f.index), s); c != nil {
			l.cutOff.set(r.edit, c.Index, c)
		}
	}
	l.open.delete(r.edit, uint64(f.index))
	if s.compensations > 0 {
		l.retained.set(r.edit, f.id, s)
	}
	return l
}
