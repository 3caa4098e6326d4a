package machine

import (
	"encoding/json"
	"fmt"
	"heddle/definitions/source"
	"heddle/events"
	"heddle/fault"
)

// Resume continues a paused, failed or cancelled run. What finished stays, unless the
// definition says otherwise by now; see PreviewResume. A plain Resume of a paused run goes
// on where it stands; with FromStep, Plan or Redrive what had not finished begins anew
// there too. At most one of FromStep and Redrive is set.
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
	// After, unless 0, is the seq of the run's last event as the caller knows it: a run with
	// another one refuses with fault.Conflict run_moved, so that of two equal commands at
	// most one is taken.
	After int64
	// Key marks the event of the resume, so that its caller finds it again; "" none.
	Key string
	By  Attribution
}

// onlyContinues reports whether the run is to go on where it stands.
func (in Resume) onlyContinues() bool { return in.FromStep == "" && in.Plan == nil && in.Redrive == "" }

// VersionSpan says from which event on a run was on which version.
type VersionSpan struct {
	Version int    `json:"version"`
	Hash    string `json:"definition_hash"`
	FromSeq int64  `json:"from_seq"` // the first event on that version
}

// ResumeDecision says what a resume does with one top-level step, and why, in a sentence
// for people. Reused: what the step did is kept, or goes on.
type ResumeDecision struct {
	StepID string
	Reused bool
	Reason string
}

// PreviewResume returns what a Resume would do with each top-level step of the plan to
// come, in document order; handlers are left out. It refuses what Apply would refuse, with
// the same error, and changes nothing.
func PreviewResume(r *Run, in Resume) ([]ResumeDecision, error) {
	a := resumeAssessment{r, r.planFor(in)}
	list, err := a.assess(in)
	if err != nil {
		return nil, err
	}
	plan := a.plan
	out := make([]ResumeDecision, plan.top.count[partMain])
	for at, why := range list[:len(out)] {
		out[at] = ResumeDecision{StepID: plan.top.nodes[at].step.ID, Reused: why == "", Reason: why}
		if why == "" || in.onlyContinues() && r.State == Paused {
			out[at].Reused, out[at].Reason = a.untouchedDecision(plan.top.nodes[at])
		}
	}
	return out, nil
}

// untouchedDecision describes what a step does that no resume touches: whether it is kept,
// and why.
func (a resumeAssessment) untouchedDecision(n *node) (bool, string) {
	r := a.run
	st := r.root.step(r.plan.index[n.step.ID].index)
	switch {
	case st.finished():
		return true, fmt.Sprintf("It is %s and unchanged.", st.status)
	case st.activityKey != 0 || st.fallbackRunning:
		return true, "It is under way and goes on."
	}
	return false, "It has not started yet."
}

// planFor returns the plan that the run is to go on with: that of the input, or its own.
func (r *Run) planFor(in Resume) *Plan {
	if in.Plan != nil {
		return in.Plan
	}
	return r.plan
}

// resume makes a paused, failed or cancelled run queued again; the executor lets it begin
// when it has a slot. Errors: those of assess. The plan of another version goes into
// incoming, from where the event's evolution takes it, because an event holds only its
// version and hash.
func (t *transition) resume(in Resume) error {
	if in.IfPaused && t.State != Paused {
		return nil
	}
	if in.After != 0 && in.After != t.Seq {
		return fault.New(fault.Conflict, "run_moved", "The run has moved on since it was read.")
	}
	if _, err := (resumeAssessment{t.Run, t.planFor(in)}).assess(in); err != nil {
		return err
	}
	d := &Detail{State: Queued, From: t.State, FromStep: in.FromStep, Redrive: in.Redrive, KeepKeys: true, AnswerKey: in.Key}
	if in.Plan != nil {
		t.incoming, d.Version, d.Hash, d.Defaults = in.Plan, in.Version, in.Hash, in.Plan.input != nil
	}
	t.emit(events.StateChanged, wholeRun, 0, in.By.addToDetail(d))
	return nil
}

// resumeAssessment judges what a resume on plan would do with run. It only reads, and may
// be used while an event is folded, so that a replay judges as the decision did.
//
// A step is kept if it finished in a way that lets its list go on, its definition is the
// same, and the same holds for all that it depends on. In a -> b -> c where b failed, a
// resume keeps a and runs b and c; from a it runs all three.
type resumeAssessment struct {
	run  *Run
	plan *Plan // the one that the run is to go on with
}

