package workflows

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/executor"
	"net/http"
	"slices"
)

// runRoutes returns the routes by which runs are started, read, followed, and ended or paused.
func (h *handlers) runRoutes() []core.Route {
	const run = core.WorkflowsBase + "/runs/{run_id}"
	return []core.Route{
		// It is 202: the run is stored, and begins when there is room for it.
		core.Route{
			Method: http.MethodPost, Path: core.WorkflowsBase + "/{id}/run", ID: "runWorkflow", Tag: "runs",
			Summary: "Start a run", Action: access.Execute, On: core.OnWorkflow, Body: core.BodyOptional, Idempotent: true,
			Answers: []core.Answer{{Status: http.StatusAccepted, Body: core.StartedRun{}, Description: "The run is stored.", Headers: []string{"Location"}}},
			Codes:   core.StartCodes("invalid_trigger", "invalid_labels"),
		}.Handle(core.WithBody(h.startRun)),
		core.Route{
			Method: http.MethodGet, Path: core.WorkflowsBase + "/{id}/runs", ID: "listRuns", Tag: "runs",
			Summary: "List a workflow's runs, newest first", Action: access.View, On: core.OnWorkflow,
			Query:   append(core.RunFilterParams(), core.Paging()...),
			Answers: core.OK(runList{}), Codes: []string{"workflow_not_found", "version_not_found"},
		}.Handle(core.NoBody(h.listRuns)),
		core.Route{
			Method: http.MethodGet, Path: core.WorkflowsBase + "/runs", ID: "listTenantRuns", Tag: "runs",
			Summary: "List the runs of all workflows that the caller may view, newest first", Action: access.View, On: core.FilteredByAccess,
			Query:   slices.Concat(core.WorkflowFilterParams(), core.RunFilterParams(), core.CursorPaging()),
			Answers: core.OK(runList{}), Codes: []string{"workflow_not_found", "version_not_found"},
		}.Handle(core.NoBody(h.listAllRuns)),
		// Its ETag lets a client poll at the cost of a read.
		core.Route{
			Method: http.MethodGet, Path: run, ID: "getRun", Tag: "runs",
			Summary: "Get a run with its steps", Action: access.View, On: core.OnRun,
			Query:   []core.Param{{Name: "view", Enum: []string{"full", "summary"}, Description: "full, the default; summary is without step_runs and costs the same however many steps there are."}},
			Answers: []core.Answer{{Status: http.StatusOK, Body: runAnswer{}, Or: summaryAnswer{}, Headers: []string{"ETag"}}}, Codes: []string{"run_not_found"},
		}.Handle(core.NoBody(h.getRun)),
		core.Route{
			Method: http.MethodGet, Path: run + "/steps", ID: "listSteps", Tag: "runs",
			Summary: "List a run's steps, pending ones included", Action: access.View, On: core.OnRun,
			Query:   append(stepFilterParams(), core.CursorPaging()...),
			Answers: core.OK(stepList{}), Codes: []string{"run_not_found", "step_not_found"},
		}.Handle(core.NoBody(h.listSteps)),
		core.Route{
			Method: http.MethodGet, Path: run + "/steps/{step_id}", ID: "getStep", Tag: "runs",
			Summary: "Get a step of a run with all of its attempts", Action: access.View, On: core.OnRun,
			Query:   []core.Param{{Name: "iteration", Description: "Of a step in a loop's body: the path of the iteration, each[3] or each[3].inner[0]."}},
			Answers: core.OK(stepAnswer{}), Codes: []string{"run_not_found", "step_not_found"},
		}.Handle(core.NoBody(h.getStep)),
		// By the run and not by the version: the workflow may be deleted.
		core.Route{
			Method: http.MethodGet, Path: run + "/definition", ID: "getRunDefinition", Tag: "runs",
			Summary: "Get the definition that a run runs", Action: access.View, On: core.OnRun,
			Query:   []core.Param{{Name: "version", JSONType: "integer", Description: "Another one of the versions that it ran on; the present one without it."}},
			Answers: core.OrYAML(core.OK(ranDefinition{})), Codes: []string{"run_not_found", "version_not_found"},
		}.Handle(core.NoBody(h.getRunDefinition)),
		// LongRunning: a stream reads for as long as its client follows.
		core.Route{
			Method: http.MethodGet, Path: run + "/stream", ID: "streamRun", LongRunning: true, Tag: "runs",
			Summary: "Follow a run's events", Action: access.View, On: core.OnRun,
			Query: []core.Param{
				{Name: "after", JSONType: "integer", Description: "Only what comes behind this event; a Last-Event-ID wins over it."},
				{Name: "output", Enum: []string{"full", "none"}, Description: "full, the default; with none the frames are without outputs."},
				{Name: "snapshot", JSONType: "boolean", Description: "The first frame is snapshot, without an id: {run_id, snapshot_seq}, the run's last event when the stream began."},
			},
			Answers: []core.Answer{
				{
					Status: http.StatusOK, Body: workflowsEvent{}, Media: "text/event-stream",
					Description: "Frames of id, event and data; the schema is that of data. with Last-Event-ID, what comes after it.",
				},
				{Status: http.StatusNoContent, Description: "The run is finished and Last-Event-ID is its last event."},
			}, Codes: []string{"run_not_found", "invalid_last_event_id"},
		}.Handle(core.NoBody(h.streamRun)),
		// 200 and not 202 also for a run that compensates: the command is stored.
		core.Route{
			Method: http.MethodPost, Path: run + "/cancel", ID: "cancelRun", Tag: "runs",
			Summary: "Ask a run to stop; a finished one stays as it is", Action: access.Execute, On: core.OnRun, Body: core.BodyOptional,
			Answers: core.OK(steeredRun{}), Codes: []string{"run_not_found"},
		}.Handle(core.WithBody(h.steer(http.StatusOK, (*executor.Service).Cancel))),
		// 202: steps in flight still end before the run is paused.
		core.Route{
			Method: http.MethodPost, Path: run + "/pause", ID: "pauseRun", Tag: "runs",
			Summary: "Let steps in flight finish and start nothing more", Action: access.Execute, On: core.OnRun, Body: core.BodyOptional, Keeps: true,
			Answers: core.Accepted(steeredRun{}), Codes: []string{"run_not_found", "run_finished"},
		}.Handle(core.WithBody(h.steer(http.StatusAccepted, (*executor.Service).Pause))),
		// It needs more than the right to execute, since history is lost.
		core.Route{
			Method: http.MethodDelete, Path: run, ID: "deleteRun", Tag: "runs",
			Summary: "Delete a finished run with its history", Action: access.Operate, On: core.OnRun, Conditional: true,
			Answers: core.NoContent(), Codes: []string{"run_not_found", "run_open"},
		}.Handle(core.NoBody(h.deleteRun)),
	}
}
