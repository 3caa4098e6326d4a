package scheduling

import (
	"heddle/access"
	"heddle/api/core"
	"net/http"
)

// routes returns the table of schedules, their ledger and previews.
func (h *handlers) routes() []core.Route {
	const all, one, of = core.WorkflowsBase + "/schedules", core.WorkflowsBase + "/schedules/{id}", core.WorkflowsBase + "/{id}/schedules"
	// unknown is the code of every route of one schedule; refusals are those of what a schedule
	// is made of, of which the first three are about its expression.
	unknown := []string{"schedule_not_found"}
	refusals := []string{"invalid_cron", "invalid_timezone", "invalid_schedule", "invalid_input", "secret_in_input", "invalid_version", "workflow_not_found"}
	preview := core.OK(dueTimes{})
	filters := append([]core.Param{
		{Name: "status", Enum: []string{"active", "paused", "ended"}, Description: "Only schedules in this status."},
		{Name: "q", Description: "Free text over the workflow's name, slug and description, the expression and the zone; or the beginning of an id."},
		{Name: "health", Enum: []string{"failing", "late"}, Description: "failing: the run of the latest due time failed or could not be started. late: the latest due time was late or missed, or the next one has passed by more than a minute."},
		{Name: "order", Enum: []string{"-created", "next"}, Description: "-created unless given. next: active ones by what is due next, then paused and ended ones."},
	}, core.Paging()...)
	return []core.Route{
		// Any key: it lists the schedules of the workflows that the key may view.
		core.Route{
			Method: http.MethodGet, Path: all, ID: "listSchedules", Tag: "schedules",
			Summary: "List the tenant's schedules, how they go and what is due next", Action: access.View, On: core.FilteredByAccess,
			Query:   append([]core.Param{{Name: "workflow", Description: "Only schedules of this workflow, by id or slug."}}, filters...),
			Answers: core.OK(scheduleList{}), Codes: []string{"workflow_not_found"},
		}.Handle(core.NoBody(h.listSchedules)),
		// Its path is no schedule's: their ids have another form.
		h.calendarRoute(all+"/calendar", filters),
		// POST for its body; it changes nothing, which the right to view alone says.
		core.Route{
			Method: http.MethodPost, Path: all + "/preview", ID: "previewExpression", Tag: "schedules",
			Summary: "List the next due times of an expression that is not stored", Action: access.View, On: core.FilteredByAccess,
			Body: core.BodyRequired, Answers: preview, Codes: append([]string{"workflow_not_found"}, refusals[:3]...),
		}.Handle(core.WithBody(h.previewExpression)),
		// On the workflow: a key that may view it may view all of its schedules.
		core.Route{
			Method: http.MethodGet, Path: of, ID: "listWorkflowSchedules", Tag: "schedules",
			Summary: "List a workflow's schedules, how they go and what is due next", Action: access.View, On: core.OnWorkflow,
			Query: filters, Answers: core.OK(scheduleList{}), Codes: []string{"workflow_not_found"},
		}.Handle(core.NoBody(h.listWorkflowSchedules)),
		// The schedule's own path has no workflow: its id is unique in the tenant.
		core.Route{
			Method: http.MethodPost, Path: of, ID: "createSchedule", Tag: "schedules",
			Summary: "Give a workflow a schedule", Action: access.Edit, On: core.OnWorkflow, Body: core.BodyRequired, Idempotent: true,
			Answers: []core.Answer{{Status: http.StatusCreated, Body: createdSchedule{}, Headers: []string{"Location", "ETag"}}},
			Codes:   append([]string{"workflow_archived", "quota_exceeded"}, refusals...),
		}.Handle(core.WithBody(h.createSchedule)),
		// OnSchedule: the workflow of the schedule decides who may see it.
		core.Route{
			Method: http.MethodGet, Path: one, ID: "getSchedule", Tag: "schedules", Summary: "Get a schedule",
			Action: access.View, On: core.OnSchedule, Answers: core.Tagged(scheduleAnswer{}), Codes: unknown,
		}.Handle(core.NoBody(h.getSchedule)),
		// PATCH: what is left out stays. Pausing is an edit of the status.
		core.Route{
			Method: http.MethodPatch, Path: one, ID: "updateSchedule", Tag: "schedules",
			Summary: "Edit, pause or resume a schedule", Action: access.Edit, On: core.OnSchedule, Body: core.BodyRequired, Keeps: true, Conditional: true,
			Answers: core.Tagged(scheduleAnswer{}), Codes: append(unknown, refusals...),
		}.Handle(core.WithBody(h.updateSchedule)),
		// If-Match keeps a schedule that was edited since from being deleted.
		core.Route{
			Method: http.MethodDelete, Path: one, ID: "deleteSchedule", Tag: "schedules",
			Summary: "End a schedule; its runs go on", Action: access.Edit, On: core.OnSchedule, Conditional: true,
			Answers: core.NoContent(), Codes: unknown,
		}.Handle(core.NoBody(h.deleteSchedule)),
		// A GET: the expression is stored, so that no body is needed.
		core.Route{
			Method: http.MethodGet, Path: one + "/preview", ID: "previewSchedule", Tag: "schedules",
			Summary: "List a schedule's next due times", Action: access.View, On: core.OnSchedule,
			Query: []core.Param{
				{Name: "from", Description: "RFC 3339; times strictly after this, default now."},
				{Name: "count", JSONType: "integer", Description: "From 1 to 500; 10 without it."},
				{Name: "to", Description: "RFC 3339; times up to this."},
				{Name: "against", Description: "A workflow, by id or slug: due times at which its run before would still be open are marked, if it takes as long as its runs did lately."},
			},
			Answers: preview, Codes: append(unknown, "workflow_not_found"),
		}.Handle(core.NoBody(h.previewSchedule)),
		// The ledger has what the loop, triggers and backfills decided.
		core.Route{
			Method: http.MethodGet, Path: one + "/slots", ID: "listSlots", Tag: "schedules",
			Summary: "What became of each due time, latest first", Action: access.View, On: core.OnSchedule,
			Query: append([]core.Param{
				{Name: "outcome", Enum: []string{"fired", "late", "caught_up", "coalesced", "skipped", "waiting"}, Description: "What became of the due time."},
				{Name: "from", Description: "An RFC 3339 time, included: due times at or after it."},
				{Name: "to", Description: "An RFC 3339 time, not included: due times before it."},
			}, core.Paging()...),
			Answers: core.OK(slotList{}), Codes: unknown,
		}.Handle(core.NoBody(h.listSlots)),
		// It executes the workflow, so that the right to edit schedules is not needed.
		core.Route{
			Method: http.MethodPost, Path: one + "/trigger", ID: "triggerSchedule", AuditAs: "schedule.trigger", Tag: "schedules",
			Summary: "Start a schedule's run now, whatever its overlap rule", Action: access.Execute, On: core.OnSchedule, Body: core.BodyOptional, Idempotent: true,
			Answers: []core.Answer{{Status: http.StatusAccepted, Body: core.StartedRun{}, Description: "The run is stored.", Headers: []string{"Location"}}},
			Codes:   []string{"schedule_not_found", "quota_exceeded", "schedule_changing", "workflow_not_found", "version_not_found", "workflow_not_runnable", "invalid_input", "outcome_unknown"},
		}.Handle(core.WithBody(h.triggerSchedule)),
		// It may store a thousand slots and their runs.
		core.Route{
			Method: http.MethodPost, Path: one + "/backfill", ID: "backfillSchedule", LongRunning: true, Tag: "schedules",
			Summary: "Start the runs of past due times", Action: access.Operate, On: core.OnSchedule, Body: core.BodyRequired, Idempotent: true, Query: core.DryRunParam(),
			Answers: []core.Answer{
				{Status: http.StatusAccepted, Body: backfillBody{}, Description: "The due times are in the ledger."},
				{Status: http.StatusOK, Body: backfillPreview{}, Description: "With dry_run: what would run, and what of it ran already."},
			},
			Codes: []string{"schedule_not_found", "schedule_changing", "invalid_schedule", "backfill_too_large", "outcome_unknown"},
		}.Handle(core.WithBody(h.backfillSchedule)),
	}
}
