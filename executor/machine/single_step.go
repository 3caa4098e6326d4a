package machine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"heddle/events"
	"heddle/fault"
	"time"
)

// StepTest is what trying one step by itself comes to: an attempt to perform or, for a
// condition, its output or error. Exactly one of the three is set.
type StepTest struct {
	Execute *Execute
	Output  json.RawMessage
	Error   *Error
}

// Iteration is the one of the loop around a step in which the step is tried.
type Iteration struct {
	// Item stands for the item of the loop; nil: the one at Index of what the loop's items
	// evaluate to, null where there is none.
	Item json.RawMessage
	// Index counts from 0, and is at most MaxTriedIndex.
	Index int
}

// MaxTriedIndex is the largest index of an iteration in which a step is tried.
const MaxTriedIndex = 9999

// check returns fault.Unacceptable invalid_iteration for an iteration that step n cannot have.
func (it Iteration) check(n *node) error {
	loop := n.list.owner
	switch {
	case it.Index < 0 || it.Index > MaxTriedIndex:
		return fault.New(fault.Unacceptable, "invalid_iteration", "index must be from 0 to %d.", MaxTriedIndex)
	case loop == nil && (it.Item != nil || it.Index > 0):
		return fault.New(fault.Unacceptable, "invalid_iteration", "Step '%s' is in no loop: leave item and index out.", n.step.ID)
	case it.Item != nil && loop.loop.items == nil:
		return fault.New(fault.Unacceptable, "invalid_iteration", "Loop '%s' counts, so that its item is the index: give index, and no item.", loop.step.ID)
	}
	return nil
}

// list returns items of which the one at Index is Item.
func (it Iteration) list() (*itemList, error) {
	raw := append([]byte{'['}, bytes.Repeat([]byte("null,"), it.Index)...)
	return splitList(append(append(raw, it.Item...), ']'))
}

// TestStep tries one step by itself: its expressions see the header's input and the outputs
// given here as those of completed steps. Its guard and dependencies are not asked. A step
// in a loop's body is tried in one iteration of that loop, and in the first ones of the
// loops around it; of its body, the outputs are those of the same iteration. A loop or a
// wait is fault.Unacceptable step_not_testable; an unknown id, also among the outputs, is
// unknown_step; an iteration that the step cannot have is invalid_iteration.
func TestStep(plan *Plan, h Header, stepID string, in Iteration, outputs map[string]json.RawMessage, now time.Time) (StepTest, error) {
	n := plan.index[stepID]
	switch {
	case n == nil:
		return StepTest{}, fault.New(fault.Unacceptable, "unknown_step", "The definition has no step %q.", stepID)
	case !n.external() && n.condition == nil:
		return StepTest{}, fault.New(fault.Unacceptable, "step_not_testable",
			"Step '%s' cannot run alone: it is a loop or a wait; try the definition with a dry run.", stepID)
	}
	if err := in.check(n); err != nil {
		return StepTest{}, err
	}
	// A fork, because the run that New returned is immutable.
	t := transition{draft: New(plan, h, now).Run.fork(), now: now.UnixMilli()}
	t.StartedAt = now
	// A handler sees how the run ends, so there has to be an end.
	switch n.part {
	case partFailure:
		t.handlers = &handlerRun{Part: n.part, Outcome: Failed, Error: &Error{Code: "step_test", Message: "The step is tried by itself; no run failed."}}
	case partFinally:
		t.handlers = &handlerRun{Part: n.part, Outcome: Completed}
	}
	at, err := enter(&t, n, in)
	if err != nil {
		return StepTest{}, err
	}
	for id, output := range outputs {
		other, ok := beside(t.Run, at, id)
		if !ok {
			return StepTest{}, fault.New(fault.Unacceptable, "unknown_step", "There is no step %q beside '%s', or around its loop, whose output could be given.", id, stepID)
		}
		st := t.editStep(other)
		st.status, st.output = StepCompleted, output
	}
	begun := len(t.events)
	t.attempt(at)
	if len(t.effects) > 0 {
		if x, ok := t.effects[0].(Execute); ok {
			return StepTest{Execute: &x}, nil
		}
	}
	return t.conditionResult(begun)
}

// enter begins the iterations that a step is tried in, of the loops around it, and returns
// where it then is. The error is that of an item that is not JSON.
func enter(t *transition, n *node, in Iteration) (position, error) {
	loop := n.list.owner
	if loop == nil {
		return position{step: n.index}, nil
	}
	home, err := enter(t, loop, Iteration{})
	if err != nil {
		return home, err
	}
	t.emit(events.StepStarted, home, t.nextAttempt(home), &Detail{})
	if in.Item != nil {
		list, err := in.list()
		if err != nil {
			return home, err
		}
		t.stepAt(home).loop.items.list.Store(list)
	}
	f := newFrame(home.frame, loop, in.Index, uint64(t.Seq)+1)
	t.emit(events.IterationStarted, position{f, -1}, 0, &Detail{})
	return position{f, n.index}, nil
}

// beside finds a step by its id in the list of a position or in those around it.
func beside(r *Run, at position, id string) (position, bool) {
	n := r.plan.index[id]
	for f := at.frame; n != nil; f = f.parent {
		if n.list == r.listOf(f) {
			return position{f, n.index}, true
		}
		if f == nil {
			break
		}
	}
	return position{}, false
}

// conditionResult reads from the events, from one on, how a condition came out: its output,
// or its error.
func (t *transition) conditionResult(from int) (trial StepTest, err error) {
	for _, e := range t.events[from:] {
		if e.Kind == events.StepStarted {
			continue
		}
		d, err := ReadDetail(e)
		if err != nil {
			return StepTest{}, err
		}
		if e.Kind == events.StepCompleted {
			return StepTest{Output: d.Output}, nil
		}
		if d.Error != nil {
			return StepTest{Error: d.Error}, nil
		}
	}
	return StepTest{}, fmt.Errorf("a condition by itself came to nothing: %d events", len(t.events))
}
