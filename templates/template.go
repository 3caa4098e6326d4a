// Package templates keeps patterns that become workflows. A template is a
// definition with placeholders for parameters; installing it substitutes their
// values and creates a workflow that records its origin, so that a newer version of
// the template can be merged into what people have edited since (Merge, a three-way
// merge by step ids).
//
// It promises that a merge without edits yields the template's newest result, that
// edits are never lost silently (Conflict), and that what cannot be a valid
// definition is never stored. Built-in templates are part of the program, not of
// the database. Storing the workflow is left to workflows.Service: the package
// knows no SQL and no HTTP.
//
// # From template to workflow, and back to the template
//
//	template, version 1 ── Instantiate ─► definition ── people edit ─► edited
//	template, version 2 ── Instantiate ─► next
//	Merge(definition, edited, next) ─► the workflow's next version
//
// The origin that an installation records holds the parameters, and the definition
// as it was installed. So a merge has its common ancestor even where the template's
// old version is gone, and instantiates the new version with the same parameters.
// After a merge, next takes the place of the definition in the origin.
package templates

import (
	"context"
	"encoding/json"
	"heddle/definitions/workflows"
	"heddle/idempotency"
	"time"
)

// Template is one version of a pattern.
type Template struct {
	ID          string
	TenantID    string // empty for built-in ones
	Name        string
	Description string
	Category    string // for filters; any word
	Builtin     bool   // part of the program: cannot be changed or deleted
	Version     int    // counts from 1; raised with each change
	// Parameters is a JSON Schema (2020-12) of type object whose properties are the
	// parameters.
	Parameters json.RawMessage
	// Definition is the definition with its placeholders, in canonical form; nil in
	// lists.
	Definition        json.RawMessage
	SuggestedSchedule string    // a cron expression, "" for none
	CreatedBy         string    // of this version
	CreatedAt         time.Time // of version 1; zero for built-in ones
	UpdatedAt         time.Time // of this version; zero for built-in ones
}

// Query selects templates that a tenant may install: the built-in ones first,
// then its own, last changed first.
type Query struct {
	TenantID  string
	Category  string // empty: any
	Builtin   *bool  // nil: both kinds
	Limit     int    // how many templates at most, from 1
	Offset    int    // templates to skip; not with Cursor
	Cursor    string // the Next of the page before
	WantTotal bool   // Page.Total is counted
}

// Page is one page of templates without their definitions. Next is empty on the last
// page; Total is -1 unless Query.WantTotal is set.
type Page struct {
	Templates []Template
	Next      string
	Total     int
}

// Link is the template that a workflow was installed from.
type Link struct {
	TemplateID      string
	Version         int             // of the template, at the installation or the last merge
	Parameters      json.RawMessage // those that were given, without defaults
	Newest          int             // the template's newest version; 0: it was deleted
	UpdateAvailable int             // Newest where that is later than Version, else 0
}

// Store is what a Service needs from persistence. It keeps the tenants' own
// templates only. Every method is one transaction; what belongs to another tenant
// is fault.NotFound.
type Store interface {
	// Templates lists a page, last changed first, by TenantID, Category, Limit,
	// Offset, Cursor and WantTotal.
	Templates(ctx context.Context, q Query) (Page, error)
	// Template reads the newest version; an unknown one is template_not_found.
	Template(ctx context.Context, tenantID, id string) (Template, error)
	// TemplateVersions lists versions without their definitions, newest first;
	// template_not_found.
	TemplateVersions(ctx context.Context, tenantID, id, cursor string, limit int) (list []Template, next string, err error)
	// TemplateVersion reads one version; template_not_found, version_not_found.
	TemplateVersion(ctx context.Context, tenantID, id string, number int) (Template, error)
	// Installed lists the workflows that were made of a template, built-in ones too, by id.
	Installed(ctx context.Context, tenantID, templateID, cursor string, limit int) (list []Installed, next string, err error)
	// CreateTemplate stores a template's version 1 and, unless nil, the answer for
	// a repeated request; where its key exists nothing is stored and the error is
	// fault.Conflict idempotency_key_taken.
	CreateTemplate(ctx context.Context, t Template, keep *idempotency.Answer) error
	// ChangeTemplate reads the newest version, calls decide with it and stores the
	// next one, which decide returns. decide is pure and may be called again after
	// a conflict; a result with the same version number is not stored.
	ChangeTemplate(ctx context.Context, tenantID, id string, decide func(Template) (Template, error)) (Template, error)
	// DeleteTemplate removes a template with its versions; workflows made of it
	// stay. check sees the newest version and may refuse.
	DeleteTemplate(ctx context.Context, tenantID, id string, check func(Template) error) error
	// Links returns the templates that workflows were installed from, by workflow
	// id; workflows without one are left out. Newest is set for the tenant's own
	// templates.
	Links(ctx context.Context, tenantID string, workflowIDs []string) (map[string]Link, error)
	// Origin returns the template that one workflow was installed from, with the
	// definition as it was installed; nil for none.
	Origin(ctx context.Context, tenantID, workflowID string) (*workflows.Origin, error)
	// VersionDefinition reads a workflow's definition. workflow is an id or
	// slug: workflow_not_found; version a number ("3", "v3"), a label, or "" for
	// the active one: version_not_found.
	VersionDefinition(ctx context.Context, tenantID, workflow, version string) (json.RawMessage, error)
}
