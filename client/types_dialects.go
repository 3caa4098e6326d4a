package client

import (
	"encoding/json"
	"time"
)

// V1Start is a request for a run.
type V1Start struct {
	// A workflow's slug or id.
	WorkflowID      string          `json:"workflow_id"`
	WorkflowVersion VersionRef      `json:"workflow_version,omitempty"`
	Input           json.RawMessage `json:"input,omitempty"`
}

// V1Started answers a start with the state of the new run, which is what a repeated request
// receives too, however far the run has come.
type V1Started struct {
	RunID      string `json:"run_id"`
	State      string `json:"state"`
	WorkflowID string `json:"workflow_id"`
	// The version's label, or v3.
	WorkflowVersion string     `json:"workflow_version"`
	CreatedAt       time.Time  `json:"created_at"`
	StartedAt       *time.Time `json:"started_at"`
}

// V1Summary is a run in a list.
type V1Summary struct {
	RunID string `json:"run_id"`
	State string `json:"state"`
	// The workflow's slug.
	WorkflowID string `json:"workflow_id"`
	// The version's label, or v3.
	WorkflowVersion string     `json:"workflow_version"`
	Trigger         string     `json:"trigger"`
	Error           *Failure   `json:"error"`
	CreatedAt       time.Time  `json:"created_at"`
	StartedAt       *time.Time `json:"started_at"`
	FinishedAt      *time.Time `json:"finished_at"`
	// From start to end; null until it has ended.
	LatencyMS    *int64 `json:"latency_ms"`
	Tokens       int64  `json:"tokens"`
	CostMicroUSD int64  `json:"cost_micro_usd"`
	Authors
}

// V1Run is a run with its nodes summed up.
type V1Run struct {
	V1Summary
	DefinitionHash string          `json:"definition_hash"`
	Input          json.RawMessage `json:"input"`
	Nodes          V1Nodes         `json:"nodes"`
	// Of a queued run: how it waits for its turn.
	Queue *QueuePlace `json:"queue,omitempty"`
	// What is under way, retries and waits included.
	Current []V1Current `json:"current"`
}

// V1Nodes counts the top-level nodes, and the handlers that ran, by state; a pending retry is
// running.
type V1Nodes struct {
	Total     int `json:"total"`
	Pending   int `json:"pending"`
	Running   int `json:"running"`
	Waiting   int `json:"waiting"`
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
	Skipped   int `json:"skipped"`
	Cancelled int `json:"cancelled"`
}

// V1Current is a node that has started and not ended.
type V1Current struct {
	Node string `json:"node"`
	Type string `json:"type"`
	// One of running, waiting, retrying.
	State string `json:"state"`
	// In a loop body: each[3] or each[3].inner[0].
	Iteration string     `json:"iteration,omitempty"`
	Attempt   int        `json:"attempt,omitempty"`
	StartedAt *time.Time `json:"started_at"`
	Wait      *V1Wait    `json:"wait,omitempty"`
}

// V1Wait says what a node waits for; of a signal, how to answer it: the prompt for a person and
// the schema of the payload.
type V1Wait struct {
	OpenWait
	Prompt string          `json:"prompt,omitempty"`
	Schema json.RawMessage `json:"schema,omitempty"`
}

// V1Steered answers a command that ends a run, with the state that the run was in then: running,
// while it compensates.
type V1Steered struct {
	RunID string `json:"run_id"`
	State string `json:"state"`
}

// V1HistoryNode is one node, in a loop body of one iteration, with all of its attempts.
type V1HistoryNode struct {
	Node string `json:"node"`
	Type string `json:"type"`
	// One of running, waiting, retrying, succeeded, failed, skipped, cancelled.
	State string `json:"state"`
	// In a loop body: each[3] or each[3].inner[0].
	Iteration string `json:"iteration,omitempty"`
	// Why it was skipped.
	Reason   string      `json:"reason,omitempty"`
	Attempts []V1Attempt `json:"attempts"`
}

