package machine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"heddle/events"
	"heddle/internal/exactjson"
	"time"
)

// loops is the part of a transition that performs the steps of type loop.
//
// A loop's step is on the agenda while it can start an iteration or has none open any more
// (enqueueLoop); advanceLoop then starts one iteration or ends the loop. An iteration is a
// list of its own, which goes on the agenda when its last step has finished, or when it has
// failed and nothing is in flight in it; endScope closes it, which may put the loop back.
type loops struct{ *transition }

// openLoop starts a loop step. The items are evaluated and counted first, so that a loop
// over too many fails before its first iteration. Items that are read from signals go into
// the event, because a later signal would change what they evaluate to.
func (t loops) openLoop(p position) {
	n := t.node(p)
	d := Detail{}
	if limit := n.timeout; limit > 0 {
		d.TimeoutAt = instant(addDuration(t.now, limit))
	}
	total := -1
	var failure *Failure
	var list *itemList
	if n.loop.items != nil {
		var err error
		if list, err = (view{run: t.Run, position: p}).evaluateItems(t.stepAt(p).redrive.items()); err != nil {
			f := expressionFailure(err)
			failure = &f
		} else if total = list.n; total > n.loop.maxIterations {
			f := permanentFailure("too_many_iterations", fmt.Sprintf("Loop '%s' has %d items; max_iterations is %d.", n.step.ID, total, n.loop.maxIterations))
			failure = &f
		}
	}
	d.Count = &total
	if list != nil && n.loop.dependsOnSignals && failure == nil {
		d.Items, failure = t.externalize(list.source)
	}
	// A loop that cannot be opened has to start before it can fail.
	d.Generation = t.generation(p)
	t.emit(events.StepStarted, p, t.nextAttempt(p), &d)
	if failure != nil {
		t.fail(p, *failure, Usage{})
		return
	}
	// Evaluated once for all iterations; a replay evaluates it again when an item is read.
	if list != nil {
		t.stepAt(p).loop.items.list.Store(list)
	}
}

// advanceLoop starts a loop's next iteration, or ends the loop. It is called while the loop
// is on the agenda: it can start an iteration, or none is open any more. A loop that fails
// has the error of the iteration that was one too many, and is retried by the step's
// policy, unless its results were too large.
func (t loops) advanceLoop(p position) {
	n, l := t.node(p), t.stepAt(p).loop
	if l.canStart(n.loop) {
		if n.loop.while == nil {
			t.startIteration(p, l)
			return
		}
		more, err := n.loop.while.EvalBool(view{run: t.Run, position: p, upcomingLoop: l})
		switch {
		case err != nil:
			t.fail(p, expressionFailure(err), Usage{})
			return
		case more && l.nextIndex >= n.loop.maxIterations:
			t.fail(p, permanentFailure("looping_risk", fmt.Sprintf("Loop '%s' reached max_iterations (%d) and its condition is still true.", n.step.ID, n.loop.maxIterations)), Usage{})
			return
		case more:
			t.startIteration(p, l)
			return
		}
	}
	// Reached with no iteration open, since failing keeps new ones from starting.
	if l.failing != nil {
		t.fail(p, Failure{Error: *l.failing, Permanent: l.failing.Code == "output_too_large"}, Usage{})
		return
	}
	output, err := t.loopOutput(l, n.loop)
	if err != nil {
		t.fail(p, expressionFailure(err), Usage{})
		return
	}
	t.complete(p, &Detail{Output: output})
}

// startIteration starts the next iteration; those that a redrive repeats come first, in
// order of their indexes.
func (t loops) startIteration(p position, l *loopState) {
	index := l.nextIndex
	if len(l.rerun) > 0 {
		index = int(l.rerun[0])
	}
	t.emit(events.IterationStarted, position{newFrame(p.frame, t.node(p), index, uint64(t.Seq)+1), -1}, 0, &Detail{})
}

// loopOutput returns a loop step's output: its counts, and with collect the results by
// index (null for iterations that failed). The error is that of a content that was not
// supplied or cannot be read.
func (t loops) loopOutput(l *loopState, plan *loopPlan) (json.RawMessage, error) {
	o := exactjson.ObjectIn(make([]byte, 0, 64+l.resultBytes))
	o.Int("count", int64(l.nextIndex))
	o.Int("completed", int64(l.completed))
	o.Int("failed", int64(l.failed))
	if plan.collect == nil {
		return o.End(), nil
	}
	o.Name("results")
	results, err := l.results.appendTo(append(o.Buf, '['), l.nextIndex, t.content)
	o.Buf = append(results, ']')
	return o.End(), err
}

