package client

import (
	"encoding/json"
	"time"
)

// Actor is who did something: a key, a schedule, another run or the product itself.
type Actor struct {
	// One of key, user, schedule, run, system.
	Type string `json:"type"`
	ID   string `json:"id,omitempty"`
	// As it was then.
	Name string `json:"name,omitempty"`
}

// QueuePlace says of a queued run how it waits for its turn.
type QueuePlace struct {
	// When it was queued.
	Since time.Time `json:"since"`
	// Queued runs of its workflow that come before it, counted up to 1,000. Workflows take turns,
	// and so do tenants.
	Ahead int `json:"ahead"`
	// How many runs may have a step in flight at one time: WORKFLOW_MAX_CONCURRENT_RUNS.
	Limit int `json:"limit"`
}

// ToolCall is one call of a tool that an agent made, as the journal holds it.
type ToolCall struct {
	Tool       string          `json:"tool"`
	Arguments  json.RawMessage `json:"arguments"`
	StatusCode int             `json:"status_code,omitempty"`
	// Why it has no output; the model was told.
	Error     string `json:"error,omitempty"`
	LatencyMS int64  `json:"latency_ms"`
}

// OpenWait says what a step waits for.
type OpenWait struct {
	// One of timer, condition, signal.
	Kind      string     `json:"kind"`
	Signal    string     `json:"signal,omitempty"`
	RequestID string     `json:"request_id,omitempty"`
	Until     *time.Time `json:"until,omitempty"`
	TimeoutAt *time.Time `json:"timeout_at,omitempty"`
}

// Failure is a run's or a step's error.
type Failure struct {
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Details map[string]any `json:"details,omitempty"`
}

// Source is a definition as a text.
type Source struct {
	// One of yaml, json.
	Format string `json:"format"`
	// Lines and columns of diagnostics count in it.
	Text string `json:"text"`
}

// Authors are who started a run and who cancelled it.
type Authors struct {
	// Left out of runs of earlier versions.
	StartedBy   *Actor `json:"started_by,omitempty"`
	CancelledBy *Actor `json:"cancelled_by,omitempty"`
	// Why it was cancelled, as the caller wrote it.
	Reason string `json:"reason,omitempty"`
}

// SchemaIssue is one problem of a request in the form that clients of the instances dialect read.
type SchemaIssue struct {
	Code    string `json:"code"`
	Path    []any  `json:"path"`
	Message string `json:"message"`
}

// Diagnostic is one problem found in something that a person wrote.
type Diagnostic struct {
	Code string `json:"code"`
	// "error" or "warning".
	Severity   string   `json:"severity"`
	Message    string   `json:"message"`
	Pointer    string   `json:"pointer"`
	Line       int      `json:"line,omitempty"`
	Column     int      `json:"column,omitempty"`
	Suggestion string   `json:"suggestion,omitempty"`
	Related    []string `json:"related,omitempty"`
}

// WorkflowRef names the workflow of a usingStep.
type WorkflowRef struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// UsingStep is a step that names a secret or an agent.
type UsingStep struct {
	Workflow WorkflowRef `json:"workflow"`
	Version  int         `json:"version"`
	StepID   string      `json:"step_id"`
}
