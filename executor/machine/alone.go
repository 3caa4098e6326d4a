package machine

import (
	"encoding/json"
	"fmt"
	"heddle/events"
	"heddle/fault"
	"time"
)

// Trial is what one step by itself comes to: an effect to perform, or, of a
// condition, what it decided.
type Trial struct {
	Execute *Execute
	Output  json.RawMessage
	Error   *Error
}

// Alone tries one top-level step by itself: its expressions see the header's
// input and the outputs given here as those of completed steps. A loop, a wait
// or a step in a loop's body is fault.Unacceptable step_not_testable; an
// unknown id is unknown_step.
func Alone(plan *Plan, h Header, stepID string, outputs map[string]json.RawMessage, now time.Time) (Trial, error) {
	n := plan.index[stepID]
	switch {
	case n == nil:
		return Trial{}, fault.New(fault.Unacceptable, "unknown_step", "The definition has no step %q.", stepID)
	case n.list != plan.top || !n.external() && n.condition == nil:
		return Trial{}, fault.New(fault.Unacceptable, "step_not_testable",
			"Step '%s' cannot run alone: it is a loop, a wait or in a loop's body; try the definition with a dry run.", stepID)
	}
	t := turn{Run: New(plan, h, now).Run.fork(), now: now.UnixMilli()}
	t.StartedAt = now
	switch n.part {
	case partFailure:
		t.handling = &handling{Part: n.part, Outcome: Failed, Error: &Error{Code: "step_test", Message: "The step is tried by itself; no run failed."}}
	case partFinally:
		t.handling = &handling{Part: n.part, Outcome: Completed}
	}
	for id, output := range outputs {
		other := plan.index[id]
		if other == nil || other.list != plan.top {
			return Trial{}, fault.New(fault.Unacceptable, "unknown_step", "The definition has no top-level step %q whose output could be given.", id)
		}
		st := t.editStep(place{step: other.at})
		st.status, st.output = StepCompleted, output
	}
	t.attempt(place{step: n.at})
	if len(t.effects) > 0 {
		if x, ok := t.effects[0].(Execute); ok {
			return Trial{Execute: &x}, nil
		}
	}
	return t.decided()
}

// decided reads from the events how a condition came out.
func (t *turn) decided() (trial Trial, err error) {
	for _, e := range t.events {
		if e.Kind == events.StepStarted {
			continue
		}
		d, err := ReadDetail(e)
		if err != nil {
			return Trial{}, err
		}
		if e.Kind == events.StepCompleted {
			return Trial{Output: d.Output}, nil
		}
		if d.Error != nil {
			return Trial{Error: d.Error}, nil
		}
	}
	return Trial{}, fmt.Errorf("a condition by itself came to nothing: %d events", len(t.events))
}
