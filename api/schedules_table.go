package api

import (
	"heddle/access"
	"net/http"
)

// schedulesTable is schedules, their ledger and previews.
func (h *Handler) schedulesTable() []route {
	const all, one, of = workflowsBase + "/schedules", workflowsBase + "/schedules/{id}", workflowsBase + "/{id}/schedules"
	unknown := []string{"schedule_not_found"}
	refusals := []string{"invalid_cron", "invalid_timezone", "invalid_schedule", "invalid_input", "secret_in_input", "invalid_version", "workflow_not_found"}
	preview := ok(dueTimes{})
	return []route{
		route{
			method: http.MethodGet, path: all, id: "listSchedules", tag: "schedules",
			summary: "List the tenant's schedules with their next due times, newest first", action: access.View, on: filteredByAccess,
			query: paging(), answers: ok(scheduleList{}),
		}.handle(noBody(h.listSchedules)),
		route{
			method: http.MethodPost, path: all + "/preview", id: "previewExpression", tag: "schedules",
			summary: "List the next due times of an expression that is not stored", action: access.View, on: filteredByAccess,
			body: bodyRequired, answers: preview, codes: refusals[:3],
		}.handle(withBody(h.previewExpression)),
		route{
			method: http.MethodGet, path: of, id: "listWorkflowSchedules", tag: "schedules",
			summary: "List a workflow's schedules, newest first", action: access.View, on: onWorkflow,
			query: paging(), answers: ok(scheduleList{}), codes: []string{"workflow_not_found"},
		}.handle(noBody(h.listWorkflowSchedules)),
		route{
			method: http.MethodPost, path: of, id: "createSchedule", tag: "schedules",
			summary: "Give a workflow a schedule", action: access.Edit, on: onWorkflow, body: bodyRequired, idempotent: true,
			answers: []answer{{status: http.StatusCreated, body: createdSchedule{}, headers: []string{"Location", "ETag"}}},
			codes:   append([]string{"workflow_archived", "quota_exceeded"}, refusals...),
		}.handle(withBody(h.createSchedule)),
		route{
			method: http.MethodGet, path: one, id: "getSchedule", tag: "schedules", summary: "Get a schedule",
			action: access.View, on: onSchedule, answers: tagged(scheduleAnswer{}), codes: unknown,
		}.handle(noBody(h.getSchedule)),
		route{
			method: http.MethodPatch, path: one, id: "updateSchedule", tag: "schedules",
			summary: "Edit, pause or resume a schedule", action: access.Edit, on: onSchedule, body: bodyRequired, conditional: true,
			answers: tagged(scheduleAnswer{}), codes: append(unknown, refusals...),
		}.handle(withBody(h.updateSchedule)),
		route{
			method: http.MethodDelete, path: one, id: "deleteSchedule", tag: "schedules",
			summary: "End a schedule; its runs go on", action: access.Edit, on: onSchedule, conditional: true,
			answers: noContent(), codes: unknown,
		}.handle(noBody(h.deleteSchedule)),
		route{
			method: http.MethodGet, path: one + "/preview", id: "previewSchedule", tag: "schedules",
			summary: "List a schedule's next due times", action: access.View, on: onSchedule,
			query:   []param{{name: "from", description: "RFC 3339; times strictly after this, default now."}, {name: "count", jsonType: "integer", description: "From 1 to 500; 10 without it."}},
			answers: preview, codes: unknown,
		}.handle(noBody(h.previewSchedule)),
		route{
			method: http.MethodGet, path: one + "/slots", id: "listSlots", tag: "schedules",
			summary: "What became of each due time, latest first", action: access.View, on: onSchedule,
			query:   append([]param{{name: "outcome", enum: []string{"fired", "late", "caught_up", "coalesced", "skipped", "waiting"}, description: "What became of the due time."}}, paging()...),
			answers: ok(slotList{}), codes: unknown,
		}.handle(noBody(h.listSlots)),
		route{
			method: http.MethodPost, path: one + "/trigger", id: "triggerSchedule", tag: "schedules",
			summary: "Start a schedule's run now, whatever its overlap rule", action: access.Execute, on: onSchedule, body: bodyOptional, idempotent: true,
			answers: []answer{{status: http.StatusAccepted, body: startedRun{}, description: "The run is stored.", headers: []string{"Location"}}},
			codes:   []string{"schedule_not_found", "quota_exceeded", "schedule_changing", "workflow_not_found", "version_not_found", "workflow_not_runnable", "invalid_input", "outcome_unknown"},
		}.handle(withBody(h.triggerSchedule)),
		route{
			method: http.MethodPost, path: one + "/backfill", id: "backfillSchedule", tag: "schedules",
			summary: "Start the runs of past due times", action: access.Operate, on: onSchedule, body: bodyRequired, idempotent: true,
			answers: accepted(backfillBody{}),
			codes:   []string{"schedule_not_found", "schedule_changing", "invalid_schedule", "backfill_too_large", "outcome_unknown"},
		}.handle(withBody(h.backfillSchedule)),
	}
}
