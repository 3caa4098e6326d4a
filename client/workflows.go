package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
)

// WorkflowService has workflows: what they are, and how they go.
type WorkflowService struct{ c *Client }

// List returns a page of workflows and how they go.
func (s *WorkflowService) List(ctx context.Context, q WorkflowQuery, opts ...CallOption) (*Page[ListedWorkflow], error) {
	r := request{method: http.MethodGet, path: "/api/workflows", query: queryOf(q)}
	return page[ListedWorkflow](ctx, s.c, r, "workflows", opts)
}

// All iterates over all that List returns, page by page as they are wanted. It ends with the first
// error.
func (s *WorkflowService) All(ctx context.Context, q WorkflowQuery, opts ...CallOption) iter.Seq2[ListedWorkflow, error] {
	return every(q.Cursor, func(cursor string) (*Page[ListedWorkflow], error) {
		q.Cursor = cursor
		return s.List(ctx, q, opts...)
	})
}

// Create makes a workflow; its definition becomes version 1.
func (s *WorkflowService) Create(ctx context.Context, in CreateWorkflow, opts ...CallOption) (*Workflow, error) {
	r := request{method: http.MethodPost, path: "/api/workflows", body: in, keyed: true}
	return member[Workflow](ctx, s.c, r, "workflow", opts)
}

// Get returns a workflow, by id or slug, with its active definition.
func (s *WorkflowService) Get(ctx context.Context, id string, opts ...CallOption) (*Workflow, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/{id}", id)}
	return member[Workflow](ctx, s.c, r, "workflow", opts)
}

// GetVersion is Get with the definition of another version: a number or a label.
func (s *WorkflowService) GetVersion(ctx context.Context, id, version string, opts ...CallOption) (*Workflow, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/{id}", id), query: url.Values{"version": {version}}}
	return member[Workflow](ctx, s.c, r, "workflow", opts)
}

// Update changes a workflow; a changed definition is a new version.
func (s *WorkflowService) Update(ctx context.Context, id string, in UpdateWorkflow, opts ...CallOption) (*Workflow, error) {
	r := request{method: http.MethodPut, path: pathOf("/api/workflows/{id}", id), body: in}
	return member[Workflow](ctx, s.c, r, "workflow", opts)
}

// PreviewUpdate returns what Update would mean, and changes nothing.
func (s *WorkflowService) PreviewUpdate(ctx context.Context, id string, in UpdateWorkflow, opts ...CallOption) (*Preview, error) {
	r := request{method: http.MethodPut, path: pathOf("/api/workflows/{id}", id), body: in, pure: true}
	return call[Preview](ctx, s.c, r, append(opts, dryRun()))
}

// SetStatus sets a workflow's status.
func (s *WorkflowService) SetStatus(ctx context.Context, id string, in SetStatus, opts ...CallOption) (*Workflow, error) {
	r := request{method: http.MethodPatch, path: pathOf("/api/workflows/{id}/status", id), body: in}
	return member[Workflow](ctx, s.c, r, "workflow", opts)
}

// Delete deletes a workflow; its finished runs stay readable.
func (s *WorkflowService) Delete(ctx context.Context, id string, q DeleteQuery, opts ...CallOption) error {
	r := request{method: http.MethodDelete, path: pathOf("/api/workflows/{id}", id), query: queryOf(q)}
	return s.c.into(ctx, r, opts, nil)
}

// Validate checks a definition without storing it.
func (s *WorkflowService) Validate(ctx context.Context, in DefinitionPart, opts ...CallOption) (*Validity, error) {
	r := request{method: http.MethodPost, path: "/api/workflows/validate", body: in, pure: true}
	return call[Validity](ctx, s.c, r, opts)
}

// Usage returns the runs, tokens and costs of a workflow in a span of time.
func (s *WorkflowService) Usage(ctx context.Context, id string, q Span, opts ...CallOption) (*Usage, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/{id}/usage", id), query: queryOf(q)}
	return call[Usage](ctx, s.c, r, opts)
}

// DryRun performs a run of a workflow in which nothing outside is called.
func (s *WorkflowService) DryRun(ctx context.Context, id string, in DryRun, opts ...CallOption) (*DryRunResult, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/{id}/dry-run", id), body: in, pure: true}
	return call[DryRunResult](ctx, s.c, r, opts)
}

// DryRunDefinition performs a run of a definition that is not stored, in which nothing outside is called.
func (s *WorkflowService) DryRunDefinition(ctx context.Context, in DryRun, opts ...CallOption) (*DryRunResult, error) {
	r := request{method: http.MethodPost, path: "/api/workflows/dry-run", body: in, pure: true}
	return call[DryRunResult](ctx, s.c, r, opts)
}

// TestStep performs one step by itself, really; nothing is stored.
func (s *WorkflowService) TestStep(ctx context.Context, id, stepID string, in TestStep, opts ...CallOption) (*StepTest, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/{id}/steps/{step_id}/test", id, stepID), body: in}
	return call[StepTest](ctx, s.c, r, opts)
}

// UpdateFromTemplate merges the newest version of its template into a workflow, as an unpublished version.
func (s *WorkflowService) UpdateFromTemplate(ctx context.Context, id string, in MergeTemplate, opts ...CallOption) (*TemplateMerge, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/{id}/template-update", id), body: in}
	return call[TemplateMerge](ctx, s.c, r, opts)
}
