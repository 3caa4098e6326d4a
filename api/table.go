package api

import (
	"heddle/access"
	"net/http"
)

const workflowsBase = "/api/workflows"

// table is every route there is.
func (h *Handler) table() []route {
	routes := h.siteTable()
	routes = append(routes, h.authoringTable()...)
	routes = append(routes, h.historyTable()...)
	routes = append(routes, h.templatesTable()...)
	routes = append(routes, h.schedulesTable()...)
	routes = append(routes, h.runsTable()...)
	routes = append(routes, h.blobsTable()...)
	routes = append(routes, h.steeringTable()...)
	routes = append(routes, h.logsTable()...)
	routes = append(routes, h.usageTable()...)
	routes = append(routes, h.runsDialectTable()...)
	routes = append(routes, h.turnsTable()...)
	routes = append(routes, h.instancesTable()...)
	routes = append(routes, h.secretsTable()...)
	routes = append(routes, h.agentsTable()...)
	routes = append(routes, h.accessTable()...)
	for i, r := range routes {
		if r.method == http.MethodDelete {
			routes[i] = r.withReason()
		}
	}
	return routes
}

func (h *Handler) siteTable() []route {
	return []route{
		route{
			method: http.MethodGet, path: "/", id: "front", tag: "site", summary: "What this server is, and where its API is described",
			answers: htmlPage(),
		}.handle(noBody(h.front)),
		route{
			method: http.MethodGet, path: "/docs", id: "docs", tag: "site", summary: "The routes, as a page",
			answers: htmlPage(),
		}.handle(noBody(h.docs)),
		route{
			method: http.MethodGet, path: "/openapi.json", id: "getOpenAPI", tag: "site", summary: "This document",
			answers: []answer{{status: http.StatusOK, body: anyObject{}, description: "OpenAPI 3.1"}},
		}.handle(noBody(h.openAPI)),
		route{
			method: http.MethodGet, path: "/schemas/definition.json", id: "getDefinitionSchema", tag: "site",
			summary: "The JSON Schema of a workflow definition",
			answers: []answer{{status: http.StatusOK, body: anyObject{}, media: "application/schema+json", description: "JSON Schema 2020-12"}},
		}.handle(noBody(h.definitionSchema)),
		route{
			method: http.MethodGet, path: "/healthz", id: "healthz", tag: "site", summary: "Whether the process answers",
			answers: ok(health{}),
		}.handle(noBody(h.healthz)),
		route{
			method: http.MethodGet, path: "/readyz", id: "readyz", tag: "site", summary: "Whether the process takes and drives runs",
			answers: ok(readiness{}), codes: []string{"not_ready", "store_unavailable"},
		}.handle(noBody(h.readyz)),
		route{
			method: http.MethodGet, path: "/metrics", id: "metrics", tag: "site", summary: "What this process counts and measures, for Prometheus",
			answers: []answer{{status: http.StatusOK, body: "", media: "text/plain", description: "Prometheus's text format."}},
		}.handle(noBody(h.metrics)),
		route{
			method: http.MethodGet, path: "/v1/info", id: "getInfo", tag: "site", summary: "The product's version, and who is asking",
			action: access.View, on: filteredByAccess, answers: ok(info{}),
		}.handle(noBody(h.info)),
	}
}

