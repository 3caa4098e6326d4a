package templates

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/fault"
	"strconv"
)

// maxMergeAttempts is how often a merge is attempted where the workflow is edited
// meanwhile.
const maxMergeAttempts = 5

// MergeRequest updates a workflow to its template's newest version.
type MergeRequest struct {
	TenantID   string
	Ref        string          // the workflow's id or slug
	Author     string          // recorded for the new version
	Parameters json.RawMessage // nil: those that it was installed with
	// Resolutions decide conflicts; for those without one the edited value stays.
	Resolutions []Resolution
	DryRun      bool              // nothing is stored
	IfMatch     workflows.IfMatch // nil: any revision
	Admit       source.Admit
}

// MergeResult is the result of a merge. Where After equals Before no version
// was made, but the origin may be recorded anew.
type MergeResult struct {
	Workflow  workflows.Workflow // after the merge; of a dry run, before it
	Version   int                // of After: a new one where it differs, which is not published
	From, To  int                // versions of the template
	Before    json.RawMessage    // the workflow's latest definition before
	After     json.RawMessage    // the latest one now; of a dry run, what it would be
	Conflicts []Conflict         // nil: none
}

// MergeUpdate merges the newest version of a workflow's template into the workflow's
// latest version. Without an If-Match it starts again where the workflow is edited
// meanwhile, so that the edit is merged too. Errors: fault.NotFound
// workflow_not_found, template_not_found (it was deleted); fault.Conflict
// workflow_has_no_template, workflow_archived; fault.Unacceptable
// invalid_parameters (the recorded ones are not valid any more), invalid_resolution, invalid_definition
// (the result is not valid; nothing is stored); fault.Precondition
// precondition_failed; those of req.Admit.
func (s *Service) MergeUpdate(ctx context.Context, req MergeRequest) (MergeResult, error) {
	for attempt := 1; ; attempt++ {
		result, err := s.mergeOnce(ctx, req)
		overtaken := fault.KindOf(err) == fault.Precondition && req.IfMatch == nil
		if err == nil || !overtaken || attempt == maxMergeAttempts {
			return result, err
		}
	}
}

// mergeOnce is one attempt of MergeUpdate. It reads the workflow, merges, and stores
// the result only if the workflow is still at the revision that was read.
func (s *Service) mergeOnce(ctx context.Context, req MergeRequest) (MergeResult, error) {
	w, err := s.definitions.Get(ctx, req.TenantID, req.Ref)
	if err != nil {
		return MergeResult{}, err
	}
	if err := workflows.Editable(w, req.IfMatch); err != nil {
		return MergeResult{}, err
	}
	was, err := s.store.Origin(ctx, req.TenantID, w.ID)
	if err != nil {
		return MergeResult{}, err
	}
	if was == nil {
		return MergeResult{}, fault.New(fault.Conflict, "workflow_has_no_template", "The workflow was not made of a template.")
	}
	t, err := s.Get(ctx, req.TenantID, was.TemplateID)
	if err != nil {
		return MergeResult{}, err
	}
	parameters := was.Parameters
	if req.Parameters != nil {
		parameters = req.Parameters
	}
	origin, _, err := instantiate(t, was.Name, parameters, req.Admit)
	if err != nil {
		return MergeResult{}, err
	}
	if err := s.refuseSecrets(ctx, req.TenantID, origin.Parameters); err != nil {
		return MergeResult{}, err
	}
	latest, err := s.store.VersionDefinition(ctx, req.TenantID, w.ID, strconv.Itoa(w.LatestVersion))
	if err != nil {
		return MergeResult{}, err
	}
	// The three definitions and the result, which is about as large as the newest.
	if err := req.Admit.Hold(source.Weights(was.Definition, latest, origin.Definition, origin.Definition)); err != nil {
		return MergeResult{}, err
	}
	r := MergeResult{Workflow: w, Version: w.LatestVersion, From: was.Version, To: t.Version, Before: latest}
	r.After, r.Conflicts, err = MergeResolved(was.Definition, latest, origin.Definition, req.Resolutions)
	if fault.CodeOf(err) == "invalid_resolution" {
		return MergeResult{}, err
	}
	if err != nil {
		return MergeResult{}, fault.Wrap(err, fault.Unacceptable, "invalid_definition", "The result of the merge cannot be stored: %s", messageOf(err))
	}
	// The origin is recorded anew even where the definition stays the same: the
	// next merge starts from it.
	unmoved := was.Version == origin.Version && string(was.Parameters) == string(origin.Parameters) &&
		string(was.Definition) == string(origin.Definition)
	if unmoved {
		return r, nil
	}
	return s.storeMerge(ctx, req, r, origin)
}

// storeMerge checks the merged definition and, unless it is a dry run, stores
// it as a new version together with the new origin. Its If-Match is the
// revision that was read, whatever the request's was.
func (s *Service) storeMerge(ctx context.Context, req MergeRequest, r MergeResult, origin *workflows.Origin) (MergeResult, error) {
	merged := read(r.After)
	update := workflows.UpdateRequest{
		TenantID: req.TenantID, Ref: r.Workflow.ID, Author: req.Author, Definition: &merged, Origin: origin,
		ChangeSummary: fmt.Sprintf("Merged version %d of the template", r.To),
		IfMatch:       workflows.IfMatch{r.Workflow.Revision},
	}
	if req.DryRun {
		_, _, err := s.definitions.Plan(ctx, &update)
		if string(r.Before) != string(r.After) {
			r.Version++
		}
		return r, err
	}
	w, err := s.definitions.Update(ctx, update)
	if err != nil {
		return MergeResult{}, err
	}
	r.Workflow, r.Version = w, w.LatestVersion
	return r, nil
}
