package authoring

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/internal/elements"
	"heddle/templates"
	"heddle/versions"
)

// templateLink is where a workflow came from: a template, and the version of it that was
// installed or last merged.
type templateLink struct {
	ID string `json:"id"`
	// Version is the template's version that the workflow has; the newest may be later.
	Version    int             `json:"version"`
	Parameters json.RawMessage `json:"parameters" kind:"object" doc:"As they were given, without defaults."`
}

// templateSummary is a template in a list. Built-in templates have no times, since they come with
// the product.
type templateSummary struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	// Category is for lists; custom where none was given.
	Category string `json:"category"`
	// IsBuiltin: it comes with the product, belongs to every tenant and is not changed.
	IsBuiltin         bool            `json:"is_builtin"`
	Version           int             `json:"version" doc:"The newest."`
	Parameters        json.RawMessage `json:"parameters" kind:"object" doc:"A JSON Schema; each of its properties is a parameter."`
	SuggestedSchedule string          `json:"suggested_schedule,omitempty" doc:"A cron expression that suits it."`
	CreatedAt         *core.Timestamp `json:"created_at" doc:"Null for built-in templates."`
	UpdatedAt         *core.Timestamp `json:"updated_at" doc:"When the newest version was made; null for built-in templates."`
}

// templateBody is a template with its definition, in which ${{ params.name }} stands for a
// parameter. It is not a valid definition itself.
type templateBody struct {
	templateSummary
	Definition json.RawMessage `json:"definition" kind:"object" doc:"${{ params.name }} stands where a parameter goes."`
}

// templateList is a page of templates: the built-in ones first, then the tenant's, last changed
// first.
type templateList struct {
	Templates []templateSummary `json:"templates"`
	// Total counts the built-in ones too.
	Total      *int    `json:"total,omitempty" doc:"Left out with a cursor."`
	NextCursor *string `json:"next_cursor" doc:"Null on the last page."`
}

// templateAnswer is the answer that holds one template.
type templateAnswer struct {
	Template templateBody `json:"template"`
}

// createdTemplate answers the creation of a template; it is what a repeated request receives too.
type createdTemplate struct {
	TemplateID string       `json:"template_id"`
	Template   templateBody `json:"template"`
}

// createTemplate is a request for a template made of a definition, or of a workflow's version:
// exactly one of WorkflowID and Definition is given. Version is that of the workflow; "" is the
// active one.
type createTemplate struct {
	// Name is required, 1 to 200 characters.
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Category is a text of at most 64 characters; lists are filtered by it.
	Category string `json:"category,omitempty" doc:"Default custom."`
	// Parameters is nil for a template without any.
	Parameters json.RawMessage       `json:"parameters,omitempty" kind:"object" doc:"A JSON Schema of type object; each parameter has a default or examples."`
	WorkflowID string                `json:"workflow_id,omitempty" doc:"Id or slug of the workflow to save; instead of definition."`
	Version    workflows.VersionRef  `json:"version,omitempty"`
	Definition core.ParsedDefinition `json:"definition,omitempty"`
}

// updateTemplate is a request for a template's next version. What is left out stays as it is, and
// so does what is null.
type updateTemplate struct {
	Name        *string         `json:"name,omitempty"`
	Description *string         `json:"description,omitempty"`
	Category    *string         `json:"category,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty" kind:"object"`
	// WorkflowID or Definition replaces the definition; neither leaves it.
	WorkflowID string                `json:"workflow_id,omitempty"`
	Version    workflows.VersionRef  `json:"version,omitempty"`
	Definition core.ParsedDefinition `json:"definition,omitempty"`
}

// installTemplate is a request for a workflow made of a template. Parameters that are left out
// have the template's defaults.
type installTemplate struct {
	Name string `json:"name,omitempty" doc:"The workflow's name; the template's own without it."`
	// Slug is the workflow's; without it the id is.
	Slug string `json:"slug,omitempty"`
	// Parameters are checked against the template's schema.
	Parameters json.RawMessage `json:"parameters,omitempty" kind:"object"`
}

// installedWorkflow names the workflow that was made; Location does, too.
type installedWorkflow struct {
	WorkflowID string `json:"workflow_id"`
}

// mergeTemplate is a request to merge a template's newest version into a workflow.
type mergeTemplate struct {
	core.Because
	Resolutions []mergeResolution `json:"resolutions,omitempty" secrets:"handler" doc:"What becomes of conflicts, each named as the answer names it; without one the edited value stays. At most 1,000."`
	// Parameters are nil for those that the workflow has, which the merge keeps.
	Parameters json.RawMessage `json:"parameters,omitempty" kind:"object" doc:"Instead of those that the workflow was made with."`
}

