package machine

import (
	"encoding/json"
	"fmt"
	"heddle/definitions"
	"heddle/events"
	"heddle/fault"
)

// Resume goes on with a paused, failed or cancelled run. What finished stays,
// unless the definition says otherwise by now; see Preview. A plain Resume of
// a paused run goes on where it stands; with FromStep, Plan or Redrive what had
// not finished begins anew there too.
type Resume struct {
	// FromStep names a top-level step that runs again with all that depends on
	// it, "" none. Its own dependencies must be finished.
	FromStep string
	// Plan is another version's plan to go on with, nil: the run's own. Version
	// and Hash are that version's.
	Plan    *Plan
	Version int
	Hash    string
	// Redrive names a top-level loop over items of which only the iterations
	// that did not complete run again, "" none.
	Redrive string
	// IfPaused leaves any run but a paused one as it is, without an error.
	IfPaused bool
	By       By
}

// plain tells whether nothing but going on is asked.
func (in Resume) plain() bool { return in.FromStep == "" && in.Plan == nil && in.Redrive == "" }

// Span says from which event on a run ran on which version.
type Span struct {
	Version int    `json:"version"`
	Hash    string `json:"definition_hash"`
	FromSeq int64  `json:"from_seq"`
}

// Verdict tells what a resume does with one top-level step, and why.
type Verdict struct {
	StepID string
	Reused bool
	Reason string
}

// Preview tells what a Resume would do with each top-level step, in document
// order. It refuses what Apply would refuse.
func Preview(r *Run, in Resume) ([]Verdict, error) {
	list, err := r.fork().judge(in)
	if err != nil {
		return nil, err
	}
	plan := r.planFor(in)
	out := make([]Verdict, plan.top.count[partMain])
	for at, why := range list[:len(out)] {
		out[at] = Verdict{StepID: plan.top.nodes[at].step.ID, Reused: why == "", Reason: why}
		if why == "" || in.plain() && r.State == Paused {
			out[at].Reused, out[at].Reason = r.goesOn(plan.top.nodes[at])
		}
	}
	return out, nil
}

// goesOn words what a step that no resume touches does.
func (r *Run) goesOn(n *node) (bool, string) {
	st := r.root.step(r.plan.index[n.step.ID].at)
	switch {
	case st.finished():
		return true, fmt.Sprintf("It is %s and unchanged.", st.status)
	case st.slot != 0 || st.falling:
		return true, "It is under way and goes on."
	}
	return false, "It has not started yet."
}

func (r *Run) planFor(in Resume) *Plan {
	if in.Plan != nil {
		return in.Plan
	}
	return r.plan
}

// resume makes a paused, failed or cancelled run queued again.
func (t *turn) resume(in Resume) error {
	if in.IfPaused && t.State != Paused {
		return nil
	}
	if _, err := t.judge(in); err != nil {
		return err
	}
	d := &Detail{State: Queued, From: t.State, FromStep: in.FromStep, Redrive: in.Redrive, KeepKeys: true}
	if in.Plan != nil {
		t.incoming, d.Version, d.Hash, d.Defaults = in.Plan, in.Version, in.Hash, in.Plan.input != nil
	}
	t.emit(events.StateChanged, whole, 0, in.By.detail(d))
	return nil
}

// judge says for each top-level step of the plan to come why it runs again; ""
// keeps it. What cannot be done is refused.
func (r *Run) judge(in Resume) ([]string, error) {
	switch r.State {
	case Paused, Failed, Cancelled:
	default:
		return nil, fault.New(fault.Conflict, "run_not_resumable",
			"Run %s is %s; only a paused, failed or cancelled run can be resumed.", r.RunID, r.State.plain())
	}
	plan := r.planFor(in)
	why := r.toRunAgain(plan, "")
	if in.FromStep != "" {
		if err := reachable(plan, in.FromStep, why); err != nil {
			return nil, err
		}
		why = r.toRunAgain(plan, in.FromStep)
	}
	if in.Redrive != "" {
		if err := r.redrivable(plan, in.Redrive, why); err != nil {
			return nil, err
		}
		why = r.toRunAgain(plan, in.Redrive)
	}
	return why, nil
}

