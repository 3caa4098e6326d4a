package authoring

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/definitions"
	"net/http"
)

// workflowRoutes returns the routes of workflows, and of their versions as far as they are read.
// Those that answer a list are filtered by what the key may view, those of one workflow are
// refused by it.
func (h *handlers) workflowRoutes() []core.Route {
	const one = core.WorkflowsBase + "/{id}"
	// definitionCodes are those of every route that stores a definition.
	definitionCodes := []string{"invalid_definition", "secret_in_definition", "invalid_trigger_type", "invalid_tags", "invalid_change_summary"}
	return []core.Route{
		// Any key: it lists the workflows that the key may view.
		core.Route{
			Method: http.MethodGet, Path: core.WorkflowsBase, ID: "listWorkflows", Tag: "workflows",
			Summary: "List workflows and how they go", Action: access.View, On: core.FilteredByAccess,
			Query: append([]core.Param{
				{Name: "status", Enum: []string{"draft", "active", "paused", "archived"}, Description: "Only workflows in this status."},
				{Name: "trigger_type", Enum: definitions.Triggers(), Description: "Only workflows with this type of trigger."},
				{Name: "tag", Repeatable: true, Description: "Only workflows with exactly this tag; given up to ten times, with all of them."},
				{Name: "template_id", Description: "Only workflows that were made of this template."},
				{Name: "health", Enum: []string{"failing"}, Description: "failing: the run that ended last failed."},
				{Name: "order", Enum: []string{"-updated", "name"}, Description: "-updated, last changed first, unless given; name goes without regard to case, then by slug."},
				{Name: "q", Description: "Free text over name, slug and description."},
			}, core.Paging()...), Answers: core.OK(workflowList{}),
		}.Handle(core.NoBody(h.listWorkflows)),
		// OnTenant: a grant on a workflow does not reach one that is not there yet.
		core.Route{
			Method: http.MethodPost, Path: core.WorkflowsBase, ID: "createWorkflow", Tag: "workflows",
			Summary: "Create a workflow; its definition becomes version 1", Action: access.Edit, On: core.OnTenant,
			Body: core.BodyDefinition, Idempotent: true, Keeps: true,
			Answers: []core.Answer{{Status: http.StatusCreated, Body: createdWorkflow{}, Headers: []string{"Location", "ETag"}}},
			Codes:   append([]string{"invalid_slug", "invalid_status", "slug_taken"}, definitionCodes...),
		}.Handle(core.WithBody(h.createWorkflow)),
		// Any key: nothing is read of the tenant but which agents there are.
		core.Route{
			Method: http.MethodPost, Path: core.WorkflowsBase + "/validate", ID: "validateDefinition", Tag: "workflows",
			Summary: "Check a definition without storing it", Action: access.View, On: core.FilteredByAccess,
			Body: core.BodyDefinition, Answers: core.OK(validity{}),
		}.Handle(core.WithBody(h.validateDefinition)),
		// Its ETag is the workflow's revision, which every change raises.
		core.Route{
			Method: http.MethodGet, Path: one, ID: "getWorkflow", Tag: "workflows",
			Summary: "Get a workflow with its active definition", Action: access.View, On: core.OnWorkflow,
			Query:   []core.Param{{Name: "version", Description: "Another version's definition: 3, v3 or a label."}},
			Answers: core.OrYAML(core.Tagged(workflowAnswer{})), Codes: []string{"workflow_not_found", "version_not_found"},
		}.Handle(core.NoBody(h.getWorkflow)),
		// The same route previews with dry_run, and then needs the same right.
		core.Route{
			Method: http.MethodPut, Path: one, ID: "updateWorkflow", Tag: "workflows",
			Summary: "Change a workflow; a changed definition is a new version", Action: access.Edit, On: core.OnWorkflow,
			Query: core.DryRunParam(), Body: core.BodyDefinition, Conditional: true, Keeps: true, Answers: orPreview(),
			Codes: append([]string{"workflow_not_found", "workflow_archived", "draft_not_found", "draft_outdated"}, definitionCodes...),
		}.Handle(core.WithBody(h.updateWorkflow)),
		// LongRunning: with force it cancels any number of runs first.
		core.Route{
			Method: http.MethodDelete, Path: one, ID: "deleteWorkflow", LongRunning: true, Tag: "workflows",
			Summary: "Delete a workflow; finished runs stay readable", Action: access.Edit, On: core.OnWorkflow, Conditional: true,
			Query:   []core.Param{{Name: "force", JSONType: "boolean", Description: "Cancel open runs."}},
			Answers: core.NoContent(), Codes: []string{"workflow_not_found", "workflow_has_open_runs", "not_ready", "outcome_unknown", "steering_pending"},
		}.Handle(core.NoBody(h.deleteWorkflow)),
		// Status has a route of its own: it may be set where the definition may not be edited, as
		// of an archived workflow.
		core.Route{
			Method: http.MethodPatch, Path: one + "/status", ID: "setWorkflowStatus", Tag: "workflows",
			Summary: "Set a workflow's status", Action: access.Edit, On: core.OnWorkflow, Body: core.BodyRequired, Conditional: true,
			Answers: core.Tagged(workflowAnswer{}), Codes: []string{"workflow_not_found", "invalid_status"},
		}.Handle(core.WithBody(h.setStatus)),
		// Its ETag is the workflow's, whose revision rises with each version.
		core.Route{
			Method: http.MethodGet, Path: one + "/versions", ID: "listVersions", Tag: "versions",
			Summary: "List a workflow's versions, newest first", Action: access.View, On: core.OnWorkflow,
			Query: core.Paging(), Answers: core.Tagged(versionList{}), Codes: []string{"workflow_not_found"},
		}.Handle(core.NoBody(h.listVersions)),
		// A version never changes but for its label, of which the workflow's ETag tells.
		core.Route{
			Method: http.MethodGet, Path: one + "/versions/{version}", ID: "getVersion", Tag: "versions",
			Summary: "Get a version with its definition", Action: access.View, On: core.OnWorkflow,
			Answers: core.OrYAML(core.Tagged(versionBody{})), Codes: []string{"workflow_not_found", "version_not_found"},
		}.Handle(core.NoBody(h.getVersion)),
	}
}
