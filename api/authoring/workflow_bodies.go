package authoring

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/fault"
	"heddle/versions"
)

// workflowSummary is a workflow in a list, without definitions.
type workflowSummary struct {
	// ID never changes.
	ID      string `json:"id"`
	Slug    string `json:"slug" doc:"The id where none was given."`
	Name    string `json:"name" doc:"Of the active version."`
	Version int    `json:"version" doc:"The active version."`
	// LatestVersion is the highest number, published or not.
	LatestVersion int `json:"latest_version"`
	// Status says whether runs and schedules may start.
	Status workflows.Status `json:"status" enum:"draft,active,paused,archived"`
	// TriggerType is for people and lists; it starts nothing.
	TriggerType string         `json:"trigger_type" enum:"manual,schedule,webhook,api,event"`
	Tags        []string       `json:"tags"`
	CreatedAt   core.Timestamp `json:"created_at"`
	// UpdatedAt is what lists are sorted by.
	UpdatedAt core.Timestamp `json:"updated_at"`
	core.Rights

	// Template and UpdateAvailable are set by linkTemplates.
	Template        *templateLink `json:"template,omitempty" doc:"Left out where the workflow was not made of a template."`
	UpdateAvailable int           `json:"update_available,omitempty" doc:"The template's newest version, where it is later."`
}

// workflowBody is a workflow with a definition: the active one, unless another was requested.
type workflowBody struct {
	workflowSummary
	DefinitionVersion int `json:"definition_version" doc:"The version that definition is of."`
	// DefinitionHash is that of the definition's canonical form.
	DefinitionHash string `json:"definition_hash"`
	SourceFormat   string `json:"source_format,omitempty" enum:"yaml,json" doc:"Of the text that is kept of the definition; left out where none is."`
	// Definition is in its canonical form, whatever form it was sent in.
	Definition json.RawMessage `json:"definition" kind:"object"`
}

// summaryOf returns a workflow as lists show it; no tags are an empty list, not null. Its link to
// a template is set by linkTemplates.
func summaryOf(c *core.Call, w workflows.Workflow) workflowSummary {
	s := workflowSummary{
		ID: w.ID, Slug: w.Slug, Name: w.Name, Version: w.ActiveVersion, LatestVersion: w.LatestVersion,
		Status: w.Status, TriggerType: w.TriggerType, Tags: w.Tags,
		CreatedAt: core.Timestamp(w.CreatedAt), UpdatedAt: core.Timestamp(w.UpdatedAt), Rights: c.RightsOn(w.ID),
	}
	if s.Tags == nil {
		s.Tags = []string{}
	}
	return s
}

// bodyOf returns a workflow with the definition of one of its versions. The definition is shared,
// not copied.
func bodyOf(c *core.Call, w workflows.Workflow, v versions.Version) workflowBody {
	return workflowBody{
		workflowSummary: summaryOf(c, w), DefinitionVersion: v.Number,
		DefinitionHash: v.DefinitionHash, SourceFormat: string(v.Written.Format), Definition: v.Definition,
	}
}

// listedWorkflow is a workflow in a list, with how it goes.
type listedWorkflow struct {
	workflowSummary
	Unpublished bool     `json:"unpublished" doc:"A version is later than the active one."`
	LastRun     *lastRun `json:"last_run" doc:"The run that ended last; null: none has, or it was deleted."`
	OpenRuns    int      `json:"open_runs" doc:"Runs that have not ended."`
	// Failed24h counts ends, so that a run which fails again after it was resumed counts twice.
	Failed24h int64           `json:"failed_24h" doc:"Runs that failed in the present hour and the 23 before it."`
	Recent    []string        `json:"recent" words:"workflows" doc:"How the last runs ended, the newest first, at most 20."`
	NextRunAt *core.Timestamp `json:"next_run_at" doc:"When its active schedules are due next; null: never."`
	Draft     *listedDraft    `json:"draft" doc:"The draft of it that was saved last, of whichever person; null: there is none."`
}

// listedDraft is a draft in a list of workflows.
type listedDraft struct {
	By *core.ActorBody `json:"by"`
	At core.Timestamp  `json:"at" doc:"When it was saved."`
}

// lastRun is the run of a workflow that ended last.
type lastRun struct {
	ID      string         `json:"id"`
	Status  string         `json:"status" words:"workflows" doc:"As it is now: a run that was resumed may be running again."`
	EndedAt core.Timestamp `json:"ended_at"`
}

// workflowList is a page of workflows. One that changes between two pages may be seen twice.
type workflowList struct {
	Workflows []listedWorkflow `json:"workflows" doc:"With a second tag, template_id, health, or a filter beside order=name a page may be short, or empty, although more follow: it looks at 1,000 workflows."`
	// Total counts what the caller may view.
	Total      *int    `json:"total,omitempty" doc:"Left out with a cursor, and where a page may be short."`
	NextCursor *string `json:"next_cursor" doc:"Null on the last page."`
}

// workflowAnswer is the answer that holds one workflow.
type workflowAnswer struct {
	Workflow workflowBody `json:"workflow"`
	// SourceChanged is of a save that made no version.
	SourceChanged bool `json:"source_changed,omitempty" doc:"The definition is the latest version's, and its text was replaced."`
}

