package api

import (
	"net/http"

	"heddle/access"
)

// historyTable is what is done with a workflow's versions beyond reading them.
func (h *Handler) historyTable() []route {
	const one = workflowsBase + "/{id}"
	unknown := []string{"workflow_not_found", "version_not_found"}
	return []route{
		route{method: http.MethodPatch, path: one + "/versions/{version}", id: "labelVersion", tag: "versions",
			summary: "Set or clear a version's label", action: access.Edit, on: onWorkflow, body: requiredBody, conditional: true,
			answers: tagged(versionSummary{}), codes: append([]string{"workflow_archived", "invalid_label", "label_taken"}, unknown...)}.to(taking(h.labelVersion)),
		route{method: http.MethodPost, path: one + "/versions/{version}/publish", id: "publishVersion", tag: "versions",
			summary: "Make a version the active one; open runs keep theirs", action: access.Edit, on: onWorkflow, body: optionalBody, conditional: true,
			query: dryRunParam(), answers: orPreview(), codes: append([]string{"workflow_archived"}, unknown...)}.to(taking(h.publishVersion)),
		route{method: http.MethodPost, path: one + "/rollback", id: "rollbackWorkflow", tag: "versions",
			summary: "Publish a new version with the definition of an earlier one", action: access.Edit, on: onWorkflow, body: requiredBody, conditional: true,
			query: dryRunParam(), answers: orPreview(), codes: append([]string{"workflow_archived", "invalid_change_summary"}, unknown...)}.to(taking(h.rollbackWorkflow)),
		route{method: http.MethodGet, path: one + "/diff", id: "diffVersions", tag: "versions",
			summary: "Compare two versions", action: access.View, on: onWorkflow,
			query: []param{
				{name: "v1", kind: "integer", required: true, about: "The number of the version before."},
				{name: "v2", kind: "integer", required: true, about: "The number of the version after."},
			}, answers: tagged(diffBody{}), codes: unknown}.to(bare(h.diffVersions)),
		route{method: http.MethodPost, path: one + "/diff", id: "diffDraft", tag: "versions",
			summary: "Compare the active version with a definition that is not stored", action: access.View, on: onWorkflow,
			body: definitionBody, answers: tagged(diffBody{}), codes: []string{"workflow_not_found", "invalid_definition"}}.to(taking(h.diffDraft)),
	}
}

// dryRunParam is taken by the writes that can say what would come of them.
func dryRunParam() []param {
	return []param{{name: "dry_run", kind: "boolean", about: "Write nothing; answer what it would mean."}}
}

// orPreview is a workflow that was written, or with dry_run what would come of
// it.
func orPreview() []answer {
	return []answer{{status: http.StatusOK, body: workflowAnswer{}, or: previewBody{}, headers: []string{"ETag"}}}
}
