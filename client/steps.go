package client

import (
	"context"
	"iter"
	"net/http"
)

// StepService has the steps of runs.
type StepService struct{ c *Client }

// List returns a page of a run's steps, pending ones included.
func (s *StepService) List(ctx context.Context, runID string, q StepQuery, opts ...CallOption) (*Page[ListedStep], error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/runs/{run_id}/steps", runID), query: queryOf(q)}
	return page[ListedStep](ctx, s.c, r, "steps", opts)
}

// All iterates over all that List returns, page by page as they are wanted. It ends with the first
// error.
func (s *StepService) All(ctx context.Context, runID string, q StepQuery, opts ...CallOption) iter.Seq2[ListedStep, error] {
	return every(q.Cursor, func(cursor string) (*Page[ListedStep], error) {
		q.Cursor = cursor
		return s.List(ctx, runID, q, opts...)
	})
}

// Get returns a step of a run with all of its attempts.
func (s *StepService) Get(ctx context.Context, runID, stepID string, q IterationQuery, opts ...CallOption) (*Step, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/runs/{run_id}/steps/{step_id}", runID, stepID), query: queryOf(q)}
	return member[Step](ctx, s.c, r, "step", opts)
}

// Iterations returns a page of the iterations of a loop.
func (s *StepService) Iterations(ctx context.Context, runID, stepID string, q IterationsQuery, opts ...CallOption) (*Page[IterationRun], error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/runs/{run_id}/steps/{step_id}/iterations", runID, stepID), query: queryOf(q)}
	return page[IterationRun](ctx, s.c, r, "iterations", opts)
}

// AllIterations iterates over all that Iterations returns, page by page as they are wanted. It ends with the first
// error.
func (s *StepService) AllIterations(ctx context.Context, runID, stepID string, q IterationsQuery, opts ...CallOption) iter.Seq2[IterationRun, error] {
	return every(q.Cursor, func(cursor string) (*Page[IterationRun], error) {
		q.Cursor = cursor
		return s.Iterations(ctx, runID, stepID, q, opts...)
	})
}