// createdWorkflow answers the creation of a workflow; it is what a repeated request receives too.
type createdWorkflow struct {
	ID       string       `json:"id"`
	Workflow workflowBody `json:"workflow"`
}

// createWorkflow is a request for a workflow; its definition becomes version 1, and the active
// one. Without a slug the id is the slug.
type createWorkflow struct {
	core.Authored
	// TriggerType is manual and Status active unless they are given.
	TriggerType string           `json:"trigger_type,omitempty" enum:"manual,schedule,webhook,api,event"`
	Tags        []string         `json:"tags,omitempty"`
	Slug        string           `json:"slug,omitempty" doc:"Unique in the tenant: ^[a-z0-9][a-z0-9_-]{0,63}$."`
	Status      workflows.Status `json:"status,omitempty" enum:"draft,active,paused,archived"`
	// ChangeSummary is kept with version 1.
	ChangeSummary string `json:"change_summary,omitempty"`
}

// updateWorkflow changes a workflow: what is left out stays. Tags are replaced as a whole; an
// empty list removes them.
type updateWorkflow struct {
	core.Authored
	// ChangeSummary is kept with the new version, if there is one.
	ChangeSummary string   `json:"change_summary,omitempty"`
	TriggerType   *string  `json:"trigger_type,omitempty" enum:"manual,schedule,webhook,api,event"`
	Tags          []string `json:"tags,omitempty"`
	FromDraft     bool     `json:"from_draft,omitempty" doc:"The caller's draft in place of a definition; it is deleted with the change."`
	Force         bool     `json:"force,omitempty" doc:"Take the draft although a version came after the one that it was made from."`
	Publish       *bool    `json:"publish,omitempty" doc:"Default true: the definition becomes the active one."`
}

// setStatus sets a workflow's status, which is required.
type setStatus struct {
	Status workflows.Status `json:"status" enum:"draft,active,paused,archived"`
	core.Because
}

// validateDefinition is a definition to check.
type validateDefinition struct{ core.Authored }

// validity says whether a definition is valid; warnings alone leave it valid.
type validity struct {
	Valid  bool     `json:"valid"`
	Errors []string `json:"errors" doc:"The messages of the errors among the diagnostics."`
	// Diagnostics are errors before warnings, each in the order of the text.
	Diagnostics []fault.Issue `json:"diagnostics"`
}

// versionSummary is a version in a list. Versions are numbered from 1 and never change, but for
// their label and the text that means their definition.
type versionSummary struct {
	Version int `json:"version"`
	// Label is unique within the workflow; null: it has none.
	Label          *string         `json:"label"`
	ChangeSummary  string          `json:"change_summary"`
	CreatedAt      core.Timestamp  `json:"created_at"`
	CreatedBy      string          `json:"created_by" doc:"The name of the key that made it."`
	CreatedByID    string          `json:"created_by_id,omitempty" doc:"The id of actor; left out where actor is."`
	Actor          *core.ActorBody `json:"actor,omitempty" doc:"Who made it; left out of versions of earlier releases and of imported ones."`
	PublishedAt    *core.Timestamp `json:"published_at" doc:"When it last became the active version; null: never, or by an earlier release."`
	PublishedBy    *core.ActorBody `json:"published_by,omitempty" doc:"Who made it the active version; left out where that is not known."`
	DefinitionHash string          `json:"definition_hash"`
	SourceFormat   string          `json:"source_format,omitempty" enum:"yaml,json" doc:"Of the text that is kept of the definition; left out where none is."`
	// Active reports whether runs without a version run it.
	Active bool         `json:"active"`
	Runs   *versionRuns `json:"runs,omitempty" doc:"In lists."`
	// Summary never changes: it is left out of version 1, and of some versions of large
	// definitions.
	Summary string `json:"summary,omitempty" doc:"What it differs in from the version before, in one line: Added 1 step. In lists."`
}

// versionRuns counts runs of a version.
type versionRuns struct {
	Open    int `json:"open" doc:"Runs that have not ended."`
	Last30d int `json:"last_30d" doc:"Runs that were created in the last 30 days, to the hour."`
}

// versionBody is a version with its definition.
type versionBody struct {
	versionSummary
	// Definition is in its canonical form.
	Definition json.RawMessage  `json:"definition" kind:"object"`
	Source     *core.SourceText `json:"source,omitempty" doc:"The definition as it was written; left out where no text is kept."`
}

// versionList is a page of versions, newest first.
type versionList struct {
	Versions   []versionSummary `json:"versions"`
	Total      *int             `json:"total,omitempty" doc:"Left out with a cursor."`
	NextCursor *string          `json:"next_cursor" doc:"Null on the last page."`
}

// versionOf returns a version as lists show it. w is its workflow, which says which version is
// active.
func versionOf(w workflows.Workflow, v versions.Version) versionSummary {
	return versionSummary{
		Version: v.Number, Label: core.TextOrNull(v.Label), ChangeSummary: v.ChangeSummary,
		CreatedAt: core.Timestamp(v.CreatedAt), CreatedBy: v.CreatedBy, CreatedByID: v.Author.ID, Actor: core.ActorOf(v.Author),
		PublishedAt: core.TimestampOrNil(v.PublishedAt), PublishedBy: core.ActorOf(v.PublishedBy),
		DefinitionHash: v.DefinitionHash, SourceFormat: string(v.Written.Format), Active: v.Number == w.ActiveVersion,
	}
}
