package workflows

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/executor"
	"net/http"
)

// steeringRoutes returns the routes by which runs are steered beyond cancel and pause, and those
// that try a definition without a run.
func (h *handlers) steeringRoutes() []core.Route {
	const run = core.WorkflowsBase + "/runs/{run_id}"
	return []core.Route{
		// Paged by cursor alone: how many match is known only when all are read.
		core.Route{
			Method: http.MethodGet, Path: run + "/steps/{step_id}/iterations", ID: "listIterations", Tag: "runs",
			Summary: "List a loop's iterations: the ended ones in the order in which they ended, then the running ones", Action: access.View, On: core.OnRun,
			Query:   append([]core.Param{{Name: "status", Enum: []string{"running", "waiting", "completed", "failed"}, Description: "Only iterations in this state; waiting are those of the running ones that wait."}}, core.CursorPaging()...),
			Answers: core.OK(iterationList{}), Codes: []string{"run_not_found", "step_not_found"},
		}.Handle(core.NoBody(h.listIterations)),
		// Pure: it computes and stores nothing, so that it ends with its client.
		core.Route{
			Method: http.MethodPost, Path: core.WorkflowsBase + "/{id}/dry-run", ID: "dryRunWorkflow", Tag: "runs", Pure: true,
			Summary: "Drive a run in memory with mocked steps; nothing is performed or stored", Action: access.Execute, On: core.OnWorkflow, Body: core.BodyOptionalDefinition,
			Answers: core.OK(dryRunAnswer{}), Codes: []string{"workflow_not_found", "version_not_found", "invalid_definition", "invalid_input", "unknown_step"},
		}.Handle(core.WithBody(h.dryRunWorkflow)),
		// Of no workflow, so that a definition may be tried before there is one.
		core.Route{
			Method: http.MethodPost, Path: core.WorkflowsBase + "/dry-run", ID: "dryRunDefinition", Tag: "runs", Pure: true,
			Summary: "Drive a run of a definition that is not stored in memory, with mocked steps", Action: access.Execute, On: core.OnTenant, Body: core.BodyDefinition,
			Answers: core.OK(dryRunAnswer{}), Codes: []string{"invalid_definition", "invalid_input", "unknown_step"},
		}.Handle(core.WithBody(h.dryRunDefinition)),
		// Pure in that it stores nothing; what the step does to others is real.
		core.Route{
			Method: http.MethodPost, Path: core.WorkflowsBase + "/{id}/steps/{step_id}/test", ID: "testStep", LongRunning: true, Tag: "runs", Pure: true,
			Summary: "Perform one step by itself, really; nothing is stored", Action: access.Execute, On: core.OnWorkflow, Body: core.BodyOptionalDefinition,
			Answers: core.OK(stepTest{}), Codes: []string{"workflow_not_found", "run_not_found", "acl_denied", "invalid_definition", "step_not_found", "unknown_step", "step_not_testable", "invalid_iteration"},
		}.Handle(core.WithBody(h.testStep)),
		// With dry_run it answers 200 and changes nothing.
		core.Route{
			Method: http.MethodPost, Path: run + "/resume", ID: "resumeRun", Tag: "runs",
			Summary: "Go on with a paused, failed or cancelled run", Action: access.Execute, On: core.OnRun, Body: core.BodyOptional, Keeps: true, Query: core.DryRunParam(),
			Answers: []core.Answer{
				{Status: http.StatusAccepted, Body: steeredRun{}, Description: "The run is queued and goes on."},
				{Status: http.StatusOK, Body: resumePreview{}, Description: "With dry_run: what would be kept and what would run again."},
			},
			Codes: []string{
				"run_not_found", "version_not_found", "workflow_not_found", "run_not_resumable", "unknown_step",
				"step_not_reachable", "invalid_input", "quota_exceeded",
			},
		}.Handle(core.WithBody(h.resumeRun)),
		// It repeats what a run has done already: the right to operate.
		core.Route{
			Method: http.MethodPost, Path: run + "/redrive", ID: "redriveRun", Tag: "runs",
			Summary: "Run the failed iterations of a loop again, and what comes after it", Action: access.Operate, On: core.OnRun, Body: core.BodyRequired,
			Answers: core.Accepted(steeredRun{}),
			Codes:   []string{"run_not_found", "run_not_resumable", "unknown_step", "step_not_reachable", "step_not_redrivable", "quota_exceeded"},
		}.Handle(core.WithBody(h.redriveRun)),
		// Compensations are left out, which the right to execute does not cover.
		core.Route{
			Method: http.MethodPost, Path: run + "/terminate", ID: "terminateRun", Tag: "runs",
			Summary: "End a run at once, without clean-up; a finished one stays as it is", Action: access.Operate, On: core.OnRun, Body: core.BodyOptional,
			Answers: core.OK(steeredRun{}), Codes: []string{"run_not_found"},
		}.Handle(core.WithBody(h.steer(http.StatusOK, (*executor.Service).Terminate))),
		// The new run is a start like any other: limits and quotas hold for it, and an
		// Idempotency-Key makes a repetition safe.
		core.Route{
			Method: http.MethodPost, Path: run + "/restart", ID: "restartRun", Tag: "runs",
			Summary: "Start a new run with the same input on the active version; an open run is terminated", Action: access.Operate, On: core.OnRun,
			Body: core.BodyOptional, Idempotent: true,
			Answers: []core.Answer{{Status: http.StatusAccepted, Body: core.StartedRun{}, Description: "The new run is stored.", Headers: []string{"Location"}}},
			Codes:   core.StartCodes("run_not_found"),
		}.Handle(core.WithBody(h.restartRun)),
	}
}
