package versions

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/fault"
	"strconv"
)

// Schedules returns how another active definition would affect the schedules of
// a workflow that follow the active version. It is called from any goroutine.
type Schedules interface {
	// Impact lists the schedules that would run a definition with that input
	// schema (empty: any input), and whether their stored input is valid for it.
	Impact(ctx context.Context, tenantID, workflowID string, input json.RawMessage) ([]ScheduleImpact, error)
}

// ScheduleImpact is one schedule that would run another version than before.
// Problem says why its stored input would be refused; empty where InputFits.
type ScheduleImpact struct {
	ScheduleID string `json:"schedule_id"`
	InputFits  bool   `json:"input_fits"`
	Problem    string `json:"problem,omitempty"`
}

// OpenRuns is the number of runs of one version that have not ended.
type OpenRuns struct {
	Version int `json:"version"`
	Count   int `json:"count"`
}

// Preview is the effect that another active definition would have: how it
// differs from the one that is active now, which open runs would keep their
// version, which schedules would run it, and which inputs might be refused.
type Preview struct {
	Workflow  workflows.Workflow // as it was read, before any change
	Diff      Diff               // from the active definition
	OpenRuns  []OpenRuns         // by version, the lowest first
	Schedules []ScheduleImpact   // never nil
	Breaking  []BreakingChange   // never nil; pointers start at the definition
	Impact
	// SourceChanged: the definition is the latest version's, and the text that is kept of it would
	// be replaced.
	SourceChanged bool
}

// preview returns the effect that a definition in canonical form would have as
// the active one of a workflow. Nothing is stored. The parts are read one after
// another and not in one transaction: runs may begin and end meanwhile. Besides
// the store's errors, those of Compare and BreakingInputs are returned.
func (s *Service) preview(ctx context.Context, w workflows.Workflow, after json.RawMessage) (Preview, error) {
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
		// In the definition, rather than in its input schema.
		b.Pointer = "/input" + b.Pointer
		p.Breaking = append(p.Breaking, b)
	}
	if p.OpenRuns, err = s.store.RunsByVersion(ctx, w.TenantID, w.ID); err != nil {
		return Preview{}, err
	}
	if p.Impact, err = s.impact(ctx, w.TenantID, w.ID, after); err != nil {
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

// inputsOf returns the input schemas of two definitions, empty where there is none.
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

// PreviewDefinition is Preview for a definition that is not stored; nil stands
// for the active one, whose preview lists runs and schedules and no difference. written is the
// text that it was read from, if it is to be kept.
func (s *Service) PreviewDefinition(ctx context.Context, w workflows.Workflow, doc *parser.Document, written source.Written) (Preview, error) {
	if doc != nil {
		p, err := s.preview(ctx, w, doc.Canonical)
		if err != nil || !written.Given() {
			return p, err
		}
		latest, err := s.store.Version(ctx, w.TenantID, w.ID, strconv.Itoa(w.LatestVersion))
		p.SourceChanged = latest.DefinitionHash == doc.Hash && latest.Written != written
		return p, err
	}
	active, err := s.Active(ctx, w)
	if err != nil {
		return Preview{}, err
	}
	return s.preview(ctx, w, active.Definition)
}

// PreviewVersion is Preview for publishing a version or rolling back to it. Its
// errors are those of Publish.
func (s *Service) PreviewVersion(ctx context.Context, r Reference) (Preview, error) {
	w, v, err := s.find(ctx, r)
	if err != nil {
		return Preview{}, err
	}
	if err := workflows.Editable(w, r.IfMatch); err != nil {
		return Preview{}, err
	}
	return s.preview(ctx, w, v.Definition)
}

// VersionDiff is the difference between two versions of one workflow. To is 0
// for a draft.
type VersionDiff struct {
	Diff
	Workflow workflows.Workflow
	From, To int
}

// Diff compares two versions of a workflow, each named by a number ("3", "v3") or a
// label. Errors: fault.NotFound workflow_not_found, version_not_found.
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

// DiffDraft compares a version, "" is the active one, with a definition that may be
// invalid, but must be readable: otherwise the error is fault.Unacceptable
// invalid_definition with all issues. Others: those of Get.
func (s *Service) DiffDraft(ctx context.Context, tenantID, ref, base string, draft parser.ParsedDefinition) (VersionDiff, error) {
	w, v, err := s.Get(ctx, tenantID, ref, base)
	if err != nil {
		return VersionDiff{}, err
	}
	if err := readable(draft, "definition"); err != nil {
		return VersionDiff{}, err
	}
	d, err := Compare(v.Definition, draft.Document.Canonical)
	return VersionDiff{d, w, v.Number, 0}, err
}

// DiffDefinitions compares two definitions of which neither need be stored or valid. The
// error is that of a definition that cannot be read, as of DiffDraft.
func DiffDefinitions(before, after parser.ParsedDefinition) (Diff, error) {
	if err := readable(before, "definition before"); err != nil {
		return Diff{}, err
	}
	if err := readable(after, "definition after"); err != nil {
		return Diff{}, err
	}
	return Compare(before.Document.Canonical, after.Document.Canonical)
}

// readable returns fault.Unacceptable invalid_definition for a definition that could not be
// read completely.
func readable(d parser.ParsedDefinition, what string) error {
	if d.Document != nil && len(d.Document.Canonical) > 0 {
		return nil
	}
	err := fault.New(fault.Unacceptable, "invalid_definition", "The %s cannot be read, so it cannot be compared; see the diagnostics.", what)
	err.Issues = d.Found
	return err
}
