package client

import (
	"encoding/json"
	"time"
)

// Approval is an approval.
type Approval struct {
	// Apr_…: the request id of the run's signals, too.
	ID       string           `json:"id"`
	RunID    string           `json:"run_id"`
	Workflow ApprovalWorkflow `json:"workflow"`
	// That the run was on.
	Version  int     `json:"version"`
	StepID   string  `json:"step_id"`
	StepName *string `json:"step_name"`
	// The loop iteration's path; null outside of loops.
	Iteration *string `json:"iteration"`
	Signal    string  `json:"signal"`
	Prompt    *string `json:"prompt"`
	// JSON Schema of the payload; null: any fits.
	Schema json.RawMessage `json:"schema"`
	// Texts of which the payload is one; empty: none are given.
	Choices []string `json:"choices"`
	// What the definition shows to whoever answers; null: nothing. Beyond 64 KiB {"$omitted":
	// bytes}.
	Context json.RawMessage `json:"context"`
	// Names or ids of who is asked; empty: anyone who may answer.
	Assignees []string  `json:"assignees"`
	OpenedAt  time.Time `json:"opened_at"`
	// Null: never.
	ExpiresAt *time.Time `json:"expires_at"`
	// Fail or continue; null of runs that waited when the server was upgraded.
	OnTimeout *string `json:"on_timeout"`
	// How the run's input begins, 1,000 bytes of JSON text at most.
	RunInputHead string `json:"run_input_head"`
	// Who started the run; null where it is not known.
	StartedBy *Actor `json:"started_by"`
	// One of open, answered, expired, cancelled.
	Status     string     `json:"status"`
	ClosedAt   *time.Time `json:"closed_at"`
	AnsweredAt *time.Time `json:"answered_at"`
	AnsweredBy *Actor     `json:"answered_by"`
	Comment    *string    `json:"comment"`
	// The answer; null: none, or null.
	Payload json.RawMessage `json:"payload"`
	// It is open, and the caller may answer it.
	CanAnswer bool `json:"can_answer"`
	// Can lists the actions that the caller may take.
	Can []string `json:"can"`
}

// ApprovalWorkflow names the workflow of an approval.
type ApprovalWorkflow struct {
	ID string `json:"id"`
	// As it was when the run started.
	Slug string `json:"slug"`
	// As it is now; null where the workflow was deleted.
	Name *string `json:"name"`
}

// ApprovalCount is how many approvals are open.
type ApprovalCount struct {
	// All that the caller may see.
	Open int `json:"open"`
	// Those that the caller is asked, counted up to 1,000.
	Mine int `json:"mine"`
	// There may be more than mine.
	MineCapped bool `json:"mine_capped"`
}

// AnswerApproval is an answer.
type AnswerApproval struct {
	// The answer; it has to fit schema.
	Payload json.RawMessage `json:"payload,omitempty"`
	// For the history and the audit trail: at most 1,000 characters.
	Comment string `json:"comment,omitempty"`
}
