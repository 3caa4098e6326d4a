package drafts

import (
	"context"
	"fmt"
	"heddle/audit"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/fault"
	"heddle/idempotency"
	"time"
	"unicode/utf8"
)

// maxNote is the length of a note, in characters.
const maxNote = 2000

// Config holds what NewService needs.
type Config struct {
	Store   Store
	Secrets workflows.Secrets // nil: texts are not searched for secrets
	Now     func() time.Time
	NewID   func(prefix string) string
}

// Service keeps drafts. It has no state of its own and may be used concurrently. Whether the caller
// may view or edit the workflow is checked before.
type Service struct{ cfg Config }

// NewService returns a Service.
func NewService(cfg Config) *Service { return &Service{cfg} }

// View is a draft beside its workflow, which is nil for one that is not there yet.
type View struct {
	Draft
	Workflow *workflows.Workflow
}

// BaseIsLatest reports whether the workflow's latest version is the one that the draft was made
// from. A draft of no workflow has nothing that it could be behind.
func (v View) BaseIsLatest() bool {
	return v.Workflow == nil || v.Workflow.LatestVersion == v.BaseVersion
}

// Of returns the draft of a person for a workflow, named by id or slug. Errors: fault.NotFound
// workflow_not_found, draft_not_found.
func (s *Service) Of(ctx context.Context, tenantID, ref string, owner audit.Actor) (View, error) {
	w, err := s.cfg.Store.Workflow(ctx, tenantID, ref)
	if err != nil {
		return View{}, err
	}
	d, err := s.cfg.Store.Draft(ctx, Place{TenantID: tenantID, WorkflowID: w.ID, Owner: owner})
	return View{d, &w}, err
}

// Get returns the caller's own draft by its id. The error is fault.NotFound draft_not_found.
func (s *Service) Get(ctx context.Context, tenantID, id string, owner audit.Actor) (View, error) {
	d, err := s.cfg.Store.Draft(ctx, Place{TenantID: tenantID, ID: id, Owner: owner})
	if err != nil || d.WorkflowID == "" {
		return View{Draft: d}, err
	}
	w, err := s.cfg.Store.Workflow(ctx, tenantID, d.WorkflowID)
	return View{d, &w}, err
}

// List returns a page of the caller's own drafts, without their texts.
func (s *Service) List(ctx context.Context, q Query) (Page, error) {
	return s.cfg.Store.Drafts(ctx, q)
}

// Latest returns of each workflow the draft that was saved last, by whomever, without its text, by
// the workflow's id.
func (s *Service) Latest(ctx context.Context, tenantID string, workflowIDs []string) (map[string]Draft, error) {
	return s.cfg.Store.LatestDrafts(ctx, tenantID, workflowIDs)
}

// ListOf returns a page of everyone's drafts for a workflow, without their texts.
func (s *Service) ListOf(ctx context.Context, ref string, q Query) (Page, error) {
	w, err := s.cfg.Store.Workflow(ctx, q.TenantID, ref)
	if err != nil {
		return Page{}, err
	}
	q.WorkflowID = w.ID
	return s.cfg.Store.Drafts(ctx, q)
}

// SaveRequest stores a text. Of Workflow and ID one is given, or none for a new draft of a
// workflow that is not there yet.
type SaveRequest struct {
	TenantID string
	Workflow string // id or slug
	ID       string // of a draft that is there
	Owner    audit.Actor
	Written  source.Written
	Note     string
	// Base is the version that the text was made from; nil: as it was, and of a new draft the
	// workflow's latest.
	Base    *int
	IfMatch workflows.IfMatch
	// Keep returns the answer that is stored with the draft, nil for none; nil: there is none.
	Keep func(Draft) *idempotency.Answer
}

