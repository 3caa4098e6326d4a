// Package executor runs workflows durably: it feeds the machine, journals what the machine
// decided before anything is done outside, performs the effects, and recovers after a
// crash.
//
// What it promises: a start that was answered is stored; an attempt begins only after its
// start is durable, and what depends on its end begins only after that end is; after a
// crash an attempt whose end is not known is repeated under the same idempotency key, or
// fails where its step says so. At most one node drives a run: a commit names the run's seq
// and the epoch of the lease, so a node that lost either can write nothing more to it.
//
// How a run is driven:
//
//	message ─► registry ─► driver: machine.Apply ─► committer: one group, one transaction
//	                          ▲                           │ durable
//	                          └── performer: attempts ◄───┘ ─► watchers, timers, answers
//
// What it must not know: SQL, HTTP, and what the step types do. Store, Runner, Secrets and
// the other interfaces are what it needs of those.
package executor

import (
	"context"
	"encoding/json"
	"heddle/audit"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/idempotency"
	"time"
)

// Runner performs one attempt of a step type. The steps package implements it. Run is
// called concurrently. ctx ends at the attempt's timeout, when the step is stopped, or when
// this node no longer drives the run; Run then has to return soon. An error in which
// machine.AsFailure finds none (see Failure.Err) counts as transient.
type Runner interface {
	Run(ctx context.Context, call Call) (Result, error)
}

// Call is one attempt. Config is rendered, and may hold values of secrets, so it must not
// be logged. A Call belongs to the goroutine that performs the attempt.
type Call struct {
	RunID      string
	TenantID   string
	WorkflowID string
	StepID     string
	// Iteration is the path of the loop iteration, such as each[3]; "": outside of
	// loops.
	Iteration string
	Type      string
	// Attempt counts from 1.
	Attempt int
	Config  json.RawMessage
	Key     string // idempotency key of the effect, the same for every attempt to cause it
	// TraceParent and TraceState are the trace context to send on; "": none.
	TraceParent string
	TraceState  string
	// Logs takes the attempt's log lines; nil: they are dropped.
	Logs Logs
	// Redact takes the tenant's secrets out of a JSON value, for what a step
	// shortens before it returns it: a secret that was cut in two would not be found
	// any more. nil: the tenant has none.
	Redact func(json.RawMessage) json.RawMessage
	// Sensitive notes the value of a secret that went into the attempt beside those
	// which the config names: no error quotes a piece of it. nil: nothing is
	// redacted. Only the goroutine that performs the attempt calls it.
	Sensitive func(value string)
	// ReserveMemory waits until there is memory for a value of n bytes, and returns
	// the context's error where that ends first; the attempt's end releases it. To
	// be called before more than MaxInline is held in memory at once. nil: there is
	// enough.
	ReserveMemory func(n int64) error
	// Since is when the first attempt under Key began, the same for all of them;
	// zero where nothing journalled it.
	Since time.Time

	secrets *usedSecrets // nil: the tenant's secrets are unknown
	retain  string       // see machine.Execute.Retain
}

// Result is the output of a successful attempt, one JSON value, and what it
// consumed. A failed attempt may have consumed something too.
type Result struct {
	Output json.RawMessage
	Usage  machine.Usage

	rendered json.RawMessage // the config; once redacted what is kept of it, nil: nothing
}

// Record is a run's row: what lists and reads show without its journal. Times are in UTC,
// in whole milliseconds. Rows are written only together with the events that lead to them.
type Record struct {
	machine.Header
	State machine.State
	// Seq is the seq of the run's last event. It rises in the transaction that
	// stores the events, so that readers never see a gap.
	Seq         int64
	StartedAt   time.Time // zero: not yet
	CompletedAt time.Time // zero: not yet
	UpdatedAt   time.Time
	Output      json.RawMessage // nil: none
	// Error is why the run failed; nil: it has not.
	Error  *machine.Error
	WakeAt time.Time // zero: never by itself
	// Usage is what its attempts consumed so far.
	Usage machine.Usage
	// TraceParent and TraceState are the W3C trace context that its start carried;
	// "": none.
	TraceParent string
	TraceState  string
	// Steps counts the top-level steps; nil in rows of earlier versions.
	Steps *machine.StepCounts
	// Waiting is what the run waits for; nil: nothing.
	Waiting *Waiting
	// ScheduleID is the schedule whose due time DueAt the run is for, or that was triggered
	// by hand (DueAt is zero); "": none. They and Labels never change.
	ScheduleID string
	DueAt      time.Time
	// Labels are what its start gave it; nil: none.
	Labels map[string]string
	// ConcurrencyKey groups the runs that the workflow's concurrency counts
	// together; "" where it has none. It never changes.
	ConcurrencyKey string
}

// Waiting is the oldest open wait of a run, one for a signal before all others. Its JSON
// names are stored.
type Waiting struct {
	Kind      string    `json:"kind"` // timer, condition, signal
	Signal    string    `json:"signal,omitempty"`
	Prompt    string    `json:"prompt,omitempty"`    // at most waitingPrompt bytes of it
	TimeoutAt time.Time `json:"timeout_at,omitzero"` // zero: never by itself
	Count     int       `json:"count"`               // of all open waits
}

