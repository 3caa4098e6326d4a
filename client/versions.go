package client

import (
	"context"
	"iter"
	"net/http"
)

// VersionService has the history of workflows.
type VersionService struct{ c *Client }

// List returns a page of a workflow's versions, newest first.
func (s *VersionService) List(ctx context.Context, id string, q PageQuery, opts ...CallOption) (*Page[VersionSummary], error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/{id}/versions", id), query: queryOf(q)}
	return page[VersionSummary](ctx, s.c, r, "versions", opts)
}

// All iterates over all that List returns, page by page as they are wanted. It ends with the first
// error.
func (s *VersionService) All(ctx context.Context, id string, q PageQuery, opts ...CallOption) iter.Seq2[VersionSummary, error] {
	return every(q.Cursor, func(cursor string) (*Page[VersionSummary], error) {
		q.Cursor = cursor
		return s.List(ctx, id, q, opts...)
	})
}

// Get returns a version, by number or label, with its definition.
func (s *VersionService) Get(ctx context.Context, id, version string, opts ...CallOption) (*Version, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/{id}/versions/{version}", id, version)}
	return call[Version](ctx, s.c, r, opts)
}

// Label sets or clears a version's label.
func (s *VersionService) Label(ctx context.Context, id, version string, in LabelVersion, opts ...CallOption) (*VersionSummary, error) {
	r := request{method: http.MethodPatch, path: pathOf("/api/workflows/{id}/versions/{version}", id, version), body: in}
	return call[VersionSummary](ctx, s.c, r, opts)
}

// Publish makes a version the active one; open runs keep theirs.
func (s *VersionService) Publish(ctx context.Context, id, version string, reason string, opts ...CallOption) (*Workflow, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/{id}/versions/{version}/publish", id, version), body: because{reason}}
	return member[Workflow](ctx, s.c, r, "workflow", opts)
}

// PreviewPublish returns what Publish would mean, and changes nothing.
func (s *VersionService) PreviewPublish(ctx context.Context, id, version string, reason string, opts ...CallOption) (*Preview, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/{id}/versions/{version}/publish", id, version), body: because{reason}, pure: true}
	return call[Preview](ctx, s.c, r, append(opts, dryRun()))
}

// Rollback publishes a new version with the definition of an earlier one.
func (s *VersionService) Rollback(ctx context.Context, id string, in RollbackWorkflow, opts ...CallOption) (*Workflow, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/{id}/rollback", id), body: in}
	return member[Workflow](ctx, s.c, r, "workflow", opts)
}

// PreviewRollback returns what Rollback would mean, and changes nothing.
func (s *VersionService) PreviewRollback(ctx context.Context, id string, in RollbackWorkflow, opts ...CallOption) (*Preview, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/{id}/rollback", id), body: in, pure: true}
	return call[Preview](ctx, s.c, r, append(opts, dryRun()))
}

// Diff compares two versions of a workflow.
func (s *VersionService) Diff(ctx context.Context, id string, q DiffQuery, opts ...CallOption) (*VersionDiff, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/{id}/diff", id), query: queryOf(q)}
	return call[VersionDiff](ctx, s.c, r, opts)
}

// DiffWith compares a version, the active one unless it is named, with a definition that is not stored.
func (s *VersionService) DiffWith(ctx context.Context, id string, in DiffDraft, opts ...CallOption) (*VersionDiff, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/{id}/diff", id), body: in, pure: true}
	return call[VersionDiff](ctx, s.c, r, opts)
}

// DiffDefinitions compares two definitions that are not stored.
func (s *VersionService) DiffDefinitions(ctx context.Context, in DiffDefinitions, opts ...CallOption) (*Differences, error) {
	r := request{method: http.MethodPost, path: "/api/workflows/diff", body: in, pure: true}
	return call[Differences](ctx, s.c, r, opts)
}
