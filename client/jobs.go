package client

import (
	"context"
	"iter"
	"net/http"
)

// JobService changes many objects at once.
type JobService struct{ c *Client }

// ChangeRuns cancels, resumes, restarts, redrives, pauses, terminates or deletes many runs.
func (s *JobService) ChangeRuns(ctx context.Context, in ChangeRuns, opts ...CallOption) (*AcceptedJob, error) {
	r := request{method: http.MethodPost, path: "/api/workflows/runs/bulk", body: in, keyed: true}
	return call[AcceptedJob](ctx, s.c, r, opts)
}

// ChangeSchedules pauses or resumes many schedules.
func (s *JobService) ChangeSchedules(ctx context.Context, in ChangeSchedules, opts ...CallOption) (*AcceptedJob, error) {
	r := request{method: http.MethodPost, path: "/api/workflows/schedules/bulk", body: in, keyed: true}
	return call[AcceptedJob](ctx, s.c, r, opts)
}

// ChangeWorkflows sets the status, or changes the tags, of many workflows.
func (s *JobService) ChangeWorkflows(ctx context.Context, in ChangeWorkflows, opts ...CallOption) (*AcceptedJob, error) {
	r := request{method: http.MethodPost, path: "/api/workflows/bulk", body: in, keyed: true}
	return call[AcceptedJob](ctx, s.c, r, opts)
}

// PreviewRuns returns what ChangeRuns would be about.
func (s *JobService) PreviewRuns(ctx context.Context, in ChangeRuns, opts ...CallOption) (*BulkPreview, error) {
	in.DryRun = true
	r := request{method: http.MethodPost, path: "/api/workflows/runs/bulk", body: in, pure: true}
	return call[BulkPreview](ctx, s.c, r, opts)
}

// PreviewSchedules returns what ChangeSchedules would be about.
func (s *JobService) PreviewSchedules(ctx context.Context, in ChangeSchedules, opts ...CallOption) (*BulkPreview, error) {
	in.DryRun = true
	r := request{method: http.MethodPost, path: "/api/workflows/schedules/bulk", body: in, pure: true}
	return call[BulkPreview](ctx, s.c, r, opts)
}

// PreviewWorkflows returns what ChangeWorkflows would be about.
func (s *JobService) PreviewWorkflows(ctx context.Context, in ChangeWorkflows, opts ...CallOption) (*BulkPreview, error) {
	in.DryRun = true
	r := request{method: http.MethodPost, path: "/api/workflows/bulk", body: in, pure: true}
	return call[BulkPreview](ctx, s.c, r, opts)
}

// List returns a page of jobs, newest first.
func (s *JobService) List(ctx context.Context, q CursorQuery, opts ...CallOption) (*Page[Job], error) {
	r := request{method: http.MethodGet, path: "/api/workflows/jobs", query: queryOf(q)}
	return page[Job](ctx, s.c, r, "jobs", opts)
}

// All iterates over all that List returns, page by page as they are wanted. It ends with the first
// error.
func (s *JobService) All(ctx context.Context, q CursorQuery, opts ...CallOption) iter.Seq2[Job, error] {
	return every(q.Cursor, func(cursor string) (*Page[Job], error) {
		q.Cursor = cursor
		return s.List(ctx, q, opts...)
	})
}

// Get returns a job with its progress.
func (s *JobService) Get(ctx context.Context, jobID string, opts ...CallOption) (*Job, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/jobs/{job_id}", jobID)}
	return member[Job](ctx, s.c, r, "job", opts)
}

// Failures returns a page of the objects of a job that failed or were skipped.
func (s *JobService) Failures(ctx context.Context, jobID string, q CursorQuery, opts ...CallOption) (*Page[JobFailure], error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/jobs/{job_id}/failures", jobID), query: queryOf(q)}
	return page[JobFailure](ctx, s.c, r, "failures", opts)
}

// AllFailures iterates over all that Failures returns, page by page as they are wanted. It ends with the first
// error.
func (s *JobService) AllFailures(ctx context.Context, jobID string, q CursorQuery, opts ...CallOption) iter.Seq2[JobFailure, error] {
	return every(q.Cursor, func(cursor string) (*Page[JobFailure], error) {
		q.Cursor = cursor
		return s.Failures(ctx, jobID, q, opts...)
	})
}

// Stop stops a job; what it has done stays.
func (s *JobService) Stop(ctx context.Context, jobID string, reason string, opts ...CallOption) (*Job, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/jobs/{job_id}/stop", jobID), body: because{reason}}
	return member[Job](ctx, s.c, r, "job", opts)
}
