package machine

import (
	"encoding/json"
	"time"

	"heddle/fault"
)

// Alone gives the effect of one top-level step by itself: its expressions see
// the header's input and the outputs given here as those of completed steps. A
// step that the machine performs itself (condition, loop, wait), or one in a
// loop's body, is fault.Unacceptable step_not_testable; an unknown id is
// unknown_step.
func Alone(plan *Plan, h Header, stepID string, outputs map[string]json.RawMessage, now time.Time) (Execute, error) {
	n := plan.index[stepID]
	switch {
	case n == nil:
		return Execute{}, fault.New(fault.Unacceptable, "unknown_step", "The definition has no step %q.", stepID)
	case n.list != plan.top || !n.external():
		return Execute{}, fault.New(fault.Unacceptable, "step_not_testable",
			"Step '%s' cannot run alone: it is in a loop's body, or of a type that only routes the run; try the definition with a dry run.", stepID)
	}
	t := turn{Run: New(plan, h, now).Run.fork(), now: now.UnixMilli()}
	t.StartedAt = now
	for id, output := range outputs {
		other := plan.index[id]
		if other == nil || other.list != plan.top {
			return Execute{}, fault.New(fault.Unacceptable, "unknown_step", "The definition has no top-level step %q whose output could be given.", id)
		}
		st := t.editStep(place{step: other.at})
		st.status, st.output = StepCompleted, output
	}
	t.execute(place{step: n.at})
	x, _ := t.effects[0].(Execute)
	return x, nil
}
