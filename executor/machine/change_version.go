package machine

import (
	"bytes"
	"cmp"
	"slices"
)

// removedStep is what is remembered of a step that another version does not have: should a
// later one have it again, no attempt number and no key comes twice. The JSON names are
// those of snapshots.
type removedStep struct {
	ID         string `json:"id"`
	Attempt    int32  `json:"attempt"`
	Generation int32  `json:"generation,omitempty"`
	// CutOff: it had no end when it went, so it goes on with that generation.
	CutOff bool  `json:"cut_off,omitempty"`
	Since  int64 `json:"since,omitempty"` // when that generation's first attempt began
}

// moveTo carries the run over to another version's plan. Steps that stay are equal in both,
// so what they did fits; of those that run again only the numbers are kept. It goes the way
// of a snapshot, saving the steps by id and loading them on the new plan, because their
// indexes differ. again are the reasons to rerun, by index in the new plan.
func (r evolver) moveTo(plan *Plan, again []string, d *Detail) {
	saved := snapshotWriter{r.Run}.saveScope(r.root)
	// Saved on the old plan, found again on the new one below.
	var undos []savedCompensable
	r.compensations.all(func(key uint64, u compensable) bool {
		undos = append(undos, snapshotWriter{r.Run}.saveCompensable(key, u.at))
		return true
	})
	saved.Steps, r.removedSteps = carryOver(plan, again, saved.Steps, r.removedSteps, d.KeepKeys)
	// The agenda was cleared; what can go on is put on it anew.
	saved.AgendaKey = 0
	// The first move: the version so far held from the first event on.
	if len(r.Versions) == 0 {
		r.Versions = []VersionSpan{{r.Version, r.Hash, 1}}
	}
	r.Versions = append(slices.Clip(r.Versions), VersionSpan{d.Version, d.Hash, r.Seq})
	r.plan, r.Version, r.Hash = plan, d.Version, d.Hash
	if d.Defaults && plan.input != nil {
		if filled, err := plan.input.Fill(r.EffectiveInput()); err == nil && !bytes.Equal(filled, r.EffectiveInput()) {
			r.inputWithDefaults = filled
		}
	}
	r.root, r.tally = &scopeState{edit: r.edit, list: plan.top}, stepTally{}
	if root, err := snapshotReader(r).loadScope(nil, plan.top, &saved); err == nil {
		r.root = root
	}
	r.compensations = trie[compensable]{}
	for _, u := range undos {
		if p, err := snapshotReader(r).findSaved(u); err == nil {
			r.compensations.set(r.edit, u.Seq, compensable{p})
		}
	}
}

// carryOver picks what of the saved steps fits the plan, and returns it with the steps that
// are remembered as removed. before are those that were removed earlier; one that the plan
// has again becomes a step that never began, with its old numbers. Three things can become
// of a step: it is not in the plan and its numbers are remembered, it runs again and only
// its numbers, usage and what a redrive needs are kept, or it stays as it is.
func carryOver(plan *Plan, again []string, steps []savedStep, before []removedStep, keepKeys bool) ([]savedStep, []removedStep) {
	var kept []savedStep
	var gone []removedStep
	for _, s := range steps {
		n := plan.index[s.ID]
		switch {
		case n == nil || n.list != plan.top:
			if s.AttemptNumber > 0 {
				gone = append(gone, removedStep{s.ID, s.AttemptNumber, s.Generation, !s.hasEnd(), cmp.Or(s.KeyFirstUsedAt, s.StartedAt)})
			}
		case n.part != partMain || again[n.index] != "":
			kept = append(kept, savedStep{ID: s.ID, Status: s.Status, Err: s.Err, OutcomeUnknown: s.OutcomeUnknown, OutcomeKnown: s.OutcomeKnown, AttemptNumber: s.AttemptNumber, Generation: s.Generation, KeyFirstUsedAt: cmp.Or(s.KeyFirstUsedAt, s.StartedAt), Usage: s.Usage, Redrive: s.Redrive, CutOff: s.CutOff})
		default:
			s.AgendaKey, s.ActivityKey, s.DueAt = 0, 0, 0
			kept = append(kept, s)
		}
	}
	for _, old := range before {
		n := plan.index[old.ID]
		if n == nil || n.list != plan.top {
			gone = append(gone, old)
			continue
		}
		s := savedStep{ID: old.ID, Status: StepPending, AttemptNumber: old.Attempt, Generation: old.Generation, KeyFirstUsedAt: old.Since}
		if keepKeys && !old.CutOff {
			s.KeyFirstUsedAt = 0
			s.Generation++ // resetStep sees a step that never began
		}
		kept = append(kept, s)
	}
	return kept, gone
}
