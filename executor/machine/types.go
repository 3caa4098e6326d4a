package machine

import (
	"encoding/json"
	"heddle/audit"
	"heddle/events"
	"heddle/expressions"
	"time"
)

// State is a run's state. Each dialect of the API has one word for each.
type State string

// The states. Backoff: only retries are pending. WaitingTimer: waiting for a
// time or a condition. WaitingSignal: waiting for a signal, maybe for timers
// too. Any step in action makes the run Running.
const (
	Queued        State = "queued"
	Running       State = "running"
	Backoff       State = "backoff"
	WaitingTimer  State = "waiting_timer"
	WaitingSignal State = "waiting_signal"
	Pausing       State = "pausing"
	Paused        State = "paused"
	Cancelling    State = "cancelling"
	Compensating  State = "compensating"
	Completed     State = "completed"
	Failed        State = "failed"
	Cancelled     State = "cancelled"
)

// States lists all of them, for tables that must cover each.
var States = []State{
	Queued, Running, Backoff, WaitingTimer, WaitingSignal, Pausing, Paused,
	Cancelling, Compensating, Completed, Failed, Cancelled,
}

// Terminal tells whether nothing more happens to the run by itself.
func (s State) Terminal() bool { return s == Completed || s == Failed || s == Cancelled }

// NeedsRecovery tells whether a run in this state has work that a crash would cut off:
// such runs are recovered at start.
func (s State) NeedsRecovery() bool {
	return s == Running || s == Pausing || s == Cancelling || s == Compensating
}

// StepStatus is a step's state within a run.
type StepStatus string

// The statuses of a step.
const (
	StepPending   StepStatus = "pending"
	StepRunning   StepStatus = "running"
	StepWaiting   StepStatus = "waiting"
	StepRetrying  StepStatus = "retrying"
	StepCompleted StepStatus = "completed"
	StepFailed    StepStatus = "failed"
	StepSkipped   StepStatus = "skipped"
	StepCancelled StepStatus = "cancelled"
)

// Header is what a run is born with. It never changes, except that Resume on
// another version replaces Version and Hash and adds to Versions.
type Header struct {
	RunID      string          `json:"run_id"`
	TenantID   string          `json:"tenant_id"`
	WorkflowID string          `json:"workflow_id"`
	Slug       string          `json:"slug"`
	Version    int             `json:"version"`
	Hash       string          `json:"definition_hash"`
	Trigger    string          `json:"trigger"`
	Input      json.RawMessage `json:"input"` // "null" when none was given
	CreatedAt  time.Time       `json:"created_at"`
	// StartedBy is who started the run; zero in runs of earlier versions.
	StartedBy audit.Actor `json:"started_by,omitzero"`
	// Versions are all that the run ran on, oldest first; nil while it has been
	// Version alone.
	Versions []VersionSpan `json:"versions,omitempty"`
}

// Error is a step's or a run's error, as stored and shown.
type Error struct {
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Details map[string]any `json:"details,omitempty"`
}

// Ref names one execution place: a step, and in a loop body the path of the
// iteration ("each[3]", "each[3].inner[0]"). Step ids are unique in the whole
// definition, bodies included.
type Ref struct {
	StepID    string
	Iteration string
}

// Input is what can happen to a run.
type Input interface{ input() }

// Begin starts a queued run.
type Begin struct{}

// Continue goes on with a Change that said More.
type Continue struct{}

// StepEnded reports the end of one attempt. Failure nil means success, Output
// is then one JSON value. An end of an attempt that is not in action (an old
// attempt, a cancelled step) is ignored.
type StepEnded struct {
	Ref     Ref
	Attempt int
	Output  json.RawMessage
	Failure *Failure
	Usage   Usage
}

// Failure says why an attempt failed. RetryAfter is the receiver's wish, 0 for
// none; it wins over a shorter backoff, up to an hour.
type Failure struct {
	Error
	Permanent  bool
	RetryAfter time.Duration
	// MaskMessage gives the message with mask applied to each value that it quotes and
	// not to its own words; nil: nobody knows which is which. It is not stored.
	MaskMessage func(mask func(string) string) string `json:"-"`
}

// Usage is what an attempt consumed. ToolCalls, a JSON list of the calls that an
// agent made, stays with the attempt's event; sums leave it out.
type Usage struct {
	Tokens       int64           `json:"tokens,omitempty"`
	CostMicroUSD int64           `json:"cost_micro_usd,omitempty"`
	ToolCalls    json.RawMessage `json:"tool_calls,omitempty"`
}

// Tick lets everything that is due by now happen: waits, polls, retries,
// timeouts.
type Tick struct{}

// Signal delivers a signal. RequestID is a delivery key or the id of an open
// input request; the executor makes one where the caller gave none.
type Signal struct {
	Name      string
	RequestID string
	Payload   json.RawMessage
	By        Attribution
}

// Cancel asks the run to stop: running steps are told, compensations run.
// Reason is the message of the run's error, By.Reason what the caller says.
type Cancel struct {
	Reason string
	By     Attribution
}

// Terminate ends the run at once, with no clean-up. Reason is that of Cancel.
type Terminate struct {
	Reason string
	By     Attribution
}

// Pause lets steps in action finish and starts nothing more.
type Pause struct{ By Attribution }

// Recover reports that the process that drove the run is gone: every attempt
// in action is interrupted and runs again or fails, as on_interrupt says.
type Recover struct{}

// JournalOnly applies an input and starts nothing that it makes possible: what can go
// on stays on the agenda (Change.More) until a Continue, Tick or Recover, and
// the run keeps its word. The executor holds inputs back so while no slot is
// free, and while it is stopping.
type JournalOnly struct{ Input Input }

func (JournalOnly) input() {}
func (Begin) input()       {}
func (Continue) input()    {}
func (StepEnded) input()   {}
func (Tick) input()        {}
func (Signal) input()      {}
func (Cancel) input()      {}
func (Terminate) input()   {}
func (Pause) input()       {}
func (Resume) input()      {}
func (Recover) input()     {}

// Effect is something to be done outside, after the change that asked for it
// is durable.
type Effect interface{ effect() }

// Execute performs one attempt of a step (or of a compensation or a probe) and
// answers with StepEnded for the same Ref and Attempt. Config is not rendered
// yet: the performer renders it with Scope, because secrets are known only
// there. Timeout 0 means none. Key identifies the step's effect: the same for
// every attempt of (run, step, iteration, generation).
type Execute struct {
	Ref            Ref
	Attempt        int
	Type           string
	Config         *expressions.Template
	Scope          expressions.Scope
	Timeout        time.Duration
	IdempotencyKey string
	// KeyFirstUsedAt is when the first attempt under Key began, by the journal: the same
	// for every attempt. Zero for a probe.
	KeyFirstUsedAt time.Time
	// OutputSchema is checked by the performer; a breach is the permanent
	// failure output_schema.
	OutputSchema json.RawMessage
	// Role is "" for the step itself, "compensation" or "probe".
	Role string
}

// Stop asks an attempt in action to end. Its StepEnded is still awaited when
// the run is cancelling, and ignored after a Terminate.
type Stop struct {
	Ref     Ref
	Attempt int
}

func (Execute) effect() {}
func (Stop) effect()    {}

// Change is what an input did. Events are in order, with dense seq; none means
// that the input had no effect. More asks for a Continue after the commit: the
// machine bounds the work of one Apply (about 500 events).
type Change struct {
	Run     *Run
	Events  []events.Event
	Effects []Effect
	More    bool
}
