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
	// ReserveMemory waits until there is memory for a value of n bytes; the attempt's
	// end gives it back. To be asked before more than MaxInline is held in
	// memory at once. nil: there is enough.
	ReserveMemory func(n int64) error
	// Since is when the first attempt under Key began, the same for all of them;
	// zero where nothing journalled it.
	Since time.Time

	secrets *usedSecrets // nil: the tenant's secrets are unknown
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
