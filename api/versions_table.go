package api

import (
	"heddle/access"
	"heddle/versions"
	"net/http"
)

// historyTable is what is done with a workflow's versions beyond reading them.
func (h *Handler) historyTable() []route {
	const one = workflowsBase + "/{id}"
	unknown := []string{"workflow_not_found", "version_not_found"}
	return []route{
		route{
			method: http.MethodPatch, path: one + "/versions/{version}", id: "labelVersion", tag: "versions",
			summary: "Set or clear a version's label", action: access.Edit, on: onWorkflow, body: bodyRequired, conditional: true,
			answers: tagged(versionSummary{}), codes: append([]string{"workflow_archived", "invalid_label", "label_taken"}, unknown...),
		}.handle(withBody(h.labelVersion)),
		route{
			method: http.MethodPost, path: one + "/versions/{version}/publish", id: "publishVersion", tag: "versions",
			summary: "Make a version the active one; open runs keep theirs", action: access.Edit, on: onWorkflow, body: bodyOptional, conditional: true,
			query: dryRunParam(), answers: orPreview(), codes: append([]string{"workflow_archived"}, unknown...),
		}.handle(withBody(h.publishVersion)),
		route{
			method: http.MethodPost, path: one + "/rollback", id: "rollbackWorkflow", tag: "versions",
			summary: "Publish a new version with the definition of an earlier one", action: access.Edit, on: onWorkflow, body: bodyRequired, conditional: true, keeps: true,
			query: dryRunParam(), answers: orPreview(), codes: append([]string{"workflow_archived", "invalid_change_summary"}, unknown...),
		}.handle(withBody(h.rollbackWorkflow)),
		route{
			method: http.MethodGet, path: one + "/diff", id: "diffVersions", tag: "versions",
			summary: "Compare two versions", action: access.View, on: onWorkflow,
			query: []param{
				{name: "v1", required: true, jsonType: "integer", description: "The version before: its number; v3 and a label are understood too."},
				{name: "v2", required: true, jsonType: "integer", description: "The version after: its number; v3 and a label are understood too."},
			}, answers: tagged(diffBody{}), codes: unknown,
		}.handle(noBody(h.diffVersions)),
		route{
			method: http.MethodPost, path: one + "/diff", id: "diffDraft", tag: "versions",
			summary: "Compare the active version with a definition that is not stored", action: access.View, on: onWorkflow,
			body: bodyDefinition, answers: tagged(diffBody{}), codes: []string{"workflow_not_found", "invalid_definition"},
		}.handle(withBody(h.diffDraft)),
		route{
			method: http.MethodGet, path: workflowsBase + "/export", id: "exportWorkflows", tag: "workflows",
			summary: "Export workflows with all their versions, one per line", action: access.View, on: filteredByAccess,
			query: []param{
				{name: "id", description: "Ids or slugs, separated by commas; all without it."},
				{name: "ids", jsonType: "boolean", description: "Write the ids too, so that an import into another database keeps them."},
			},
			answers: []answer{{status: http.StatusOK, body: versions.Line{}, media: ndjson, description: "Lines of JSON, by slug; the schema is that of a line."}},
			codes:   []string{"workflow_not_found", "acl_denied"},
		}.handle(noBody(h.exportWorkflows)),
		route{
			method: http.MethodPost, path: workflowsBase + "/import", id: "importWorkflows", tag: "workflows",
			summary: "Import workflows as exported: each whole or not at all, up to the first line that cannot be taken", action: access.Edit, on: onTenant,
			body: bodyLines, idempotent: true, keeps: true,
			query:   []param{{name: "on_conflict", enum: []string{"skip", "rename"}, description: "What becomes of a workflow whose slug is taken; without it that ends the import."}},
			answers: ok(importBody{}), codes: []string{
				"slug_taken", "invalid_line", "invalid_definition", "secret_in_definition", "secret_in_text", "invalid_slug", "invalid_status",
				"invalid_trigger_type", "invalid_tags", "invalid_label", "invalid_change_summary", "label_taken", "server_busy",
			},
		}.handle(withLines(h.importWorkflows)),
	}
}

// dryRunParam is taken by the writes that can say what would come of them.
func dryRunParam() []param {
	return []param{{name: "dry_run", jsonType: "boolean", description: "Write nothing; answer what it would mean."}}
}

// orPreview is a workflow that was written, or with dry_run what would come of
// it.
func orPreview() []answer {
	return []answer{{status: http.StatusOK, body: workflowAnswer{}, or: previewBody{}, headers: []string{"ETag"}}}
}
