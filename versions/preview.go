package versions

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/definitions"
	"heddle/fault"
)

// Schedules tells what another active definition would mean for the schedules
// of a workflow that follow the active version.
type Schedules interface {
	// Impact lists the schedules that would run a definition with that input
	// schema (empty: any input), and whether their stored input fits it.
	Impact(ctx context.Context, tenantID, workflowID string, input json.RawMessage) ([]ScheduleImpact, error)
}

// ScheduleImpact is one schedule that would run another version than before.
// Problem says why its stored input would be refused.
type ScheduleImpact struct {
	ScheduleID string `json:"schedule_id"`
	InputFits  bool   `json:"input_fits"`
	Problem    string `json:"problem,omitempty"`
}

// OpenRuns is how many runs of one version are open.
type OpenRuns struct {
	Version int `json:"version"`
	Count   int `json:"count"`
}

// Preview is what would come of another active definition: how it differs from
// the one that is active now, which open runs stay on what they have, which
// schedules would follow, and which callers may be refused. No list is nil.
type Preview struct {
	Workflow  definitions.Workflow // as it is
	Diff      Diff
	OpenRuns  []OpenRuns
	Schedules []ScheduleImpact
	Breaking  []BreakingChange
}

// Preview says what it would mean for a workflow to run this definition.
// Nothing is written.
func (s *Service) Preview(ctx context.Context, w definitions.Workflow, after json.RawMessage) (Preview, error) {
	active, err := s.Active(ctx, w)
	if err != nil {
		return Preview{}, err
	}
	p := Preview{Workflow: w, Schedules: []ScheduleImpact{}, Breaking: []BreakingChange{}}
	if p.Diff, err = Compare(active.Definition, after); err != nil {
		return Preview{}, err
	}
	before, now, err := inputsOf(active.Definition, after)
	if err != nil {
		return Preview{}, err
	}
	breaking, err := BreakingInputs(before, now)
	if err != nil {
		return Preview{}, err
	}
	for _, b := range breaking {
		b.Pointer = "/input" + b.Pointer
		p.Breaking = append(p.Breaking, b)
	}
	if p.OpenRuns, err = s.store.RunsByVersion(ctx, w.TenantID, w.ID); err != nil {
		return Preview{}, err
	}
	if s.schedules != nil {
		found, err := s.schedules.Impact(ctx, w.TenantID, w.ID, now)
		if err != nil {
			return Preview{}, err
		}
		p.Schedules = append(p.Schedules, found...)
	}
	return p, nil
}

func inputsOf(before, after json.RawMessage) (a, b json.RawMessage, err error) {
	var old, young struct{ Input json.RawMessage }
	if err := json.Unmarshal(before, &old); err != nil {
		return nil, nil, fmt.Errorf("read a stored definition: %w", err)
	}
	if err := json.Unmarshal(after, &young); err != nil {
		return nil, nil, fmt.Errorf("read a definition: %w", err)
	}
	return old.Input, young.Input, nil
}

// PreviewDefinition is Preview of a definition that is not stored; nil stands for
// the active one, which changes nothing.
func (s *Service) PreviewDefinition(ctx context.Context, w definitions.Workflow, doc *definitions.Document) (Preview, error) {
	if doc != nil {
		return s.Preview(ctx, w, doc.Canonical)
	}
	active, err := s.Active(ctx, w)
	if err != nil {
		return Preview{}, err
	}
	return s.Preview(ctx, w, active.Definition)
}

// PreviewVersion says what publishing a version, or going back to it, would
// mean. It refuses what Publish refuses.
func (s *Service) PreviewVersion(ctx context.Context, r Reference) (Preview, error) {
	w, v, err := s.find(ctx, r)
	if err != nil {
		return Preview{}, err
	}
	if err := definitions.Editable(w, r.IfMatch); err != nil {
		return Preview{}, err
	}
	return s.Preview(ctx, w, v.Definition)
}

// VersionDiff is the difference of two versions. To is 0 for a draft.
type VersionDiff struct {
	Diff
	Workflow definitions.Workflow
	From, To int
}

// Diff compares two versions of a workflow, each named as everywhere: 3, v3 or
// a label.
func (s *Service) Diff(ctx context.Context, tenantID, ref, from, to string) (VersionDiff, error) {
	w, a, err := s.find(ctx, Reference{TenantID: tenantID, Workflow: ref, Version: from})
	if err != nil {
		return VersionDiff{}, err
	}
	b, err := s.store.Version(ctx, tenantID, w.ID, to)
	if err != nil {
		return VersionDiff{}, err
	}
	d, err := Compare(a.Definition, b.Definition)
	return VersionDiff{d, w, a.Number, b.Number}, err
}

// DiffDraft compares the active version with a definition that need not be
// sound, but must be readable: otherwise it is fault.Unacceptable
// invalid_definition with all issues.
func (s *Service) DiffDraft(ctx context.Context, tenantID, ref string, draft definitions.Written) (VersionDiff, error) {
	w, err := s.store.Workflow(ctx, tenantID, ref)
	if err != nil {
		return VersionDiff{}, err
	}
	if draft.Document == nil || len(draft.Document.Canonical) == 0 {
		err := fault.New(fault.Unacceptable, "invalid_definition", "The definition cannot be read, so it cannot be compared; see the diagnostics.")
		err.Issues = draft.Found
		return VersionDiff{}, err
	}
	active, err := s.Active(ctx, w)
	if err != nil {
		return VersionDiff{}, err
	}
	d, err := Compare(active.Definition, draft.Document.Canonical)
	return VersionDiff{d, w, active.Number, 0}, err
}