// assess returns for each top-level step of the plan to come why it runs again;
// "" keeps it. A resume that is not possible is a *fault.Error: Conflict
// run_not_resumable, or Unacceptable with unknown_step, step_not_reachable or
// step_not_redrivable.
func (a resumeAssessment) assess(in Resume) ([]string, error) {
	r, plan := a.run, a.plan
	switch r.State {
	case Paused, Failed, Cancelled:
	default:
		return nil, fault.New(fault.Conflict, "run_not_resumable",
			"Run %s is %s; only a paused, failed or cancelled run can be resumed.", r.RunID, r.State.publicName())
	}
	why := a.rerunReasons("")
	// Checked against the reasons without it, which say what of its dependencies stays
	// finished.
	if in.FromStep != "" {
		if err := checkReachable(plan, in.FromStep, why); err != nil {
			return nil, err
		}
		why = a.rerunReasons(in.FromStep)
	}
	if in.Redrive != "" {
		if err := a.checkRedrivable(in.Redrive, why); err != nil {
			return nil, err
		}
		why = a.rerunReasons(in.Redrive)
	}
	return why, nil
}

// checkReachable refuses a step from which a run cannot go on: it must be a top-level step
// of which all dependencies stay finished. why are the reasons to rerun by step. Errors:
// fault.Unacceptable unknown_step and step_not_reachable.
func checkReachable(plan *Plan, id string, why []string) error {
	n := plan.index[id]
	switch {
	case n == nil:
		return fault.New(fault.Unacceptable, "unknown_step", "The definition has no step %q to go on from.", id)
	case n.part != partMain:
		return fault.New(fault.Unacceptable, "step_not_reachable", "Step '%s' is in %s, which runs when the run ends; name a step of the main list.", id, partNames[n.part])
	case n.list != plan.top:
		return fault.New(fault.Unacceptable, "step_not_reachable", "Step '%s' is in the body of a loop; name the loop, or redrive it.", id)
	case n.fallbackOf >= 0:
		return fault.New(fault.Unacceptable, "step_not_reachable",
			"Step '%s' only runs in the place of '%s'; name that one.", id, plan.top.nodes[n.fallbackOf].step.ID)
	}
	for _, parent := range n.parents {
		if why[parent] != "" {
			return fault.New(fault.Unacceptable, "step_not_reachable",
				"Step '%s' depends on '%s', which is not finished; go on from there.", id, plan.top.nodes[parent].step.ID)
		}
	}
	return nil
}

// rerunReasons returns for each top-level step of the plan why a resume runs it again, ""
// for those that stay. The step from ("": none) is run again in any case, and so is what
// depends on a step that is. Handlers have no reason: they run at the next end, whatever
// they did before. O(steps), and on another plan the canonical text of each.
func (a resumeAssessment) rerunReasons(from string) []string {
	list := a.plan.top
	why := make([]string, len(list.nodes))
	for _, at := range list.topological {
		n := list.nodes[at]
		if n.part != partMain {
			continue
		}
		// In topological order, so that the reasons of all dependencies are known.
		switch why[at] = a.rerunReason(n); {
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

// rerunReason judges a step by itself, without its dependencies: it must be in the present
// plan with the same definition, have finished in a way that lets its list go on, and not
// be compensated, nor the fallback step that ran for it. "": it stays.
func (a resumeAssessment) rerunReason(n *node) string {
	r, plan := a.run, a.plan
	old := r.plan.index[n.step.ID]
	if old == nil || old.list != r.plan.top || old.part != partMain {
		return "It is new in this version."
	}
	if plan != r.plan && canonicalStep(old) != canonicalStep(n) {
		return "Its definition changed."
	}
	st := r.root.step(old.index)
	if reason := st.incompleteReason(old); reason != "" {
		return reason
	}
	if old.fallback < 0 {
		return ""
	}
	f, before := plan.index[n.step.FallbackStep], r.plan.top.nodes[old.fallback]
	switch {
	case r.root.step(old.fallback).compensated:
		return fmt.Sprintf("The compensation of '%s', which ran in its place, has begun.", before.step.ID)
	case st.fallbackStep != "" && plan != r.plan && canonicalStep(before) != canonicalStep(f):
		return fmt.Sprintf("The definition of '%s', which ran in its place, changed.", before.step.ID)
	}
	return ""
}

// incompleteReason returns why a resumed run cannot keep what the step did; "": it can. n
// is the step's node in the plan that it ran on.
func (s *stepState) incompleteReason(n *node) string {
	switch {
	case s.compensated:
		return "Its compensation has begun."
	case s.fallbackRunning:
		return "Its fallback step had not finished."
	case s.status == StepCompleted, s.status == StepSkipped, s.status == StepFailed && n.continuesOnFailure():
		return ""
	case s.status == StepFailed:
		return "It failed."
	case s.firstSeq == 0:
		return "It has not started yet."
	}
	return "It had not finished."
}

// canonicalStep returns a step's canonical text, by which versions are compared. It
// includes the body of a loop.
func canonicalStep(n *node) string {
	text, err := json.Marshal(n.step)
	if err == nil {
		text, err = source.Canonical(text)
	}
	if err != nil {
		return "" // no definition that passed validation has such a step
	}
	return string(text)
}

// publicName returns the state in a word for messages; the kinds of waiting are one.
func (s State) publicName() string {
	switch s {
	case WaitingTimer, WaitingSignal, Backoff:
		return "waiting"
	default: // the other names are known to callers as they are
	}
	return string(s)
}
