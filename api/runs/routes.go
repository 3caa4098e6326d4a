package runs

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/definitions"
	"heddle/executor"
	"net/http"
)

// runsBase is where the paths of the runs dialect begin.
const runsBase = "/v1/runs"

// routes returns the table of the runs dialect.
func (h *handlers) routes() []core.Route {
	const run = runsBase + "/{run_id}"
	return []core.Route{
		// The body names the workflow, so that the handler authorises.
		core.Route{
			Method: http.MethodPost, Path: runsBase, ID: "createRun", Tag: "v1",
			Summary: "Start a run", Action: access.Execute, On: core.NamedInBody, Body: core.BodyRequired, Idempotent: true,
			Answers: []core.Answer{{Status: http.StatusCreated, Body: v1Started{}, Description: "The run is stored.", Headers: []string{"Location"}}},
			Codes:   core.StartCodes(),
		}.Handle(core.WithBody(h.v1Create)),
		// Any key: it lists the runs of the workflows that the key may view.
		core.Route{
			Method: http.MethodGet, Path: runsBase, ID: "listAllRuns", Tag: "v1",
			Summary: "List runs of every workflow, newest first", Action: access.View, On: core.FilteredByAccess,
			Query: v1Filters(), Answers: core.OK(v1RunList{}), Codes: []string{"workflow_not_found"},
		}.Handle(core.NoBody(h.v1List)),
		// Its ETag lets a client poll at the cost of a read.
		core.Route{
			Method: http.MethodGet, Path: run, ID: "inspectRun", Tag: "v1",
			Summary: "Get a run with a summary of its nodes", Action: access.View, On: core.OnRun,
			Answers: core.Tagged(v1Run{}), Codes: []string{"run_not_found"},
		}.Handle(core.NoBody(h.v1Get)),
		// Apart from the run, so that a client that wants the result alone need not know states.
		core.Route{
			Method: http.MethodGet, Path: run + "/result", ID: "getRunResult", Tag: "v1",
			Summary: "Get a finished run's result", Action: access.View, On: core.OnRun,
			Answers: core.OK(v1Result{}), Codes: []string{"run_not_found", "run_not_finished"},
		}.Handle(core.NoBody(h.v1Result)),
		// Paged by cursor alone: counting nodes means to read the journal.
		core.Route{
			Method: http.MethodGet, Path: run + "/history", ID: "getRunHistory", Tag: "v1",
			Summary: "List a run's nodes with every attempt", Action: access.View, On: core.OnRun, Query: core.CursorPaging(),
			Answers: core.OK(v1History{}), Codes: []string{"run_not_found"},
		}.Handle(core.NoBody(h.v1History)),
		// LongRunning: a stream reads for as long as its client follows.
		core.Route{
			Method: http.MethodGet, Path: run + "/events", ID: "followRun", LongRunning: true, Tag: "v1",
			Summary: "Follow a run's events", Action: access.View, On: core.OnRun,
			Answers: []core.Answer{
				{
					Status: http.StatusOK, Body: v1Event{}, Media: "text/event-stream",
					Description: "Frames of id, event and data; the schema is that of data. with Last-Event-ID, what comes after it. Events: status_changed, " +
						"node_started, node_completed, node_failed, input_requested, input_resolved, signal_received, completed, failed, cancelled.",
				},
				{Status: http.StatusNoContent, Description: "The run is finished and Last-Event-ID is its last event."},
			}, Codes: []string{"run_not_found", "invalid_last_event_id"},
		}.Handle(core.NoBody(h.v1Events)),
		// AuditAs: an operation has one id among all dialects, an action one name.
		core.Route{
			Method: http.MethodPost, Path: run + "/cancel", ID: "cancelV1Run", AuditAs: "run.cancel", Tag: "v1",
			Summary: "Ask a run to stop and to compensate; a finished one stays as it is", Action: access.Execute, On: core.OnRun, Body: core.BodyOptional,
			Answers: core.OK(v1Steered{}), Codes: []string{"run_not_found"},
		}.Handle(core.WithBody(h.v1End((*executor.Service).Cancel))),
		// It leaves compensations out, which the right to execute does not cover.
		core.Route{
			Method: http.MethodPost, Path: run + "/terminate", ID: "terminateV1Run", AuditAs: "run.terminate", Tag: "v1",
			Summary: "End a run at once, without clean-up; a finished one stays as it is", Action: access.Operate, On: core.OnRun, Body: core.BodyOptional,
			Answers: core.OK(v1Steered{}), Codes: []string{"run_not_found"},
		}.Handle(core.WithBody(h.v1End((*executor.Service).Terminate))),
		// It takes no Idempotency-Key: the request id in its body does the same.
		core.Route{
			Method: http.MethodPost, Path: run + "/signals/{name}", Unchecked: []string{"name"}, ID: "signalRun", AuditAs: "signal.deliver", Tag: "v1",
			Summary: "Deliver a signal, once per request id", Action: access.Execute, On: core.OnRun, Body: core.BodyOptional, Keeps: true,
			Answers: core.Accepted(v1Delivered{}),
			Codes: []string{
				"run_not_found", "run_finished", "invalid_request", "invalid_payload", "signal_mismatch",
				"secret_in_input", "secret_key_unavailable",
			},
		}.Handle(core.WithBody(h.v1Signal)),
	}
}

// v1Filters returns the parameters of the list of runs.
func v1Filters() []core.Param {
	states := core.Vocabulary(core.InRuns)
	return append([]core.Param{
		{Name: "status", Enum: states, Description: "The run's state."},
		{Name: "state", Enum: states, Description: "The same as status."},
		{Name: "workflow_id", Description: "A workflow's slug or id."},
		{Name: "trigger", Enum: definitions.Triggers(), Description: "What started the run."},
		{Name: "started_after", Description: "An RFC 3339 time; runs that started later, in the order of their starts."},
		{Name: "started_before", Description: "An RFC 3339 time; runs that started earlier, in the order of their starts."},
	}, core.CursorPaging()...)
}
