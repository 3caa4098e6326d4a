package executor

import (
	"context"
	"encoding/json"
	"heddle/definitions/source"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/executor/queue"
	"time"
)

// Store is everything that the executor needs of persistence, by use. A part of the
// executor that needs less takes less. Every method is one transaction and is safe for
// concurrent use. An unavailable store is fault.Unavailable from any of them:
// store_unavailable where nothing was written, outcome_unknown where it is not known
// whether a commit was.
type Store interface {
	JournalStore
	PageStore
	RunStore
	WorkflowStore
	QueueStore
	LimitStore
	SeriesStore
	InboxStore
	LeaseStore
	CrashStore
	LogStore
	InputStore
	StatsStore
	HealthStore
	// Ping reports whether the store answers and takes writes: nil, or why not.
	Ping(ctx context.Context) error
}

// JournalStore writes and reads the journals of runs.
type JournalStore interface {
	// Commit writes a group and returns one error for each member, in order: nil, ErrFenced
	// (the seq was not the expected one, or the epoch is old), ErrDuplicateKey,
	// ErrNameTaken, ErrStale, or the store's own error. One bad member does not fail the
	// rest. Epoch 0 is not checked. What a member writes is written together or not at all. The
	// group is the caller's again when it returns.
	Commit(ctx context.Context, epoch int64, group []Commit) []error
	// Journal loads what machine.Restore needs: the row, the newest snapshot (nil: none)
	// and the events after it, all of one moment. fault.NotFound run_not_found.
	Journal(ctx context.Context, runID string) (Journal, error)
	// Events reads at most limit events after seq, in order; none where the run has no
	// more, or is not there.
	Events(ctx context.Context, runID string, after int64, limit int) ([]events.Event, error)
}

// RunStore reads, sums and deletes the rows of runs.
type RunStore interface {
	// Run reads one row; another tenant's is fault.NotFound run_not_found.
	Run(ctx context.Context, tenantID, runID string) (Record, error)
	// Runs reads a page of rows.
	Runs(ctx context.Context, q RunQuery) (RunPage, error)
	// RunDetails reads the details of a page of runs, in their order and without Queue, and
	// how many runs are ahead of the queued ones, counted up to maxAhead.
	RunDetails(ctx context.Context, tenantID string, runs []Record, maxAhead int) ([]RunDetails, map[string]int, error)
	// Usage sums what the runs of a workflow consumed.
	Usage(ctx context.Context, q UsageQuery) (UsageSum, error)
	// DeleteRun removes a terminal run with its journal and its logs; one that is
	// open is fault.Conflict run_open.
	DeleteRun(ctx context.Context, tenantID, runID string) error
	// OpenRuns lists the ids of a workflow's runs that are not terminal.
	OpenRuns(ctx context.Context, tenantID, workflowID string) ([]string, error)
	// RepairCounts sets right what the totals of lists are read from, where nodes of an
	// earlier version may have written runs, and returns how much was wrong. It may take
	// as long as reading all runs.
	RepairCounts(ctx context.Context) (int, error)
}

// WorkflowStore resolves and reads what runs run.
type WorkflowStore interface {
	// Definition reads the canonical definition text of (workflow, version), also
	// of deleted workflows.
	Definition(ctx context.Context, workflowID string, version int) (json.RawMessage, error)
	// VersionText reads the text that a version's definition was written in, none where none is kept.
	VersionText(ctx context.Context, workflowID string, version int) (source.Written, error)
	// Target resolves what a start names: workflow is an id or slug; version is a
	// number, a label, or "" for the active one.
	Target(ctx context.Context, tenantID, workflow, version string) (Target, error)
}

