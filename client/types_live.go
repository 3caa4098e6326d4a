package client

import (
	"time"
)

// LiveEvent is the data of a frame: one of the members, none in a reset.
type LiveEvent struct {
	// With run_changed: as a list shows it, with its position.
	Run *ChangedRun `json:"run,omitempty"`
	// With approval_opened and approval_closed.
	Approval *ChangedApproval `json:"approval,omitempty"`
	// With workflow_changed.
	Workflow *ChangedWorkflow `json:"workflow,omitempty"`
	// With schedule_changed.
	Schedule *ChangedSchedule `json:"schedule,omitempty"`
	// With slot_decided.
	Slot *DecidedSlot `json:"slot,omitempty"`
	// With stats.
	Stats *ChangedStats `json:"stats,omitempty"`
}

// ChangedRun is a run in a frame.
type ChangedRun struct {
	ListedRun
	// Of its last event.
	Seq int64 `json:"seq"`
}

// ChangedApproval is an approval in a frame; GET of its id has the rest.
type ChangedApproval struct {
	ID         string   `json:"id"`
	RunID      string   `json:"run_id"`
	WorkflowID string   `json:"workflow_id"`
	Signal     string   `json:"signal"`
	Prompt     *string  `json:"prompt"`
	Assignees  []string `json:"assignees"`
	// One of open, answered, expired, cancelled.
	Status     string     `json:"status"`
	ExpiresAt  *time.Time `json:"expires_at"`
	AnsweredBy *Actor     `json:"answered_by"`
}

// ChangedWorkflow is a workflow in a frame.
type ChangedWorkflow struct {
	ID     string `json:"id"`
	Slug   string `json:"slug"`
	Name   string `json:"name"`
	Status string `json:"status"`
	// The active one.
	Version       int       `json:"version"`
	LatestVersion int       `json:"latest_version"`
	UpdatedAt     time.Time `json:"updated_at"`
	Deleted       bool      `json:"deleted"`
	// Who made the last change on the audit trail.
	By *Actor `json:"by,omitempty"`
}

// ChangedSchedule is a schedule in a frame; GET of its id has the rest.
type ChangedSchedule struct {
	ID             string `json:"id"`
	WorkflowID     string `json:"workflow_id"`
	CronExpression string `json:"cron_expression"`
	Timezone       string `json:"timezone"`
	// One of active, paused, ended.
	Status      string     `json:"status"`
	PauseReason *string    `json:"pause_reason"`
	PausedBy    *Actor     `json:"paused_by"`
	NextRunAt   *time.Time `json:"next_run_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
	Deleted     bool       `json:"deleted"`
}

// DecidedSlot is the line of a schedule's latest due time in a frame.
type DecidedSlot struct {
	ScheduleID string    `json:"schedule_id"`
	WorkflowID string    `json:"workflow_id"`
	DueAt      time.Time `json:"due_at"`
	Until      time.Time `json:"until"`
	Count      int       `json:"count"`
	// One of fired, late, caught_up, coalesced, skipped, waiting.
	Outcome string  `json:"outcome"`
	Reason  *string `json:"reason"`
	Origin  string  `json:"origin"`
	RunID   *string `json:"run_id"`
	// The status of the run, as lists of runs have it; null without one.
	RunStatus *string   `json:"run_status"`
	DecidedAt time.Time `json:"decided_at"`
	// What is due next.
	NextRunAt *time.Time `json:"next_run_at"`
}

// ChangedStats counts the runs of a workflow that have not ended.
type ChangedStats struct {
	WorkflowID string       `json:"workflow_id"`
	Open       OpenByStatus `json:"open"`
}
