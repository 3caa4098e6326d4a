package client

import (
	"encoding/json"
	"time"
)

// TemplateSummary is a template in a list.
type TemplateSummary struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Category    string `json:"category"`
	IsBuiltin   bool   `json:"is_builtin"`
	// The newest.
	Version int `json:"version"`
	// A JSON Schema; each of its properties is a parameter.
	Parameters json.RawMessage `json:"parameters"`
	// A cron expression that suits it.
	SuggestedSchedule string `json:"suggested_schedule,omitempty"`
	// Null for built-in templates.
	CreatedAt *time.Time `json:"created_at"`
	// When the newest version was made; null for built-in templates.
	UpdatedAt *time.Time `json:"updated_at"`
}

// Template is a template with its definition, in which ${{ params.name }} stands for a parameter.
type Template struct {
	TemplateSummary
	// ${{ params.name }} stands where a parameter goes.
	Definition json.RawMessage `json:"definition"`
}

// CreateTemplate is a request for a template made of a definition, or of a workflow's version:
// exactly one of WorkflowID and Definition is given.
type CreateTemplate struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Default custom.
	Category string `json:"category,omitempty"`
	// A JSON Schema of type object; each parameter has a default or examples.
	Parameters json.RawMessage `json:"parameters,omitempty"`
	// Id or slug of the workflow to save; instead of definition.
	WorkflowID string          `json:"workflow_id,omitempty"`
	Version    VersionRef      `json:"version,omitempty"`
	Definition json.RawMessage `json:"definition,omitempty"`
}

// UpdateTemplate is a request for a template's next version.
type UpdateTemplate struct {
	Name        *string         `json:"name,omitempty"`
	Description *string         `json:"description,omitempty"`
	Category    *string         `json:"category,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	WorkflowID  string          `json:"workflow_id,omitempty"`
	Version     VersionRef      `json:"version,omitempty"`
	Definition  json.RawMessage `json:"definition,omitempty"`
}

// InstallTemplate is a request for a workflow made of a template.
type InstallTemplate struct {
	// The workflow's name; the template's own without it.
	Name       string          `json:"name,omitempty"`
	Slug       string          `json:"slug,omitempty"`
	Parameters json.RawMessage `json:"parameters,omitempty"`
}

// InstallPreview is what an installation would make; nothing is stored.
type InstallPreview struct {
	DryRun bool `json:"dry_run"`
	// The template with the parameters in it.
	Definition json.RawMessage `json:"definition"`
	Validity
}

// MergeTemplate is a request to merge a template's newest version into a workflow.
type MergeTemplate struct {
	// Reason is kept in the audit trail and the history.
	Reason string `json:"reason,omitempty"`
	// What becomes of conflicts, each named as the answer names it; without one the edited value
	// stays. At most 1,000.
	Resolutions []MergeResolution `json:"resolutions,omitempty"`
	// Instead of those that the workflow was made with.
	Parameters json.RawMessage `json:"parameters,omitempty"`
}

// MergeResolution decides one conflict.
type MergeResolution struct {
	// Left out for what stands beside the steps.
	StepID *string `json:"step_id,omitempty"`
	Path   string  `json:"path"`
	// One of edited, new, value.
	Take string `json:"take"`
	// With take value.
	Value json.RawMessage `json:"value,omitempty"`
}

// TemplateMerge is what a template's newest version made of a workflow, or with dry_run would
// make.
type TemplateMerge struct {
	DryRun bool `json:"dry_run"`
	// The workflow's latest version, which holds the merged definition; unpublished where it is
	// new.
	Version                 int    `json:"version"`
	TemplateVersion         int    `json:"template_version"`
	PreviousTemplateVersion int    `json:"previous_template_version"`
	Summary                 string `json:"summary"`
	// Against what was the latest version.
	Changes []Change `json:"changes"`
	// What both sides changed differently and no resolution decides; the edited value stayed.
	Conflicts []MergeConflict `json:"conflicts"`
	// The merged definition; in a dry run alone.
	Definition json.RawMessage `json:"definition,omitempty"`
}

// MergeConflict is one place that the template and the workflow changed differently: the value as
// it was installed, as it was edited since, and as the new version has it.
type MergeConflict struct {
	// Null for what stands beside the steps.
	StepID *string `json:"step_id"`
	// JSON pointer from the step, or from the definition; empty for a whole step.
	Path      string          `json:"path"`
	Installed json.RawMessage `json:"installed,omitempty"`
	Edited    json.RawMessage `json:"edited,omitempty"`
	New       json.RawMessage `json:"new,omitempty"`
}

// TemplateVersion is a version of a template without its definition.
type TemplateVersion struct {
	Version int `json:"version"`
	// As it was then.
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
	// The author's name, as it was then; empty for built-in templates.
	CreatedBy string `json:"created_by"`
	// Null for built-in templates.
	CreatedAt *time.Time `json:"created_at"`
}

// TemplateDiff is the difference between two versions of a template.
type TemplateDiff struct {
	Differences
	V1 int `json:"v1"`
	V2 int `json:"v2"`
}

// TemplateWorkflow is a workflow that was made of a template.
type TemplateWorkflow struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
	// At the installation or the last update.
	TemplateVersion int `json:"template_version"`
}