// mergeResolution decides one conflict.
type mergeResolution struct {
	StepID *string         `json:"step_id,omitempty" doc:"Left out for what stands beside the steps."`
	Path   string          `json:"path"`
	Take   templates.Take  `json:"take" enum:"edited,new,value"`
	Value  json.RawMessage `json:"value,omitempty" doc:"With take value."`
}

// mergeBody is what a template's newest version made of a workflow, or with dry_run would make.
type mergeBody struct {
	// DryRun reports that nothing was stored.
	DryRun  bool `json:"dry_run"`
	Version int  `json:"version" doc:"The workflow's latest version, which holds the merged definition; unpublished where it is new."`
	// TemplateVersion is what the workflow has afterwards, PreviousTemplateVersion what it had.
	TemplateVersion         int `json:"template_version"`
	PreviousTemplateVersion int `json:"previous_template_version"`
	// Summary is one line for people.
	Summary   string            `json:"summary"`
	Changes   []versions.Change `json:"changes" doc:"Against what was the latest version."`
	Conflicts []mergeConflict   `json:"conflicts" doc:"What both sides changed differently and no resolution decides; the edited value stayed."`
	// Definition is what the workflow's latest version would be.
	Definition json.RawMessage `json:"definition,omitempty" kind:"object" doc:"The merged definition; in a dry run alone."`
}

// mergeConflict is one place that the template and the workflow changed differently: the value as
// it was installed, as it was edited since, and as the new version has it. A value that is not
// there is left out.
type mergeConflict struct {
	// StepID and Path say where it is.
	StepID *string `json:"step_id" doc:"Null for what stands beside the steps."`
	Path   string  `json:"path" doc:"JSON pointer from the step, or from the definition; empty for a whole step."`
	// Installed, Edited and New are the three sides of the merge.
	Installed json.RawMessage `json:"installed,omitempty"`
	Edited    json.RawMessage `json:"edited,omitempty"`
	New       json.RawMessage `json:"new,omitempty"`
}

// templateSummaryOf returns a template as lists show it.
func templateSummaryOf(t templates.Template) templateSummary {
	return templateSummary{
		ID: t.ID, Name: t.Name, Description: t.Description, Category: t.Category, IsBuiltin: t.Builtin,
		Version: t.Version, Parameters: t.Parameters, SuggestedSchedule: t.SuggestedSchedule,
		CreatedAt: core.TimestampOrNil(t.CreatedAt), UpdatedAt: core.TimestampOrNil(t.UpdatedAt),
	}
}

// templateBodyOf returns a template with its definition, which is shared, not copied.
func templateBodyOf(t templates.Template) templateBody {
	return templateBody{templateSummaryOf(t), t.Definition}
}

// mergeBodyOf returns what a merge changed, against what was the latest version. The error means
// that the definitions cannot be compared.
func mergeBodyOf(r templates.MergeResult, dryRun bool) (mergeBody, error) {
	diff, err := versions.Compare(r.Before, r.After)
	body := mergeBody{
		DryRun: dryRun, Version: r.Version, TemplateVersion: r.To, PreviousTemplateVersion: r.From,
		Summary: diff.Summary, Changes: diff.Changes, Conflicts: elements.Map(r.Conflicts, func(c templates.Conflict) mergeConflict { return mergeConflict(c) }),
	}
	if dryRun {
		body.Definition = r.After
	}
	return body, err
}

// installPreview is what an installation would make; nothing is stored.
type installPreview struct {
	DryRun     bool            `json:"dry_run"`
	Definition json.RawMessage `json:"definition" kind:"object" doc:"The template with the parameters in it."`
	validity
}

// templateVersionList is a page of a template's versions, newest first.
type templateVersionList struct {
	Versions   []templateVersion `json:"versions"`
	NextCursor *string           `json:"next_cursor" doc:"Null on the last page."`
}

// templateVersion is a version of a template without its definition.
type templateVersion struct {
	Version     int             `json:"version"`
	Name        string          `json:"name" doc:"As it was then."`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters" kind:"object"`
	CreatedBy   string          `json:"created_by" doc:"The author's name, as it was then; empty for built-in templates."`
	CreatedAt   *core.Timestamp `json:"created_at" doc:"Null for built-in templates."`
}

// templateDiff is the difference between two versions of a template.
type templateDiff struct {
	differences
	V1 int `json:"v1"`
	V2 int `json:"v2"`
}

// installedList is a page of the workflows that were made of a template, by id.
type installedList struct {
	Installed  []templateWorkflow `json:"installed"`
	NextCursor *string            `json:"next_cursor" doc:"Null on the last page."`
}

// templateWorkflow is a workflow that was made of a template.
type templateWorkflow struct {
	ID              string `json:"id"`
	Slug            string `json:"slug"`
	Name            string `json:"name"`
	TemplateVersion int    `json:"template_version" doc:"At the installation or the last update."`
}
