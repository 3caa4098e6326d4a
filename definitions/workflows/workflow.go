package workflows

import (
	"context"
	"encoding/json"
	"heddle/audit"
	"heddle/idempotency"
	"time"
)

// Status is a workflow's place in its life.
type Status string

// The statuses. Draft: runs by hand only. Paused: no new runs. Archived: no
// new runs and no edits.
const (
	Draft    Status = "draft"
	Active   Status = "active"
	Paused   Status = "paused"
	Archived Status = "archived"
)

// Workflow is the changeable thing that has versions. Slug is the id where
// none was given. Revision is raised by every change and is the ETag.
type Workflow struct {
	ID            string
	TenantID      string
	Slug          string
	Name          string // of the active version
	Description   string
	Status        Status
	TriggerType   string // manual, schedule, webhook, api, event
	Tags          []string
	ActiveVersion int
	LatestVersion int
	Revision      int64
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Revision is what a change of a workflow writes: the workflow's new row and,
// when the definition changed, the new version. Both or neither.
type Revision struct {
	Workflow Workflow
	Version  *NewVersion
	Origin   *Origin // nil: as it was
}

// NewVersion is a version about to be stored.
type NewVersion struct {
	Number        int
	Label         string
	Definition    json.RawMessage
	Hash          string
	ChangeSummary string
	CreatedBy     string // the name of who made it
	Author        audit.Actor
	CreatedAt     time.Time
}

// Current is what a change is decided on.
type Current struct {
	Workflow   Workflow
	LatestHash string
}

// Query selects workflows of one tenant, last changed first. Zero values do
// not filter. Cursor and Offset exclude each other.
type Query struct {
	TenantID    string
	IDs         []string // nil: all; what the principal may view
	Status      Status
	TriggerType string
	Tag         string
	Text        string // free text over name, slug, description
	Limit       int
	Offset      int
	Cursor      string
	WantTotal   bool
}

// Page is one page of workflows. Next is empty on the last page; Total is -1
// when it was not asked for.
type Page struct {
	Workflows []Workflow
	Next      string
	Total     int
}

// Store is what authoring asks of persistence. Every method is one
// transaction. References are ids or slugs; what is not the tenant's is
// fault.NotFound workflow_not_found.
type Store interface {
	// CreateWorkflow stores a workflow and its version 1. A taken slug is
	// fault.Conflict slug_taken. keep may be nil; it is stored with the rest,
	// and where its key exists nothing is stored and fault.Conflict
	// idempotency_key_taken is returned.
	CreateWorkflow(ctx context.Context, rev Revision, keep *idempotency.Answer) error
	// Workflow finds one by id or slug.
	Workflow(ctx context.Context, tenantID, ref string) (Workflow, error)
	// Workflows lists a page.
	Workflows(ctx context.Context, q Query) (Page, error)
	// Change reads the workflow, lets decide say what becomes of it and writes
	// that. decide is pure and may be called again after a conflict.
	Change(ctx context.Context, tenantID, ref string, decide func(Current) (Revision, error)) (Workflow, error)
	// DeleteWorkflow hides a workflow and frees its slug; versions and
	// finished runs stay readable. check sees the current row and whether runs
	// are open, and may refuse.
	DeleteWorkflow(ctx context.Context, tenantID, ref string, check func(w Workflow, openRuns bool) error) error
}
