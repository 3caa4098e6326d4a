package api

import (
	"heddle/access"
	"net/http"
	"strings"
)

// instancesBase is where the instances dialect begins.
const instancesBase = workflowsBase + "/workflows"

// instancesTable is the instances dialect: the same runs, known by a name of
// the caller's within their workflow, in camelCase.
func (h *Handler) instancesTable() []route {
	const all, one = instancesBase + "/{id}/instances", instancesBase + "/{id}/instances/{instance_id}"
	exec := h.cfg.Executor
	list := []route{
		route{
			method: http.MethodGet, path: instancesBase, id: "listWorkflowNames", summary: "List the names of the workflows",
			action: access.View, on: filteredByAccess, answers: ok(workflowNames{}),
		}.handle(noBody(h.listWorkflowNames)),
		route{
			method: http.MethodGet, path: all, id: "listInstances", summary: "List a workflow's instances, newest first",
			action: access.View, on: onWorkflow, query: []param{
				{name: "status", enum: instanceWords(), description: "Only instances in this state."},
				{name: "pageSize", jsonType: "integer", description: "From 1 to 100; 25 without it or with anything else."},
				{name: "cursor", description: "The cursor of the page before; one that is none gives the first page."},
			}, answers: ok(instanceList{}), codes: []string{"workflow_not_found"},
		}.handle(noBody(h.listInstances)),
		route{
			method: http.MethodPost, path: all, id: "createInstance", summary: "Create an instance; its id is free for one only",
			action: access.Execute, on: onWorkflow, body: bodyRequired, idempotent: true,
			answers: ok(createdInstance{}), codes: startCodes(codeInstanceID, "run_name_taken"),
		}.handle(withBody(h.createInstance)),
		route{
			method: http.MethodPost, path: all + "/batch", id: "createInstances", summary: "Create up to 100 instances; ids that exist or repeat are left out",
			action: access.Execute, on: onWorkflow, body: bodyRequired,
			answers: ok(createdInstances{}), codes: startCodes(codeInstanceID),
		}.handle(withBody(h.createInstances)),
		route{
			method: http.MethodGet, path: one, id: "getInstance", summary: "Get an instance with its current step",
			action: access.View, on: onWorkflow, answers: ok(instanceBody{}),
		}.handle(noBody(h.getInstance)),
		route{
			method: http.MethodGet, path: one + "/history", id: "getInstanceHistory", summary: "List steps, events and logs of one run of an instance, each with a cursor of its own",
			action: access.View, on: onWorkflow, query: historyParams(), answers: ok(instanceHistory{}),
		}.handle(noBody(h.getInstanceHistory)),
		route{
			method: http.MethodPost, path: one + "/pause", id: "pauseInstance", summary: "Let steps in action finish and start nothing more",
			action: access.Execute, on: onWorkflow, body: bodyOptional, answers: ok(instanceDone{}), codes: []string{"run_finished", "not_ready", "outcome_unknown"},
		}.
			handle(withBody(h.steerInstance(exec.Pause))),
		route{
			method: http.MethodPost, path: one + "/resume", id: "resumeInstance", summary: "Go on with a paused instance; any other stays as it is",
			action: access.Execute, on: onWorkflow, body: bodyOptional, answers: ok(instanceDone{}), codes: []string{"not_ready", "outcome_unknown"},
		}.
			handle(withBody(h.steerInstance(exec.Unpause))),
		route{
			method: http.MethodPost, path: one + "/restart", id: "restartInstance", summary: "Begin the next run of an instance, with the same params and a fresh history; one that is open is terminated",
			action: access.Operate, on: onWorkflow, body: bodyOptional, idempotent: true, answers: ok(instanceDone{}), codes: startCodes(),
		}.handle(withBody(h.restartInstance)),
		route{
			method: http.MethodPost, path: one + "/terminate", id: "terminateInstance", summary: "End an instance at once, without clean-up",
			action: access.Operate, on: onWorkflow, body: bodyOptional, answers: ok(instanceDone{}),
			codes: []string{"run_finished", "not_ready", "steering_pending", "outcome_unknown"},
		}.handle(withBody(h.terminateInstance)),
		route{
			method: http.MethodPost, path: one + "/events", id: "sendInstanceEvent", summary: "Send an event; one that no step waits for yet is kept for the first that does",
			action: access.Execute, on: onWorkflow, body: bodyRequired, answers: ok(eventTaken{}),
			codes: []string{"run_finished", "secret_in_input", "secret_key_unavailable", "not_ready", "outcome_unknown"},
		}.handle(withBody(h.sendInstanceEvent)),
		route{
			method: http.MethodPost, path: workflowsBase + "/_runner/tick", id: "tickRunner", summary: "Let queued instances begin, where HEDDLE_RUNNER_TICK is on; then nothing else does",
			action: access.Operate, on: onTenant, body: bodyOptional, answers: ok(ticked{}), codes: []string{codeTickDisabled, "not_ready"},
		}.handle(withBody(h.tickRunner)),
		route{
			method: http.MethodPost, path: instancesBase + "/_runner/tick", id: "tickRunnerOfInstances", summary: "The same, for clients whose base ends in /workflows",
			action: access.Operate, on: onTenant, body: bodyOptional, answers: ok(ticked{}), codes: []string{codeTickDisabled, "not_ready"},
		}.handle(withBody(h.tickRunner)),
	}
	for i := range list {
		r := &list[i]
		r.tag, r.translateError, r.translateCode, r.anyQuery = "instances", translateErrorForInstances, translateCodeForInstances, true
		if r.on == onWorkflow {
			r.codes = append(r.codes, "workflow_not_found")
		}
		if strings.HasPrefix(r.path, one) {
			r.codes = append(r.codes, "run_not_found", codeInstanceID)
		}
		for i, code := range r.codes {
			r.codes[i] = translateCodeForInstances(code)
		}
	}
	return list
}

func historyParams() []param {
	return []param{
		{name: "runNumber", jsonType: "integer", description: "From 0; the latest without it."},
		{name: "pageSize", jsonType: "integer", description: "From 1 to 100; 25 without it or with anything else."},
		{name: "stepsCursor", description: "stepsCursor of the page before; the first page without it."},
		{name: "eventsCursor", description: "eventsCursor of the page before; the first page without it."},
		{name: "logsCursor", description: "logsCursor of the page before; the first page without it."},
		{name: "includeLogs", enum: []string{"true", "false"}, description: "Whether logs are listed; false without it."},
		{name: "logLevel", enum: logLevels(), description: "Lines of exactly this level."},
		{name: "logCategory", description: "stdout, stderr, agent, tool or heddle."},
		{name: "order", enum: []string{"asc", "desc"}, description: "Newest first (desc) unless given; a cursor keeps its own."},
	}
}

// instanceWords are the words of the dialect for states; unknown is never
// printed.
func instanceWords() []string { return append(vocabulary(inInstances), "unknown") }
