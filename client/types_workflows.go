package client

import (
	"encoding/json"
	"time"
)

// WorkflowSummary is a workflow in a list, without definitions.
type WorkflowSummary struct {
	ID string `json:"id"`
	// The id where none was given.
	Slug string `json:"slug"`
	// Of the active version.
	Name string `json:"name"`
	// The active version.
	Version       int `json:"version"`
	LatestVersion int `json:"latest_version"`
	// One of draft, active, paused, archived.
	Status string `json:"status"`
	// One of manual, schedule, webhook, api, event.
	TriggerType string    `json:"trigger_type"`
	Tags        []string  `json:"tags"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
	// Can lists the actions that the caller may take.
	Can []string `json:"can"`
	// Left out where the workflow was not made of a template.
	Template *TemplateLink `json:"template,omitempty"`
	// The template's newest version, where it is later.
	UpdateAvailable int `json:"update_available,omitempty"`
}

// Workflow is a workflow with a definition: the active one, unless another was requested.
type Workflow struct {
	WorkflowSummary
	// The version that definition is of.
	DefinitionVersion int    `json:"definition_version"`
	DefinitionHash    string `json:"definition_hash"`
	// Of the text that is kept of the definition; left out where none is.
	SourceFormat string          `json:"source_format,omitempty"`
	Definition   json.RawMessage `json:"definition"`
}

// ListedWorkflow is a workflow in a list, with how it goes.
type ListedWorkflow struct {
	WorkflowSummary
	// A version is later than the active one.
	Unpublished bool `json:"unpublished"`
	// The run that ended last; null: none has, or it was deleted.
	LastRun *LastRun `json:"last_run"`
	// Runs that have not ended.
	OpenRuns int `json:"open_runs"`
	// Runs that failed in the present hour and the 23 before it.
	Failed24h int64 `json:"failed_24h"`
	// How the last runs ended, the newest first, at most 20.
	Recent []string `json:"recent"`
	// When its active schedules are due next; null: never.
	NextRunAt *time.Time `json:"next_run_at"`
	// The draft of it that was saved last, of whichever person; null: there is none.
	Draft *ListedDraft `json:"draft"`
}

// ListedDraft is a draft in a list of workflows.
type ListedDraft struct {
	By *Actor `json:"by"`
	// When it was saved.
	At time.Time `json:"at"`
}

// LastRun is the run of a workflow that ended last.
type LastRun struct {
	ID string `json:"id"`
	// As it is now: a run that was resumed may be running again.
	Status  string    `json:"status"`
	EndedAt time.Time `json:"ended_at"`
}

// TemplateLink is where a workflow came from: a template, and the version of it that was installed
// or last merged.
type TemplateLink struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
	// As they were given, without defaults.
	Parameters json.RawMessage `json:"parameters"`
}

// CreateWorkflow is a request for a workflow; its definition becomes version 1, and the active
// one.
type CreateWorkflow struct {
	// Definition is JSON; Source a text whose comments and order are kept. One of the two.
	Definition json.RawMessage `json:"definition,omitempty"`
	Source     *Source         `json:"source,omitempty"`
	// One of manual, schedule, webhook, api, event.
	TriggerType string   `json:"trigger_type,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	// Unique in the tenant: ^[a-z0-9][a-z0-9_-]{0,63}$.
	Slug string `json:"slug,omitempty"`
	// One of draft, active, paused, archived.
	Status        string `json:"status,omitempty"`
	ChangeSummary string `json:"change_summary,omitempty"`
}

