package client

import (
	"context"
	"iter"
	"net/http"
)

// ScheduleService has schedules, their ledger and previews.
type ScheduleService struct{ c *Client }

// List returns a page of schedules, how they go and what is due next.
func (s *ScheduleService) List(ctx context.Context, q ScheduleQuery, opts ...CallOption) (*Page[ListedSchedule], error) {
	r := request{method: http.MethodGet, path: "/api/workflows/schedules", query: queryOf(q)}
	return page[ListedSchedule](ctx, s.c, r, "schedules", opts)
}

// All iterates over all that List returns, page by page as they are wanted. It ends with the first
// error.
func (s *ScheduleService) All(ctx context.Context, q ScheduleQuery, opts ...CallOption) iter.Seq2[ListedSchedule, error] {
	return every(q.Cursor, func(cursor string) (*Page[ListedSchedule], error) {
		q.Cursor = cursor
		return s.List(ctx, q, opts...)
	})
}

// OfWorkflow returns a page of a workflow's schedules.
func (s *ScheduleService) OfWorkflow(ctx context.Context, id string, q WorkflowScheduleQuery, opts ...CallOption) (*Page[ListedSchedule], error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/{id}/schedules", id), query: queryOf(q)}
	return page[ListedSchedule](ctx, s.c, r, "schedules", opts)
}

// EachOfWorkflow iterates over all that OfWorkflow returns, page by page as they are wanted. It ends with the first
// error.
func (s *ScheduleService) EachOfWorkflow(ctx context.Context, id string, q WorkflowScheduleQuery, opts ...CallOption) iter.Seq2[ListedSchedule, error] {
	return every(q.Cursor, func(cursor string) (*Page[ListedSchedule], error) {
		q.Cursor = cursor
		return s.OfWorkflow(ctx, id, q, opts...)
	})
}

// Create gives a workflow a schedule.
func (s *ScheduleService) Create(ctx context.Context, id string, in SchedulePatch, opts ...CallOption) (*Schedule, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/{id}/schedules", id), body: in, keyed: true}
	return member[Schedule](ctx, s.c, r, "schedule", opts)
}

// Get returns a schedule.
func (s *ScheduleService) Get(ctx context.Context, id string, opts ...CallOption) (*Schedule, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/schedules/{id}", id)}
	return member[Schedule](ctx, s.c, r, "schedule", opts)
}

// Update edits, pauses or resumes a schedule.
func (s *ScheduleService) Update(ctx context.Context, id string, in UpdateSchedule, opts ...CallOption) (*Schedule, error) {
	r := request{method: http.MethodPatch, path: pathOf("/api/workflows/schedules/{id}", id), body: in}
	return member[Schedule](ctx, s.c, r, "schedule", opts)
}

// Delete ends a schedule; its runs go on.
func (s *ScheduleService) Delete(ctx context.Context, id string, opts ...CallOption) error {
	r := request{method: http.MethodDelete, path: pathOf("/api/workflows/schedules/{id}", id)}
	return s.c.into(ctx, r, opts, nil)
}

// Preview returns a schedule's next due times.
func (s *ScheduleService) Preview(ctx context.Context, id string, q PreviewQuery, opts ...CallOption) (*DueTimes, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/schedules/{id}/preview", id), query: queryOf(q)}
	return call[DueTimes](ctx, s.c, r, opts)
}

// PreviewExpression returns the next due times of an expression that is not stored.
func (s *ScheduleService) PreviewExpression(ctx context.Context, in PreviewSchedule, opts ...CallOption) (*DueTimes, error) {
	r := request{method: http.MethodPost, path: "/api/workflows/schedules/preview", body: in, pure: true}
	return call[DueTimes](ctx, s.c, r, opts)
}

// Slots returns a page of what became of each due time, latest first.
func (s *ScheduleService) Slots(ctx context.Context, id string, q SlotQuery, opts ...CallOption) (*Page[Slot], error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/schedules/{id}/slots", id), query: queryOf(q)}
	return page[Slot](ctx, s.c, r, "slots", opts)
}

// AllSlots iterates over all that Slots returns, page by page as they are wanted. It ends with the first
// error.
func (s *ScheduleService) AllSlots(ctx context.Context, id string, q SlotQuery, opts ...CallOption) iter.Seq2[Slot, error] {
	return every(q.Cursor, func(cursor string) (*Page[Slot], error) {
		q.Cursor = cursor
		return s.Slots(ctx, id, q, opts...)
	})
}

// Trigger starts a schedule's run now, whatever its overlap rule, and returns its id.
func (s *ScheduleService) Trigger(ctx context.Context, id string, reason string, opts ...CallOption) (string, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/schedules/{id}/trigger", id), body: because{reason}, keyed: true}
	return text(ctx, s.c, r, "run_id", opts)
}

// Backfill starts the runs of past due times.
func (s *ScheduleService) Backfill(ctx context.Context, id string, in BackfillSchedule, opts ...CallOption) (*Backfill, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/schedules/{id}/backfill", id), body: in, keyed: true}
	return call[Backfill](ctx, s.c, r, opts)
}

// PreviewBackfill returns what Backfill would run, and what of it ran already.
func (s *ScheduleService) PreviewBackfill(ctx context.Context, id string, in BackfillSchedule, opts ...CallOption) (*BackfillPreview, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/schedules/{id}/backfill", id), body: in, pure: true}
	return call[BackfillPreview](ctx, s.c, r, append(opts, dryRun()))
}

// Calendar returns a page of what became of due times by day, and what is due.
func (s *ScheduleService) Calendar(ctx context.Context, q CalendarQuery, opts ...CallOption) (*Page[ScheduleCalendar], error) {
	r := request{method: http.MethodGet, path: "/api/workflows/schedules/calendar", query: queryOf(q)}
	return page[ScheduleCalendar](ctx, s.c, r, "calendars", opts)
}

// AllCalendar iterates over all that Calendar returns, page by page as they are wanted. It ends with the first
// error.
func (s *ScheduleService) AllCalendar(ctx context.Context, q CalendarQuery, opts ...CallOption) iter.Seq2[ScheduleCalendar, error] {
	return every(q.Cursor, func(cursor string) (*Page[ScheduleCalendar], error) {
		q.Cursor = cursor
		return s.Calendar(ctx, q, opts...)
	})
}
