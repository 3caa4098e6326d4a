package client

import (
	"encoding/json"
	"time"
)

// BulkRequest is what all changes of many objects take.
type BulkRequest struct {
	// Reason is kept in the audit trail and the history.
	Reason string `json:"reason,omitempty"`
	// How many objects the caller thinks that match; where it is wrong by more than a tenth,
	// nothing is done (409 count_changed).
	Expected *int `json:"expected,omitempty"`
	// Write nothing; answer what the job would be about.
	DryRun bool `json:"dry_run,omitempty"`
}

// ChangeRuns is a change of many runs.
type ChangeRuns struct {
	BulkRequest
	// One of cancel, resume, restart, redrive, pause, terminate, delete.
	Action string         `json:"action"`
	Filter map[string]any `json:"filter,omitempty"`
	// In the place of a filter: at most 1,000 runs.
	RunIDs []string `json:"run_ids,omitempty"`
	// Of resume: the version on which each run goes on; its own without it.
	Version VersionRef `json:"version,omitempty"`
	// Of redrive: the loop whose failed iterations run again.
	StepID string `json:"step_id,omitempty"`
}

// ChangeSchedules is a change of many schedules.
type ChangeSchedules struct {
	BulkRequest
	// One of pause, resume.
	Action string         `json:"action"`
	Filter map[string]any `json:"filter,omitempty"`
	// In the place of a filter: at most 1,000 schedules.
	ScheduleIDs []string `json:"schedule_ids,omitempty"`
}

// ChangeWorkflows is a change of many workflows.
type ChangeWorkflows struct {
	BulkRequest
	// One of status, tags.
	Action string         `json:"action"`
	Filter map[string]any `json:"filter,omitempty"`
	// In the place of a filter: at most 1,000 workflows, by id or slug.
	WorkflowIDs []string `json:"workflow_ids,omitempty"`
	// Of status: the one to set.
	Status string `json:"status,omitempty"`
	// Of tags: those to add.
	AddTags []string `json:"add_tags,omitempty"`
	// Of tags: those to take away.
	RemoveTags []string `json:"remove_tags,omitempty"`
}

// SkippedObjects counts objects that match and that the action does not apply to.
type SkippedObjects struct {
	// The code with which a request about one of them would be refused.
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// BulkCounts are how many objects a change is about.
type BulkCounts struct {
	// Objects of the selection in workflows on which the caller may do this.
	Matched int `json:"matched"`
	// Those of them that the action applies to now: what the job is about.
	Allowed int `json:"allowed"`
	// The others, by reason.
	Skipped []SkippedObjects `json:"skipped"`
}

// BulkPreview is what a job would be about.
type BulkPreview struct {
	BulkCounts
	// The first of those allowed, ten at most.
	Sample []MatchedObject `json:"sample"`
}

// MatchedObject is an object that a change is about.
type MatchedObject struct {
	ID         string `json:"id"`
	WorkflowID string `json:"workflow_id"`
	// Null of schedules.
	WorkflowSlug *string `json:"workflow_slug"`
	Status       string  `json:"status"`
}

// AcceptedJob answers a change that was accepted.
type AcceptedJob struct {
	JobID string `json:"job_id"`
	BulkCounts
}

// Job is a job.
type Job struct {
	ID string `json:"id"`
	// One of runs, schedules, workflows.
	Kind string `json:"kind"`
	// One of cancel, resume, restart, redrive, pause, terminate, delete, status, tags.
	Action   string      `json:"action"`
	Settings JobSettings `json:"settings"`
	// Filter as it was given, or how many ids were.
	Selection json.RawMessage `json:"selection"`
	// One of running, completed, stopped.
	Status string `json:"status"`
	// Of a stopped job: why.
	Stop   *JobStop `json:"stop"`
	By     *Actor   `json:"created_by"`
	Reason *string  `json:"reason"`
	// Objects that the request selected.
	Matched   int         `json:"matched"`
	Progress  JobProgress `json:"progress"`
	CreatedAt time.Time   `json:"created_at"`
	UpdatedAt time.Time   `json:"updated_at"`
	EndedAt   *time.Time  `json:"ended_at"`
}

// JobProgress counts the objects of a job.
type JobProgress struct {
	Total  int `json:"total"`
	Done   int `json:"done"`
	Failed int `json:"failed"`
	// The action did not apply any more when their turn came.
	Skipped int `json:"skipped"`
}

// JobSettings are what the action of a job takes.
type JobSettings struct {
	Version string `json:"version,omitempty"`
	StepID  string `json:"step_id,omitempty"`
	// One of draft, active, paused, archived.
	Status     string   `json:"status,omitempty"`
	AddTags    []string `json:"add_tags,omitempty"`
	RemoveTags []string `json:"remove_tags,omitempty"`
}

// JobStop says why a job was stopped.
type JobStop struct {
	// Access_ended: the key or user that asked for the job was revoked, disabled or has expired.
	Code    string `json:"code"`
	Message string `json:"message"`
	By      *Actor `json:"by"`
}

// JobFailure is an object for which a job did nothing.
type JobFailure struct {
	ObjectID   string `json:"object_id"`
	WorkflowID string `json:"workflow_id"`
	// One of failed, skipped.
	Status string `json:"status"`
	// The code with which a request about the object would have been refused.
	Code    string `json:"code"`
	Message string `json:"message"`
}
