package authoring

import (
	"heddle/access"
	"heddle/api/core"
	"net/http"
)

// templateRoutes returns the routes of templates, and of what is made of them.
func (h *handlers) templateRoutes() []core.Route {
	const all, one = core.WorkflowsBase + "/templates", core.WorkflowsBase + "/templates/{id}"
	unknown := []string{"template_not_found"}
	// sound are the codes of what a definition or its source may be refused with; the first is
	// not for a creation.
	sound := []string{"template_not_found", "workflow_not_found", "version_not_found", "invalid_name", "invalid_template", "secret_in_definition"}
	return []core.Route{
		// OnTenant: templates have no grants, and a role sees all or none.
		core.Route{
			Method: http.MethodGet, Path: all, ID: "listTemplates", Tag: "templates",
			Summary: "List templates: the built-in ones, then the tenant's own, last changed first", Action: access.View, On: core.OnTenant,
			Query:   append([]core.Param{{Name: "category", Description: "Only templates of exactly this category."}, {Name: "is_builtin", JSONType: "boolean", Description: "Only built-in ones, or none of them."}}, core.Paging()...),
			Answers: core.OK(templateList{}),
		}.Handle(core.NoBody(h.listTemplates)),
		// The body may hold a definition, whose limits and media types it has.
		core.Route{
			Method: http.MethodPost, Path: all, ID: "createTemplate", Tag: "templates",
			Summary: "Save a template of a workflow's version, or of a definition", Action: access.Edit, On: core.OnTenant,
			Body: core.BodyDefinition, Idempotent: true, Keeps: true,
			Answers: []core.Answer{{Status: http.StatusCreated, Body: createdTemplate{}, Headers: []string{"Location", "ETag"}}},
			Codes:   sound[1:],
		}.Handle(core.WithBody(h.createTemplate)),
		// Its ETag is the newest version's number.
		core.Route{
			Method: http.MethodGet, Path: one, ID: "getTemplate", Tag: "templates",
			Summary: "Get the newest version of a template, with its definition", Action: access.View, On: core.OnTenant,
			Answers: core.Tagged(templateAnswer{}), Codes: unknown,
		}.Handle(core.NoBody(h.getTemplate)),
		// A template has versions of its own; If-Match names the one that is replaced.
		core.Route{
			Method: http.MethodPut, Path: one, ID: "updateTemplate", Tag: "templates",
			Summary: "Make the next version of a template of the tenant's own", Action: access.Edit, On: core.OnTenant,
			Body: core.BodyDefinition, Conditional: true, Keeps: true, Answers: core.Tagged(templateAnswer{}),
			Codes: append([]string{"template_builtin"}, sound...),
		}.Handle(core.WithBody(h.updateTemplate)),
		// Workflows keep what they were made of, so that nothing else is deleted.
		core.Route{
			Method: http.MethodDelete, Path: one, ID: "deleteTemplate", Tag: "templates",
			Summary: "Delete a template of the tenant's own; workflows made of it stay", Action: access.Edit, On: core.OnTenant,
			Conditional: true, Answers: core.NoContent(), Codes: append([]string{"template_builtin"}, unknown...),
		}.Handle(core.NoBody(h.deleteTemplate)),
		// OnTenant: the workflow that it makes is not there yet to be granted.
		core.Route{
			Method: http.MethodPost, Path: one + "/install", ID: "installWorkflow", Tag: "templates",
			Summary: "Make a workflow of a template", Action: access.Edit, On: core.OnTenant, Body: core.BodyOptional, Idempotent: true, Keeps: true, Query: core.DryRunParam(),
			Answers: []core.Answer{
				{Status: http.StatusCreated, Body: installedWorkflow{}, Headers: []string{"Location", "ETag"}},
				{Status: http.StatusOK, Body: installPreview{}, Description: "With dry_run=true: what would be made."},
			},
			Codes: append([]string{"invalid_parameters", "invalid_definition", "secret_in_definition", "invalid_slug", "slug_taken", "server_busy"}, unknown...),
		}.Handle(core.WithBody(h.installTemplate)),
		// On the workflow, which is what changes; the template is only read.
		core.Route{
			Method: http.MethodPost, Path: core.WorkflowsBase + "/{id}/template-update", ID: "mergeWorkflowTemplate", Tag: "templates",
			Summary: "Merge the newest version of its template into a workflow, as an unpublished version", Action: access.Edit, On: core.OnWorkflow,
			Body: core.BodyOptional, Conditional: true, Keeps: true, Query: core.DryRunParam(), Answers: core.Tagged(mergeBody{}),
			Codes: append([]string{"workflow_not_found", "workflow_has_no_template", "workflow_archived", "invalid_parameters", "invalid_resolution", "invalid_definition", "secret_in_definition", "server_busy"}, unknown...),
		}.Handle(core.WithBody(h.mergeTemplate)),
	}
}
