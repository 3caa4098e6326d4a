// Package drafts keeps what authors have not saved as a version yet: one text for each
// workflow and person, and texts of workflows that are not there yet. A draft may be
// unsound, it is overwritten by the next save of its editor, and no run reads it.
//
// A draft belongs to who wrote it, a key or a person, by type and id. Others who may view
// the workflow may read it, and nobody else writes it. Publishing it is a change of the
// workflow (package workflows), which deletes it in the same transaction.
//
// The package knows no SQL and no HTTP.
package drafts

import (
	"context"
	"heddle/audit"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/idempotency"
	"time"
)

// Draft is one text. Revision rises by one with each save, from 1.
type Draft struct {
	ID          string // "draft_" and 24 hexadecimal digits
	TenantID    string
	WorkflowID  string      // "": of a workflow that is not there yet
	Owner       audit.Actor // by Type and ID; the name is of its last save
	BaseVersion int         // the version that it was made from; 0: of none
	Written     source.Written
	Note        string // at most maxNote characters
	Revision    int64
	CreatedAt   time.Time
	UpdatedAt   time.Time // UTC, whole milliseconds
}

// Stored returns how many bytes of content the draft has.
func (d Draft) Stored() int { return len(d.Written.Text) + len(d.Note) }

// Place says which draft is meant: by its ID, or as that of a person for a workflow.
type Place struct {
	TenantID   string
	ID         string // "": by WorkflowID and Owner
	WorkflowID string
	Owner      audit.Actor
}

// Query selects drafts without their texts, last changed first. Either the owner's or the
// workflow's: one of the two is given.
type Query struct {
	TenantID   string
	WorkflowID string // of anyone
	OwnerType  string
	OwnerID    string
	Limit      int
	Cursor     string
}

// Page is one page of drafts; Next is empty on the last.
type Page struct {
	Drafts []Draft
	Next   string
}

// Store is what drafts need of persistence. Every method is one transaction.
type Store interface {
	// Workflow returns one by id or slug; fault.NotFound workflow_not_found.
	Workflow(ctx context.Context, tenantID, ref string) (workflows.Workflow, error)
	// Draft returns one; fault.NotFound draft_not_found.
	Draft(ctx context.Context, at Place) (Draft, error)
	// Drafts returns a page, without texts.
	Drafts(ctx context.Context, q Query) (Page, error)
	// LatestDrafts reads of each workflow the draft that was saved last, without its text, by the
	// workflow's id.
	LatestDrafts(ctx context.Context, tenantID string, workflowIDs []string) (map[string]Draft, error)
	// SaveDraft reads the draft at a place, nil where there is none, and stores what decide
	// makes of it, whose revision is one higher. decide is pure; its error ends the
	// transaction without a write and is returned. before is how many bytes of content were
	// stored of it. What keep, unless nil, returns is stored with the draft; an answer whose key
	// is taken is fault.Conflict idempotency_key_taken, and nothing is stored.
	SaveDraft(ctx context.Context, at Place, decide func(current *Draft) (Draft, error), keep func(Draft) *idempotency.Answer) (saved Draft, before int, err error)
	// DeleteDraft deletes a draft if check allows it; fault.NotFound draft_not_found.
	DeleteDraft(ctx context.Context, at Place, check func(Draft) error) error
}
