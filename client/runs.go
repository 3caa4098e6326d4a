package client

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/url"
)

// RunService has runs: starting, reading, following, steering them.
type RunService struct{ c *Client }

// Start starts a run of a workflow, by id or slug, and returns its id.
func (s *RunService) Start(ctx context.Context, id string, in StartRun, opts ...CallOption) (string, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/{id}/run", id), body: in, keyed: true}
	return text(ctx, s.c, r, "run_id", opts)
}

// List returns a page of the runs of all workflows that the key may view, newest first.
func (s *RunService) List(ctx context.Context, q RunQuery, opts ...CallOption) (*Page[ListedRun], error) {
	r := request{method: http.MethodGet, path: "/api/workflows/runs", query: queryOf(q)}
	return page[ListedRun](ctx, s.c, r, "runs", opts)
}

// All iterates over all that List returns, page by page as they are wanted. It ends with the first
// error.
func (s *RunService) All(ctx context.Context, q RunQuery, opts ...CallOption) iter.Seq2[ListedRun, error] {
	return every(q.Cursor, func(cursor string) (*Page[ListedRun], error) {
		q.Cursor = cursor
		return s.List(ctx, q, opts...)
	})
}

// OfWorkflow returns a page of a workflow's runs, newest first.
func (s *RunService) OfWorkflow(ctx context.Context, id string, q WorkflowRunQuery, opts ...CallOption) (*Page[ListedRun], error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/{id}/runs", id), query: queryOf(q)}
	return page[ListedRun](ctx, s.c, r, "runs", opts)
}

// EachOfWorkflow iterates over all that OfWorkflow returns, page by page as they are wanted. It ends with the first
// error.
func (s *RunService) EachOfWorkflow(ctx context.Context, id string, q WorkflowRunQuery, opts ...CallOption) iter.Seq2[ListedRun, error] {
	return every(q.Cursor, func(cursor string) (*Page[ListedRun], error) {
		q.Cursor = cursor
		return s.OfWorkflow(ctx, id, q, opts...)
	})
}

// Get returns a run with its steps.
func (s *RunService) Get(ctx context.Context, runID string, opts ...CallOption) (*Run, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/runs/{run_id}", runID)}
	return member[Run](ctx, s.c, r, "run", opts)
}

// Compare returns two runs side by side.
func (s *RunService) Compare(ctx context.Context, q CompareQuery, opts ...CallOption) (*RunComparison, error) {
	r := request{method: http.MethodGet, path: "/api/workflows/runs/compare", query: queryOf(q)}
	return call[RunComparison](ctx, s.c, r, opts)
}

// View returns a run without its steps; it costs the same however many there are.
func (s *RunService) View(ctx context.Context, runID string, opts ...CallOption) (*RunView, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/runs/{run_id}", runID), query: url.Values{"view": {"summary"}}}
	return member[RunView](ctx, s.c, r, "run", opts)
}

// Result returns how a finished run ended; run_not_finished while it is open.
func (s *RunService) Result(ctx context.Context, runID string, opts ...CallOption) (*Result, error) {
	r := request{method: http.MethodGet, path: pathOf("/v1/runs/{run_id}/result", runID)}
	return call[Result](ctx, s.c, r, opts)
}

// Definition returns the definition that a run is on.
func (s *RunService) Definition(ctx context.Context, runID string, q RanQuery, opts ...CallOption) (*RanDefinition, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/runs/{run_id}/definition", runID), query: queryOf(q)}
	return call[RanDefinition](ctx, s.c, r, opts)
}

// Cancel asks a run to stop; a finished one stays as it is.
func (s *RunService) Cancel(ctx context.Context, runID string, reason string, opts ...CallOption) (*SteeredRun, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/runs/{run_id}/cancel", runID), body: because{reason}}
	return call[SteeredRun](ctx, s.c, r, opts)
}

