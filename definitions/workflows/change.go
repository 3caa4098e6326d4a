package workflows

import (
	"context"
	"fmt"
	"heddle/audit"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/fault"
	"slices"
	"time"
)

// IfMatch holds the revisions that a write accepts, from the header If-Match
// (RFC 9110, section 13.1.1); nil accepts any, an empty one none.
type IfMatch []int64

// Allows reports whether a write may change a workflow of that revision.
func (m IfMatch) Allows(revision int64) bool { return m == nil || slices.Contains(m, revision) }

// Check returns fault.Precondition precondition_failed, with what is current,
// for a workflow whose revision is not accepted.
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
	// Draft is the draft that Definition was read from, nil: none. It is deleted with the change,
	// which is refused where another version came since, unless Force is set.
	Draft *SavedDraft
	Force bool
	// Stored is called with the version that was made, once it is stored; nil: nobody is told.
	Stored func(NewVersion)
	// Rewritten is called with the text that replaced the one which was kept of the latest
	// version, whose definition stayed; nil: nobody is told.
	Rewritten func(source.Written)
}

// Update stores a change and returns the workflow as it then is. A definition
// that equals the latest version makes no new one; where it comes with another text, that
// replaces the text which is kept of the version. Errors: those of Create,
// fault.Conflict draft_outdated,
// and fault.Conflict workflow_archived, fault.Precondition
// precondition_failed, fault.NotFound workflow_not_found.
//
// What does not depend on the workflow's row is checked before the
// transaction; what does is decided inside of it, and so checked again.
func (s *Service) Update(ctx context.Context, req UpdateRequest) (Workflow, error) {
	w, doc, err := s.Plan(ctx, &req)
	if err != nil {
		return Workflow{}, err
	}
	now := s.now()
	var made Revision // of the last call, which is the one that was stored
	w, err = s.store.Change(ctx, req.TenantID, w.ID, func(c Current) (Revision, error) {
		made = Revision{}
		if err := Editable(c.Workflow, req.IfMatch); err != nil {
			return Revision{}, err
		}
		if err := draftFits(c.Workflow, req); err != nil {
			return Revision{}, err
		}
		r := revise(c, req, doc, now)
		r.Draft = req.Draft
		if r.Version != nil {
			r.Version.Author, _ = audit.ActorOf(ctx)
		}
		made = r
		return r, nil
	})
	if err == nil && made.Version != nil && req.Stored != nil {
		req.Stored(*made.Version)
	}
	if err == nil && made.Written.Given() && req.Rewritten != nil {
		req.Rewritten(made.Written)
	}
	return w, err
}

// draftFits returns fault.Conflict draft_outdated where a version came after the one that the
// request's draft was made from, and Force is not set.
func draftFits(w Workflow, req UpdateRequest) error {
	if req.Draft == nil || req.Force || req.Draft.Base == w.LatestVersion {
		return nil
	}
	return fault.New(fault.Conflict, "draft_outdated",
		"The draft was made from version %d, and the latest is %d; compare the two, then save the draft with base_version %d, or send \"force\": true.",
		req.Draft.Base, w.LatestVersion, w.LatestVersion).With("base_version", req.Draft.Base).With("latest_version", w.LatestVersion)
}

// Plan checks everything that Update checks and writes nothing. It returns
// the workflow as it is and the definition that it would get, nil when none
// is given. The request's tags are replaced by the ones to store.
func (s *Service) Plan(ctx context.Context, req *UpdateRequest) (Workflow, *parser.Document, error) {
	w, err := s.store.Workflow(ctx, req.TenantID, req.Ref)
	if err != nil {
		return Workflow{}, nil, err
	}
	if err := Editable(w, req.IfMatch); err != nil {
		return Workflow{}, nil, err
	}
	if err := draftFits(w, *req); err != nil {
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

// Editable returns nil where a workflow may be edited: it is not archived
// (else fault.Conflict workflow_archived) and its revision is accepted (else
// fault.Precondition precondition_failed).
func Editable(w Workflow, m IfMatch) error {
	if w.Status == Archived {
		return fault.New(fault.Conflict, "workflow_archived",
			"The workflow is archived; set its status to draft, active or paused before you edit it.")
	}
	return m.Check(w)
}

// revise decides what an update makes of the workflow: doc is its new
// definition, nil where that stays. The revision and updated_at move only
// when something changed. Pure, since a store may call it again after a
// conflict.
func revise(c Current, req UpdateRequest, doc *parser.Document, now time.Time) Revision {
	w := c.Workflow
	var v *NewVersion
	var rewritten source.Written
	if doc != nil {
		written := req.Definition.Written
		switch {
		case doc.Hash != c.LatestHash:
			w.LatestVersion++
			v = &NewVersion{
				Number: w.LatestVersion, Definition: doc.Canonical, Hash: doc.Hash, Written: written,
				ChangeSummary: req.ChangeSummary, CreatedBy: req.Author, CreatedAt: now,
			}
		// A definition without a text says nothing of the one that is kept.
		case written.Given() && written.Hash() != c.WrittenHash:
			rewritten = written
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
	return c.Revise(Revision{Workflow: w, Version: v, Origin: req.Origin, Written: rewritten}, now)
}

// SetStatus moves a workflow to another status; every status may follow every
// other. Errors: fault.Unacceptable invalid_status, fault.Precondition
// precondition_failed, fault.NotFound workflow_not_found.
func (s *Service) SetStatus(ctx context.Context, tenantID, ref string, status Status, m IfMatch) (Workflow, error) {
	if !status.known() {
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

// Retag adds tags to a workflow and then takes others from it; those that it has, or lacks,
// already are passed over. Errors: fault.Unacceptable invalid_tags, fault.Conflict
// workflow_archived, fault.NotFound workflow_not_found.
func (s *Service) Retag(ctx context.Context, tenantID, ref string, add, remove []string) (Workflow, error) {
	now := s.now()
	return s.store.Change(ctx, tenantID, ref, func(c Current) (Revision, error) {
		if err := Editable(c.Workflow, nil); err != nil {
			return Revision{}, err
		}
		tags, err := checkTags(slices.Concat(c.Workflow.Tags, add))
		if err != nil {
			return Revision{}, err
		}
		w := c.Workflow
		w.Tags = slices.DeleteFunc(tags, func(tag string) bool { return slices.Contains(remove, tag) })
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

// Delete hides a workflow and frees its slug; its finished runs stay
// readable. Open runs are fault.Conflict workflow_has_open_runs, unless Force
// is set: then it returns once their cancels are durable. Other errors:
// fault.Precondition precondition_failed, fault.NotFound workflow_not_found.
func (s *Service) Delete(ctx context.Context, req DeleteRequest) error {
	w, err := s.store.Workflow(ctx, req.TenantID, req.Ref)
	if err != nil {
		return err
	}
	if err := req.IfMatch.Check(w); err != nil {
		return err
	}
	// Before the workflow is hidden, so that a failure leaves it visible and
	// the request can be repeated.
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
	// Again, for runs that were started while the first ones were cancelled;
	// the hidden workflow starts no more.
	return s.runs.CancelOpen(ctx, req.TenantID, w.ID)
}