// Commit is one run's part of a group commit: either the insertion of a new run (Expected
// 0) or the growth of one whose last seq is Expected. Row is the run's row after the
// events. Its slices must not be changed while the commit is under way.
type Commit struct {
	Row Record
	// Expected is the run's last seq before this commit. The store refuses the
	// commit (ErrFenced) where it is another, so that of two nodes which drive one
	// run at most one writes.
	Expected int64
	// Events have dense seqs from Expected+1 on.
	Events   []events.Event
	Snapshot []byte // nil: none; of Row.Seq otherwise
	// Revision, only with an insertion: the workflow's revision that the start
	// was decided on (0: not checked). Where the workflow has another by now,
	// or is deleted, nothing is inserted and ErrStale is the member's error.
	Revision int64
	// Status, only with an insertion: the workflow's status that the start was
	// decided on ("": not checked). Where the workflow has another by now, nothing
	// is inserted and ErrStale is the member's error.
	Status workflows.Status
	// Answer, only with an insertion: kept with the run. Where its key exists
	// the insertion is left out and ErrDuplicateKey is the member's error.
	Answer *idempotency.Answer
	// Blobs names what the events name and PutBlob has written. Where one of
	// them is gone the member's error is ErrFenced.
	Blobs []string
	// Member, only with an insertion: the run's name and number in a series. Where
	// its name is taken the insertion is left out and ErrNameTaken is the member's
	// error.
	Member *Member
	// With, only with growth: the insertion of the run that takes this one's
	// place. Both are written or neither; what refuses With is the member's
	// error. Events may be empty then.
	With *Commit
	// Taken, only with growth: the posted inputs that it holds. They are taken
	// with it or not at all; one that was taken before is ErrFenced.
	Taken []Taken
	// Audit is what the requests behind the change add to the audit trail in its
	// transaction.
	Audit []audit.Entry
	// Requests is what the events do to the run's input requests, whose rows are written
	// with them; nil in most commits.
	Requests []machine.RequestChange
	// Inputs are the rendered configs of attempts that end with the events, where they are
	// kept; nil in most commits.
	Inputs []RenderedInput
}

// Journal is a run as the store keeps it. Snapshot is the newest one, nil where there is
// none; Events are those after it, or all.
type Journal struct {
	Row      Record
	Snapshot []byte
	Events   []events.Event
}

// DueRun is a run and when it wants to be woken. The zero value comes before every run in
// the order of QueueStore.Due.
type DueRun struct {
	RunID string
	At    time.Time
}

// Target is a workflow version that a start resolved to, as it was when it was read.
type Target struct {
	WorkflowID string
	Slug       string
	Version    int // from 1
	// Label is the label by which the version was named; "": it was not named so.
	Label string
	// Hash is that of the version's canonical definition.
	Hash     string
	Status   workflows.Status // of the workflow, when this was read
	Revision int64            // of the workflow, when this was read; 0: any will do
}

// fence makes an insertion hold only while the workflow is as the start that was decided on
// this target needs it: of the same revision or, where that is 0, of the same status.
func (t Target) fence(c *Commit) {
	c.Revision = t.Revision
	if t.Revision == 0 {
		c.Status = t.Status
	}
}

// RunOrder is the order of a list of runs.
type RunOrder string

// The orders. EndedFirst (the last to end first) has only runs that have ended,
// LongestFirst only those that also started.
const (
	NewestFirst  RunOrder = ""
	OldestFirst  RunOrder = "created"
	EndedFirst   RunOrder = "-ended"
	LongestFirst RunOrder = "-duration"
)

// RunQuery selects runs of one tenant. Zero values do not filter; all filters have to
// match. Cursor (from RunPage.Next) and Offset exclude each other. Bounds of times are
// excluded, those of durations, which only runs have that started and ended, included.
type RunQuery struct {
	TenantID    string
	Workflows   []string        // nil: of all workflows
	WorkflowIDs []string        // nil: all; what the principal may view
	States      []machine.State // nil: all
	Triggers    []string        // nil: all; of those of StartRequest
	Tag         string          // of the workflow, as it is now
	TemplateID  string          // that the workflow was made of
	Version     int             // that the run is on
	ScheduleID  string
	StarterID   string // of Header.StartedBy: a key, a user, a schedule or a run
	ErrorCode   string
	Labels      map[string]string
	// Text is the beginning of the run's id or of its name, or the value of a label.
	Text string

	CreatedAfter, CreatedBefore time.Time
	EndedAfter, EndedBefore     time.Time
	MinDuration, MaxDuration    time.Duration // whole milliseconds
	// StartedAfter and StartedBefore bound when runs started. With either of them the list
	// is in the order of the starts, unless Order is another.
	StartedAfter  time.Time
	StartedBefore time.Time
	Order         RunOrder
	Limit         int // rows of a page at most
	Offset        int // rows to skip; costs reading them, and goes with the first fields alone
	Cursor        string
	WantTotal     bool // Total is to be counted
}

// RunPage is one page of runs, which may be short, or empty, though more follow: Next is
// empty on the last page alone. Total is -1 when it was not requested, or is not kept for
// the filters.
type RunPage struct {
	Runs  []Record // in the order of the query
	Next  string
	Total int
}
