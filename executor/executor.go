// Package executor runs workflows durably: it feeds the machine, journals what
// the machine decided before anything is done outside, performs the effects,
// and recovers after a crash. Events are committed in groups; a commit names
// the seq that it expects, so whoever lost a run can write nothing more to it.
package executor

import (
	"context"
	"encoding/json"
	"heddle/audit"
	"heddle/definitions"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/idempotency"
	"time"
)

// Runner performs one attempt of a step type. The steps package implements it.
// ctx ends at the attempt's timeout or when the step is stopped. An error in
// which machine.AsFailure finds none (see Failure.Err) counts as transient.
type Runner interface {
	Run(ctx context.Context, call Call) (Result, error)
}

// Call is one attempt. Config is rendered.
type Call struct {
	RunID       string
	TenantID    string
	WorkflowID  string
	StepID      string
	Iteration   string
	Type        string
	Attempt     int
	Config      json.RawMessage
	Key         string // idempotency key of the effect
	TraceParent string
	TraceState  string
	// Logs takes what the attempt says; nil: nobody keeps it.
	Logs Logs
	// Redact takes the tenant's secrets out of a JSON value, for what is
	// shortened before it is handed back: a secret that was cut in two is not
	// found any more. nil: there are none.
	Redact func(json.RawMessage) json.RawMessage
	// Sensitive notes a secret's value that went into the attempt beside those
	// which the config names: no error quotes a piece of it. nil: nobody listens.
	// Only the goroutine that performs the attempt calls it.
	Sensitive func(value string)
	// Room waits until there is memory for a value of n bytes; the attempt's
	// end gives it back. To be asked before more than MaxInline is held in
	// memory at once. nil: there is enough.
	Room func(n int64) error
	// Since is when the first attempt under Key began, the same for all of them;
	// zero where nothing journalled it.
	Since time.Time

	secrets *inAttempt // nil: the tenant's secrets are unknown
}

// Result is what a successful attempt gave. Output is one JSON value.
type Result struct {
	Output json.RawMessage
	Usage  machine.Usage
}

// Record is a run's row: what lists and reads show without its journal.
type Record struct {
	machine.Header
	State       machine.State
	Seq         int64
	StartedAt   time.Time // zero: not yet
	CompletedAt time.Time // zero: not yet
	UpdatedAt   time.Time
	Output      json.RawMessage // nil: none
	Error       *machine.Error
	WakeAt      time.Time // zero: nothing due
	Usage       machine.Usage
	TraceParent string
	TraceState  string
	// ConcurrencyKey groups the runs that the workflow's concurrency counts
	// together; "" where it has none. It never changes.
	ConcurrencyKey string
}

// Commit is one run's part of a group commit: either the insertion of a new
// run (Expected 0) or the growth of one whose last seq is Expected. Row is the
// run's row after the events.
type Commit struct {
	Row      Record
	Expected int64
	Events   []events.Event
	Snapshot []byte // nil: none; of Row.Seq otherwise
	// Revision, only with an insertion: the workflow's revision that the start
	// was decided on (0: not checked). Where the workflow has another by now,
	// or is deleted, nothing is inserted and ErrStale is the member's error.
	Revision int64
	// Status, only with an insertion: the workflow's status that the start was
	// decided on ("": not checked). Where the workflow has another by now, nothing
	// is inserted and ErrStale is the member's error.
	Status definitions.Status
	// Answer, only with an insertion: kept with the run. Where its key exists
	// the insertion is left out and ErrDuplicateKey is the member's error.
	Answer *idempotency.Answer
	// Blobs names what the events name and PutBlob has written. Where one of
	// them is gone the member's error is ErrFenced.
	Blobs []string
	// Member, only with an insertion: the run's place in a series. Where its
	// name is taken the insertion is left out: ErrNameTaken.
	Member *Member
	// With, only with growth: the insertion of the run that takes this one's
	// place. Both are written or neither; what refuses With is the member's
	// error. Events may be empty then.
	With *Commit
	// Taken, only with growth: the posted inputs that it holds. They are taken
	// with it or not at all; one that was taken before is ErrFenced.
	Taken []Taken
	// Audit is what the requests behind the change add to the audit trail with
	// it.
	Audit []audit.Entry
}

