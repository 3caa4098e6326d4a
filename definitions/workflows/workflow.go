package workflows

import (
	"context"
	"encoding/json"
	"heddle/audit"
	"heddle/definitions/source"
	"heddle/idempotency"
	"time"
)

// Status is a workflow's place in its life. Every status may follow every
// other.
type Status string

// The statuses. Draft: runs by hand only. Paused: no new runs. Archived: no
// new runs and no edits.
const (
	Draft    Status = "draft"
	Active   Status = "active"
	Paused   Status = "paused"
	Archived Status = "archived"
)

// Workflow is the changeable object that has versions.
type Workflow struct {
	ID            string // "wf_" and 24 hexadecimal digits
	TenantID      string
	Slug          string // unique in the tenant; the id where none was given
	Name          string // of the active version
	Description   string
	Status        Status
	TriggerType   string   // manual, schedule, webhook, api, event
	Tags          []string // without repetitions; never nil
	ActiveVersion int      // what new runs use, from 1
	LatestVersion int      // at least the active one
	Revision      int64    // raised by every change, from 1; the ETag
	CreatedAt     time.Time
	UpdatedAt     time.Time // UTC, whole milliseconds
}

// Revision is what a change of a workflow writes: the workflow's new row and,
// when the definition changed, the new version. Both are written or neither
// is.
type Revision struct {
	Workflow Workflow
	Version  *NewVersion // nil: none
	Origin   *Origin     // nil: as it was
	// Written replaces the text of the latest version, whose definition it means; none
	// leaves it. It is none where Version is given, which has its own.
	Written source.Written
	// Draft is deleted with the change, nil: none.
	Draft *SavedDraft
}

// SavedDraft is the draft that a change is made of, as it was read.
type SavedDraft struct {
	ID       string
	Revision int64 // another one is a later text, which stays
	Base     int   // the version that it was made from
}

// NewVersion is a version about to be stored. It never changes afterwards,
// but for its label and the text that its definition was written in.
type NewVersion struct {
	Number        int // from 1
	Label         string
	Definition    json.RawMessage // in canonical form
	Hash          string          // of Definition (source.Hash)
	Written       source.Written  // what Definition was read from; it may be replaced, see Revision
	ChangeSummary string
	CreatedBy     string      // the name of the author
	Author        audit.Actor // who made the request; zero: unknown
	CreatedAt     time.Time
}

// Current is what a change is decided on, read in the transaction that writes
// it.
type Current struct {
	Workflow   Workflow
	LatestHash string // of the latest version's definition
	// WrittenHash is that of the text which is kept of the latest version; "": of none.
	WrittenHash string
}

// Order is the order of a list of workflows.
type Order string

// The orders; "" is LastChanged.
const (
	LastChanged Order = "-updated"
	ByName      Order = "name" // without regard to case, and then by slug
)

// Health selects workflows with which something is wrong.
type Health string

// Failing are workflows whose run that ended last failed.
const Failing Health = "failing"

// Query selects workflows of one tenant. Zero values do not filter. Cursor and Offset exclude each other.
type Query struct {
	TenantID    string
	IDs         []string // nil: all; what the principal may view
	Status      Status
	TriggerType string
	Tag         string
	AlsoTags    []string // further tags, each of which the workflow has too
	TemplateID  string   // made of this template
	Health      Health
	Order       Order
	Text        string // free text over name, slug, description
	Limit       int    // most workflows of a page
	Offset      int
	Cursor      string // Next of the page before; "": the first
	WantTotal   bool   // counting costs a query of its own
}

// Page is one page of workflows. Next is empty on the last page; Total is -1
// when it was not asked for, or is not known: by further tags, template, health and in the order by
// name with filters, where a page may also be short although more follow.
type Page struct {
	Workflows []Workflow
	Next      string
	Total     int
}

// Store is what authoring needs of persistence. Every method is one
// transaction. References are ids or slugs; what is not the tenant's is
// fault.NotFound workflow_not_found.
type Store interface {
	// CreateWorkflow stores a workflow and its version 1. A taken slug is
	// fault.Conflict slug_taken. keep may be nil; it is stored with the rest,
	// and where its key exists nothing is stored and fault.Conflict
	// idempotency_key_taken is returned.
	CreateWorkflow(ctx context.Context, rev Revision, keep *idempotency.Answer) error
	// Workflow returns one by id or slug.
	Workflow(ctx context.Context, tenantID, ref string) (Workflow, error)
	// Workflows returns a page.
	Workflows(ctx context.Context, q Query) (Page, error)
	// Change reads the workflow, calls decide with it, writes the revision
	// and returns the new workflow. decide is pure and may be called again
	// after a conflict; its error ends the transaction without a write and is
	// returned.
	Change(ctx context.Context, tenantID, ref string, decide func(Current) (Revision, error)) (Workflow, error)
	// DeleteWorkflow hides a workflow and frees its slug; versions and
	// finished runs stay readable. check sees the current row and whether runs
	// are open, and may refuse.
	DeleteWorkflow(ctx context.Context, tenantID, ref string, check func(w Workflow, openRuns bool) error) error
}
