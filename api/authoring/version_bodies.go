package authoring

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/versions"
)

// publishVersion is the body of a publish; it can only say why.
type publishVersion struct{ core.Because }

// rollbackWorkflow is a request to go back to a version, which is required.
type rollbackWorkflow struct {
	// Version is a number or a label of the workflow's.
	Version       workflows.VersionRef `json:"version"`
	ChangeSummary string               `json:"change_summary,omitempty" doc:"\"Rollback to version 2\" and the like without it."`
	core.Because
}

// labelVersion sets a version's label, or clears it by null. The field itself is required, so
// that a misspelt one does not clear.
type labelVersion struct {
	core.Because
	// Label may not read like a version's number.
	Label labelText `json:"label" doc:"Null takes it away."`
}

// labelText is a label, or null, which is ""; given distinguishes null from a missing field, for
// which encoding/json does not call UnmarshalJSON.
type labelText struct {
	text  string
	given bool
}

// UnmarshalJSON reads text or null. The error is fault.Malformed invalid_request.
func (l *labelText) UnmarshalJSON(text []byte) error {
	l.given = true
	if err := json.Unmarshal(text, &l.text); err != nil {
		return core.Malformed("label must be a string, or null to take it away.")
	}
	return nil
}

// JSONSchema describes what UnmarshalJSON takes.
func (labelText) JSONSchema() map[string]any {
	return map[string]any{"type": []string{"string", "null"}}
}

// diffDraft is a definition to compare with a version.
type diffDraft struct {
	core.Authored
	Base workflows.VersionRef `json:"base,omitempty"`
}

// diffTexts are two definitions to compare.
type diffTexts struct {
	Before core.DefinitionPart `json:"before"`
	After  core.DefinitionPart `json:"after"`
}

// differences is how one definition differs from another: for programs, in a line, and step by
// step.
type differences struct {
	Diff    json.RawMessage   `json:"diff" kind:"patch" doc:"JSON Patch (RFC 6902): applied to the one definition it yields the other exactly."`
	Summary string            `json:"summary" doc:"One line for people: Added 1 step, modified 1 step."`
	Changes []versions.Change `json:"changes" doc:"What became of each step; step_id is null for the settings of the workflow."`
}

// diffBody is the difference between two versions by their numbers, or the active version and a
// draft.
type diffBody struct {
	differences
	// V1 and V2 are the numbers of the versions before and after.
	V1 int  `json:"v1"`
	V2 *int `json:"v2" doc:"Null for a definition that is not stored."`
}

// previewBody is what would come of a write, as far as it can be known before: DryRun is always
// true.
type previewBody struct {
	DryRun bool `json:"dry_run"`
	differences
	// OpenRuns holds a line for each version that has open runs.
	OpenRuns  []versions.OpenRuns       `json:"open_runs" doc:"Runs that are open, by the version that they stay on."`
	Schedules []versions.ScheduleImpact `json:"schedules" doc:"Schedules that would run the new definition."`
	// Breaking is a warning: the write is not refused for it.
	Breaking       []versions.BreakingChange `json:"breaking" doc:"Where the new input schema may refuse what the active one takes; pointers into the new definition."`
	Callers        []lastTrigger             `json:"callers" doc:"How runs of the workflow were started, the last used first."`
	Resumable      []runLink                 `json:"resumable" doc:"Runs that failed, were cancelled or are paused, newest first, at most 20: they can be resumed on the new version."`
	OpenApprovals  int                       `json:"open_approvals" doc:"Approvals of the workflow's runs that are open: they stay on the versions that they are on."`
	SecretsMissing []string                  `json:"secrets_missing" doc:"Secrets that the definition names and the tenant does not have."`
	AgentsMissing  []string                  `json:"agents_missing"`
	SourceChanged  bool                      `json:"source_changed,omitempty" doc:"The definition is the latest version's, and its text would be replaced."`
}

// lastTrigger is how runs are started, and when the last one was.
type lastTrigger struct {
	Trigger  string         `json:"trigger" enum:"manual,schedule,webhook,api,event"`
	LastUsed core.Timestamp `json:"last_used"`
}

// runLink names a run.
type runLink struct {
	RunID string `json:"run_id"`
}

// differencesOf returns a difference as answers show it.
func differencesOf(d versions.Diff) differences {
	return differences{Diff: d.Patch, Summary: d.Summary, Changes: d.Changes}
}

// diffOf returns a difference with the numbers of its two sides; V2 is null for a draft, which
// has no number.
func diffOf(b versions.VersionDiff) diffBody {
	body := diffBody{differences: differencesOf(b.Diff), V1: b.From}
	if b.To > 0 {
		body.V2 = &b.To
	}
	return body
}
