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
		}.to(bare(h.front)),
		route{
			method: http.MethodGet, path: "/docs", id: "docs", tag: "site", summary: "The routes, as a page",
			answers: htmlPage(),
		}.to(bare(h.docs)),
		route{
			method: http.MethodGet, path: "/openapi.json", id: "getOpenAPI", tag: "site", summary: "This document",
			answers: []answer{{status: http.StatusOK, body: anyObject{}, about: "OpenAPI 3.1"}},
		}.to(bare(h.openAPI)),
		route{
			method: http.MethodGet, path: "/schemas/definition.json", id: "getDefinitionSchema", tag: "site",
			summary: "The JSON Schema of a workflow definition",
			answers: []answer{{status: http.StatusOK, body: anyObject{}, media: "application/schema+json", about: "JSON Schema 2020-12"}},
		}.to(bare(h.definitionSchema)),
		route{
			method: http.MethodGet, path: "/healthz", id: "healthz", tag: "site", summary: "Whether the process answers",
			answers: ok(health{}),
		}.to(bare(h.healthz)),
		route{
			method: http.MethodGet, path: "/readyz", id: "readyz", tag: "site", summary: "Whether the process takes and drives runs",
			answers: ok(readiness{}), codes: []string{"not_ready", "store_unavailable"},
		}.to(bare(h.readyz)),
		route{
			method: http.MethodGet, path: "/metrics", id: "metrics", tag: "site", summary: "What this process counts and measures, for Prometheus",
			answers: []answer{{status: http.StatusOK, body: "", media: "text/plain", about: "Prometheus's text format."}},
		}.to(bare(h.metrics)),
		route{
			method: http.MethodGet, path: "/v1/info", id: "getInfo", tag: "site", summary: "The product's version, and who is asking",
			action: access.View, on: onVisible, answers: ok(info{}),
		}.to(bare(h.info)),
	}
}

func (h *Handler) authoringTable() []route {
	const one = workflowsBase + "/{id}"
	definitionCodes := []string{"invalid_definition", "secret_in_definition", "invalid_trigger_type", "invalid_tags", "invalid_change_summary"}
	return []route{
		route{
			method: http.MethodGet, path: workflowsBase, id: "listWorkflows", tag: "workflows",
			summary: "List workflows, last changed first", action: access.View, on: onVisible,
			query: append([]param{
				{name: "status", enum: []string{"draft", "active", "paused", "archived"}, about: "Only workflows in this status."},
				{name: "trigger_type", enum: []string{"manual", "schedule", "webhook", "api", "event"}, about: "Only workflows with this type of trigger."},
				{name: "tag", about: "Only workflows with exactly this tag."},
				{name: "q", about: "Free text over name, slug and description."},
			}, paging()...), answers: ok(workflowList{}),
		}.to(bare(h.listWorkflows)),
		route{
			method: http.MethodPost, path: workflowsBase, id: "createWorkflow", tag: "workflows",
			summary: "Create a workflow; its definition becomes version 1", action: access.Edit, on: onTenant,
			body: definitionBody, idempotent: true, keeps: true,
			answers: []answer{{status: http.StatusCreated, body: createdWorkflow{}, headers: []string{"Location", "ETag"}}},
			codes:   append([]string{"invalid_slug", "invalid_status", "slug_taken"}, definitionCodes...),
		}.to(taking(h.createWorkflow)),
		route{
			method: http.MethodPost, path: workflowsBase + "/validate", id: "validateDefinition", tag: "workflows",
			summary: "Check a definition without storing it", action: access.View, on: onVisible,
			body: definitionBody, answers: ok(validity{}),
		}.to(taking(h.validateDefinition)),
		route{
			method: http.MethodGet, path: one, id: "getWorkflow", tag: "workflows",
			summary: "Get a workflow with its active definition", action: access.View, on: onWorkflow,
			query:   []param{{name: "version", about: "Another version's definition: 3, v3 or a label."}},
			answers: tagged(workflowAnswer{}), codes: []string{"workflow_not_found", "version_not_found"},
		}.to(bare(h.getWorkflow)),
		route{
			method: http.MethodPut, path: one, id: "updateWorkflow", tag: "workflows",
			summary: "Change a workflow; a changed definition is a new version", action: access.Edit, on: onWorkflow,
			query: dryRunParam(), body: definitionBody, conditional: true, keeps: true, answers: orPreview(),
			codes: append([]string{"workflow_not_found", "workflow_archived"}, definitionCodes...),
		}.to(taking(h.updateWorkflow)),
		route{
			method: http.MethodDelete, path: one, id: "deleteWorkflow", tag: "workflows",
			summary: "Delete a workflow; finished runs stay readable", action: access.Edit, on: onWorkflow, conditional: true,
			query:   []param{{name: "force", kind: "boolean", about: "Cancel open runs."}},
			answers: noContent(), codes: []string{"workflow_not_found", "workflow_has_open_runs", "not_ready", "outcome_unknown", "steering_pending"},
		}.to(bare(h.deleteWorkflow)),
		route{
			method: http.MethodPatch, path: one + "/status", id: "setWorkflowStatus", tag: "workflows",
			summary: "Set a workflow's status", action: access.Edit, on: onWorkflow, body: requiredBody, conditional: true,
			answers: tagged(workflowAnswer{}), codes: []string{"workflow_not_found", "invalid_status"},
		}.to(taking(h.setStatus)),
		route{
			method: http.MethodGet, path: one + "/versions", id: "listVersions", tag: "versions",
			summary: "List a workflow's versions, newest first", action: access.View, on: onWorkflow,
			query: paging(), answers: tagged(versionList{}), codes: []string{"workflow_not_found"},
		}.to(bare(h.listVersions)),
		route{
			method: http.MethodGet, path: one + "/versions/{version}", id: "getVersion", tag: "versions",
			summary: "Get a version with its definition", action: access.View, on: onWorkflow,
			answers: tagged(versionBody{}), codes: []string{"workflow_not_found", "version_not_found"},
		}.to(bare(h.getVersion)),
	}
}

