package client

import (
	"context"
	"iter"
	"net/http"
)

// V1Service speaks the runs dialect.
type V1Service struct{ c *Client }

// Start starts a run.
func (s *V1Service) Start(ctx context.Context, in V1Start, opts ...CallOption) (*V1Started, error) {
	r := request{method: http.MethodPost, path: "/v1/runs", body: in, keyed: true}
	return call[V1Started](ctx, s.c, r, opts)
}

// List returns a page of runs of every workflow, newest first.
func (s *V1Service) List(ctx context.Context, q V1Query, opts ...CallOption) (*Page[V1Summary], error) {
	r := request{method: http.MethodGet, path: "/v1/runs", query: queryOf(q)}
	return page[V1Summary](ctx, s.c, r, "runs", opts)
}

// All iterates over all that List returns, page by page as they are wanted. It ends with the first
// error.
func (s *V1Service) All(ctx context.Context, q V1Query, opts ...CallOption) iter.Seq2[V1Summary, error] {
	return every(q.Cursor, func(cursor string) (*Page[V1Summary], error) {
		q.Cursor = cursor
		return s.List(ctx, q, opts...)
	})
}

// Get returns a run with a summary of its nodes.
func (s *V1Service) Get(ctx context.Context, runID string, opts ...CallOption) (*V1Run, error) {
	r := request{method: http.MethodGet, path: pathOf("/v1/runs/{run_id}", runID)}
	return call[V1Run](ctx, s.c, r, opts)
}

// History returns a page of a run's nodes with every attempt.
func (s *V1Service) History(ctx context.Context, runID string, q CursorQuery, opts ...CallOption) (*Page[V1HistoryNode], error) {
	r := request{method: http.MethodGet, path: pathOf("/v1/runs/{run_id}/history", runID), query: queryOf(q)}
	return page[V1HistoryNode](ctx, s.c, r, "nodes", opts)
}

// AllHistory iterates over all that History returns, page by page as they are wanted. It ends with the first
// error.
func (s *V1Service) AllHistory(ctx context.Context, runID string, q CursorQuery, opts ...CallOption) iter.Seq2[V1HistoryNode, error] {
	return every(q.Cursor, func(cursor string) (*Page[V1HistoryNode], error) {
		q.Cursor = cursor
		return s.History(ctx, runID, q, opts...)
	})
}

// Cancel asks a run to stop and to compensate.
func (s *V1Service) Cancel(ctx context.Context, runID string, reason string, opts ...CallOption) (*V1Steered, error) {
	r := request{method: http.MethodPost, path: pathOf("/v1/runs/{run_id}/cancel", runID), body: because{reason}}
	return call[V1Steered](ctx, s.c, r, opts)
}

// Terminate ends a run at once, without clean-up.
func (s *V1Service) Terminate(ctx context.Context, runID string, reason string, opts ...CallOption) (*V1Steered, error) {
	r := request{method: http.MethodPost, path: pathOf("/v1/runs/{run_id}/terminate", runID), body: because{reason}}
	return call[V1Steered](ctx, s.c, r, opts)
}
