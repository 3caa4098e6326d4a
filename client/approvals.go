package client

import (
	"context"
	"iter"
	"net/http"
)

// ApprovalService has the open waits for signals that people answer.
type ApprovalService struct{ c *Client }

// List returns a page of approvals, oldest first.
func (s *ApprovalService) List(ctx context.Context, q ApprovalQuery, opts ...CallOption) (*Page[Approval], error) {
	r := request{method: http.MethodGet, path: "/api/workflows/approvals", query: queryOf(q)}
	return page[Approval](ctx, s.c, r, "approvals", opts)
}

// All iterates over all that List returns, page by page as they are wanted. It ends with the first
// error.
func (s *ApprovalService) All(ctx context.Context, q ApprovalQuery, opts ...CallOption) iter.Seq2[Approval, error] {
	return every(q.Cursor, func(cursor string) (*Page[Approval], error) {
		q.Cursor = cursor
		return s.List(ctx, q, opts...)
	})
}

// Count counts the open approvals, and those that the caller is asked.
func (s *ApprovalService) Count(ctx context.Context, opts ...CallOption) (*ApprovalCount, error) {
	r := request{method: http.MethodGet, path: "/api/workflows/approvals/count"}
	return call[ApprovalCount](ctx, s.c, r, opts)
}

// Get returns an approval.
func (s *ApprovalService) Get(ctx context.Context, approvalID string, opts ...CallOption) (*Approval, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/approvals/{approval_id}", approvalID)}
	return member[Approval](ctx, s.c, r, "approval", opts)
}

// Answer answers an approval, once.
func (s *ApprovalService) Answer(ctx context.Context, approvalID string, in AnswerApproval, opts ...CallOption) (*Approval, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/approvals/{approval_id}/answer", approvalID), body: in, keyed: true}
	return member[Approval](ctx, s.c, r, "approval", opts)
}