func (h *Handler) runsTable() []route {
	const run = workflowsBase + "/runs/{run_id}"
	exec := h.cfg.Executor
	return []route{
		route{
			method: http.MethodPost, path: workflowsBase + "/{id}/run", id: "runWorkflow", tag: "runs",
			summary: "Start a run", action: access.Execute, on: onWorkflow, body: optionalBody, idempotent: true,
			answers: []answer{{status: http.StatusAccepted, body: startedRun{}, about: "The run is stored.", headers: []string{"Location"}}},
			codes:   startCodes("invalid_trigger"),
		}.to(taking(h.startRun)),
		route{
			method: http.MethodGet, path: workflowsBase + "/{id}/runs", id: "listRuns", tag: "runs",
			summary: "List a workflow's runs, newest first", action: access.View, on: onWorkflow,
			query:   append([]param{{name: "status", enum: vocabulary(inWorkflows), about: "Only runs in this state."}}, paging()...),
			answers: ok(runList{}), codes: []string{"workflow_not_found"},
		}.to(bare(h.listRuns)),
		route{
			method: http.MethodGet, path: run, id: "getRun", tag: "runs",
			summary: "Get a run with its steps", action: access.View, on: onRun,
			answers: tagged(runAnswer{}), codes: []string{"run_not_found"},
		}.to(bare(h.getRun)),
		route{
			method: http.MethodGet, path: run + "/definition", id: "getRunDefinition", tag: "runs",
			summary: "Get the definition that a run runs", action: access.View, on: onRun,
			answers: ok(ranDefinition{}), codes: []string{"run_not_found"},
		}.to(bare(h.getRunDefinition)),
		route{
			method: http.MethodGet, path: run + "/stream", id: "streamRun", tag: "runs",
			summary: "Follow a run's events", action: access.View, on: onRun,
			answers: []answer{
				{
					status: http.StatusOK, body: workflowsEvent{}, media: "text/event-stream",
					about: "Frames of id, event and data; the schema is that of data. Last-Event-ID gives what comes after it.",
				},
				{status: http.StatusNoContent, about: "The run is finished and Last-Event-ID is its last event."},
			}, codes: []string{"run_not_found", "invalid_last_event_id"},
		}.to(bare(h.streamRun)),
		route{
			method: http.MethodPost, path: run + "/cancel", id: "cancelRun", tag: "runs",
			summary: "Ask a run to stop; a finished one stays as it is", action: access.Execute, on: onRun, body: optionalBody,
			answers: ok(steeredRun{}), codes: []string{"run_not_found"},
		}.to(taking(h.steer(http.StatusOK, exec.Cancel))),
		route{
			method: http.MethodPost, path: run + "/pause", id: "pauseRun", tag: "runs",
			summary: "Let steps in action finish and start nothing more", action: access.Execute, on: onRun, body: optionalBody,
			answers: accepted(steeredRun{}), codes: []string{"run_not_found", "run_finished"},
		}.to(taking(h.steer(http.StatusAccepted, exec.Pause))),
		route{
			method: http.MethodDelete, path: run, id: "deleteRun", tag: "runs",
			summary: "Delete a finished run with its history", action: access.Operate, on: onRun, conditional: true,
			answers: noContent(), codes: []string{"run_not_found", "run_open"},
		}.to(bare(h.deleteRun)),
	}
}