// QueueStore finds the runs that have something to do. The table of runs is the queue:
// there is no other list that could disagree with it.
type QueueStore interface {
	// QueuedWorkflows lists at most limit workflows that have queued runs, by tenant
	// and id, behind after (zero: with the first).
	QueuedWorkflows(ctx context.Context, after queue.Workflow, limit int) ([]QueuedWorkflow, error)
	// QueuedRuns lists at most limit of a workflow's queued runs, first come first
	// served; with unnamed, without those that have a name.
	QueuedRuns(ctx context.Context, w queue.Workflow, unnamed bool, limit int) ([]queue.Run, error)
	// QueuedAhead counts the queued runs of a run's workflow that come before it, up to
	// limit.
	QueuedAhead(ctx context.Context, run Record, limit int) (int, error)
	// QueuedNamed lists a tenant's queued runs that have a name, first come
	// first served.
	QueuedNamed(ctx context.Context, tenantID string, limit int) ([]string, error)
	// Due lists runs with WakeAt at or before t, earliest first and those of one
	// time by id, beginning behind after (zero: with the first).
	Due(ctx context.Context, after DueRun, t time.Time, limit int) ([]DueRun, error)
	// BusyRuns lists the ids of runs in a Busy state behind afterID, by id. In
	// the store of a node that has just taken the lease, a dead process left them.
	BusyRuns(ctx context.Context, afterID string, limit int) ([]string, error)
}

// QueuedWorkflow is a workflow that has queued runs, with the ids of the first and the last
// of them.
type QueuedWorkflow struct {
	queue.Workflow
	First, Last string
}

// LimitStore counts the open runs of workflows with a concurrency limit.
type LimitStore interface {
	// LimitedRuns lists the open runs that have a concurrency key, first come
	// first served.
	LimitedRuns(ctx context.Context) ([]LimitedRun, error)
	// OpenByVersion counts the open runs of one workflow and key by version: first
	// those that have begun, then the queued ones in the order of the first of each.
	OpenByVersion(ctx context.Context, workflowID, key string) ([]OpenCount, error)
}

// LeaseStore keeps the lease of the node that drives runs. There is one for the database.
type LeaseStore interface {
	// AcquireLease takes or renews the executor's lease for holder and returns
	// its epoch; held by another and not expired: ErrLeaseHeld. The epoch
	// rises each time the holder changes. Zero now is the store's own clock, which
	// is the same for all nodes.
	AcquireLease(ctx context.Context, holder string, now time.Time, ttl time.Duration) (int64, error)
	// ReleaseLease ends the lease at once, if holder still has it; otherwise it has no
	// effect.
	ReleaseLease(ctx context.Context, holder string) error
}

// CrashStore remembers which runs were in flight when a process died, beyond any process.
// See the rules in UpdateSuspects.
type CrashStore interface {
	// BeginTerm begins the term of an epoch, in PhaseIsolation, and returns those
	// of the runs in flight that are suspects (SelectSuspects), in the order in
	// which they are to be isolated. A crash is a term of another epoch without
	// EndTerm; UpdateSuspects says what it means for its runs. Calls of one term
	// count once.
	BeginTerm(ctx context.Context, epoch int64) ([]Suspect, error)
	// SetPhase records what may be in flight from now on in the term of an epoch.
	SetPhase(ctx context.Context, epoch int64, p Phase) error
	// Isolate records that a suspect is about to run with nothing else in flight.
	Isolate(ctx context.Context, runID string) error
	// EndIsolation records that a suspect is no longer isolated, and whether it
	// outlived its window.
	EndIsolation(ctx context.Context, runID string, survived bool) error
	// ClearCrashes forgets the crashes of a run.
	ClearCrashes(ctx context.Context, runID string) error
	// EndTerm records that a term ended in order. Where a crash was counted for it
	// meanwhile, that is taken back.
	EndTerm(ctx context.Context, epoch int64) error
}

// InputStore reads the rendered inputs of attempts, which commits store.
type InputStore interface {
	// RenderedInputs lists the newest MaxRenderedInputs of a step's rendered inputs, in the
	// order of their attempts.
	RenderedInputs(ctx context.Context, runID string, ref machine.Ref) ([]KeptInput, error)
}

// LogStore keeps the log lines of steps.
type LogStore interface {
	// AppendLogs adds lines; those of runs that do not exist are left out.
	AppendLogs(ctx context.Context, logs []Log) error
	// Logs reads a page of a run's lines.
	Logs(ctx context.Context, q LogQuery) (LogPage, error)
}
