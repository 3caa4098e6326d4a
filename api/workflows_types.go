package api

import (
	"encoding/json"
	"heddle/definitions"
	"heddle/fault"
	"heddle/versions"
	"time"
)

// timestamp is a time as every answer prints it: RFC 3339, UTC, milliseconds, Z.
type timestamp time.Time

const timestampLayout = "2006-01-02T15:04:05.000Z"

// MarshalJSON prints the time.
func (s timestamp) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, len(timestampLayout)+2)
	b = append(b, '"')
	b = time.Time(s).UTC().AppendFormat(b, timestampLayout)
	return append(b, '"'), nil
}

// timestampOrNil gives nil for a time that is not yet, which prints null.
func timestampOrNil(t time.Time) *timestamp {
	if t.IsZero() {
		return nil
	}
	s := timestamp(t)
	return &s
}

// seconds is a duration, to the millisecond, nil while one end is missing.
func seconds(from, to time.Time) *float64 {
	if from.IsZero() || to.IsZero() {
		return nil
	}
	s := float64(to.Sub(from).Milliseconds()) / 1000
	return &s
}

// workflowSummary is a workflow in a list.
type workflowSummary struct {
	ID            string             `json:"id"`
	Slug          string             `json:"slug" doc:"The id where none was given."`
	Name          string             `json:"name" doc:"Of the active version."`
	Version       int                `json:"version" doc:"The active version."`
	LatestVersion int                `json:"latest_version"`
	Status        definitions.Status `json:"status" enum:"draft,active,paused,archived"`
	TriggerType   string             `json:"trigger_type" enum:"manual,schedule,webhook,api,event"`
	Tags          []string           `json:"tags"`
	CreatedAt     timestamp          `json:"created_at"`
	UpdatedAt     timestamp          `json:"updated_at"`

	Template        *templateLink `json:"template,omitempty" doc:"Left out where the workflow was not made of a template."`
	UpdateAvailable int           `json:"update_available,omitempty" doc:"The template's newest version, where it is later."`
}

// workflowBody is a workflow with a definition: the active one, unless another
// was asked for.
type workflowBody struct {
	workflowSummary
	DefinitionVersion int             `json:"definition_version" doc:"The version that definition is of."`
	DefinitionHash    string          `json:"definition_hash"`
	Definition        json.RawMessage `json:"definition" kind:"object"`
}

func summaryOf(w definitions.Workflow) workflowSummary {
	s := workflowSummary{
		ID: w.ID, Slug: w.Slug, Name: w.Name, Version: w.ActiveVersion, LatestVersion: w.LatestVersion,
		Status: w.Status, TriggerType: w.TriggerType, Tags: w.Tags,
		CreatedAt: timestamp(w.CreatedAt), UpdatedAt: timestamp(w.UpdatedAt),
	}
	if s.Tags == nil {
		s.Tags = []string{}
	}
	return s
}

func bodyOf(w definitions.Workflow, v versions.Version) workflowBody {
	return workflowBody{
		workflowSummary: summaryOf(w), DefinitionVersion: v.Number,
		DefinitionHash: v.DefinitionHash, Definition: v.Definition,
	}
}

type workflowList struct {
	Workflows  []workflowSummary `json:"workflows"`
	Total      *int              `json:"total,omitempty" doc:"Left out with a cursor."`
	NextCursor *string           `json:"next_cursor" doc:"Null on the last page."`
}

type workflowAnswer struct {
	Workflow workflowBody `json:"workflow"`
}

type createdWorkflow struct {
	ID       string       `json:"id"`
	Workflow workflowBody `json:"workflow"`
}

type createWorkflow struct {
	Definition    parsedDefinition   `json:"definition"`
	TriggerType   string             `json:"trigger_type,omitempty" enum:"manual,schedule,webhook,api,event"`
	Tags          []string           `json:"tags,omitempty"`
	Slug          string             `json:"slug,omitempty" doc:"Unique in the tenant: ^[a-z0-9][a-z0-9_-]{0,63}$."`
	Status        definitions.Status `json:"status,omitempty" enum:"draft,active,paused,archived"`
	ChangeSummary string             `json:"change_summary,omitempty"`
}

type updateWorkflow struct {
	Definition    parsedDefinition `json:"definition,omitempty"`
	ChangeSummary string           `json:"change_summary,omitempty"`
	TriggerType   *string          `json:"trigger_type,omitempty" enum:"manual,schedule,webhook,api,event"`
	Tags          []string         `json:"tags,omitempty"`
	Publish       *bool            `json:"publish,omitempty" doc:"Default true: the definition becomes the active one."`
}

type setStatus struct {
	Status definitions.Status `json:"status" enum:"draft,active,paused,archived"`
	because
}

type validateDefinition struct {
	Definition parsedDefinition `json:"definition"`
}

type validity struct {
	Valid       bool          `json:"valid"`
	Errors      []string      `json:"errors" doc:"The messages of the errors among the diagnostics."`
	Diagnostics []fault.Issue `json:"diagnostics"`
}

// versionSummary is a version in a list.
type versionSummary struct {
	Version        int        `json:"version"`
	Label          *string    `json:"label"`
	ChangeSummary  string     `json:"change_summary"`
	CreatedAt      timestamp  `json:"created_at"`
	CreatedBy      string     `json:"created_by" doc:"The name of the key that made it."`
	CreatedByID    string     `json:"created_by_id,omitempty" doc:"The id of actor; left out where actor is."`
	Actor          *actorBody `json:"actor,omitempty" doc:"Who made it; left out of versions of earlier releases and of imported ones."`
	DefinitionHash string     `json:"definition_hash"`
	Active         bool       `json:"active"`
}

type versionBody struct {
	versionSummary
	Definition json.RawMessage `json:"definition" kind:"object"`
}

type versionList struct {
	Versions   []versionSummary `json:"versions"`
	Total      *int             `json:"total,omitempty" doc:"Left out with a cursor."`
	NextCursor *string          `json:"next_cursor" doc:"Null on the last page."`
}

func versionOf(w definitions.Workflow, v versions.Version) versionSummary {
	return versionSummary{
		Version: v.Number, Label: textOrNull(v.Label), ChangeSummary: v.ChangeSummary,
		CreatedAt: timestamp(v.CreatedAt), CreatedBy: v.CreatedBy, CreatedByID: v.Author.ID, Actor: actorOf(v.Author),
		DefinitionHash: v.DefinitionHash, Active: v.Number == w.ActiveVersion,
	}
}

// textOrNull gives nil, which prints null, for "".
func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// totalOrNothing gives nil, which is left out, for a total that was not asked
// for.
func totalOrNothing(n int, wanted bool) *int {
	if !wanted || n < 0 {
		return nil
	}
	return &n
}