// Save stores a draft, and returns it with how many bytes it had before. Errors:
// fault.NotFound workflow_not_found, draft_not_found; fault.Precondition precondition_failed;
// fault.Unacceptable secret_in_definition, invalid_draft.
func (s *Service) Save(ctx context.Context, req SaveRequest) (View, int, error) {
	if err := s.check(ctx, req); err != nil {
		return View{}, 0, err
	}
	at := Place{TenantID: req.TenantID, ID: req.ID, Owner: req.Owner}
	var view View
	if req.Workflow != "" {
		w, err := s.cfg.Store.Workflow(ctx, req.TenantID, req.Workflow)
		if err != nil {
			return View{}, 0, err
		}
		at.WorkflowID, view.Workflow = w.ID, &w
		if req.Base != nil && *req.Base > w.LatestVersion {
			return View{}, 0, invalid("base_version is %d; the latest version is %d.", *req.Base, w.LatestVersion)
		}
	}
	now, id := s.cfg.Now().UTC().Truncate(time.Millisecond), s.cfg.NewID("draft_")
	saved, before, err := s.cfg.Store.SaveDraft(ctx, at, func(current *Draft) (Draft, error) {
		next := Draft{ID: id, TenantID: req.TenantID, WorkflowID: at.WorkflowID, CreatedAt: now}
		if view.Workflow != nil {
			next.BaseVersion = view.Workflow.LatestVersion
		}
		if current != nil {
			next = *current
		}
		if err := matches(req.IfMatch, current); err != nil {
			return Draft{}, err
		}
		if req.Base != nil {
			next.BaseVersion = *req.Base
		}
		next.Owner, next.Written, next.Note, next.UpdatedAt = req.Owner, req.Written, req.Note, now
		next.Revision++
		return next, nil
	}, req.Keep)
	view.Draft = saved
	return view, before, err
}

// check refuses what no draft may hold.
func (s *Service) check(ctx context.Context, req SaveRequest) error {
	if utf8.RuneCountInString(req.Note) > maxNote {
		return invalid("note has at most %d characters.", maxNote)
	}
	if reason := req.Written.InvalidReason(); reason != "" {
		return invalid("source.text: %s.", reason)
	}
	if req.Base != nil && (*req.Base < 0 || req.Workflow == "" && *req.Base > 0) {
		return invalid("base_version must be the number of a version of the workflow.")
	}
	if s.cfg.Secrets == nil {
		return nil
	}
	holds, err := workflows.HoldsSecret(ctx, s.cfg.Secrets, req.TenantID, nil, req.Written)
	if err != nil {
		return err
	}
	if holds {
		return fault.New(fault.Unacceptable, "secret_in_definition", "The draft holds the value of a secret; write {{ secrets.NAME }} in its place.")
	}
	return nil
}

// invalid is fault.Unacceptable invalid_draft.
func invalid(format string, args ...any) error {
	return fault.New(fault.Unacceptable, "invalid_draft", format, args...)
}

// matches returns fault.Precondition precondition_failed where If-Match does not accept the
// draft as it is; nil is one that is not there, which has no revision.
func matches(m workflows.IfMatch, current *Draft) error {
	if m == nil || current != nil && m.Allows(current.Revision) {
		return nil
	}
	f := fault.New(fault.Precondition, "precondition_failed", "The draft has changed since you read it; read it again.")
	if current != nil {
		f = f.With("current_etag", fmt.Sprintf(`"r%d"`, current.Revision))
	}
	return f
}

// Delete deletes the caller's own draft: by its id, or for a workflow. Errors: fault.NotFound
// workflow_not_found, draft_not_found; fault.Precondition precondition_failed.
func (s *Service) Delete(ctx context.Context, tenantID, ref, id string, owner audit.Actor, m workflows.IfMatch) error {
	at := Place{TenantID: tenantID, ID: id, Owner: owner}
	if ref != "" {
		w, err := s.cfg.Store.Workflow(ctx, tenantID, ref)
		if err != nil {
			return err
		}
		at.WorkflowID = w.ID
	}
	return s.cfg.Store.DeleteDraft(ctx, at, func(d Draft) error { return matches(m, &d) })
}
