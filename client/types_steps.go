package client

import (
	"encoding/json"
	"time"
)

// StepRun is one step of a run, in a loop's case as a whole.
type StepRun struct {
	StepID string `json:"step_id"`
	Type   string `json:"type"`
	// One of pending, running, waiting, retrying, completed, failed, skipped, cancelled.
	Status          string          `json:"status"`
	Attempt         int             `json:"attempt"`
	Output          json.RawMessage `json:"output"`
	Error           *Failure        `json:"error"`
	StartedAt       *time.Time      `json:"started_at"`
	CompletedAt     *time.Time      `json:"completed_at"`
	DurationSeconds *float64        `json:"duration_seconds"`
	Fallback        string          `json:"fallback,omitempty"`
	// On_failure or finally; absent for a main step.
	Handler       string     `json:"handler,omitempty"`
	NextAttemptAt *time.Time `json:"next_attempt_at,omitempty"`
	Wait          *OpenWait  `json:"wait,omitempty"`
	Tokens        int64      `json:"tokens,omitempty"`
	CostMicroUSD  int64      `json:"cost_micro_usd,omitempty"`
	// What an agent called, over all attempts; left out of runs with more than 10,000 events,
	// whose history has it.
	ToolCalls  []ToolCall  `json:"tool_calls,omitempty"`
	Iterations *Iterations `json:"iterations,omitempty"`
}

// Iterations counts the iterations of a loop; Total is null until it is known, as in a loop with a
// condition.
type Iterations struct {
	Total     *int `json:"total"`
	Started   int  `json:"started"`
	Completed int  `json:"completed"`
	Failed    int  `json:"failed"`
}

// ListedStep is one step of a run's list of steps, started or not.
type ListedStep struct {
	StepID string `json:"step_id"`
	// The step's id where it has no name.
	Name string `json:"name"`
	Type string `json:"type"`
	// One of pending, running, waiting, retrying, completed, failed, skipped, cancelled.
	Status string `json:"status"`
	// The last one; 0 before the first.
	Attempt     int `json:"attempt"`
	MaxAttempts int `json:"max_attempts"`
	// How often it was run again on purpose.
	Generation int `json:"generation"`
	// In a loop body: each[3] or each[3].inner[0].
	Iteration       string     `json:"iteration,omitempty"`
	StartedAt       *time.Time `json:"started_at"`
	CompletedAt     *time.Time `json:"completed_at"`
	DurationSeconds *float64   `json:"duration_seconds"`
	NextAttemptAt   *time.Time `json:"next_attempt_at,omitempty"`
	Error           *Failure   `json:"error"`
	Wait            *StepWait  `json:"wait,omitempty"`
	// The step that ran in its place.
	Fallback string `json:"fallback,omitempty"`
	// On_failure or finally; absent for a main step.
	Handler    string      `json:"handler,omitempty"`
	Iterations *Iterations `json:"iterations,omitempty"`
	// Of a running loop: nothing of it is in flight, and a wait or a retry in it is pending.
	Waiting bool `json:"waiting,omitempty"`
	// 0 without an output.
	OutputBytes int64 `json:"output_bytes"`
	// With output=head: the first 256 bytes of the output's JSON.
	OutputHead string `json:"output_head,omitempty"`
	// The last event of the step, or of its iterations; left out where it is not known.
	Seq int64 `json:"seq,omitempty"`
}

// StepWait is an open wait, and how to answer it.
type StepWait struct {
	OpenWait
	Prompt string          `json:"prompt,omitempty"`
	Schema json.RawMessage `json:"schema,omitempty"`
}