// Store is what the executor asks of persistence. Every method is one
// transaction.
type Store interface {
	Inbox
	Pages
	// Commit writes a group and answers for each member: nil, ErrFenced (the
	// seq was not the expected one, or the epoch is old), ErrDuplicateKey,
	// ErrStale, or the store's error. One bad member does not fail the rest.
	Commit(ctx context.Context, epoch int64, group []Commit) []error
	// Journal loads what Restore needs: the row, the newest snapshot (nil:
	// none) and the events after it.
	Journal(ctx context.Context, runID string) (Journal, error)
	// Events reads at most limit events after seq, in order.
	Events(ctx context.Context, runID string, after int64, limit int) ([]events.Event, error)
	// Run reads one row; another tenant's is fault.NotFound.
	Run(ctx context.Context, tenantID, runID string) (Record, error)
	Runs(ctx context.Context, q RunQuery) (RunPage, error)
	// Usage sums what runs of a workflow consumed.
	Usage(ctx context.Context, q UsageQuery) (UsageSum, error)
	// AppendLogs adds lines of steps; those of runs that are gone are left out.
	AppendLogs(ctx context.Context, logs []Log) error
	// Logs reads a page of a run's lines.
	Logs(ctx context.Context, q LogQuery) (LogPage, error)
	// DeleteRun removes a terminal run with its journal and its logs; open:
	// fault.Conflict.
	DeleteRun(ctx context.Context, tenantID, runID string) error
	// Queued lists queued run ids, first come first served and fair between
	// tenants (round robin over tenants that have any).
	Queued(ctx context.Context, limit int) ([]string, error)
	// Due lists runs with WakeAt at or before t, earliest first and those of one
	// time by id, beginning behind after (zero: with the first).
	Due(ctx context.Context, after DueRun, t time.Time, limit int) ([]DueRun, error)
	// Busy lists runs that a dead process left in a Busy state.
	Busy(ctx context.Context, afterID string, limit int) ([]string, error)
	// Crashes begins the term of an epoch, in PhaseTrials, and gives the runs in
	// action that are suspects (Suspects). A crash is a term of another epoch
	// without EndTerm; Judge says what it means for its runs. Calls of one term
	// count once.
	Crashes(ctx context.Context, epoch int64) ([]Suspect, error)
	// SetPhase notes what may be in action from now on in the term of an epoch.
	SetPhase(ctx context.Context, epoch int64, p Phase) error
	// Isolate notes that a suspect is about to be alone in action, EndIsolation
	// that it is no more, and whether it outlived its window; Forgive forgets its
	// crashes.
	Isolate(ctx context.Context, runID string) error
	EndIsolation(ctx context.Context, runID string, survived bool) error
	Forgive(ctx context.Context, runID string) error
	// EndTerm notes that a term ended in order. Where a crash was counted for it
	// meanwhile, that is taken back.
	EndTerm(ctx context.Context, epoch int64) error
	// OpenRuns lists the ids of a workflow's runs that are not terminal.
	OpenRuns(ctx context.Context, tenantID, workflowID string) ([]string, error)
	SeriesStore
	// Limited lists the open runs that have a concurrency key, first come first
	// served; OpenOf counts those of one workflow and key by version, first those
	// that have begun, then the queued ones in the order of the first of each.
	Limited(ctx context.Context) ([]Limited, error)
	OpenOf(ctx context.Context, workflowID, key string) ([]OpenRuns, error)
	// Definition reads the canonical definition text of (workflow, version),
	// also of deleted workflows.
	Definition(ctx context.Context, workflowID string, version int) (json.RawMessage, error)
	// Target resolves what a start names: id or slug, and version number,
	// label or "" for the active one.
	Target(ctx context.Context, tenantID, workflow, version string) (Target, error)
	// AcquireLease takes or renews the executor's lease for holder and returns
	// its epoch; held by another and not expired: ErrLeaseHeld. The epoch
	// rises each time the holder changes. Zero now is the store's own clock, which
	// is the same for all nodes.
	AcquireLease(ctx context.Context, holder string, now time.Time, ttl time.Duration) (int64, error)
	// ReleaseLease gives the lease up at once, if holder still has it.
	ReleaseLease(ctx context.Context, holder string) error
	// Ping reports whether the store answers and takes writes.
	Ping(ctx context.Context) error
}

// Journal is a run as the store keeps it.
type Journal struct {
	Row      Record
	Snapshot []byte
	Events   []events.Event
}

// DueRun is a run and when it wants to be woken.
type DueRun struct {
	RunID string
	At    time.Time
}

// Target is a workflow version that a start resolved to.
type Target struct {
	WorkflowID string
	Slug       string
	Version    int
	Label      string
	Hash       string
	Status     definitions.Status
	Revision   int64 // of the workflow, when this was read; 0: any will do
}

// fence makes an insertion hold only while the workflow is as the start that
// was decided on this target needs it.
func (t Target) fence(c *Commit) {
	c.Revision = t.Revision
	if t.Revision == 0 {
		c.Status = t.Status
	}
}

// RunQuery selects runs of one tenant, newest first. Zero values do not
// filter. Cursor (from RunPage.Next) and Offset exclude each other.
type RunQuery struct {
	TenantID      string
	WorkflowID    string
	WorkflowIDs   []string // nil: all; what the principal may view
	States        []machine.State
	Trigger       string
	StartedAfter  time.Time
	StartedBefore time.Time
	Limit         int
	Offset        int
	Cursor        string
	WantTotal     bool
}

// RunPage is one page of runs. Next is empty on the last page. Total is -1
// when it was not asked for.
type RunPage struct {
	Runs  []Record
	Next  string
	Total int
}
