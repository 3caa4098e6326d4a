package client

import "time"

// CursorQuery asks for a page of a list. Zero values are left out.
type CursorQuery struct {
	// Limit is from 1 to 200; 0: as the server likes.
	Limit int `query:"limit"`
	// Cursor is Next of the page before.
	Cursor string `query:"cursor"`
}

// PageQuery asks for a page of a list that can also begin in its middle.
type PageQuery struct {
	CursorQuery
	// Offset is how many to leave out; it excludes a cursor.
	Offset int `query:"offset"`
}

// Span is a span of time; a zero end is open.
type Span struct {
	From time.Time `query:"from"`
	To   time.Time `query:"to"`
}

// WorkflowQuery selects workflows.
type WorkflowQuery struct {
	PageQuery
	Status      string   `query:"status"`
	TriggerType string   `query:"trigger_type"`
	Tags        []string `query:"tag"`
	TemplateID  string   `query:"template_id"`
	// Health is failing: the last run failed.
	Health string `query:"health"`
	Order  string `query:"order"`
	// Text is looked for in names, slugs, descriptions and more.
	Text string `query:"q"`
}

// DeleteQuery says how a workflow is deleted.
type DeleteQuery struct {
	// Force ends its open runs.
	Force bool `query:"force"`
}

// DiffQuery names two versions, each by number or label.
type DiffQuery struct {
	Before string `query:"v1"`
	After  string `query:"v2"`
}

// DraftsQuery selects drafts of a workflow: all is everyone's.
type DraftsQuery struct {
	CursorQuery
	Of string `query:"of"`
}

// TemplateQuery selects templates.
type TemplateQuery struct {
	PageQuery
	Category string `query:"category"`
	Builtin  *bool  `query:"is_builtin"`
}

// RunFilter selects runs by what is known of them.
type RunFilter struct {
	// Status and Triggers are one or several, as is Trigger.
	Status     []string `query:"status"`
	Triggers   []string `query:"trigger"`
	Version    string   `query:"version"`
	ScheduleID string   `query:"schedule_id"`
	// StartedBy is the id of a key, user, schedule or run.
	StartedBy string `query:"started_by"`
	// Labels are at most five, all of which a run must have.
	Labels    map[string]string `query:"label."`
	ErrorCode string            `query:"error_code"`
	// Text is the beginning of an id, or the value of a label.
	Text          string    `query:"q"`
	CreatedAfter  time.Time `query:"created_after"`
	CreatedBefore time.Time `query:"created_before"`
	EndedAfter    time.Time `query:"ended_after"`
	EndedBefore   time.Time `query:"ended_before"`
	// MinDuration and MaxDuration are seconds from start to end.
	MinDuration float64 `query:"min_duration"`
	MaxDuration float64 `query:"max_duration"`
	// Order is -created unless given, created, -ended or -duration.
	Order string `query:"order"`
}

// RunQuery selects runs of all workflows.
type RunQuery struct {
	CursorQuery
	RunFilter
	Workflows  []string `query:"workflow"`
	Tag        string   `query:"tag"`
	TemplateID string   `query:"template_id"`
}

// WorkflowRunQuery selects runs of one workflow.
type WorkflowRunQuery struct {
	PageQuery
	RunFilter
}

// RanQuery names one of the versions that a run ran on; 0: the present one.
type RanQuery struct {
	Version int `query:"version"`
}

// LogQuery selects lines that steps wrote.
type LogQuery struct {
	CursorQuery
	StepID    string `query:"step_id"`
	Iteration string `query:"iteration"`
	Attempt   int    `query:"attempt"`
	Level     string `query:"level"`
	Category  string `query:"category"`
	Text      string `query:"q"`
	// Order is asc unless given, or desc.
	Order string `query:"order"`
	// Tail sets Next on the last page too, so that later lines can be read behind it.
	Tail bool `query:"tail"`
	// From is end: the last lines, and then as Tail does.
	From string `query:"from"`
}

// StatsQuery selects what RunStats counts.
type StatsQuery struct {
	Span
	Workflows []string `query:"workflow"`
	Version   int      `query:"version"`
	Trigger   string   `query:"trigger"`
	// Bucket is 5m, 1h or 1d.
	Bucket string `query:"bucket"`
	// By is status, version or workflow.
	By string `query:"by"`
}

// StepQuery selects steps of a run.
type StepQuery struct {
	CursorQuery
	Status []string `query:"status"`
	Types  []string `query:"type"`
	Text   string   `query:"q"`
	// Parent is a loop: the steps in its open iterations are listed.
	Parent       string `query:"parent"`
	ChangedAfter int    `query:"changed_after"`
	// Output is head: the beginnings of outputs are shown.
	Output string `query:"output"`
}

