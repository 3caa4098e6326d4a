// Package bulk serves changes of many runs, schedules or workflows at once, and the jobs that
// carry them out.
//
// A filter has the names of the query of the list whose objects it selects, and is read by the
// same code. Which objects a job is about, and what becomes of each, is for package bulk to say.
package bulk

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/bulk"
	"heddle/definitions/workflows"
	"heddle/versions"
	"net/http"
	"slices"
)

// Services are the use cases that the routes call. None may be nil when a request is served.
type Services struct {
	Bulk        *bulk.Service
	Definitions *workflows.Service
	Versions    *versions.Service
}

// handlers serves the routes. It may be used concurrently.
type handlers struct{ Services }

// Routes returns the table of the package.
func Routes(s Services) []core.Route {
	h := &handlers{s}
	return append(h.changeRoutes(), h.jobRoutes()...)
}

// changeRoutes returns the routes that make jobs.
func (h *handlers) changeRoutes() []core.Route {
	const base = core.WorkflowsBase
	// The right depends on the action, and on each workflow: the service authorises.
	change := core.Route{
		Method: http.MethodPost, Tag: "bulk", Action: access.View, On: core.NamedInBody, AuditAs: "job.create",
		Body: core.BodyRequired, Idempotent: true, LongRunning: true,
		Answers: []core.Answer{
			{Status: http.StatusAccepted, Body: acceptedJob{}, Description: "The job is stored.", Headers: []string{"Location"}},
			{Status: http.StatusOK, Body: bulkPreview{}, Description: "With dry_run: what the job would be about."},
		},
		Codes: []string{"workflow_not_found", "count_changed", "invalid_bulk", "too_many_matches", "outcome_unknown"},
	}
	runs, schedules, flows := change, change, change
	runs.Path, runs.ID, runs.Summary = base+"/runs/bulk", "changeRuns", "Cancel, resume, restart, redrive, pause, terminate or delete many runs"
	runs.Codes = append(slices.Clip(runs.Codes), "version_not_found")
	schedules.Path, schedules.ID, schedules.Summary = base+"/schedules/bulk", "changeSchedules", "Pause or resume many schedules"
	flows.Path, flows.ID, flows.Summary = base+"/bulk", "changeWorkflows", "Set the status, or change the tags, of many workflows"
	flows.Codes = append(slices.Clip(flows.Codes), "invalid_status", "invalid_tags")
	return []core.Route{
		runs.Handle(core.WithBody(h.changeRuns)),
		schedules.Handle(core.WithBody(h.changeSchedules)),
		flows.Handle(core.WithBody(h.changeWorkflows)),
	}
}

// jobRoutes returns the routes of jobs.
func (h *handlers) jobRoutes() []core.Route {
	const all, one = core.WorkflowsBase + "/jobs", core.WorkflowsBase + "/jobs/{job_id}"
	unknown := []string{"job_not_found"}
	return []core.Route{
		// Any key: a key that does not view everything sees its own.
		core.Route{
			Method: http.MethodGet, Path: all, ID: "listJobs", Tag: "bulk",
			Summary: "List the jobs that the caller may see, newest first", Action: access.View, On: core.FilteredByAccess,
			Query: core.CursorPaging(), Answers: core.OK(jobList{}),
		}.Handle(core.NoBody(h.list)),
		// The service authorises: a job may be about all workflows, and its maker sees it, too.
		core.Route{
			Method: http.MethodGet, Path: one, ID: "getJob", Tag: "bulk", Summary: "Get a job with its progress",
			Action: access.View, On: core.NamedInBody, Answers: core.OK(jobAnswer{}), Codes: unknown,
		}.Handle(core.NoBody(h.get)),
		core.Route{
			Method: http.MethodGet, Path: one + "/failures", ID: "listJobFailures", Tag: "bulk",
			Summary: "List the objects of a job that failed or were skipped", Action: access.View, On: core.NamedInBody,
			Query: core.CursorPaging(), Answers: core.OK(failureList{}), Codes: unknown,
		}.Handle(core.NoBody(h.failures)),
		// The service authorises: who asked for it may stop it, too.
		core.Route{
			Method: http.MethodPost, Path: one + "/stop", ID: "stopJob", AuditAs: "job.stop", Tag: "bulk",
			Summary: "Stop a job; what it has done stays, and one that has ended stays as it is", Action: access.View, On: core.NamedInBody,
			Body: core.BodyOptional, Answers: core.OK(jobAnswer{}), Codes: append(unknown, "outcome_unknown"),
		}.Handle(core.WithBody(h.stop)),
	}
}
