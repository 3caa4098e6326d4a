package schedules

import (
	"context"
	"heddle/executor"
	"heddle/idempotency"
	"time"
)

// Query selects schedules of one tenant, newest first. Cursor and Offset exclude
// each other.
type Query struct {
	TenantID    string
	WorkflowID  string   // "": all
	WorkflowIDs []string // nil: all; what the principal may view
	Limit       int
	Offset      int
	Cursor      string
	WantTotal   bool
}

// Page is one page of schedules; Next is empty on the last. Total is -1 when it
// was not asked for.
type Page struct {
	Schedules []Schedule
	Next      string
	Total     int
}

// SlotQuery selects lines of one schedule's ledger, latest due time first.
// Cursor and Offset exclude each other.
type SlotQuery struct {
	TenantID   string
	ScheduleID string
	Outcome    Outcome // "": all
	Limit      int
	Offset     int
	Cursor     string
	WantTotal  bool
}

// SlotPage is one page of a ledger; Next is empty on the last. Total counts
// lines, and is -1 when it was not asked for.
type SlotPage struct {
	Slots []Slot
	Next  string
	Total int
}

// DueSchedule is a schedule and when the loop is to look at it.
type DueSchedule struct {
	ID string
	At time.Time
}

// CancelRequest is an open run that a newer due time wants gone.
type CancelRequest struct{ TenantID, RunID, ScheduleID string }

// Store is what schedules ask of persistence. Every method is one transaction.
// What is not the tenant's is fault.NotFound schedule_not_found.
type Store interface {
	// CreateSchedule stores a schedule and the answer kept for a repeated
	// request (nil: none); a workflow that is gone is fault.NotFound
	// workflow_not_found.
	CreateSchedule(ctx context.Context, s Schedule, keep *idempotency.Answer) error
	Schedule(ctx context.Context, tenantID, id string) (Schedule, error)
	Schedules(ctx context.Context, q Query) (Page, error)
	// ChangeSchedule reads a schedule, lets decide say what becomes of it and
	// writes that, with a raised fence.
	ChangeSchedule(ctx context.Context, tenantID, id string, decide func(Schedule) (Schedule, error)) (Schedule, error)
	// DeleteSchedule hides a schedule; check may refuse.
	DeleteSchedule(ctx context.Context, tenantID, id string, check func(Schedule) error) error
	Slots(ctx context.Context, q SlotQuery) (SlotPage, error)
	// DueSchedules lists schedules to be looked at by t, earliest first.
	DueSchedules(ctx context.Context, t time.Time, limit int) ([]DueSchedule, error)
	// SchedulesToAdvance lists schedules in whose queue it may be the next one's turn.
	SchedulesToAdvance(ctx context.Context, limit int) ([]string, error)
	// CancelRequests lists open runs that are to be cancelled.
	CancelRequests(ctx context.Context, limit int) ([]CancelRequest, error)
	// States reads what decisions rest on, in the order of the ids; what is
	// gone is left out.
	States(ctx context.Context, ids []string) ([]State, error)
	// Fire writes firings, each wholly or not at all, and answers for each:
	// nil, ErrConflict, what a commit says of its runs (executor.ErrStale,
	// executor.ErrFenced, executor.ErrDuplicateKey, fault.NotFound
	// workflow_not_found), or the store's error.
	Fire(ctx context.Context, group []Firing) []error
}

// Runs is what schedules ask of the executor.
type Runs interface {
	Prepare(ctx context.Context, req executor.StartRequest, try int) (executor.Prepared, error)
	Stored(runs ...executor.Prepared)
	Leading() bool
	Resolve(ctx context.Context, req executor.StartRequest) (executor.Target, error)
	Cancel(ctx context.Context, tenantID, runID string) (executor.Record, error)
}