// IterationQuery names an iteration of a step in a loop's body, such as each[3].
type IterationQuery struct {
	Iteration string `query:"iteration"`
}

// IterationsQuery selects iterations of a loop.
type IterationsQuery struct {
	CursorQuery
	Status string `query:"status"`
}

// WorkflowScheduleQuery selects schedules of one workflow.
type WorkflowScheduleQuery struct {
	PageQuery
	Status string `query:"status"`
	Text   string `query:"q"`
	// Health is failing or late.
	Health string `query:"health"`
	// Order is -created unless given, or next.
	Order string `query:"order"`
}

// ScheduleQuery selects schedules.
type ScheduleQuery struct {
	WorkflowScheduleQuery
	Workflow string `query:"workflow"`
}

// PreviewQuery says which due times of a schedule are wanted.
type PreviewQuery struct {
	Span
	Count int `query:"count"`
	// Against is a workflow whose usual duration marks due times as clashing.
	Against string `query:"against"`
}

// SlotQuery selects lines of a schedule's ledger.
type SlotQuery struct {
	PageQuery
	Span
	Outcome string `query:"outcome"`
}

// CalendarQuery selects days, in the zone of each schedule, of schedules.
type CalendarQuery struct {
	WorkflowScheduleQuery
	// From and To are dates such as 2026-03-01, both included.
	From     string `query:"from"`
	To       string `query:"to"`
	Schedule string `query:"schedule"`
	Workflow string `query:"workflow"`
}

// ApprovalQuery selects approvals.
type ApprovalQuery struct {
	CursorQuery
	Status   string `query:"status"`
	Workflow string `query:"workflow"`
	Signal   string `query:"signal"`
	// Mine selects what the caller is asked.
	Mine  *bool  `query:"mine"`
	Text  string `query:"q"`
	Order string `query:"order"`
}

// GrantQuery selects the grants of a key or a user.
type GrantQuery struct {
	CursorQuery
	KeyID  string `query:"key_id"`
	UserID string `query:"user_id"`
}

// TakeGrantQuery names a key or a user, and a workflow.
type TakeGrantQuery struct {
	KeyID    string `query:"key_id"`
	UserID   string `query:"user_id"`
	Workflow string `query:"workflow"`
}

// AuditQuery selects lines of the audit trail.
type AuditQuery struct {
	CursorQuery
	Span
	Actor        string `query:"actor"`
	Action       string `query:"action"`
	Object       string `query:"object"`
	ObjectPrefix string `query:"object_prefix"`
	Text         string `query:"q"`
}

// CompareQuery names two runs by their ids.
type CompareQuery struct {
	A string `query:"a"`
	B string `query:"b"`
}

// SearchQuery is what a person types.
type SearchQuery struct {
	Text  string   `query:"q"`
	Types []string `query:"types"`
}

// InstanceQuery selects instances.
type InstanceQuery struct {
	Status   string `query:"status"`
	PageSize int    `query:"pageSize"`
	Cursor   string `query:"cursor"`
}

// InstanceHistoryQuery selects a part of the history of an instance.
type InstanceHistoryQuery struct {
	RunNumber    *int   `query:"runNumber"`
	PageSize     int    `query:"pageSize"`
	StepsCursor  string `query:"stepsCursor"`
	EventsCursor string `query:"eventsCursor"`
	LogsCursor   string `query:"logsCursor"`
	IncludeLogs  bool   `query:"includeLogs"`
	LogLevel     string `query:"logLevel"`
	LogCategory  string `query:"logCategory"`
	Order        string `query:"order"`
}

// V1Query selects runs in the words of the runs dialect.
type V1Query struct {
	CursorQuery
	State         string    `query:"state"`
	Workflow      string    `query:"workflow_id"`
	Trigger       string    `query:"trigger"`
	StartedAfter  time.Time `query:"started_after"`
	StartedBefore time.Time `query:"started_before"`
}

// TurnQuery names the version that a conversation runs on.
type TurnQuery struct {
	Version string `query:"version"`
}

// InstanceList is a page of instances.
type InstanceList struct {
	Instances   []ListedInstance `json:"instances"`
	Cursor      string           `json:"cursor,omitempty"`
	HasNextPage bool             `json:"hasNextPage"`
}

// Ticked is how many instances began.
type Ticked struct {
	Processed int `json:"processed"`
}

// UpdateSchedule is an edit of a schedule: what is left out stays.
type UpdateSchedule struct {
	SchedulePatch
	// Reason is kept in the audit trail.
	Reason string `json:"reason,omitempty"`
}