// reachable tells whether a run can go on from a step: it is a top-level step
// and all that it depends on stays finished.
func reachable(plan *Plan, id string, why []string) error {
	n := plan.index[id]
	switch {
	case n == nil:
		return fault.New(fault.Unacceptable, "unknown_step", "The definition has no step %q to go on from.", id)
	case n.part != partMain:
		return fault.New(fault.Unacceptable, "step_not_reachable", "Step '%s' is in %s, which runs when the run ends; name a step of the main list.", id, partNames[n.part])
	case n.list != plan.top:
		return fault.New(fault.Unacceptable, "step_not_reachable", "Step '%s' is in the body of a loop; name the loop, or redrive it.", id)
	case n.owner >= 0:
		return fault.New(fault.Unacceptable, "step_not_reachable",
			"Step '%s' only runs in the place of '%s'; name that one.", id, plan.top.nodes[n.owner].step.ID)
	}
	for _, parent := range n.parents {
		if why[parent] != "" {
			return fault.New(fault.Unacceptable, "step_not_reachable",
				"Step '%s' depends on '%s', which is not finished; go on from there.", id, plan.top.nodes[parent].step.ID)
		}
	}
	return nil
}

// toRunAgain gives for each top-level step of the plan why a resume runs it
// again, "" for those that stay. Handlers run at the next end, whatever they
// did before.
func (r *Run) toRunAgain(plan *Plan, from string) []string {
	list := plan.top
	why := make([]string, len(list.nodes))
	for _, at := range list.order {
		n := list.nodes[at]
		if n.part != partMain {
			continue
		}
		switch why[at] = r.whyAgain(plan, n); {
		case n.step.ID == from:
			why[at] = "It was named to go on from."
		case why[at] == "":
			for _, parent := range n.parents {
				if why[parent] != "" {
					why[at] = fmt.Sprintf("It depends on '%s', which runs again.", list.nodes[parent].step.ID)
					break
				}
			}
		}
	}
	return why
}

// whyAgain judges a step by itself.
func (r *Run) whyAgain(plan *Plan, n *node) string {
	old := r.plan.index[n.step.ID]
	if old == nil || old.list != r.plan.top || old.part != partMain {
		return "It is new in this version."
	}
	if plan != r.plan && form(old) != form(n) {
		return "Its definition changed."
	}
	st := r.root.step(old.at)
	if reason := st.whyNot(old); reason != "" {
		return reason
	}
	if old.fallback < 0 {
		return ""
	}
	f, before := plan.index[n.step.FallbackStep], r.plan.top.nodes[old.fallback]
	switch {
	case r.root.step(old.fallback).undone:
		return fmt.Sprintf("The compensation of '%s', which ran in its place, has begun.", before.step.ID)
	case st.fallback != "" && plan != r.plan && form(before) != form(f):
		return fmt.Sprintf("The definition of '%s', which ran in its place, changed.", before.step.ID)
	}
	return ""
}

// whyNot tells why a resumed run cannot keep what the step did; "": it can.
func (s *stepState) whyNot(n *node) string {
	switch {
	case s.undone:
		return "Its compensation has begun."
	case s.falling:
		return "Its fallback step had not finished."
	case s.status == StepCompleted, s.status == StepSkipped, s.status == StepFailed && n.survivable():
		return ""
	case s.status == StepFailed:
		return "It failed."
	case s.order == 0:
		return "It has not started yet."
	}
	return "It had not finished."
}

// form is a step's canonical text, by which versions are compared.
func form(n *node) string {
	text, err := json.Marshal(n.step)
	if err == nil {
		text, err = definitions.Canonical(text)
	}
	if err != nil {
		return "" // no definition that passed validation has such a step
	}
	return string(text)
}

// plain is the state in a word that people know.
func (s State) plain() string {
	switch s {
	case WaitingTimer, WaitingSignal, Backoff:
		return "waiting"
	}
	return string(s)
}
