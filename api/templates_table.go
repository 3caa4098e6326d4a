package api

import (
	"heddle/access"
	"net/http"
)

// templatesTable is templates, and what is made of them.
func (h *Handler) templatesTable() []route {
	const all, one = workflowsBase + "/templates", workflowsBase + "/templates/{id}"
	unknown := []string{"template_not_found"}
	sound := []string{"template_not_found", "workflow_not_found", "version_not_found", "invalid_name", "invalid_template", "secret_in_definition"}
	return []route{
		route{
			method: http.MethodGet, path: all, id: "listTemplates", tag: "templates",
			summary: "List templates: the built-in ones, then the tenant's own, last changed first", action: access.View, on: onTenant,
			query:   append([]param{{name: "category", description: "Only templates of exactly this category."}, {name: "is_builtin", jsonType: "boolean", description: "Only built-in ones, or none of them."}}, paging()...),
			answers: ok(templateList{}),
		}.handle(noBody(h.listTemplates)),
		route{
			method: http.MethodPost, path: all, id: "createTemplate", tag: "templates",
			summary: "Save a template of a workflow's version, or of a definition", action: access.Edit, on: onTenant,
			body: bodyDefinition, idempotent: true, keeps: true,
			answers: []answer{{status: http.StatusCreated, body: createdTemplate{}, headers: []string{"Location", "ETag"}}},
			codes:   sound[1:],
		}.handle(withBody(h.createTemplate)),
		route{
			method: http.MethodGet, path: one, id: "getTemplate", tag: "templates",
			summary: "Get the newest version of a template, with its definition", action: access.View, on: onTenant,
			answers: tagged(templateAnswer{}), codes: unknown,
		}.handle(noBody(h.getTemplate)),
		route{
			method: http.MethodPut, path: one, id: "updateTemplate", tag: "templates",
			summary: "Make the next version of a template of the tenant's own", action: access.Edit, on: onTenant,
			body: bodyDefinition, conditional: true, keeps: true, answers: tagged(templateAnswer{}),
			codes: append([]string{"template_builtin"}, sound...),
		}.handle(withBody(h.updateTemplate)),
		route{
			method: http.MethodDelete, path: one, id: "deleteTemplate", tag: "templates",
			summary: "Delete a template of the tenant's own; workflows made of it stay", action: access.Edit, on: onTenant,
			conditional: true, answers: noContent(), codes: append([]string{"template_builtin"}, unknown...),
		}.handle(noBody(h.deleteTemplate)),
		route{
			method: http.MethodPost, path: one + "/install", id: "installWorkflow", tag: "templates",
			summary: "Make a workflow of a template", action: access.Edit, on: onTenant, body: bodyOptional, idempotent: true, keeps: true,
			answers: []answer{{status: http.StatusCreated, body: installedWorkflow{}, headers: []string{"Location", "ETag"}}},
			codes:   append([]string{"invalid_parameters", "invalid_definition", "secret_in_definition", "invalid_slug", "slug_taken", "server_busy"}, unknown...),
		}.handle(withBody(h.installTemplate)),
		route{
			method: http.MethodPost, path: workflowsBase + "/{id}/template-update", id: "mergeWorkflowTemplate", tag: "templates",
			summary: "Merge the newest version of its template into a workflow, as an unpublished version", action: access.Edit, on: onWorkflow,
			body: bodyOptional, conditional: true, keeps: true, query: dryRunParam(), answers: tagged(mergeBody{}),
			codes: append([]string{"workflow_not_found", "workflow_has_no_template", "workflow_archived", "invalid_parameters", "invalid_definition", "secret_in_definition", "server_busy"}, unknown...),
		}.handle(withBody(h.mergeTemplate)),
	}
}
