package bulk

import (
	"context"
	"heddle/access"
	"heddle/audit"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/idempotency"
	"heddle/schedules"
	"time"
)

// Match is an object that a request selects.
type Match struct {
	ID         string
	WorkflowID string
	Slug       string // of the workflow
	State      string // of the object, in the words of its package
}

// MatchPage is one page of matches; Next is empty on the last alone.
type MatchPage struct {
	Matches []Match
	Next    string
}

// Acceptance stores a part of a job: its items, at most chunk of them, and with First the job
// itself. With Last the job is Running from then on, the answer is kept, and the audit trail
// has its line.
type Acceptance struct {
	Job         Job
	Items       []Item
	First, Last bool
	Keep        *idempotency.Answer // nil: none
}

// JobQuery selects jobs of a tenant, newest first. Zero values do not filter.
type JobQuery struct {
	TenantID string
	ActorID  string // of who asked
	Limit    int
	Cursor   string
}

// JobPage is one page of jobs; Next is empty on the last.
type JobPage struct {
	Jobs []Job
	Next string
}

// FailureQuery selects the items of a job that failed or were skipped, in their order.
type FailureQuery struct {
	JobID  string
	Limit  int
	Cursor string
}

// FailurePage is one page of items; Next is empty on the last.
type FailurePage struct {
	Items []Item
	Next  string
}

// Store is everything that jobs need of persistence. Every method is one transaction, but for
// PurgeBulkJobs.
type Store interface {
	JobStore
	WorkStore
}

// JobStore serves requests. A job of another tenant, or one that is Accepting, is
// fault.NotFound job_not_found.
type JobStore interface {
	// RunMatches reads a page of what Runs of the executor's store lists.
	RunMatches(ctx context.Context, q executor.RunQuery) (MatchPage, error)
	// RunMatchesByID reads those of the ids that are runs of the tenant and of the workflows,
	// nil for all, in the order of the ids.
	RunMatchesByID(ctx context.Context, tenantID string, workflowIDs, ids []string) ([]Match, error)
	// AcceptBulkJob stores a part of a job. A key that was used before is fault.Conflict
	// idempotency_key_taken.
	AcceptBulkJob(ctx context.Context, a Acceptance) error
	// BulkJob reads one.
	BulkJob(ctx context.Context, tenantID, id string) (Job, error)
	// BulkJobs reads a page.
	BulkJobs(ctx context.Context, q JobQuery) (JobPage, error)
	// BulkFailures reads a page.
	BulkFailures(ctx context.Context, q FailureQuery) (FailurePage, error)
	// StopBulkJob makes a Running job Stopped and returns it; one that has ended is returned
	// unchanged.
	StopBulkJob(ctx context.Context, tenantID, id string, why Stop, now time.Time) (Job, error)
}

// WorkStore serves the node that carries jobs out, across all tenants.
type WorkStore interface {
	// RunningBulkJob returns the Running job that comes next behind an id, or else the first;
	// false: there is none.
	RunningBulkJob(ctx context.Context, after string) (Job, bool, error)
	// OpenBulkItems reads the first items of a job that have no outcome.
	OpenBulkItems(ctx context.Context, jobID string, limit int) ([]Item, error)
	// ClaimBulkItems makes items Begun at their Seq, each only where it is stored as was says,
	// and returns those for which that held. was has the same order.
	ClaimBulkItems(ctx context.Context, items, was []Item) ([]Item, error)
	// SettleBulkItems stores the outcomes of items, each only where it has none, counts them,
	// and ends the job with its last one. It returns the job.
	SettleBulkItems(ctx context.Context, jobID string, items []Item, now time.Time) (Job, error)
	// PurgeBulkJobs removes jobs that ended before a time, and those that are Accepting since
	// before another, by bounded transactions.
	PurgeBulkJobs(ctx context.Context, ended, accepting time.Time) error
}

// RunCommands are what is done to runs; the executor does it.
type RunCommands interface {
	Run(ctx context.Context, tenantID, runID string) (executor.Record, error)
	Cancel(ctx context.Context, tenantID, runID string) (executor.Record, error)
	Terminate(ctx context.Context, tenantID, runID string) (executor.Record, error)
	Pause(ctx context.Context, tenantID, runID string) (executor.Record, error)
	Resume(ctx context.Context, tenantID, runID string, req executor.ResumeRequest) (executor.Record, error)
	ResumedBy(ctx context.Context, tenantID, runID string, after int64, key string) (bool, error)
	Restart(ctx context.Context, req executor.RestartRequest) (executor.Record, error)
	Delete(ctx context.Context, tenantID, runID string) error
	// Leading reports whether this node drives runs.
	Leading() bool
}

// ScheduleCommands list and change schedules; package schedules does.
type ScheduleCommands interface {
	List(ctx context.Context, q schedules.Query) (schedules.Page, error)
	Get(ctx context.Context, tenantID, id string) (schedules.Schedule, error)
	Update(ctx context.Context, tenantID, id string, patch schedules.Patch, m workflows.IfMatch) (schedules.Schedule, error)
}

// WorkflowCommands list and change workflows; package workflows does.
type WorkflowCommands interface {
	List(ctx context.Context, q workflows.Query) (workflows.Page, error)
	Get(ctx context.Context, tenantID, ref string) (workflows.Workflow, error)
	SetStatus(ctx context.Context, tenantID, ref string, status workflows.Status, m workflows.IfMatch) (workflows.Workflow, error)
	Retag(ctx context.Context, tenantID, ref string, add, remove []string) (workflows.Workflow, error)
}

// Answers are those kept with the runs that restarts make; a part of idempotency.Store.
type Answers interface {
	Answer(ctx context.Context, tenantID, scope, key string) (*idempotency.Answer, error)
}

// Rights say what an actor may do now; access does. fault.Unauthenticated: nothing any more.
type Rights interface {
	PrincipalOf(ctx context.Context, tenantID string, who audit.Actor) (access.Principal, error)
}

// applies reports whether an action applies to a run in a state, or else why not: the code and
// the sentence of an item that is skipped.
func applies(a Action, s machine.State) (code, message string) {
	switch a {
	case Cancel, Pause, Terminate:
		if s.Terminal() {
			return "run_finished", "The run has ended."
		}
	case Resume, Redrive:
		if s != machine.Paused && s != machine.Failed && s != machine.Cancelled {
			return "run_not_resumable", "Only a paused, failed or cancelled run goes on."
		}
	case Delete:
		if !s.Terminal() {
			return "run_open", "Only a finished run is deleted."
		}
	case Restart, SetStatus, SetTags:
	}
	return "", ""
}
