package client

import (
	"context"
	"iter"
	"net/http"
)

// DraftService has texts that are not a version yet, one for each workflow and person.
type DraftService struct{ c *Client }

// List returns a page of the caller's own drafts, last changed first.
func (s *DraftService) List(ctx context.Context, q CursorQuery, opts ...CallOption) (*Page[DraftHead], error) {
	r := request{method: http.MethodGet, path: "/api/workflows/drafts", query: queryOf(q)}
	return page[DraftHead](ctx, s.c, r, "drafts", opts)
}

// All iterates over all that List returns, page by page as they are wanted. It ends with the first
// error.
func (s *DraftService) All(ctx context.Context, q CursorQuery, opts ...CallOption) iter.Seq2[DraftHead, error] {
	return every(q.Cursor, func(cursor string) (*Page[DraftHead], error) {
		q.Cursor = cursor
		return s.List(ctx, q, opts...)
	})
}

// Create keeps a text of a workflow that is not there yet.
func (s *DraftService) Create(ctx context.Context, in SaveDraft, opts ...CallOption) (*Draft, error) {
	r := request{method: http.MethodPost, path: "/api/workflows/drafts", body: in, keyed: true}
	return call[Draft](ctx, s.c, r, opts)
}

// Get returns one of the caller's drafts of a workflow that is not there yet.
func (s *DraftService) Get(ctx context.Context, draftID string, opts ...CallOption) (*Draft, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/drafts/{draft_id}", draftID)}
	return call[Draft](ctx, s.c, r, opts)
}

// Update changes a draft of a workflow that is not there yet.
func (s *DraftService) Update(ctx context.Context, draftID string, in SaveDraft, opts ...CallOption) (*Draft, error) {
	r := request{method: http.MethodPut, path: pathOf("/api/workflows/drafts/{draft_id}", draftID), body: in}
	return call[Draft](ctx, s.c, r, opts)
}

// Delete deletes a draft of a workflow that is not there yet.
func (s *DraftService) Delete(ctx context.Context, draftID string, opts ...CallOption) error {
	r := request{method: http.MethodDelete, path: pathOf("/api/workflows/drafts/{draft_id}", draftID)}
	return s.c.into(ctx, r, opts, nil)
}

// OfWorkflow returns the caller's draft of a workflow.
func (s *DraftService) OfWorkflow(ctx context.Context, id string, opts ...CallOption) (*Draft, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/{id}/draft", id)}
	return call[Draft](ctx, s.c, r, opts)
}

// AllOfWorkflow returns a page of everyone's drafts of a workflow.
func (s *DraftService) AllOfWorkflow(ctx context.Context, id string, q DraftsQuery, opts ...CallOption) (*Page[DraftHead], error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/{id}/draft", id), query: queryOf(q)}
	return page[DraftHead](ctx, s.c, r, "drafts", opts)
}

// EachOfWorkflow iterates over all that AllOfWorkflow returns, page by page as they are wanted. It ends with the first
// error.
func (s *DraftService) EachOfWorkflow(ctx context.Context, id string, q DraftsQuery, opts ...CallOption) iter.Seq2[DraftHead, error] {
	return every(q.Cursor, func(cursor string) (*Page[DraftHead], error) {
		q.Cursor = cursor
		return s.AllOfWorkflow(ctx, id, q, opts...)
	})
}

// Save keeps a text as the caller's draft of a workflow, sound or not.
func (s *DraftService) Save(ctx context.Context, id string, in SaveDraft, opts ...CallOption) (*Draft, error) {
	r := request{method: http.MethodPut, path: pathOf("/api/workflows/{id}/draft", id), body: in}
	return call[Draft](ctx, s.c, r, opts)
}

// Discard deletes the caller's draft of a workflow.
func (s *DraftService) Discard(ctx context.Context, id string, opts ...CallOption) error {
	r := request{method: http.MethodDelete, path: pathOf("/api/workflows/{id}/draft", id)}
	return s.c.into(ctx, r, opts, nil)
}