func (h *Handler) authoringTable() []route {
	const one = workflowsBase + "/{id}"
	definitionCodes := []string{"invalid_definition", "secret_in_definition", "invalid_trigger_type", "invalid_tags", "invalid_change_summary"}
	return []route{
		route{
			method: http.MethodGet, path: workflowsBase, id: "listWorkflows", tag: "workflows",
			summary: "List workflows, last changed first", action: access.View, on: filteredByAccess,
			query: append([]param{
				{name: "status", enum: []string{"draft", "active", "paused", "archived"}, description: "Only workflows in this status."},
				{name: "trigger_type", enum: []string{"manual", "schedule", "webhook", "api", "event"}, description: "Only workflows with this type of trigger."},
				{name: "tag", description: "Only workflows with exactly this tag."},
				{name: "q", description: "Free text over name, slug and description."},
			}, paging()...), answers: ok(workflowList{}),
		}.handle(noBody(h.listWorkflows)),
		route{
			method: http.MethodPost, path: workflowsBase, id: "createWorkflow", tag: "workflows",
			summary: "Create a workflow; its definition becomes version 1", action: access.Edit, on: onTenant,
			body: bodyDefinition, idempotent: true, keeps: true,
			answers: []answer{{status: http.StatusCreated, body: createdWorkflow{}, headers: []string{"Location", "ETag"}}},
			codes:   append([]string{"invalid_slug", "invalid_status", "slug_taken"}, definitionCodes...),
		}.handle(withBody(h.createWorkflow)),
		route{
			method: http.MethodPost, path: workflowsBase + "/validate", id: "validateDefinition", tag: "workflows",
			summary: "Check a definition without storing it", action: access.View, on: filteredByAccess,
			body: bodyDefinition, answers: ok(validity{}),
		}.handle(withBody(h.validateDefinition)),
		route{
			method: http.MethodGet, path: one, id: "getWorkflow", tag: "workflows",
			summary: "Get a workflow with its active definition", action: access.View, on: onWorkflow,
			query:   []param{{name: "version", description: "Another version's definition: 3, v3 or a label."}},
			answers: tagged(workflowAnswer{}), codes: []string{"workflow_not_found", "version_not_found"},
		}.handle(noBody(h.getWorkflow)),
		route{
			method: http.MethodPut, path: one, id: "updateWorkflow", tag: "workflows",
			summary: "Change a workflow; a changed definition is a new version", action: access.Edit, on: onWorkflow,
			query: dryRunParam(), body: bodyDefinition, conditional: true, keeps: true, answers: orPreview(),
			codes: append([]string{"workflow_not_found", "workflow_archived"}, definitionCodes...),
		}.handle(withBody(h.updateWorkflow)),
		route{
			method: http.MethodDelete, path: one, id: "deleteWorkflow", tag: "workflows",
			summary: "Delete a workflow; finished runs stay readable", action: access.Edit, on: onWorkflow, conditional: true,
			query:   []param{{name: "force", jsonType: "boolean", description: "Cancel open runs."}},
			answers: noContent(), codes: []string{"workflow_not_found", "workflow_has_open_runs", "not_ready", "outcome_unknown", "steering_pending"},
		}.handle(noBody(h.deleteWorkflow)),
		route{
			method: http.MethodPatch, path: one + "/status", id: "setWorkflowStatus", tag: "workflows",
			summary: "Set a workflow's status", action: access.Edit, on: onWorkflow, body: bodyRequired, conditional: true,
			answers: tagged(workflowAnswer{}), codes: []string{"workflow_not_found", "invalid_status"},
		}.handle(withBody(h.setStatus)),
		route{
			method: http.MethodGet, path: one + "/versions", id: "listVersions", tag: "versions",
			summary: "List a workflow's versions, newest first", action: access.View, on: onWorkflow,
			query: paging(), answers: tagged(versionList{}), codes: []string{"workflow_not_found"},
		}.handle(noBody(h.listVersions)),
		route{
			method: http.MethodGet, path: one + "/versions/{version}", id: "getVersion", tag: "versions",
			summary: "Get a version with its definition", action: access.View, on: onWorkflow,
			answers: tagged(versionBody{}), codes: []string{"workflow_not_found", "version_not_found"},
		}.handle(noBody(h.getVersion)),
	}
}

func (h *Handler) runsTable() []route {
	const run = workflowsBase + "/runs/{run_id}"
	exec := h.cfg.Executor
	return []route{
		route{
			method: http.MethodPost, path: workflowsBase + "/{id}/run", id: "runWorkflow", tag: "runs",
			summary: "Start a run", action: access.Execute, on: onWorkflow, body: bodyOptional, idempotent: true,
			answers: []answer{{status: http.StatusAccepted, body: startedRun{}, description: "The run is stored.", headers: []string{"Location"}}},
			codes:   startCodes("invalid_trigger"),
		}.handle(withBody(h.startRun)),
		route{
			method: http.MethodGet, path: workflowsBase + "/{id}/runs", id: "listRuns", tag: "runs",
			summary: "List a workflow's runs, newest first", action: access.View, on: onWorkflow,
			query:   append([]param{{name: "status", enum: vocabulary(inWorkflows), description: "Only runs in this state."}}, paging()...),
			answers: ok(runList{}), codes: []string{"workflow_not_found"},
		}.handle(noBody(h.listRuns)),
		route{
			method: http.MethodGet, path: run, id: "getRun", tag: "runs",
			summary: "Get a run with its steps", action: access.View, on: onRun,
			answers: tagged(runAnswer{}), codes: []string{"run_not_found"},
		}.handle(noBody(h.getRun)),
		route{
			method: http.MethodGet, path: run + "/definition", id: "getRunDefinition", tag: "runs",
			summary: "Get the definition that a run runs", action: access.View, on: onRun,
			answers: ok(ranDefinition{}), codes: []string{"run_not_found"},
		}.handle(noBody(h.getRunDefinition)),
		route{
			method: http.MethodGet, path: run + "/stream", id: "streamRun", tag: "runs",
			summary: "Follow a run's events", action: access.View, on: onRun,
			answers: []answer{
				{
					status: http.StatusOK, body: workflowsEvent{}, media: "text/event-stream",
					description: "Frames of id, event and data; the schema is that of data. Last-Event-ID gives what comes after it.",
				},
				{status: http.StatusNoContent, description: "The run is finished and Last-Event-ID is its last event."},
			}, codes: []string{"run_not_found", "invalid_last_event_id"},
		}.handle(noBody(h.streamRun)),
		route{
			method: http.MethodPost, path: run + "/cancel", id: "cancelRun", tag: "runs",
			summary: "Ask a run to stop; a finished one stays as it is", action: access.Execute, on: onRun, body: bodyOptional,
			answers: ok(steeredRun{}), codes: []string{"run_not_found"},
		}.handle(withBody(h.steer(http.StatusOK, exec.Cancel))),
		route{
			method: http.MethodPost, path: run + "/pause", id: "pauseRun", tag: "runs",
			summary: "Let steps in action finish and start nothing more", action: access.Execute, on: onRun, body: bodyOptional,
			answers: accepted(steeredRun{}), codes: []string{"run_not_found", "run_finished"},
		}.handle(withBody(h.steer(http.StatusAccepted, exec.Pause))),
		route{
			method: http.MethodDelete, path: run, id: "deleteRun", tag: "runs",
			summary: "Delete a finished run with its history", action: access.Operate, on: onRun, conditional: true,
			answers: noContent(), codes: []string{"run_not_found", "run_open"},
		}.handle(noBody(h.deleteRun)),
	}
}