// UpdateWorkflow changes a workflow: what is left out stays.
type UpdateWorkflow struct {
	// Definition is JSON; Source a text whose comments and order are kept. One of the two.
	Definition    json.RawMessage `json:"definition,omitempty"`
	Source        *Source         `json:"source,omitempty"`
	ChangeSummary string          `json:"change_summary,omitempty"`
	// One of manual, schedule, webhook, api, event.
	TriggerType *string  `json:"trigger_type,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	// The caller's draft in place of a definition; it is deleted with the change.
	FromDraft bool `json:"from_draft,omitempty"`
	// Take the draft although a version came after the one that it was made from.
	Force bool `json:"force,omitempty"`
	// Default true: the definition becomes the active one.
	Publish *bool `json:"publish,omitempty"`
}

// SetStatus sets a workflow's status, which is required.
type SetStatus struct {
	// One of draft, active, paused, archived.
	Status string `json:"status"`
	// Reason is kept in the audit trail and the history.
	Reason string `json:"reason,omitempty"`
}

// Validity says whether a definition is valid; warnings alone leave it valid.
type Validity struct {
	Valid bool `json:"valid"`
	// The messages of the errors among the diagnostics.
	Errors      []string     `json:"errors"`
	Diagnostics []Diagnostic `json:"diagnostics"`
}

// Preview is what would come of a write, as far as it can be known before: DryRun is always true.
type Preview struct {
	DryRun bool `json:"dry_run"`
	Differences
	// Runs that are open, by the version that they stay on.
	OpenRuns []OpenRuns `json:"open_runs"`
	// Schedules that would run the new definition.
	Schedules []ScheduleImpact `json:"schedules"`
	// Where the new input schema may refuse what the active one takes; pointers into the new
	// definition.
	Breaking []BreakingChange `json:"breaking"`
	// How runs of the workflow were started, the last used first.
	Callers []LastTrigger `json:"callers"`
	// Runs that failed, were cancelled or are paused, newest first, at most 20: they can be
	// resumed on the new version.
	Resumable []RunLink `json:"resumable"`
	// Approvals of the workflow's runs that are open: they stay on the versions that they are on.
	OpenApprovals int `json:"open_approvals"`
	// Secrets that the definition names and the tenant does not have.
	SecretsMissing []string `json:"secrets_missing"`
	AgentsMissing  []string `json:"agents_missing"`
	// The definition is the latest version's, and its text would be replaced.
	SourceChanged bool `json:"source_changed,omitempty"`
}

// LastTrigger is how runs are started, and when the last one was.
type LastTrigger struct {
	// One of manual, schedule, webhook, api, event.
	Trigger  string    `json:"trigger"`
	LastUsed time.Time `json:"last_used"`
}

// RunLink names a run.
type RunLink struct {
	RunID string `json:"run_id"`
}

// Import says what became of each line of an import, in the order of the lines.
type Import struct {
	Imported []ImportedLine `json:"imported"`
	// With on_conflict=skip: the slug was taken.
	Skipped []ImportedLine `json:"skipped"`
}

// SaveDraft is a text to keep.
type SaveDraft struct {
	// Definition is JSON; Source a text whose comments and order are kept. One of the two.
	Definition json.RawMessage `json:"definition,omitempty"`
	Source     *Source         `json:"source,omitempty"`
	// The version that it was made from. Without it, it stays; of a new draft it is the latest
	// version.
	BaseVersion *int `json:"base_version,omitempty"`
	// At most 2,000 characters.
	Note string `json:"note,omitempty"`
}

// DraftHead is a draft in a list.
type DraftHead struct {
	ID string `json:"id"`
	// Null of a workflow that is not there yet.
	WorkflowID *string `json:"workflow_id"`
	Owner      *Actor  `json:"owner,omitempty"`
	// 0: of none.
	BaseVersion int       `json:"base_version"`
	Note        string    `json:"note"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
	// For If-Match, as in the header.
	ETag string `json:"etag"`
}

// Draft is a draft with its text and what validation finds in it.
type Draft struct {
	DraftHead
	Source Source `json:"source"`
	// No version came after base_version.
	BaseIsLatest bool         `json:"base_is_latest"`
	Diagnostics  []Diagnostic `json:"diagnostics"`
}

// OpenRuns is the number of runs of one version that have not ended.
type OpenRuns struct {
	Version int `json:"version"`
	Count   int `json:"count"`
}

// ScheduleImpact is one schedule that would run another version than before.
type ScheduleImpact struct {
	ScheduleID string `json:"schedule_id"`
	InputFits  bool   `json:"input_fits"`
	Problem    string `json:"problem,omitempty"`
}

// BreakingChange is one way in which a new input schema may refuse what the old one accepted.
type BreakingChange struct {
	Pointer string `json:"pointer"`
	Message string `json:"message"`
}

// ImportedLine is a workflow that an import stored or skipped.
type ImportedLine struct {
	Line int    `json:"line"`
	ID   string `json:"id,omitempty"`
	Slug string `json:"slug"`
}
