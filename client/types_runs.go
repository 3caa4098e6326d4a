package client

import (
	"encoding/json"
	"time"
)

// StartRun is a request for a run.
type StartRun struct {
	// An empty object unless given.
	InputData json.RawMessage `json:"input_data,omitempty"`
	// Default manual.
	Trigger string     `json:"trigger,omitempty"`
	Version VersionRef `json:"version,omitempty"`
	// At most 20. Keys are 1 to 63 letters, digits, dots, dashes and underscores, values 1 to 200
	// characters.
	Labels map[string]string `json:"labels,omitempty"`
}

// RunSummary is a run in a list.
type RunSummary struct {
	ID             string     `json:"id"`
	WorkflowID     string     `json:"workflow_id"`
	Version        int        `json:"version"`
	DefinitionHash string     `json:"definition_hash"`
	Status         string     `json:"status"`
	Trigger        string     `json:"trigger"`
	Error          *Failure   `json:"error"`
	CreatedAt      time.Time  `json:"created_at"`
	StartedAt      *time.Time `json:"started_at"`
	CompletedAt    *time.Time `json:"completed_at"`
	// From start to end; null until it has ended.
	DurationSeconds *float64 `json:"duration_seconds"`
	// Top-level steps; null of a run that has not moved on since an earlier version of the server.
	Steps *StepCounts `json:"steps"`
	// The oldest open wait, one for a signal before all others; null where it waits for nothing.
	WaitingFor *WaitingFor `json:"waiting_for"`
	// The schedule whose run it is.
	ScheduleID string `json:"schedule_id,omitempty"`
	// The due time that a schedule's run is for.
	DueAt *time.Time `json:"due_at,omitempty"`
	// The version that it was on before it was resumed on this one.
	ResumedFrom int               `json:"resumed_from_version,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Authors
	// Can lists the actions that the caller may take.
	Can []string `json:"can"`
}

// RunDetails is what lists say of a run beside its own row.
type RunDetails struct {
	Workflow *RunWorkflow `json:"workflow"`
	// Of the version that it is on; null without one.
	VersionLabel *string `json:"version_label"`
	// Its name, where it has one.
	InstanceID string `json:"instance_id,omitempty"`
	// The template that the workflow was made of.
	TemplateID string `json:"template_id,omitempty"`
	// Of a queued run: how it waits for its turn; in a list ahead is counted up to 100.
	Queue *QueuePlace `json:"queue,omitempty"`
}

// RunWorkflow is the workflow of a run, as it is now, or was when it was deleted.
type RunWorkflow struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// ListedRun is a run in a list, with what is known of it elsewhere.
type ListedRun struct {
	RunSummary
	RunDetails
}

// StepCounts counts top-level steps, and the handlers that ran or run.
type StepCounts struct {
	Total     int `json:"total"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
	Waiting   int `json:"waiting"`
	Running   int `json:"running"`
}

// WaitingFor is what a run waits for.
type WaitingFor struct {
	// One of timer, condition, signal.
	Kind   string `json:"kind"`
	Signal string `json:"signal,omitempty"`
	// Its first 300 bytes.
	Prompt    string     `json:"prompt,omitempty"`
	TimeoutAt *time.Time `json:"timeout_at"`
	// Open waits, this one included.
	Count int `json:"count"`
}

// Run is a run with its input, output and steps.
type Run struct {
	RunSummary
	Input  json.RawMessage `json:"input"`
	Output json.RawMessage `json:"output"`
	// Of a queued run: how it waits for its turn.
	Queue *QueuePlace `json:"queue,omitempty"`
	// All that the run ran on, oldest first.
	Versions []RanVersion `json:"versions"`
	// Steps that started or were skipped, in execution order.
	StepRuns []StepRun `json:"step_runs"`
}

// RanVersion is one of the versions that a run ran on, and since which event.
type RanVersion struct {
	Version        int    `json:"version"`
	DefinitionHash string `json:"definition_hash"`
	// The event from which on the run ran on this version.
	FromSeq int64 `json:"from_seq"`
}

// RunView is a run as a list shows it, with its input and output.
type RunView struct {
	ListedRun
	// The run's last event: where a stream goes on, and changed_after of its steps.
	Seq    int64           `json:"seq"`
	Counts StatusCounts    `json:"counts"`
	Input  json.RawMessage `json:"input"`
	Output json.RawMessage `json:"output"`
	// All that the run ran on, oldest first.
	Versions []RanVersion `json:"versions"`
	Links    RunLinks     `json:"links"`
}

