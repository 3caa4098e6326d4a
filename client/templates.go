package client

import (
	"context"
	"iter"
	"net/http"
)

// TemplateService has patterns that become workflows.
type TemplateService struct{ c *Client }

// List returns a page of templates: the built-in ones, then the tenant's own.
func (s *TemplateService) List(ctx context.Context, q TemplateQuery, opts ...CallOption) (*Page[TemplateSummary], error) {
	r := request{method: http.MethodGet, path: "/api/workflows/templates", query: queryOf(q)}
	return page[TemplateSummary](ctx, s.c, r, "templates", opts)
}

// All iterates over all that List returns, page by page as they are wanted. It ends with the first
// error.
func (s *TemplateService) All(ctx context.Context, q TemplateQuery, opts ...CallOption) iter.Seq2[TemplateSummary, error] {
	return every(q.Cursor, func(cursor string) (*Page[TemplateSummary], error) {
		q.Cursor = cursor
		return s.List(ctx, q, opts...)
	})
}

// Create saves a template of a workflow's version, or of a definition.
func (s *TemplateService) Create(ctx context.Context, in CreateTemplate, opts ...CallOption) (*Template, error) {
	r := request{method: http.MethodPost, path: "/api/workflows/templates", body: in, keyed: true}
	return member[Template](ctx, s.c, r, "template", opts)
}

// Get returns the newest version of a template, with its definition.
func (s *TemplateService) Get(ctx context.Context, id string, opts ...CallOption) (*Template, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/templates/{id}", id)}
	return member[Template](ctx, s.c, r, "template", opts)
}

// Update makes the next version of a template of the tenant's own.
func (s *TemplateService) Update(ctx context.Context, id string, in UpdateTemplate, opts ...CallOption) (*Template, error) {
	r := request{method: http.MethodPut, path: pathOf("/api/workflows/templates/{id}", id), body: in}
	return member[Template](ctx, s.c, r, "template", opts)
}

// Delete deletes a template of the tenant's own; workflows made of it stay.
func (s *TemplateService) Delete(ctx context.Context, id string, opts ...CallOption) error {
	r := request{method: http.MethodDelete, path: pathOf("/api/workflows/templates/{id}", id)}
	return s.c.into(ctx, r, opts, nil)
}

// Install makes a workflow of a template and returns its id.
func (s *TemplateService) Install(ctx context.Context, id string, in InstallTemplate, opts ...CallOption) (string, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/templates/{id}/install", id), body: in, keyed: true}
	return text(ctx, s.c, r, "workflow_id", opts)
}

// PreviewInstall returns the workflow that Install would make.
func (s *TemplateService) PreviewInstall(ctx context.Context, id string, in InstallTemplate, opts ...CallOption) (*InstallPreview, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/templates/{id}/install", id), body: in, pure: true}
	return call[InstallPreview](ctx, s.c, r, append(opts, dryRun()))
}

// Versions returns a page of a template's versions.
func (s *TemplateService) Versions(ctx context.Context, id string, q CursorQuery, opts ...CallOption) (*Page[TemplateVersion], error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/templates/{id}/versions", id), query: queryOf(q)}
	return page[TemplateVersion](ctx, s.c, r, "versions", opts)
}

// AllVersions iterates over all that Versions returns, page by page as they are wanted. It ends with the first
// error.
func (s *TemplateService) AllVersions(ctx context.Context, id string, q CursorQuery, opts ...CallOption) iter.Seq2[TemplateVersion, error] {
	return every(q.Cursor, func(cursor string) (*Page[TemplateVersion], error) {
		q.Cursor = cursor
		return s.Versions(ctx, id, q, opts...)
	})
}

// Diff compares two versions of a template.
func (s *TemplateService) Diff(ctx context.Context, id string, q DiffQuery, opts ...CallOption) (*TemplateDiff, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/templates/{id}/diff", id), query: queryOf(q)}
	return call[TemplateDiff](ctx, s.c, r, opts)
}

// Workflows returns a page of the workflows that are made of a template.
func (s *TemplateService) Workflows(ctx context.Context, id string, q CursorQuery, opts ...CallOption) (*Page[TemplateWorkflow], error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/templates/{id}/workflows", id), query: queryOf(q)}
	return page[TemplateWorkflow](ctx, s.c, r, "installed", opts)
}

// AllWorkflows iterates over all that Workflows returns, page by page as they are wanted. It ends with the first
// error.
func (s *TemplateService) AllWorkflows(ctx context.Context, id string, q CursorQuery, opts ...CallOption) iter.Seq2[TemplateWorkflow, error] {
	return every(q.Cursor, func(cursor string) (*Page[TemplateWorkflow], error) {
		q.Cursor = cursor
		return s.Workflows(ctx, id, q, opts...)
	})
}
