package machine

import (
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

// TestStep tries one top-level step by itself: its expressions see the header's input and
// the outputs given here as those of completed steps. Its guard and dependencies are not
// asked. A loop, a wait or a step in a loop's body is fault.Unacceptable step_not_testable;
// an unknown id, also among the outputs, is unknown_step.
func TestStep(plan *Plan, h Header, stepID string, outputs map[string]json.RawMessage, now time.Time) (StepTest, error) {
	n := plan.index[stepID]
	switch {
	case n == nil:
		return StepTest{}, fault.New(fault.Unacceptable, "unknown_step", "The definition has no step %q.", stepID)
	case n.list != plan.top || !n.external() && n.condition == nil:
		return StepTest{}, fault.New(fault.Unacceptable, "step_not_testable",
			"Step '%s' cannot run alone: it is a loop, a wait or in a loop's body; try the definition with a dry run.", stepID)
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
	for id, output := range outputs {
		other := plan.index[id]
		if other == nil || other.list != plan.top {
			return StepTest{}, fault.New(fault.Unacceptable, "unknown_step", "The definition has no top-level step %q whose output could be given.", id)
		}
		st := t.editStep(position{step: other.index})
		st.status, st.output = StepCompleted, output
	}
	t.attempt(position{step: n.index})
	if len(t.effects) > 0 {
		if x, ok := t.effects[0].(Execute); ok {
			return StepTest{Execute: &x}, nil
		}
	}
	return t.conditionResult()
}

// conditionResult reads from the events how a condition came out: its output, or its error.
func (t *transition) conditionResult() (trial StepTest, err error) {
	for _, e := range t.events {
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
