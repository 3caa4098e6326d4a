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
// too. Any step in flight makes the run Running.
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

// Terminal reports whether nothing more happens to the run by itself. A failed
// or cancelled run can still be resumed.
func (s State) Terminal() bool { return s == Completed || s == Failed || s == Cancelled }

// NeedsRecovery reports whether a run in this state may have work that a crash
// cuts off: such runs are restored and given Recover when a node begins to
// drive.
func (s State) NeedsRecovery() bool {
	return s == Running || s == Pausing || s == Cancelling || s == Compensating
}

// StepStatus is a step's state within a run. Completed, failed, skipped and
// cancelled are final until the run is resumed.
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

// Header is what a run is created with. It never changes, except that a Resume on another
// version replaces Version and Hash and adds to Versions. Its JSON names are stored.
type Header struct {
	RunID      string          `json:"run_id"`
	TenantID   string          `json:"tenant_id"`
	WorkflowID string          `json:"workflow_id"`
	Slug       string          `json:"slug"`    // of the workflow, when the run started
	Version    int             `json:"version"` // the one that the run is on now
	Hash       string          `json:"definition_hash"`
	Trigger    string          `json:"trigger"` // manual, api, schedule, webhook or event
	Input      json.RawMessage `json:"input"`   // "null" when none was given
	CreatedAt  time.Time       `json:"created_at"`
	// StartedBy is who started the run; zero in runs of earlier versions.
	StartedBy audit.Actor `json:"started_by,omitzero"`
	// Versions are all that the run ran on, oldest first; nil while it has been
	// Version alone.
	Versions []VersionSpan `json:"versions,omitempty"`
}

// Error is a step's or a run's error, as stored and shown. Code is stable and
// machine-readable; Message is for people and holds no secret; Details are JSON
// values, whose numbers keep their text when they are read back.
type Error struct {
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Details map[string]any `json:"details,omitempty"`
}

// Ref names one position in a run from outside: a step, and in a loop body the path of the
// iteration ("each[3]", "each[3].inner[0]"; "" outside of loops). Step ids are unique in
// the whole definition, bodies included.
type Ref struct {
	StepID    string
	Iteration string
}

// Input is what can happen to a run. The set is closed. An input is not changed by Apply,
// which keeps the JSON values in it: they must not be changed afterwards either.
type Input interface{ input() }

// Begin starts a queued run, or lets a resumed one go on. In any other state it has no
// effect.
type Begin struct{}

// Continue works on what a Change with More left; it does no harm where nothing is left.
type Continue struct{}

// StepEnded reports the end of one attempt. A nil Failure means success; Output is then one
// JSON value, and nil is null. The end of an attempt that is not in flight (an old attempt,
// a cancelled step) has no effect, so reporting one twice does no harm.
type StepEnded struct {
	Ref     Ref // of the Execute
	Attempt int // of the Execute
	Output  json.RawMessage
	Failure *Failure
	Usage   Usage
}

// Failure says why an attempt failed. A permanent one is not retried unless the step's
// retry.on names its code. RetryAfter is the receiver's wish, 0 for none; it wins over a
// shorter backoff, up to an hour.
type Failure struct {
	Error
	Permanent  bool
	RetryAfter time.Duration
	// MaskMessage returns the message with mask applied to each value that it
	// quotes and not to its own words; nil: the message does not tell them
	// apart. It is not stored.
	MaskMessage func(mask func(string) string) string `json:"-"`
}

// Usage is what an attempt consumed: language-model tokens, and their price in
// millionths of a US dollar. ToolCalls, a JSON list of the calls that an agent
// made, stays with the attempt's event; sums leave it out.
type Usage struct {
	Tokens       int64           `json:"tokens,omitempty"` // input and output
	CostMicroUSD int64           `json:"cost_micro_usd,omitempty"`
	ToolCalls    json.RawMessage `json:"tool_calls,omitempty"`
	// Agent is the id of the agent that the attempt was charged to; "": none. Sums leave it out.
	Agent string `json:"agent,omitempty"`
}