// StatusCounts counts top-level steps, and the handlers that ran or run, by status; a pending
// retry is running.
type StatusCounts struct {
	// The sum of the others.
	Total     int `json:"total"`
	Pending   int `json:"pending"`
	Running   int `json:"running"`
	Waiting   int `json:"waiting"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
	Skipped   int `json:"skipped"`
	Cancelled int `json:"cancelled"`
}

// RunLinks are the paths of what belongs to a run.
type RunLinks struct {
	Steps      string `json:"steps"`
	Stream     string `json:"stream"`
	Definition string `json:"definition"`
	Logs       string `json:"logs"`
}

// SteeredRun answers a command with the state that the run had when it was taken, which the run
// may have left since.
type SteeredRun struct {
	RunID  string `json:"run_id"`
	Status string `json:"status"`
}

// RanDefinition is the definition that a run is on.
type RanDefinition struct {
	RunID          string          `json:"run_id"`
	WorkflowID     string          `json:"workflow_id"`
	Version        int             `json:"version"`
	DefinitionHash string          `json:"definition_hash"`
	Definition     json.RawMessage `json:"definition"`
}

// ResumeRun says from where, and on which version, a run goes on.
type ResumeRun struct {
	// Reason is kept in the audit trail and the history.
	Reason string `json:"reason,omitempty"`
	// A top-level step whose dependencies are finished: it and all that depends on it run again.
	FromStep string `json:"from_step,omitempty"`
	// Go on with another version; what is equal in both and finished is kept.
	Version VersionRef `json:"version,omitempty"`
}

// ResumePreview says what a resume would do, in the order of the definition.
type ResumePreview struct {
	Reused   []JudgedStep `json:"reused"`
	RunAgain []JudgedStep `json:"run_again"`
}

// JudgedStep is a step, and why it is kept or runs again.
type JudgedStep struct {
	StepID string `json:"step_id"`
	Reason string `json:"reason"`
}

// RedriveRun names the loop whose failed iterations are to run again; it is required.
type RedriveRun struct {
	// Reason is kept in the audit trail and the history.
	Reason string `json:"reason,omitempty"`
	// A loop over items.
	StepID string `json:"step_id"`
}

// LogLine is one line that a step wrote.
type LogLine struct {
	ID     string `json:"id"`
	StepID string `json:"step_id"`
	// The loop iteration's path; null outside of loops.
	Iteration *string `json:"iteration"`
	Attempt   int     `json:"attempt"`
	// One of debug, info, warn, error.
	Level string `json:"level"`
	// Where it comes from: stdout, stderr, agent, tool, heddle.
	Category string `json:"category"`
	// Without secrets, cut at 8 KiB.
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
	At      time.Time       `json:"at"`
}

// RunEvent is the data of every frame of the workflows dialect; each event fills what it has, and
// leaves the rest out.
type RunEvent struct {
	RunID     string    `json:"run_id"`
	Seq       int64     `json:"seq"`
	Timestamp time.Time `json:"timestamp"`
	StepID    string    `json:"step_id,omitempty"`
	// The step's type.
	Type    string `json:"type,omitempty"`
	Attempt int    `json:"attempt,omitempty"`
	// In a loop body: each[3] or each[3].inner[0].
	Iteration       string          `json:"iteration,omitempty"`
	Status          string          `json:"status,omitempty"`
	Output          json.RawMessage `json:"output,omitempty"`
	Error           *Failure        `json:"error,omitempty"`
	DurationSeconds *float64        `json:"duration_seconds,omitempty"`
	NextAttemptAt   *time.Time      `json:"next_attempt_at,omitempty"`
	Fallback        string          `json:"fallback,omitempty"`
	// Why a step was skipped; of a command to the run, the reason that its caller gave.
	Reason string `json:"reason,omitempty"`
	// Who started, paused, resumed or cancelled the run, or sent the signal.
	Actor *Actor `json:"actor,omitempty"`
	// What a step waits for: timer, condition, signal.
	Kind      string     `json:"kind,omitempty"`
	Until     *time.Time `json:"until,omitempty"`
	TimeoutAt *time.Time `json:"timeout_at,omitempty"`
	// Of the signal.
	Name      string          `json:"name,omitempty"`
	RequestID string          `json:"request_id,omitempty"`
	Payload   json.RawMessage `json:"payload,omitempty"`
}

// Result is how a run ended.
type Result struct {
	RunID string `json:"run_id"`
	State string `json:"state"`
	// Null of a failed or cancelled run.
	Result json.RawMessage `json:"result"`
	Error  *Failure        `json:"error,omitempty"`
}

// Signal is a signal.
type Signal struct {
	// Reason is kept in the audit trail and the history.
	Reason string `json:"reason,omitempty"`
	// That of an input request, or a key of the caller's own; at most 255 characters.
	RequestID string          `json:"request_id,omitempty"`
	Payload   json.RawMessage `json:"payload,omitempty"`
}

// Delivered answers a signal.
type Delivered struct {
	Accepted bool `json:"accepted"`
	// The same request id was delivered before; nothing was done.
	Duplicate bool `json:"duplicate"`
}