// StepAttempt is one attempt of a step.
type StepAttempt struct {
	Attempt int `json:"attempt"`
	// How often the step had been run again on purpose; part of the idempotency key.
	Generation int `json:"generation"`
	// One of running, waiting, completed, failed, interrupted, cancelled.
	Status string `json:"status"`
	// A crash cut it off.
	Interrupted     bool            `json:"interrupted"`
	StartedAt       *time.Time      `json:"started_at"`
	CompletedAt     *time.Time      `json:"completed_at"`
	DurationSeconds *float64        `json:"duration_seconds"`
	Output          json.RawMessage `json:"output"`
	Error           *Failure        `json:"error"`
	Tokens          int64           `json:"tokens"`
	CostMicroUSD    int64           `json:"cost_micro_usd"`
	ToolCalls       []ToolCall      `json:"tool_calls,omitempty"`
	// The config as its templates rendered it, without secrets and credentials; above 64 KiB a
	// reference to a blob. Null where it is not kept (retention of the definition).
	RenderedInput json.RawMessage `json:"rendered_input"`
}

// Step is a step with its output and its attempts.
type Step struct {
	ListedStep
	Output json.RawMessage `json:"output"`
	// In their order; none of a step that was skipped or has not started.
	Attempts []StepAttempt `json:"attempts"`
}

// IterationRun is one iteration of a loop.
type IterationRun struct {
	// Its path: each[3] or each[3].inner[0].
	Iteration string `json:"iteration"`
	// One of running, completed, failed.
	Status string `json:"status"`
	// Of a running one: nothing of it is in flight, and a wait or a retry is pending.
	Waiting bool `json:"waiting,omitempty"`
	// The value of collect; null without it.
	Result          json.RawMessage `json:"result"`
	Error           *Failure        `json:"error"`
	StartedAt       *time.Time      `json:"started_at"`
	CompletedAt     *time.Time      `json:"completed_at"`
	DurationSeconds *float64        `json:"duration_seconds"`
}

// DryRun is a request for a run to drive in memory, with what its steps are to return.
type DryRun struct {
	// Definition is JSON; Source a text whose comments and order are kept. One of the two.
	Definition json.RawMessage `json:"definition,omitempty"`
	Source     *Source         `json:"source,omitempty"`
	InputData  json.RawMessage `json:"input_data,omitempty"`
	Version    VersionRef      `json:"version,omitempty"`
	// By step id. A step without one returns null.
	Mocks map[string]Mock `json:"mocks,omitempty"`
}

// Mock stands for a step's end: with an error it fails, otherwise it completes with the output.
type Mock struct {
	// Of a wait for a signal: the payload.
	Output json.RawMessage `json:"output,omitempty"`
	// The step fails permanently with this error.
	Error *Failure `json:"error,omitempty"`
}

// DryRunResult is how the run would go.
type DryRunResult struct {
	// Waiting: for a signal that no mock sends.
	Status string          `json:"status"`
	Output json.RawMessage `json:"output"`
	Error  *Failure        `json:"error"`
	// What its waits and retries would have taken.
	DurationSeconds float64 `json:"duration_seconds"`
	// It was cut off after 10,000 events.
	Truncated bool `json:"truncated"`
	// In execution order.
	Steps []StepRun `json:"steps"`
}

// TestStep is a step's surroundings: the run's input and the outputs of other steps.
type TestStep struct {
	// Definition is JSON; Source a text whose comments and order are kept. One of the two.
	Definition json.RawMessage `json:"definition,omitempty"`
	Source     *Source         `json:"source,omitempty"`
	// A run of the workflow: its outputs stand for those that steps does not have, and its input
	// for input_data. Outputs over 1 MiB stand as references.
	FromRun   string          `json:"from_run,omitempty"`
	InputData json.RawMessage `json:"input_data,omitempty"`
	// Outputs of other steps, by step id: of those around its loop, and of the same iteration.
	Steps map[string]json.RawMessage `json:"steps,omitempty"`
	// Of a step in a loop's body: stands for the loop's item. Left out, it is the one at index of
	// what the loop's items evaluate to.
	Item json.RawMessage `json:"item,omitempty"`
	// Of a step in a loop's body: the iteration, from 0.
	Index int `json:"index,omitempty"`
}

// StepTest is how the one attempt ended.
type StepTest struct {
	// One of completed, failed.
	Status          string          `json:"status"`
	Output          json.RawMessage `json:"output"`
	Error           *Failure        `json:"error"`
	DurationSeconds float64         `json:"duration_seconds"`
}