// endScope closes a list of which all steps are finished, or an iteration that failed. f is
// nil for the run's own list.
func (t loops) endScope(f *frame) {
	if f == nil {
		endings(t).endRun()
		return
	}
	s := t.scope(f)
	if s.err != nil {
		t.finishScope(f, s)
		return
	}
	result, err := t.result(f)
	failure := &Failure{}
	// A result that is too large for the journal becomes a blob; one that cannot fails the
	// iteration.
	if err == nil {
		result, failure = t.externalize(result)
	} else {
		*failure = expressionFailure(err)
	}
	if failure != nil {
		t.emit(events.IterationFailed, position{f, -1}, 0, &Detail{Error: &failure.Error, LatencyMS: t.latency(s.startedAt)})
		return
	}
	t.emit(events.IterationCompleted, position{f, -1}, 0, &Detail{Result: result, LatencyMS: t.latency(s.startedAt)})
}

// result returns an iteration's value: that of collect, or for a while loop the outputs of
// the body's last steps; nil where the loop has neither.
func (t loops) result(f *frame) (json.RawMessage, error) {
	plan := f.loop.loop
	switch {
	case plan.collect != nil:
		// A plain path returns a part of a step's output; without the copy all of it would
		// be retained.
		v, err := plan.collect.EvalJSON(view{run: t.Run, position: position{f, -1}})
		return bytes.Clone(v), err
	case plan.while != nil:
		return t.sinks(f, t.content)
	}
	return nil, nil
}

// sinks returns {step id: output} of the steps of a list that nothing depends on, in
// document order, each output as shown returns it.
func (r *stepTree) sinks(f *frame, shown func(json.RawMessage) (json.RawMessage, error)) (json.RawMessage, error) {
	s := r.scope(f)
	var o exactjson.Object
	for _, at := range s.list.sinks {
		v, err := shown(s.step(at).output)
		if err != nil {
			return nil, err
		}
		o.Raw(s.list.nodes[at].step.ID, orNull(v))
	}
	return o.End(), nil
}

// loopTimedOut ends a loop whose timeout_seconds passed: what is in flight in it is stopped
// and not awaited. The failure is timeout, which is transient.
func (t loops) loopTimedOut(p position) {
	n := t.node(p)
	t.cancelIterations(p)
	message := fmt.Sprintf("Loop '%s' took longer than %s.", n.step.ID, n.timeout.Round(time.Millisecond))
	t.fail(p, Failure{Error: Error{Code: codeTimeout, Message: message}}, Usage{})
}

// cancelIterations cancels everything under way in a loop's iterations, the
// inner loops first.
func (t loops) cancelIterations(p position) {
	for _, f := range t.iterations(p) {
		for _, inner := range t.activeIn(f) {
			// From the inside out, so that no loop ends before its iterations.
			if t.node(inner).loop != nil {
				t.cancelIterations(inner)
			}
			t.stopAttempt(inner)
			t.emit(events.StepCancelled, inner, int(t.stepAt(inner).lastAttempt), &Detail{})
		}
	}
}

// iterations returns a loop's open iterations by index. The frames are new ones with the
// ids of the iterations. A loop that has given way to its fallback runs, but has none.
func (r *stepTree) iterations(p position) []*frame {
	var open []*frame
	n, loop := r.node(p), r.stepAt(p).loop
	if loop == nil {
		return nil
	}
	loop.open.all(func(i uint64, s *scopeState) bool {
		open = append(open, newFrame(p.frame, n, int(i), s.id))
		return true
	})
	return open
}

// activeIn returns the steps of a list that started and did not finish, in the
// order of the definition.
func (r *stepTree) activeIn(f *frame) []position {
	var list []position
	r.scope(f).steps.all(func(at uint64, st *stepState) bool {
		if !st.finished() && (st.activityKey != 0 || st.fallbackRunning) {
			list = append(list, position{f, int32(at)})
		}
		return true
	})
	return list
}

// stopAttempt emits a Stop for a step's attempt, if one is in flight.
func (t *transition) stopAttempt(p position) {
	st := t.stepAt(p)
	if _, acting := t.attempts.get(st.activityKey); acting && st.activityKey != 0 {
		t.effects = append(t.effects, Stop{Ref: t.ref(p), Attempt: int(st.lastAttempt)})
	}
}