func (h *Handler) accessTable() []route {
	return []route{
		route{
			method: http.MethodPost, path: "/v1/tenants", id: "createTenant", tag: "access",
			summary: "Create a tenant with its first admin key; for admins of the tenant default", action: access.Admin, on: onTenant,
			body: requiredBody, answers: created(createdTenant{}), codes: []string{"invalid_slug", "invalid_name", "slug_taken"},
		}.to(taking(h.createTenant)),
		route{
			method: http.MethodGet, path: "/v1/tenants/{tenant}/quotas", id: "getTenantQuotas", tag: "access",
			summary: "What a tenant may have at one time; for admins of the tenant default", action: access.Admin, on: onTenant,
			answers: ok(tenantQuotas{}), codes: []string{"tenant_not_found"},
		}.to(bare(h.getTenantQuotas)),
		route{
			method: http.MethodPut, path: "/v1/tenants/{tenant}/quotas", id: "putTenantQuotas", tag: "access",
			summary: "Set what a tenant may have at one time; for admins of the tenant default", action: access.Admin, on: onTenant,
			body: requiredBody, answers: ok(tenantQuotas{}), codes: []string{"tenant_not_found", "invalid_quota"},
		}.to(taking(h.putTenantQuotas)),
		route{
			method: http.MethodPost, path: "/v1/keys", id: "createKey", tag: "access", summary: "Create an API key",
			action: access.Admin, on: onTenant, body: requiredBody, answers: created(createdKey{}),
			codes: []string{"invalid_name", "invalid_role", "invalid_expires_at"},
		}.to(taking(h.createKey)),
		route{
			method: http.MethodGet, path: "/v1/keys", id: "listKeys", tag: "access", summary: "List API keys, newest first",
			action: access.Admin, on: onTenant, query: cursorPaging(), answers: ok(keyList{}),
		}.to(bare(h.listKeys)),
		route{
			method: http.MethodDelete, path: "/v1/keys/{key_id}", id: "revokeKey", tag: "access", summary: "Revoke an API key at once",
			action: access.Admin, on: onTenant, answers: noContent(), codes: []string{"key_not_found", "last_admin_key"},
		}.to(bare(h.revokeKey)),
		route{
			method: http.MethodPut, path: "/v1/grants", id: "putGrant", tag: "access", summary: "Give a key exactly these actions on one workflow",
			action: access.Admin, on: onTenant, body: requiredBody, answers: ok(grantBody{}),
			codes: []string{"key_not_found", "workflow_not_found", "invalid_actions"},
		}.to(taking(h.putGrant)),
		route{
			method: http.MethodGet, path: "/v1/grants", id: "listGrants", tag: "access", summary: "List a key's grants",
			action: access.Admin, on: onTenant, query: []param{{name: "key_id", required: true, about: "The id of the key that has the grants."}}, answers: ok(grantList{}),
		}.to(bare(h.listGrants)),
		route{
			method: http.MethodDelete, path: "/v1/grants", id: "deleteGrant", tag: "access", summary: "Take a key's actions on one workflow away",
			action: access.Admin, on: onTenant, query: []param{
				{name: "key_id", required: true, about: "The id of the key that has the grant."},
				{name: "workflow", required: true, about: "The workflow's id or slug."},
			}, answers: noContent(),
			codes: []string{"key_not_found", "workflow_not_found", "grant_not_found"},
		}.to(bare(h.deleteGrant)),
		route{
			method: http.MethodGet, path: "/v1/audit", id: "listAudit", tag: "access", summary: "Who did what to which object, newest first",
			action: access.Admin, on: onTenant, query: append([]param{
				{name: "actor", about: "The name of who did it, as it was then."},
				{name: "action", about: "What was done, such as workflow.create."},
				{name: "object", about: "What it was done to, such as workflow:wf_…; with a slug, the object that was last to bear it."},
			}, cursorPaging()...),
			answers: ok(auditList{}),
		}.to(bare(h.listAudit)),
	}
}