// Tick lets everything that is due by now happen: waits, polls, retries, timeouts. Where
// nothing is due it has no effect, so it may come early or late, and twice.
type Tick struct{}

// Signal delivers a signal. RequestID is a delivery key or the id of an open
// input request; the executor makes one where the caller sent none. A RequestID
// that the run has seen makes the signal a repetition, which has no effect.
type Signal struct {
	Name      string
	RequestID string
	Payload   json.RawMessage // one JSON value; nil is null
	By        Attribution
	// Key stands for the request that delivers the signal, so that its repetition is
	// recognized; "": it has none.
	Key string
}

// Cancel stops the run: attempts in flight are told to end, compensations and
// finally run. Reason becomes the message of the run's error; By.Reason is the
// caller's own text. It has no effect on a run that is ending or has ended.
type Cancel struct {
	Reason string
	By     Attribution
}

// Terminate ends the run at once, without compensations or handlers. Reason is
// that of Cancel. A run that has ended refuses it with fault.Conflict
// run_finished.
type Terminate struct {
	Reason string
	By     Attribution
}

// Pause lets attempts in flight finish and starts nothing more. A run that has
// ended refuses it with fault.Conflict run_finished; one that is ending ignores
// it.
type Pause struct{ By Attribution }

// Recover reports that the process that drove the run is gone: every attempt in
// flight is interrupted and runs again under the same idempotency key or fails,
// as on_interrupt says.
type Recover struct{}

// JournalOnly applies an input and starts nothing that it makes possible: what
// can go on stays on the agenda (Change.More) until a Continue, Tick or
// Recover, and the run keeps its state. The executor applies inputs so while no
// slot is free, and while it is stopping.
type JournalOnly struct{ Input Input }

// These methods close the set of inputs to the package.
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

// Effect is something to be done outside, after the change that it belongs to is durable.
// The set is closed. Effects are performed in order: a Stop may follow the Execute of the
// same attempt.
type Effect interface{ effect() }

// Execute asks for one attempt of a step, a compensation or a probe; the answer
// is StepEnded for the same Ref and Attempt. Config is not rendered yet: the
// performer renders it with Scope, because secrets are known only there. Scope
// reads an immutable run, so it may be used at any time and by any goroutine.
// Timeout 0 means none. IdempotencyKey identifies the step's effect: the same
// for every attempt of (run, step, iteration, generation).
type Execute struct {
	Ref            Ref
	Attempt        int // from 1; unique for the Ref, whatever the role
	Type           string
	Config         *expressions.Template
	Scope          expressions.Scope
	Timeout        time.Duration
	IdempotencyKey string
	// KeyFirstUsedAt is when the first attempt under IdempotencyKey began, by
	// the journal: the same for every attempt. Zero for a probe.
	KeyFirstUsedAt time.Time
	// OutputSchema is checked by the performer; an output that does not fit is
	// the permanent failure output_schema.
	OutputSchema json.RawMessage
	// Role is "" for the step itself, "compensation" or "probe".
	Role string
	// Retain says of which ends the performer keeps the rendered config:
	// definitions.RetainFailed or another; "", as of other roles: of none.
	Retain string
}

// Stop tells an attempt in flight to end. Its StepEnded is still awaited while the run is
// cancelling, and ignored after a Terminate. Stopping an attempt that has just ended has no
// effect.
type Stop struct {
	Ref     Ref
	Attempt int
}

// These methods close the set of effects to the package.
func (Execute) effect() {}
func (Stop) effect()    {}

// Change is what an input did. Events are in order with dense seqs; none means that the
// input had no effect, and Run is then the run that was passed in. The events and the run's
// row are stored in one transaction before any effect is performed. More asks for a
// Continue after the commit: one Apply emits about 500 events at most.
type Change struct {
	Run     *Run
	Events  []events.Event
	Effects []Effect
	// Requests is what the events do to input requests, in their order; it is stored with
	// them.
	Requests []RequestChange
	More     bool
}
