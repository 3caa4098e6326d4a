package authoring

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/versions"
	"net/http"
)

// versionRoutes returns the routes of what is done with a workflow's versions beyond reading
// them, and of export and import.
func (h *handlers) versionRoutes() []core.Route {
	const one = core.WorkflowsBase + "/{id}"
	unknown := []string{"workflow_not_found", "version_not_found"}
	return []core.Route{
		// A label is all of a version that can change.
		core.Route{
			Method: http.MethodPatch, Path: one + "/versions/{version}", ID: "labelVersion", Tag: "versions",
			Summary: "Set or clear a version's label", Action: access.Edit, On: core.OnWorkflow, Body: core.BodyRequired, Keeps: true, Conditional: true,
			Answers: core.Tagged(versionSummary{}), Codes: append([]string{"workflow_archived", "invalid_label", "label_taken"}, unknown...),
		}.Handle(core.WithBody(h.labelVersion)),
		// BodyOptional: it takes a reason and needs none.
		core.Route{
			Method: http.MethodPost, Path: one + "/versions/{version}/publish", ID: "publishVersion", Tag: "versions",
			Summary: "Make a version the active one; open runs keep theirs", Action: access.Edit, On: core.OnWorkflow, Body: core.BodyOptional, Conditional: true,
			Query: core.DryRunParam(), Answers: orPreview(), Codes: append([]string{"workflow_archived"}, unknown...),
		}.Handle(core.WithBody(h.publishVersion)),
		// It stores a version, which counts as the tenant's bytes.
		core.Route{
			Method: http.MethodPost, Path: one + "/rollback", ID: "rollbackWorkflow", Tag: "versions",
			Summary: "Publish a new version with the definition of an earlier one", Action: access.Edit, On: core.OnWorkflow, Body: core.BodyRequired, Conditional: true, Keeps: true,
			Query: core.DryRunParam(), Answers: orPreview(), Codes: append([]string{"workflow_archived", "invalid_change_summary"}, unknown...),
		}.Handle(core.WithBody(h.rollbackWorkflow)),
		// The versions stand in the query, since neither owns the other.
		core.Route{
			Method: http.MethodGet, Path: one + "/diff", ID: "diffVersions", Tag: "versions",
			Summary: "Compare two versions", Action: access.View, On: core.OnWorkflow,
			Query: []core.Param{
				{Name: "v1", Required: true, JSONType: "integer", Description: "The version before: its number; v3 and a label are understood too."},
				{Name: "v2", Required: true, JSONType: "integer", Description: "The version after: its number; v3 and a label are understood too."},
			}, Answers: core.Tagged(diffBody{}), Codes: unknown,
		}.Handle(core.NoBody(h.diffVersions)),
		// POST for its body; it changes nothing, which the right to view alone says.
		core.Route{
			Method: http.MethodPost, Path: one + "/diff", ID: "diffDraft", Tag: "versions",
			Summary: "Compare the active version, or another, with a definition that is not stored", Action: access.View, On: core.OnWorkflow,
			Body: core.BodyDefinition, Answers: core.Tagged(diffBody{}), Codes: []string{"workflow_not_found", "version_not_found", "invalid_definition"},
		}.Handle(core.WithBody(h.diffDraft)),
		// Any key: nothing of the tenant is read.
		core.Route{
			Method: http.MethodPost, Path: core.WorkflowsBase + "/diff", ID: "diffDefinitions", Tag: "versions",
			Summary: "Compare two definitions that are not stored", Action: access.View, On: core.FilteredByAccess,
			Body: core.BodyDefinition, Answers: core.OK(differences{}), Codes: []string{"invalid_definition"},
		}.Handle(core.WithBody(h.diffTexts)),
		// Any key: it exports what the key may view, for as long as its client reads.
		core.Route{
			Method: http.MethodGet, Path: core.WorkflowsBase + "/export", ID: "exportWorkflows", LongRunning: true, Tag: "workflows",
			Summary: "Export workflows with all their versions, one per line", Action: access.View, On: core.FilteredByAccess,
			Query: []core.Param{
				{Name: "id", Description: "Ids or slugs, separated by commas; all without it."},
				{Name: "ids", JSONType: "boolean", Description: "Write the ids too, so that an import into another database keeps them."},
			},
			Answers: []core.Answer{{Status: http.StatusOK, Body: versions.Line{}, Media: core.NDJSON, Description: "Lines of JSON, by slug; the schema is that of a line."}},
			Codes:   []string{"workflow_not_found", "acl_denied"},
		}.Handle(core.NoBody(h.exportWorkflows)),
		// LongRunning, and without a limit on its body: each line has limits of its own.
		core.Route{
			Method: http.MethodPost, Path: core.WorkflowsBase + "/import", ID: "importWorkflows", AuditAs: "workflow.import", LongRunning: true, Tag: "workflows",
			Summary: "Import workflows as exported: each whole or not at all, up to the first line that cannot be taken", Action: access.Edit, On: core.OnTenant,
			Body: core.BodyLines, Idempotent: true, Keeps: true,
			Query:   []core.Param{{Name: "on_conflict", Enum: []string{"skip", "rename"}, Description: "What becomes of a workflow whose slug is taken; without it that ends the import."}},
			Answers: core.OK(importBody{}), Codes: []string{
				"slug_taken", "invalid_line", "invalid_definition", "secret_in_definition", "secret_in_text", "invalid_slug", "invalid_status",
				"invalid_trigger_type", "invalid_tags", "invalid_label", "invalid_change_summary", "label_taken", "server_busy",
			},
		}.Handle(core.WithLines[versions.Line](h.importWorkflows)),
	}
}

// orPreview returns the answers of a write with dry_run: a workflow that was written, or what
// would come of it. Both are 200 with the workflow's ETag.
func orPreview() []core.Answer {
	return []core.Answer{{Status: http.StatusOK, Body: workflowAnswer{}, Or: previewBody{}, Headers: []string{"ETag"}}}
}
