package client

import (
	"encoding/json"
	"time"
)

// VersionSummary is a version in a list.
type VersionSummary struct {
	Version       int       `json:"version"`
	Label         *string   `json:"label"`
	ChangeSummary string    `json:"change_summary"`
	CreatedAt     time.Time `json:"created_at"`
	// The name of the key that made it.
	CreatedBy string `json:"created_by"`
	// The id of actor; left out where actor is.
	CreatedByID string `json:"created_by_id,omitempty"`
	// Who made it; left out of versions of earlier releases and of imported ones.
	Actor *Actor `json:"actor,omitempty"`
	// When it last became the active version; null: never, or by an earlier release.
	PublishedAt *time.Time `json:"published_at"`
	// Who made it the active version; left out where that is not known.
	PublishedBy    *Actor `json:"published_by,omitempty"`
	DefinitionHash string `json:"definition_hash"`
	// Of the text that is kept of the definition; left out where none is.
	SourceFormat string `json:"source_format,omitempty"`
	Active       bool   `json:"active"`
	// In lists.
	Runs *VersionRuns `json:"runs,omitempty"`
	// What it differs in from the version before, in one line: Added 1 step. In lists.
	Summary string `json:"summary,omitempty"`
}

// VersionRuns counts runs of a version.
type VersionRuns struct {
	// Runs that have not ended.
	Open int `json:"open"`
	// Runs that were created in the last 30 days, to the hour.
	Last30d int `json:"last_30d"`
}

// Version is a version with its definition.
type Version struct {
	VersionSummary
	Definition json.RawMessage `json:"definition"`
	// The definition as it was written; left out where no text is kept.
	Source *Source `json:"source,omitempty"`
}

// RollbackWorkflow is a request to go back to a version, which is required.
type RollbackWorkflow struct {
	Version VersionRef `json:"version"`
	// "Rollback to version 2" and the like without it.
	ChangeSummary string `json:"change_summary,omitempty"`
	// Reason is kept in the audit trail and the history.
	Reason string `json:"reason,omitempty"`
}

// LabelVersion sets a version's label, or clears it by null.
type LabelVersion struct {
	// Reason is kept in the audit trail and the history.
	Reason string `json:"reason,omitempty"`
	// Null takes it away.
	Label *string `json:"label"`
}

// DiffDraft is a definition to compare with a version.
type DiffDraft struct {
	// Definition is JSON; Source a text whose comments and order are kept. One of the two.
	Definition json.RawMessage `json:"definition,omitempty"`
	Source     *Source         `json:"source,omitempty"`
	Base       VersionRef      `json:"base,omitempty"`
}

// DiffDefinitions are two definitions to compare.
type DiffDefinitions struct {
	Before DefinitionPart `json:"before"`
	After  DefinitionPart `json:"after"`
}

// Differences is how one definition differs from another: for programs, in a line, and step by
// step.
type Differences struct {
	// JSON Patch (RFC 6902): applied to the one definition it yields the other exactly.
	Diff json.RawMessage `json:"diff"`
	// One line for people: Added 1 step, modified 1 step.
	Summary string `json:"summary"`
	// What became of each step; step_id is null for the settings of the workflow.
	Changes []Change `json:"changes"`
}

// VersionDiff is the difference between two versions by their numbers, or the active version and a
// draft.
type VersionDiff struct {
	Differences
	V1 int `json:"v1"`
	// Null for a definition that is not stored.
	V2 *int `json:"v2"`
}

// Change is the change of one step, at any depth, or of the workflow's settings.
type Change struct {
	StepID     *string       `json:"step_id"`
	Change     string        `json:"change"`
	PreviousID string        `json:"previous_id,omitempty"`
	Fields     []FieldChange `json:"fields,omitempty"`
}

// FieldChange is one value that changed.
type FieldChange struct {
	Path   string          `json:"path"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}
