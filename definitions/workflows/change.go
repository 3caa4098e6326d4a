package workflows

import (
	"context"
	"fmt"
	"heddle/audit"
	"heddle/definitions/parser"
	"heddle/fault"
	"slices"
	"time"
)

// IfMatch holds the revisions that a write accepts; nil accepts any, an empty
// one none.
type IfMatch []int64

// Allows tells whether a write may go on from that revision.
func (m IfMatch) Allows(revision int64) bool { return m == nil || slices.Contains(m, revision) }

// Check refuses a write on a workflow that changed in between:
// fault.Precondition precondition_failed.
func (m IfMatch) Check(w Workflow) error {
	if m.Allows(w.Revision) {
		return nil
	}
	return fault.New(fault.Precondition, "precondition_failed",
		"The workflow has changed since you read it; read it again and repeat the change.").
		With("current_version", w.ActiveVersion).
		With("latest_version", w.LatestVersion).
		With("current_etag", fmt.Sprintf(`"r%d"`, w.Revision))
}

// UpdateRequest changes a workflow; nil fields stay as they are. With Publish a
// given definition becomes the active one, otherwise only the latest.
type UpdateRequest struct {
	TenantID      string
	Ref           string
	Author        string
	Definition    *parser.ParsedDefinition
	ChangeSummary string
	TriggerType   *string
	Tags          []string // nil: unchanged
	Publish       bool
	Origin        *Origin // nil: unchanged
	IfMatch       IfMatch
}

// Update stores a change. A definition that equals the latest version makes no
// new one. Errors: those of Create, and fault.Conflict workflow_archived,
// fault.Precondition precondition_failed, fault.NotFound workflow_not_found.
func (s *Service) Update(ctx context.Context, req UpdateRequest) (Workflow, error) {
	w, doc, err := s.Plan(ctx, &req)
	if err != nil {
		return Workflow{}, err
	}
	now := s.now()
	return s.store.Change(ctx, req.TenantID, w.ID, func(c Current) (Revision, error) {
		if err := Editable(c.Workflow, req.IfMatch); err != nil {
			return Revision{}, err
		}
		r := revise(c, req, doc, now)
		if r.Version != nil {
			r.Version.Author, _ = audit.ActorOf(ctx)
		}
		return r, nil
	})
}

// Plan checks everything that Update checks and writes nothing: it gives the
// workflow as it is and the definition that it would get, nil when none was
// given. The request's tags are put in order.
func (s *Service) Plan(ctx context.Context, req *UpdateRequest) (Workflow, *parser.Document, error) {
	w, err := s.store.Workflow(ctx, req.TenantID, req.Ref)
	if err != nil {
		return Workflow{}, nil, err
	}
	if err := Editable(w, req.IfMatch); err != nil {
		return Workflow{}, nil, err
	}
	if err := checkUpdate(req); err != nil {
		return Workflow{}, nil, err
	}
	if req.Definition == nil {
		return w, nil, nil
	}
	doc, err := s.storable(ctx, req.TenantID, *req.Definition)
	return w, doc, err
}

// Editable refuses edits of an archived workflow (fault.Conflict
// workflow_archived) and of a changed one.
func Editable(w Workflow, m IfMatch) error {
	if w.Status == Archived {
		return fault.New(fault.Conflict, "workflow_archived",
			"The workflow is archived; set its status to draft, active or paused before you edit it.")
	}
	return m.Check(w)
}

// revise decides what an update makes of the workflow. The revision and
// updated_at move only when something changed.
func revise(c Current, req UpdateRequest, doc *parser.Document, now time.Time) Revision {
	w := c.Workflow
	var v *NewVersion
	if doc != nil {
		if doc.Hash != c.LatestHash {
			w.LatestVersion++
			v = &NewVersion{
				Number: w.LatestVersion, Definition: doc.Canonical, Hash: doc.Hash,
				ChangeSummary: req.ChangeSummary, CreatedBy: req.Author, CreatedAt: now,
			}
		}
		if req.Publish {
			w = w.Activate(w.LatestVersion, TitleIn(doc))
		}
	}
	if req.TriggerType != nil {
		w.TriggerType = *req.TriggerType
	}
	if req.Tags != nil {
		w.Tags = req.Tags
	}
	return c.Revise(Revision{Workflow: w, Version: v, Origin: req.Origin}, now)
}

// SetStatus moves a workflow to another status; each may follow each.
func (s *Service) SetStatus(ctx context.Context, tenantID, ref string, status Status, m IfMatch) (Workflow, error) {
	if !status.Known() {
		return Workflow{}, errStatus(status)
	}
	now := s.now()
	return s.store.Change(ctx, tenantID, ref, func(c Current) (Revision, error) {
		if err := m.Check(c.Workflow); err != nil {
			return Revision{}, err
		}
		w := c.Workflow
		w.Status = status
		return c.Revise(Revision{Workflow: w}, now), nil
	})
}

// DeleteRequest removes a workflow; with Force its open runs are cancelled.
type DeleteRequest struct {
	TenantID string
	Ref      string
	Force    bool
	IfMatch  IfMatch
}

// Delete hides a workflow and frees its slug; its finished runs stay readable.
// Open runs are fault.Conflict workflow_has_open_runs, unless forced: then it
// returns once their cancels are durable.
func (s *Service) Delete(ctx context.Context, req DeleteRequest) error {
	w, err := s.store.Workflow(ctx, req.TenantID, req.Ref)
	if err != nil {
		return err
	}
	if err := req.IfMatch.Check(w); err != nil {
		return err
	}
	if req.Force {
		if err := s.runs.CancelOpen(ctx, req.TenantID, w.ID); err != nil {
			return fmt.Errorf("cancel the open runs of %s: %w", w.ID, err)
		}
	}
	err = s.store.DeleteWorkflow(ctx, req.TenantID, w.ID, func(w Workflow, openRuns bool) error {
		if openRuns && !req.Force {
			return fault.New(fault.Conflict, "workflow_has_open_runs",
				"The workflow has open runs; wait for them, or delete with ?force=true to cancel them.")
		}
		return req.IfMatch.Check(w)
	})
	if err != nil || !req.Force {
		return err
	}
	// A run that was started while the first ones were cancelled.
	return s.runs.CancelOpen(ctx, req.TenantID, w.ID)
}
