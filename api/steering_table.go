package api

import (
	"heddle/access"
	"net/http"
)

// steeringTable is how runs are steered beyond cancel and pause.
func (h *Handler) steeringTable() []route {
	const run = workflowsBase + "/runs/{run_id}"
	return []route{
		route{
			method: http.MethodGet, path: run + "/steps/{step_id}/iterations", id: "listIterations", tag: "runs",
			summary: "List a loop's iterations: the ended ones in the order in which they ended, then the running ones", action: access.View, on: onRun,
			query:   append([]param{{name: "status", enum: []string{"running", "completed", "failed"}, description: "Only iterations in this state."}}, cursorPaging()...),
			answers: ok(iterationList{}), codes: []string{"run_not_found", "step_not_found"},
		}.handle(noBody(h.listIterations)),
		route{
			method: http.MethodPost, path: workflowsBase + "/{id}/dry-run", id: "dryRunWorkflow", tag: "runs", pure: true,
			summary: "Drive a run in memory with mocked steps; nothing is performed or stored", action: access.Execute, on: onWorkflow, body: bodyOptional,
			answers: ok(dryRunAnswer{}), codes: []string{"workflow_not_found", "version_not_found", "invalid_input", "unknown_step"},
		}.handle(withBody(h.dryRunWorkflow)),
		route{
			method: http.MethodPost, path: workflowsBase + "/{id}/steps/{step_id}/test", id: "testStep", tag: "runs", pure: true,
			summary: "Perform one step by itself, really; nothing is stored", action: access.Execute, on: onWorkflow, body: bodyOptional,
			answers: ok(stepTest{}), codes: []string{"workflow_not_found", "step_not_found", "unknown_step", "step_not_testable"},
		}.handle(withBody(h.testStep)),
		route{
			method: http.MethodPost, path: run + "/resume", id: "resumeRun", tag: "runs",
			summary: "Go on with a paused, failed or cancelled run", action: access.Execute, on: onRun, body: bodyOptional, query: dryRunParam(),
			answers: []answer{
				{status: http.StatusAccepted, body: steeredRun{}, description: "The run is queued and goes on."},
				{status: http.StatusOK, body: resumePreview{}, description: "With dry_run: what would be kept and what would run again."},
			},
			codes: []string{
				"run_not_found", "version_not_found", "workflow_not_found", "run_not_resumable", "unknown_step",
				"step_not_reachable", "invalid_input", "quota_exceeded",
			},
		}.handle(withBody(h.resumeRun)),
		route{
			method: http.MethodPost, path: run + "/redrive", id: "redriveRun", tag: "runs",
			summary: "Run the failed iterations of a loop again, and what comes after it", action: access.Operate, on: onRun, body: bodyRequired,
			answers: accepted(steeredRun{}),
			codes:   []string{"run_not_found", "run_not_resumable", "unknown_step", "step_not_reachable", "step_not_redrivable", "quota_exceeded"},
		}.handle(withBody(h.redriveRun)),
		route{
			method: http.MethodPost, path: run + "/terminate", id: "terminateRun", tag: "runs",
			summary: "End a run at once, without clean-up; a finished one stays as it is", action: access.Operate, on: onRun, body: bodyOptional,
			answers: ok(steeredRun{}), codes: []string{"run_not_found"},
		}.handle(withBody(h.steer(http.StatusOK, h.cfg.Executor.Terminate))),
		route{
			method: http.MethodPost, path: run + "/restart", id: "restartRun", tag: "runs",
			summary: "Start a new run with the same input on the active version; an open run is terminated", action: access.Operate, on: onRun,
			body: bodyOptional, idempotent: true,
			answers: []answer{{status: http.StatusAccepted, body: startedRun{}, description: "The new run is stored.", headers: []string{"Location"}}},
			codes:   startCodes("run_not_found"),
		}.handle(withBody(h.restartRun)),
	}
}
