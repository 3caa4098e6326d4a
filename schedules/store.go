package schedules

import (
	"context"
	"heddle/executor"
	"heddle/idempotency"
	"time"
)

// Query selects schedules of one tenant. Zero values do not filter. Cursor (the Next of
// the page before) and Offset exclude each other.
type Query struct {
	TenantID    string
	ScheduleID  string   // "": all
	WorkflowID  string   // "": all
	WorkflowIDs []string // those of these workflows, which the principal may view; nil: all
	Status      Status
	// Text is looked for in the workflow's name, slug and description, the expression and
	// the zone, in whatever case; or the id begins with it.
	Text      string
	Health    Health
	Order     Order
	Now       time.Time // what Health is as of
	Limit     int
	Offset    int
	Cursor    string
	WantTotal bool
}

// Page is one page of schedules; Next is empty on the last. It may be short although more
// follow: filters without an index of their own look at a bounded number of schedules.
// Overviews are those of Schedules, in their order, and Runs the runs of their last lines, by
// id. Total is -1 unless Query.WantTotal is set and the filters have an index.
type Page struct {
	Schedules []Schedule
	Overviews []Overview
	Runs      map[string]SlotRun
	Next      string
	Total     int
}

// SlotQuery selects lines of one schedule's ledger, latest due time first.
// Cursor and Offset exclude each other.
type SlotQuery struct {
	TenantID   string
	ScheduleID string
	Outcome    Outcome // "": all
	// From is included, To is not; zero: open. A line of several due times is selected by
	// any of them.
	From, To  time.Time
	Limit     int
	Offset    int
	Cursor    string
	WantTotal bool
}

// SlotPage is one page of a ledger; Next is empty on the last. Total counts lines,
// not due times, and is -1 unless SlotQuery.WantTotal is set. Runs are those of the
// lines, by id; one that was deleted is left out.
type SlotPage struct {
	Slots []Slot
	Runs  map[string]SlotRun
	Next  string
	Total int
}

// DueSchedule is a schedule's id and when the loop has to decide about it
// (Schedule.WakeAt).
type DueSchedule struct {
	ID string
	At time.Time
}

// CancelRequest is an open run that is to be cancelled because a newer due time
// replaces it.
type CancelRequest struct{ TenantID, RunID, ScheduleID string }

// Store is everything that schedules need from persistence: what requests read
// and change, and what the firing loop reads and writes. Every method is one
// transaction.
type Store interface {
	ScheduleStore
	FiringStore
}

// ScheduleStore serves requests. A schedule of another tenant is
// fault.NotFound schedule_not_found, like one that does not exist.
type ScheduleStore interface {
	// CreateSchedule stores a schedule and the answer kept for a repeated
	// request (nil: none); a workflow that is gone is fault.NotFound
	// workflow_not_found.
	CreateSchedule(ctx context.Context, s Schedule, keep *idempotency.Answer) error
	// Schedule reads one schedule.
	Schedule(ctx context.Context, tenantID, id string) (Schedule, error)
	// Schedules lists a page.
	Schedules(ctx context.Context, q Query) (Page, error)
	// ChangeSchedule reads a schedule, calls decide with it and stores what
	// decide returns, with a raised fence, so that a firing that was decided on
	// the old row fails with ErrConflict. decide is pure and may be called again
	// after a conflict; its error is returned and nothing is stored.
	ChangeSchedule(ctx context.Context, tenantID, id string, decide func(Schedule) (Schedule, error)) (Schedule, error)
	// DeleteSchedule hides a schedule; check may refuse.
	DeleteSchedule(ctx context.Context, tenantID, id string, check func(Schedule) error) error
	// NextDue reads the next due time of each workflow that has an active schedule, by its id.
	NextDue(ctx context.Context, tenantID string, workflowIDs []string) (map[string]time.Time, error)
	// LedgerCounts counts the due times of spans by outcome, by schedule, of at most linesEach
	// lines of each, the latest. A line of several due times that begins before a span and
	// reaches into it is counted as a whole.
	LedgerCounts(ctx context.Context, spans []LedgerSpan, linesEach int) (map[string]LedgerCounts, error)
	// Slots lists a page of a schedule's ledger, latest due time first.
	Slots(ctx context.Context, q SlotQuery) (SlotPage, error)
}

// FiringStore serves the firing loop, across all tenants.
type FiringStore interface {
	// DueSchedules lists at most limit schedules whose WakeAt is at or before t,
	// earliest first. Of this and the next two lists only what comes behind after is listed, by
	// the list's order: what cannot be settled stays, and must not hide the rest.
	DueSchedules(ctx context.Context, t time.Time, after DueSchedule, limit int) ([]DueSchedule, error)
	// SchedulesToAdvance lists the ids of at most limit schedules with a waiting
	// slot that may start now, because a run before it seems to have ended, by id.
	SchedulesToAdvance(ctx context.Context, after string, limit int) ([]string, error)
	// CancelRequests lists at most limit open runs that a newer due time replaces, by
	// schedule and id.
	CancelRequests(ctx context.Context, after CancelRequest, limit int) ([]CancelRequest, error)
	// States reads what decide needs of each schedule, in the order of the ids;
	// deleted ones are left out.
	States(ctx context.Context, ids []string) ([]State, error)
	// Fire stores firings, each entirely or not at all: the schedule's next due
	// time, the lines of the ledger and the runs that they start are one
	// transaction, so that a crash leaves neither a line without its run nor a
	// run without its line. The result has one element per firing: nil,
	// ErrConflict, the error of the runs' commit (executor.ErrStale,
	// executor.ErrFenced, executor.ErrDuplicateKey, fault.NotFound
	// workflow_not_found), or the store's own error.
	Fire(ctx context.Context, group []Firing) []error
}

// Runs is the part of the executor that schedules need: starting runs is split
// into preparing one and telling the executor that it is stored, so that the store
// can write it in the transaction of the firing.
type Runs interface {
	// Prepare makes a run that is not stored yet; attempt counts earlier ones
	// that failed with ErrStale or ErrFenced.
	Prepare(ctx context.Context, req executor.StartRequest, attempt int) (executor.Prepared, error)
	// Stored hands over prepared runs once they are stored.
	Stored(runs ...executor.Prepared)
	// Discard ends what prepared runs hold that will not be stored.
	Discard(runs ...executor.Prepared)
	// Leading reports whether this node drives runs.
	Leading() bool
	// Resolve checks that a start would be accepted and returns what it would run.
	Resolve(ctx context.Context, req executor.StartRequest) (executor.Target, error)
	// Typical returns what 95 of a hundred runs of a workflow did not exceed, of those that ended
	// in the last seven days, and how many they are.
	Typical(ctx context.Context, tenantID, workflowID string) (p95 time.Duration, runs int64, err error)
	// Cancel requests the cancel of a run.
	Cancel(ctx context.Context, tenantID, runID string) (executor.Record, error)
}