func (h *Handler) accessTable() []route {
	return []route{
		route{
			method: http.MethodPost, path: "/v1/tenants", id: "createTenant", tag: "access",
			summary: "Create a tenant with its first admin key; for admins of the tenant default", action: access.Admin, on: onTenant,
			body: bodyRequired, answers: created(createdTenant{}), codes: []string{"invalid_slug", "invalid_name", "slug_taken"},
		}.handle(withBody(h.createTenant)),
		route{
			method: http.MethodGet, path: "/v1/tenants/{tenant}/quotas", id: "getTenantQuotas", tag: "access",
			summary: "What a tenant may have at one time; for admins of the tenant default", action: access.Admin, on: onTenant,
			answers: ok(tenantQuotas{}), codes: []string{"tenant_not_found"},
		}.handle(noBody(h.getTenantQuotas)),
		route{
			method: http.MethodPut, path: "/v1/tenants/{tenant}/quotas", id: "putTenantQuotas", tag: "access",
			summary: "Set what a tenant may have at one time; for admins of the tenant default", action: access.Admin, on: onTenant,
			body: bodyRequired, answers: ok(tenantQuotas{}), codes: []string{"tenant_not_found", "invalid_quota"},
		}.handle(withBody(h.putTenantQuotas)),
		route{
			method: http.MethodPost, path: "/v1/keys", id: "createKey", tag: "access", summary: "Create an API key",
			action: access.Admin, on: onTenant, body: bodyRequired, answers: created(createdKey{}),
			codes: []string{"invalid_name", "invalid_role", "invalid_expires_at"},
		}.handle(withBody(h.createKey)),
		route{
			method: http.MethodGet, path: "/v1/keys", id: "listKeys", tag: "access", summary: "List API keys, newest first",
			action: access.Admin, on: onTenant, query: cursorPaging(), answers: ok(keyList{}),
		}.handle(noBody(h.listKeys)),
		route{
			method: http.MethodDelete, path: "/v1/keys/{key_id}", id: "revokeKey", tag: "access", summary: "Revoke an API key at once",
			action: access.Admin, on: onTenant, answers: noContent(), codes: []string{"key_not_found", "last_admin_key"},
		}.handle(noBody(h.revokeKey)),
		route{
			method: http.MethodPut, path: "/v1/grants", id: "putGrant", tag: "access", summary: "Give a key exactly these actions on one workflow",
			action: access.Admin, on: onTenant, body: bodyRequired, answers: ok(grantBody{}),
			codes: []string{"key_not_found", "workflow_not_found", "invalid_actions"},
		}.handle(withBody(h.putGrant)),
		route{
			method: http.MethodGet, path: "/v1/grants", id: "listGrants", tag: "access", summary: "List a key's grants",
			action: access.Admin, on: onTenant, query: []param{{name: "key_id", required: true, description: "The id of the key that has the grants."}}, answers: ok(grantList{}),
		}.handle(noBody(h.listGrants)),
		route{
			method: http.MethodDelete, path: "/v1/grants", id: "deleteGrant", tag: "access", summary: "Take a key's actions on one workflow away",
			action: access.Admin, on: onTenant, query: []param{
				{name: "key_id", required: true, description: "The id of the key that has the grant."},
				{name: "workflow", required: true, description: "The workflow's id or slug."},
			}, answers: noContent(),
			codes: []string{"key_not_found", "workflow_not_found", "grant_not_found"},
		}.handle(noBody(h.deleteGrant)),
		route{
			method: http.MethodGet, path: "/v1/audit", id: "listAudit", tag: "access", summary: "Who did what to which object, newest first",
			action: access.Admin, on: onTenant, query: append([]param{
				{name: "actor", description: "The name of who did it, as it was then."},
				{name: "action", description: "What was done, such as workflow.create."},
				{name: "object", description: "What it was done to, such as workflow:wf_…; with a slug, the object that was last to bear it."},
			}, cursorPaging()...),
			answers: ok(auditList{}),
		}.handle(noBody(h.listAudit)),
	}
}