// Pause lets steps in flight finish and starts nothing more.
func (s *RunService) Pause(ctx context.Context, runID string, reason string, opts ...CallOption) (*SteeredRun, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/runs/{run_id}/pause", runID), body: because{reason}}
	return call[SteeredRun](ctx, s.c, r, opts)
}

// Resume goes on with a paused, failed or cancelled run.
func (s *RunService) Resume(ctx context.Context, runID string, in ResumeRun, opts ...CallOption) (*SteeredRun, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/runs/{run_id}/resume", runID), body: in}
	return call[SteeredRun](ctx, s.c, r, opts)
}

// PreviewResume returns what Resume would keep and what would run again.
func (s *RunService) PreviewResume(ctx context.Context, runID string, in ResumeRun, opts ...CallOption) (*ResumePreview, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/runs/{run_id}/resume", runID), body: in, pure: true}
	return call[ResumePreview](ctx, s.c, r, append(opts, dryRun()))
}

// Redrive runs the failed iterations of a loop again, and what comes after it.
func (s *RunService) Redrive(ctx context.Context, runID string, in RedriveRun, opts ...CallOption) (*SteeredRun, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/runs/{run_id}/redrive", runID), body: in}
	return call[SteeredRun](ctx, s.c, r, opts)
}

// Terminate ends a run at once, without clean-up; a finished one stays as it is.
func (s *RunService) Terminate(ctx context.Context, runID string, reason string, opts ...CallOption) (*SteeredRun, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/runs/{run_id}/terminate", runID), body: because{reason}}
	return call[SteeredRun](ctx, s.c, r, opts)
}

// Restart starts a new run with the same input on the active version, terminates the run if it is open, and returns the new id.
func (s *RunService) Restart(ctx context.Context, runID string, reason string, opts ...CallOption) (string, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/runs/{run_id}/restart", runID), body: because{reason}, keyed: true}
	return text(ctx, s.c, r, "run_id", opts)
}

// Delete deletes a finished run with its history.
func (s *RunService) Delete(ctx context.Context, runID string, opts ...CallOption) error {
	r := request{method: http.MethodDelete, path: pathOf("/api/workflows/runs/{run_id}", runID)}
	return s.c.into(ctx, r, opts, nil)
}

// Signal delivers a signal, once for each RequestID.
func (s *RunService) Signal(ctx context.Context, runID, name string, in Signal, opts ...CallOption) (*Delivered, error) {
	r := request{method: http.MethodPost, path: pathOf("/v1/runs/{run_id}/signals/{name}", runID, name), body: in}
	return call[Delivered](ctx, s.c, r, opts)
}

// Logs returns a page of what a run's steps said.
func (s *RunService) Logs(ctx context.Context, runID string, q LogQuery, opts ...CallOption) (*Page[LogLine], error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/runs/{run_id}/logs", runID), query: queryOf(q)}
	return page[LogLine](ctx, s.c, r, "logs", opts)
}

// AllLogs iterates over all that Logs returns, page by page as they are wanted. It ends with the first
// error.
func (s *RunService) AllLogs(ctx context.Context, runID string, q LogQuery, opts ...CallOption) iter.Seq2[LogLine, error] {
	return every(q.Cursor, func(cursor string) (*Page[LogLine], error) {
		q.Cursor = cursor
		return s.Logs(ctx, runID, q, opts...)
	})
}

// Blob opens a value that is stored apart; the caller closes it.
func (s *RunService) Blob(ctx context.Context, runID, blobID string, opts ...CallOption) (io.ReadCloser, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/runs/{run_id}/blobs/{blob_id}", runID, blobID)}
	return s.c.open(ctx, r, opts)
}

// Stats returns what happened to runs in a span of time, and what is open now.
func (s *RunService) Stats(ctx context.Context, q StatsQuery, opts ...CallOption) (*RunStats, error) {
	r := request{method: http.MethodGet, path: "/api/workflows/runs/stats", query: queryOf(q)}
	return call[RunStats](ctx, s.c, r, opts)
}