// V1Attempt is one attempt of a node.
type V1Attempt struct {
	Attempt int `json:"attempt"`
	// One of running, waiting, succeeded, failed, interrupted, cancelled.
	State      string     `json:"state"`
	StartedAt  *time.Time `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
	LatencyMS  *int64     `json:"latency_ms"`
	// The node's config as the definition has it, templates not expanded; null where another
	// version ran, and of loops.
	Input        json.RawMessage `json:"input"`
	Output       json.RawMessage `json:"output"`
	Error        *Failure        `json:"error"`
	Tokens       int64           `json:"tokens"`
	CostMicroUSD int64           `json:"cost_micro_usd"`
	// What an agent called, in order.
	ToolCalls []ToolCall `json:"tool_calls,omitempty"`
}

// V1Event is the data of every frame of the runs dialect; each event fills what it has, and leaves
// the rest out.
type V1Event struct {
	RunID     string    `json:"run_id"`
	Seq       int64     `json:"seq"`
	Timestamp time.Time `json:"timestamp"`
	State     string    `json:"state,omitempty"`
	Node      string    `json:"node,omitempty"`
	// In a loop body: each[3] or each[3].inner[0].
	Iteration    string `json:"iteration,omitempty"`
	Attempt      int    `json:"attempt,omitempty"`
	LatencyMS    *int64 `json:"latency_ms,omitempty"`
	Tokens       *int64 `json:"tokens,omitempty"`
	CostMicroUSD *int64 `json:"cost_micro_usd,omitempty"`
	RequestID    string `json:"request_id,omitempty"`
	// Of the signal.
	Name   string `json:"name,omitempty"`
	Prompt string `json:"prompt,omitempty"`
	// What the payload is checked against.
	Schema  json.RawMessage `json:"schema,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *Failure        `json:"error,omitempty"`
	// Who started, paused, resumed or cancelled the run, or sent the signal.
	Actor *Actor `json:"actor,omitempty"`
	// Why, as they said.
	Reason string `json:"reason,omitempty"`
}

// TurnRequest is one turn of a conversation; unknown fields are ignored.
type TurnRequest struct {
	// Command (start, data, resume, pause, stop), version_number, dynamic_variables,
	// runtime_variables, thread_to_node_inputs, miscellaneous.
	RunInput json.RawMessage `json:"run_input"`
	// Absent on the first turn.
	RunID string `json:"run_id,omitempty"`
	// Reason is kept in the audit trail and the history.
	Reason string `json:"reason,omitempty"`
}

// Turn is where the conversation stands after the turn.
type Turn struct {
	// 24 hex digits.
	RunID string `json:"run_id"`
	// One of not_started, started, running, failed, completed, paused, waiting_for_user_input,
	// cancelled, aborted_looping_risk.
	Status     string `json:"status"`
	TurnNumber int    `json:"turn_number"`
	// This turn's, the newest 1,000.
	Events            []TurnEvent `json:"events"`
	IsWaitingForInput bool        `json:"is_waiting_for_input"`
	// The run has ended, however.
	IsCompleted bool `json:"is_completed"`
	// Why the run failed.
	Error         *string    `json:"error"`
	NextInputHint *TurnEvent `json:"next_input_hint"`
	// Of a run that has not begun: how it waits for its turn.
	Queue               *QueuePlace `json:"queue,omitempty"`
	HasActiveCompanions bool        `json:"has_active_companions"`
	HasBackgroundWork   bool        `json:"has_background_work"`
	Authors
}

// TurnEvent is one event of a turn.
type TurnEvent struct {
	// One of start_workflow, end_workflow, start_node_run, end_node_run, assistant_response,
	// workflow_ready_for_input, pause_event, workflow_error, busy_wait_for_user_message.
	Type      string `json:"type"`
	LogicalID string `json:"logical_id"`
	// Unix seconds.
	Timestamp           float64 `json:"timestamp"`
	OriginNodeLogicalID string  `json:"origin_node_logical_id,omitempty"`
	OriginNodeName      string  `json:"origin_node_name,omitempty"`
	RequestID           string  `json:"request_id,omitempty"`
	// Of the signal that is waited for.
	Name   string          `json:"name,omitempty"`
	Prompt string          `json:"prompt,omitempty"`
	Schema json.RawMessage `json:"schema,omitempty"`
	Output json.RawMessage `json:"output,omitempty"`
	Error  *Failure        `json:"error,omitempty"`
}
