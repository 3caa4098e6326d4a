package api

import (
	"heddle/access"
	"net/http"
)

// runsBase is where the runs dialect begins.
const runsBase = "/v1/runs"

// runsDialectTable is the runs dialect: the same runs in other words.
func (h *Handler) runsDialectTable() []route {
	const run = runsBase + "/{run_id}"
	exec := h.cfg.Executor
	return []route{
		route{
			method: http.MethodPost, path: runsBase, id: "createRun", tag: "v1",
			summary: "Start a run", action: access.Execute, on: namedInBody, body: bodyRequired, idempotent: true,
			answers: []answer{{status: http.StatusCreated, body: v1Started{}, description: "The run is stored.", headers: []string{"Location"}}},
			codes:   startCodes(),
		}.handle(withBody(h.v1Create)),
		route{
			method: http.MethodGet, path: runsBase, id: "listAllRuns", tag: "v1",
			summary: "List runs of every workflow, newest first", action: access.View, on: filteredByAccess,
			query: v1Filters(), answers: ok(v1RunList{}), codes: []string{"workflow_not_found"},
		}.handle(noBody(h.v1List)),
		route{
			method: http.MethodGet, path: run, id: "inspectRun", tag: "v1",
			summary: "Get a run with a summary of its nodes", action: access.View, on: onRun,
			answers: tagged(v1Run{}), codes: []string{"run_not_found"},
		}.handle(noBody(h.v1Get)),
		route{
			method: http.MethodGet, path: run + "/result", id: "getRunResult", tag: "v1",
			summary: "Get a finished run's result", action: access.View, on: onRun,
			answers: ok(v1Result{}), codes: []string{"run_not_found", "run_not_finished"},
		}.handle(noBody(h.v1Result)),
		route{
			method: http.MethodGet, path: run + "/history", id: "getRunHistory", tag: "v1",
			summary: "List a run's nodes with every attempt", action: access.View, on: onRun, query: cursorPaging(),
			answers: ok(v1History{}), codes: []string{"run_not_found"},
		}.handle(noBody(h.v1History)),
		route{
			method: http.MethodGet, path: run + "/events", id: "followRun", tag: "v1",
			summary: "Follow a run's events", action: access.View, on: onRun,
			answers: []answer{
				{
					status: http.StatusOK, body: v1Event{}, media: "text/event-stream",
					description: "Frames of id, event and data; the schema is that of data. Last-Event-ID gives what comes after it. Events: status_changed, " +
						"node_started, node_completed, node_failed, input_requested, input_resolved, signal_received, completed, failed, cancelled.",
				},
				{status: http.StatusNoContent, description: "The run is finished and Last-Event-ID is its last event."},
			}, codes: []string{"run_not_found", "invalid_last_event_id"},
		}.handle(noBody(h.v1Events)),
		route{
			method: http.MethodPost, path: run + "/cancel", id: "cancelV1Run", tag: "v1",
			summary: "Ask a run to stop and to compensate; a finished one stays as it is", action: access.Execute, on: onRun, body: bodyOptional,
			answers: ok(v1Steered{}), codes: []string{"run_not_found"},
		}.handle(withBody(h.v1End(exec.Cancel))),
		route{
			method: http.MethodPost, path: run + "/terminate", id: "terminateV1Run", tag: "v1",
			summary: "End a run at once, without clean-up; a finished one stays as it is", action: access.Operate, on: onRun, body: bodyOptional,
			answers: ok(v1Steered{}), codes: []string{"run_not_found"},
		}.handle(withBody(h.v1End(exec.Terminate))),
		route{
			method: http.MethodPost, path: run + "/signals/{name}", id: "signalRun", tag: "v1",
			summary: "Deliver a signal, once per request id", action: access.Execute, on: onRun, body: bodyOptional,
			answers: accepted(v1Delivered{}),
			codes: []string{
				"run_not_found", "run_finished", "invalid_request", "invalid_payload", "signal_mismatch",
				"secret_in_input", "secret_key_unavailable",
			},
		}.handle(withBody(h.v1Signal)),
	}
}

func v1Filters() []param {
	states := vocabulary(inRuns)
	return append([]param{
		{name: "status", enum: states, description: "The run's state."},
		{name: "state", enum: states, description: "The same as status."},
		{name: "workflow_id", description: "A workflow's slug or id."},
		{name: "trigger", enum: triggers(), description: "What started the run."},
		{name: "started_after", description: "An RFC 3339 time; runs that started later."},
		{name: "started_before", description: "An RFC 3339 time; runs that started earlier."},
	}, cursorPaging()...)
}

func triggers() []string { return []string{"manual", "api", "schedule", "webhook", "event"} }
