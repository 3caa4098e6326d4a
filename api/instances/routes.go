package instances

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/executor"
	"net/http"
	"strings"
)

// instancesBase is where the paths of the instances dialect begin.
const instancesBase = core.WorkflowsBase + "/workflows"

// routes returns the table of the dialect: the same runs, known by a name of the caller's within
// their workflow, in camelCase. What all of its routes share is set at the end, and their codes
// are translated.
func (h *handlers) routes() []core.Route {
	const all, one = instancesBase + "/{id}/instances", instancesBase + "/{id}/instances/{instance_id}"
	list := []core.Route{
		// Any key: it lists the workflows that the key may view.
		core.Route{
			Method: http.MethodGet, Path: instancesBase, ID: "listWorkflowNames", Summary: "List the names of the workflows",
			Action: access.View, On: core.FilteredByAccess, Answers: core.OK(workflowNames{}),
		}.Handle(core.NoBody(h.listWorkflowNames)),
		// The page size has a default for anything unreadable, as the clients expect.
		core.Route{
			Method: http.MethodGet, Path: all, ID: "listInstances", Summary: "List a workflow's instances, newest first",
			Action: access.View, On: core.OnWorkflow, Query: []core.Param{
				{Name: "status", Enum: instanceWords(), Description: "Only instances in this state."},
				{Name: "pageSize", JSONType: "integer", Description: "From 1 to 100; 25 without it or with anything else."},
				{Name: "cursor", Description: "The cursor of the page before; one that is not valid returns the first page."},
			}, Answers: core.OK(instanceList{}), Codes: []string{"workflow_not_found"},
		}.Handle(core.NoBody(h.listInstances)),
		// It starts a run, under a name: limits and quotas hold as for any start.
		core.Route{
			Method: http.MethodPost, Path: all, ID: "createInstance", Summary: "Create an instance; its id is free for one only",
			Action: access.Execute, On: core.OnWorkflow, Body: core.BodyRequired, Idempotent: true,
			Answers: core.OK(createdInstance{}), Codes: core.StartCodes(codeInstanceID, "run_name_taken"),
		}.Handle(core.WithBody(h.createInstance)),
		// LongRunning: a hundred starts may take longer than one request waits.
		core.Route{
			Method: http.MethodPost, Path: all + "/batch", ID: "createInstances", LongRunning: true, Summary: "Create up to 100 instances; ids that exist or repeat are left out",
			Action: access.Execute, On: core.OnWorkflow, Body: core.BodyRequired,
			Answers: core.OK(createdInstances{}), Codes: core.StartCodes(codeInstanceID),
		}.Handle(core.WithBody(h.createInstances)),
		// No ETag: the dialect's clients do not use one.
		core.Route{
			Method: http.MethodGet, Path: one, ID: "getInstance", Summary: "Get an instance with its current step",
			Action: access.View, On: core.OnWorkflow, Answers: core.OK(instanceBody{}),
		}.Handle(core.NoBody(h.getInstance)),
		// OnWorkflow: instances are found by their workflow, and granted with it.
		core.Route{
			Method: http.MethodGet, Path: one + "/history", ID: "getInstanceHistory", Summary: "List steps, events and logs of one run of an instance, each with a cursor of its own",
			Action: access.View, On: core.OnWorkflow, Query: historyParams(), Answers: core.OK(instanceHistory{}),
		}.Handle(core.NoBody(h.getInstanceHistory)),
		// AuditAs: the path names an instance, the trail the run.
		core.Route{
			Method: http.MethodPost, Path: one + "/pause", ID: "pauseInstance", AuditAs: "run.pause", Summary: "Let steps in flight finish and start nothing more",
			Action: access.Execute, On: core.OnWorkflow, Body: core.BodyOptional, Keeps: true, Answers: core.OK(instanceDone{}), Codes: []string{"run_finished", "not_ready", "outcome_unknown"},
		}.
			Handle(core.WithBody(h.steerInstance((*executor.Service).Pause))),
		// Unpause and not Resume: a failed instance is restarted, not resumed.
		core.Route{
			Method: http.MethodPost, Path: one + "/resume", ID: "resumeInstance", AuditAs: "run.resume", Summary: "Go on with a paused instance; any other stays as it is",
			Action: access.Execute, On: core.OnWorkflow, Body: core.BodyOptional, Keeps: true, Answers: core.OK(instanceDone{}), Codes: []string{"not_ready", "outcome_unknown"},
		}.
			Handle(core.WithBody(h.steerInstance((*executor.Service).Unpause))),
		// It repeats effects on others: the right to operate.
		core.Route{
			Method: http.MethodPost, Path: one + "/restart", ID: "restartInstance", AuditAs: "run.restart", Summary: "Begin the next run of an instance, with the same params and a fresh history; one that is open is terminated",
			Action: access.Operate, On: core.OnWorkflow, Body: core.BodyOptional, Idempotent: true, Answers: core.OK(instanceDone{}), Codes: core.StartCodes(),
		}.Handle(core.WithBody(h.restartInstance)),
		// It leaves compensations out, which the right to execute does not cover.
		core.Route{
			Method: http.MethodPost, Path: one + "/terminate", ID: "terminateInstance", AuditAs: "run.terminate", Summary: "End an instance at once, without clean-up",
			Action: access.Operate, On: core.OnWorkflow, Body: core.BodyOptional, Answers: core.OK(instanceDone{}),
			Codes: []string{"run_finished", "not_ready", "steering_pending", "outcome_unknown"},
		}.Handle(core.WithBody(h.terminateInstance)),
		core.Route{
			Method: http.MethodPost, Path: one + "/events", ID: "sendInstanceEvent", AuditAs: "signal.deliver", Summary: "Send an event; one that no step waits for yet is kept for the first that does",
			Action: access.Execute, On: core.OnWorkflow, Body: core.BodyRequired, Keeps: true, Answers: core.OK(eventTaken{}),
			Codes: []string{"run_finished", "secret_in_input", "secret_key_unavailable", "not_ready", "outcome_unknown"},
		}.Handle(core.WithBody(h.sendInstanceEvent)),
		// LongRunning: it waits until what it lets begin has begun, up to 20 s.
		core.Route{
			Method: http.MethodPost, Path: core.WorkflowsBase + "/_runner/tick", ID: "tickRunner", LongRunning: true, Summary: "Let queued instances begin, where HEDDLE_RUNNER_TICK is on; then nothing else does",
			Action: access.Operate, On: core.OnTenant, Body: core.BodyOptional, Answers: core.OK(ticked{}), Codes: []string{codeTickDisabled, "not_ready"},
		}.Handle(core.WithBody(h.tickRunner)),
		core.Route{
			Method: http.MethodPost, Path: instancesBase + "/_runner/tick", ID: "tickRunnerOfInstances", LongRunning: true, AuditAs: "runner.tick", Summary: "The same, for clients whose base ends in /workflows",
			Action: access.Operate, On: core.OnTenant, Body: core.BodyOptional, Answers: core.OK(ticked{}), Codes: []string{codeTickDisabled, "not_ready"},
		}.Handle(core.WithBody(h.tickRunner)),
	}
	for i := range list {
		// Unknown parameters are ignored: this dialect's clients send some of their own.
		r := &list[i]
		r.Tag, r.TranslateError, r.TranslateCode, r.AnyQuery = "instances", translateErrorForInstances, translateCodeForInstances, true
		r.Unchecked = []string{"instance_id"}
		if r.On == core.OnWorkflow {
			r.Codes = append(r.Codes, "workflow_not_found")
		}
		if strings.HasPrefix(r.Path, one) {
			r.Codes = append(r.Codes, "run_not_found", codeInstanceID)
		}
		for i, code := range r.Codes {
			r.Codes[i] = translateCodeForInstances(code)
		}
	}
	return list
}

// historyParams returns the parameters of the history: each list has a cursor of its own.
func historyParams() []core.Param {
	return []core.Param{
		{Name: "runNumber", JSONType: "integer", Description: "From 0; the latest without it."},
		{Name: "pageSize", JSONType: "integer", Description: "From 1 to 100; 25 without it or with anything else."},
		{Name: "stepsCursor", Description: "stepsCursor of the page before; the first page without it."},
		{Name: "eventsCursor", Description: "eventsCursor of the page before; the first page without it."},
		{Name: "logsCursor", Description: "logsCursor of the page before; the first page without it."},
		{Name: "includeLogs", Enum: []string{"true", "false"}, Description: "Whether logs are listed; false without it."},
		{Name: "logLevel", Enum: core.LogLevels(), Description: "Lines of exactly this level."},
		{Name: "logCategory", Description: "stdout, stderr, agent, tool or heddle."},
		{Name: "order", Enum: []string{"asc", "desc"}, Description: "Newest first (desc) unless given; a cursor keeps its own."},
	}
}

// instanceWords returns the words of the dialect for states; unknown is never printed.
func instanceWords() []string { return append(core.Vocabulary(core.InInstances), "unknown") }
