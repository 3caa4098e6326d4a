// Package templates holds patterns that become workflows. A template is a
// definition with places for parameters; installing it puts values there and
// creates a workflow that remembers where it came from, so that a newer
// version of the template can be merged into what people made of it since.
// Built-in templates are part of the program, not of the database.
package templates

import (
	"context"
	"encoding/json"
	"heddle/definitions"
	"heddle/idempotency"
	"time"
)

// Template is one version of a pattern. TenantID is empty for built-in ones,
// whose times are zero. Parameters is a JSON Schema of type object; each of
// its properties is a parameter.
type Template struct {
	ID                string
	TenantID          string
	Name              string
	Description       string
	Category          string
	Builtin           bool
	Version           int
	Parameters        json.RawMessage
	Definition        json.RawMessage // canonical; nil in lists
	SuggestedSchedule string          // a cron expression, "" for none
	CreatedBy         string          // of this version
	CreatedAt         time.Time       // of version 1
	UpdatedAt         time.Time       // of this version
}

// Query selects templates that a tenant may install: the built-in ones first,
// then its own, last changed first. Zero values do not filter. Cursor and
// Offset exclude each other.
type Query struct {
	TenantID  string
	Category  string
	Builtin   *bool
	Limit     int
	Offset    int
	Cursor    string
	WantTotal bool
}

// Page is one page of templates without their definitions. Next is empty on
// the last page; Total is -1 when it was not asked for.
type Page struct {
	Templates []Template
	Next      string
	Total     int
}

// Link says which template a workflow came from. Parameters are those that
// were given, without defaults. Newest is the template's newest version, 0
// when it is gone; UpdateAvailable is Newest where that is later than Version.
type Link struct {
	TemplateID      string
	Version         int
	Parameters      json.RawMessage
	Newest          int
	UpdateAvailable int
}

// Store is what templates ask of persistence. It knows the tenants' own
// templates only. Every method is one transaction; what is not the tenant's is
// fault.NotFound.
type Store interface {
	// Templates lists a page, last changed first, by TenantID, Category, Limit,
	// Offset, Cursor and WantTotal.
	Templates(ctx context.Context, q Query) (Page, error)
	// Template reads the newest version: template_not_found.
	Template(ctx context.Context, tenantID, id string) (Template, error)
	// CreateTemplate stores a template's version 1, and keep with it, if any:
	// where its key exists nothing is stored and fault.Conflict
	// idempotency_key_taken is returned.
	CreateTemplate(ctx context.Context, t Template, keep *idempotency.Answer) error
	// ChangeTemplate reads the newest version, lets decide make the next one of
	// it and stores that. decide is pure and may be called again; a result with
	// the same version number is not stored.
	ChangeTemplate(ctx context.Context, tenantID, id string, decide func(Template) (Template, error)) (Template, error)
	// DeleteTemplate removes a template with its versions; workflows made of it
	// stay. check sees the newest version and may refuse.
	DeleteTemplate(ctx context.Context, tenantID, id string, check func(Template) error) error
	// Links finds where workflows came from, by their ids; those that came from
	// no template are left out. Newest is filled for the tenant's own.
	Links(ctx context.Context, tenantID string, workflowIDs []string) (map[string]Link, error)
	// Origin reads where one workflow came from, with the definition as it was
	// installed; nil for none.
	Origin(ctx context.Context, tenantID, workflowID string) (*definitions.Origin, error)
	// VersionDefinition reads a workflow's definition. workflow is an id or
	// slug: workflow_not_found; version a number ("3", "v3"), a label, or "" for
	// the active one: version_not_found.
	VersionDefinition(ctx context.Context, tenantID, workflow, version string) (json.RawMessage, error)
}
