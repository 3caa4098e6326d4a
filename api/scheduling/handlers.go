package scheduling

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/executor"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/ids"
	"heddle/internal/elements"
	"heddle/schedules"
	"net/http"
	"net/url"
	"time"
)

// listSchedules lists the schedules of all workflows that the caller may view, or of the one in
// the query: what the caller may not view is not listed, whatever is named.
func (h *handlers) listSchedules(c *core.Call) error {
	q, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	ask, err := h.scheduleQuery(c, q, p)
	if err != nil {
		return err
	}
	return h.replySchedules(c, ask, p)
}

// scheduleQuery reads the page and the filters of a list of the tenant's schedules, within what
// the caller may view.
func (h *handlers) scheduleQuery(c *core.Call, q url.Values, p core.Page) (schedules.Query, error) {
	ask := filtersOf(c, q, p)
	ask.WorkflowIDs = access.ViewableWorkflows(c.Principal)
	var err error
	if ref := q.Get("workflow"); ref != "" {
		ask.WorkflowID, err = core.FilteredWorkflow(c, h.Definitions, ref)
	}
	return ask, err
}

// filtersOf reads the page and those filters that every list of schedules has.
func filtersOf(c *core.Call, q url.Values, p core.Page) schedules.Query {
	return schedules.Query{
		TenantID: c.TenantID(), Limit: p.Limit, Offset: p.Offset, Cursor: p.Cursor, WantTotal: p.WantTotal(),
		Status: schedules.Status(q.Get("status")), Text: q.Get("q"), Health: schedules.Health(q.Get("health")), Order: schedules.Order(q.Get("order")),
	}
}

// listWorkflowSchedules lists the schedules of one workflow; fault.NotFound
// workflow_not_found.
func (h *handlers) listWorkflowSchedules(c *core.Call) error {
	q, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	w, err := h.Definitions.Get(c.Ctx(), c.TenantID(), c.Param("id"))
	if err != nil {
		return err
	}
	ask := filtersOf(c, q, p)
	ask.WorkflowID = w.ID
	return h.replySchedules(c, ask, p)
}

// replySchedules answers with a page of schedules.
func (h *handlers) replySchedules(c *core.Call, ask schedules.Query, p core.Page) error {
	found, err := h.Schedules.List(c.Ctx(), ask)
	if err != nil {
		return err
	}
	list := scheduleList{
		Schedules: make([]listedSchedule, len(found.Schedules)),
		Total:     core.TotalOrNothing(found.Total, p.WantTotal() && found.Total >= 0), NextCursor: core.TextOrNull(found.Next),
	}
	for i, s := range found.Schedules {
		list.Schedules[i] = listedScheduleOf(c, s, found.Overviews[i], found.Runs)
	}
	return c.Reply(http.StatusOK, list)
}

// storableTime returns a time of the field name in UTC, to the millisecond; the zero time for nil.
// One that cannot be stored is fault.Unacceptable invalid_schedule.
func storableTime(name string, t *time.Time) (time.Time, error) {
	if t == nil || t.IsZero() {
		return time.Time{}, nil
	}
	if !schedules.StorableTime(*t) {
		return time.Time{}, fault.New(fault.Unacceptable, "invalid_schedule", "%s must lie in the years 1971 to 9000.", name)
	}
	return t.UTC().Truncate(time.Millisecond), nil
}

// createSchedule stores a schedule of the path's workflow, at most once per Idempotency-Key. The
// errors are those of schedules.Service.Create.
func (h *handlers) createSchedule(c *core.Call, req createSchedule) error {
	return c.Idempotent(func(o *core.Creation) error {
		// The input is what a schedule stores that may be large.
		if err := c.ReserveStorage(len(req.Input)); err != nil {
			return err
		}
		_, err := h.Schedules.Create(c.Ctx(), schedules.CreateRequest{
			Schedule: schedules.Schedule{TenantID: c.TenantID()}, Patch: req.Patch, Workflow: c.Param("id"),
			Keep: func(s schedules.Schedule) *idempotency.Answer {
				c.AddStored(len(s.Input))
				header := map[string]string{"Location": core.WorkflowsBase + "/schedules/" + s.ID, "ETag": core.ETag(s.Revision)}
				return o.Answer(http.StatusCreated, header, createdSchedule{s.ID, scheduleBodyOf(c, s)})
			},
		})
		return err
	})
}

// getSchedule returns a schedule, or 304 for the revision that the caller has.
func (h *handlers) getSchedule(c *core.Call) error {
	s, err := h.Schedules.Get(c.Ctx(), c.TenantID(), c.Param("id"))
	if err != nil {
		return err
	}
	if c.SetETag(s.Revision) {
		return c.ReplyStatus(http.StatusNotModified)
	}
	return c.Reply(http.StatusOK, scheduleAnswer{scheduleBodyOf(c, s)})
}

// updateSchedule changes a schedule; If-Match refuses a lost update. Due times that have passed
// are decided by the old rules.
func (h *handlers) updateSchedule(c *core.Call, req updateSchedule) error {
	// Without an input nothing more is stored, so that a schedule can always be paused.
	if req.Input != nil {
		if err := c.ReserveStorage(len(req.Input)); err != nil {
			return err
		}
	}
	s, err := h.Schedules.Update(c.Ctx(), c.TenantID(), c.Param("id"), req.Patch, c.IfMatch)
	if err != nil {
		return err
	}
	if req.Input != nil {
		c.AddStored(len(s.Input))
	}
	c.SetETag(s.Revision)
	return c.Reply(http.StatusOK, scheduleAnswer{scheduleBodyOf(c, s)})
}

// deleteSchedule ends a schedule: 204. Its open runs go on.
func (h *handlers) deleteSchedule(c *core.Call) error {
	if err := h.Schedules.Delete(c.Ctx(), c.TenantID(), c.Param("id"), c.IfMatch); err != nil {
		return err
	}
	return c.ReplyStatus(http.StatusNoContent)
}

// listSlots lists what became of the due times, latest first. An unknown outcome is
// fault.Malformed invalid_request.
func (h *handlers) listSlots(c *core.Call) error {
	q, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	ask := schedules.SlotQuery{
		TenantID: c.TenantID(), ScheduleID: c.Param("id"), Outcome: schedules.Outcome(q.Get("outcome")),
		Limit: p.Limit, Offset: p.Offset, Cursor: p.Cursor, WantTotal: p.WantTotal(),
	}
	if ask.From, err = core.TimeParam(q, "from"); err != nil {
		return err
	}
	if ask.To, err = core.TimeParam(q, "to"); err != nil {
		return err
	}
	found, err := h.Schedules.Slots(c.Ctx(), ask)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, slotList{
		Slots: elements.Map(found.Slots, func(s schedules.Slot) slotBody { return slotBodyOf(s, found.Runs) }),
		Total: core.TotalOrNothing(found.Total, p.WantTotal()), NextCursor: core.TextOrNull(found.Next),
	})
}

// How many due times a preview lists unless count says otherwise, and at most.
const (
	defaultPreview = 10
	maxPreview     = 500
)

// previewExpression lists the next due times of an expression that is not stored, strictly after
// from. It reads nothing. Errors: fault.Unacceptable invalid_cron with its diagnostics,
// invalid_timezone, invalid_schedule.
func (h *handlers) previewExpression(c *core.Call, req previewRequest) error {
	spec, err := schedules.Parse(req.CronExpression)
	if err != nil {
		return err
	}
	loc, err := schedules.LoadZone(req.Timezone)
	if err != nil {
		return err
	}
	// An expression that is not stored has no other rules than these.
	rules := schedules.Rules{Gap: req.DSTGap, Repeat: req.DSTRepeat}
	if err := schedules.CheckRules(rules); err != nil {
		return err
	}
	count := defaultPreview
	if req.Count != nil {
		count = *req.Count
	}
	if count < 1 || count > maxPreview {
		return fault.New(fault.Unacceptable, "invalid_schedule", "count must be from 1 to %d.", maxPreview)
	}
	from, err := storableTime("from", req.From)
	if err != nil {
		return err
	}
	if from.IsZero() {
		from = h.Now()
	}
	upto, err := storableTime("to", req.To)
	if err != nil {
		return err
	}
	// An @every counts from here; a stored schedule has an anchor of its own.
	rules.Anchor = from
	return h.replyPreview(c, spec.Describe(req.Timezone), spec.Preview(from, upto, count, loc, rules), req.Against)
}

// replyPreview answers due times and, where a workflow is named, at which of them the run before
// would still be open. fault.NotFound workflow_not_found.
func (h *handlers) replyPreview(c *core.Call, description string, times []schedules.DueTime, against string) error {
	var expected *expectedRuns
	if against != "" {
		if !ids.Valid(against) {
			return core.NotFound("workflow", against)
		}
		w, err := h.Definitions.Get(c.Ctx(), c.TenantID(), against)
		if err != nil {
			return err
		}
		if err := core.Allow(c.Principal, access.View, w.ID, w.Slug); err != nil {
			return err
		}
		typical, err := h.Schedules.Typical(c.Ctx(), c.TenantID(), w.ID)
		if err != nil {
			return err
		}
		expected = &expectedRuns{Runs: typical.Runs, Clashes: typical.MarkClashes(times)}
		if typical.Runs > 0 {
			p95 := typical.P95.Seconds()
			expected.P95Seconds = &p95
		}
	}
	return c.Reply(http.StatusOK, previewOf(description, times, expected))
}

// previewSchedule lists the next due times of a stored schedule within its bounds, strictly after
// from. Their errors are of the query: fault.Malformed invalid_request.
func (h *handlers) previewSchedule(c *core.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	count, err := core.IntParam(q, "count", defaultPreview, 1, maxPreview)
	if err != nil {
		return err
	}
	// The query may name another time.
	from := h.Now()
	if q.Has("from") {
		if from, err = time.Parse(time.RFC3339, q.Get("from")); err != nil || from.IsZero() || !schedules.StorableTime(from) {
			return core.Malformed("from must be an RFC 3339 time such as 2026-03-01T00:00:00Z, not %q.", core.Truncate(q.Get("from")))
		}
	}
	upto, err := core.TimeParam(q, "to")
	if err != nil {
		return err
	}
	p, err := h.Schedules.PreviewStored(c.Ctx(), c.TenantID(), c.Param("id"), from, upto, count)
	if err != nil {
		return err
	}
	return h.replyPreview(c, p.Description, p.Times, q.Get("against"))
}

// triggerSchedule starts a schedule's run now, whatever its overlap rule and status, at most once
// per Idempotency-Key. The errors are those of schedules.Service.Trigger.
func (h *handlers) triggerSchedule(c *core.Call, _ core.Because) error {
	return c.Idempotent(func(o *core.Creation) error {
		_, err := h.Schedules.Trigger(c.Ctx(), c.TenantID(), c.Param("id"), core.TraceOf(c.Request), func(run executor.Record) *idempotency.Answer {
			// The location is that of the run: the schedule was there before.
			header := map[string]string{"Location": core.WorkflowsBase + "/runs/" + run.RunID}
			return o.Answer(http.StatusAccepted, header, core.StartedRun{RunID: run.RunID})
		})
		return err
	})
}

// backfillSchedule starts the runs of past due times, or with dry_run says which these are and
// which of them ran already. The answer names the backfill once its
// slots are stored; the ledger shows how far it has come. The errors are those of
// schedules.Service.Backfill.
func (h *handlers) backfillSchedule(c *core.Call, req backfillRequest) error {
	var err error
	// An overlap of "" is queue to the service.
	ask := schedules.BackfillRequest{TenantID: c.TenantID(), ScheduleID: c.Param("id"), Overlap: req.OverlapPolicy}
	if req.From == nil || req.To == nil {
		return core.Malformed("A backfill needs from and to, two times in the past.")
	}
	if ask.From, err = storableTime("from", req.From); err != nil {
		return err
	}
	if ask.To, err = storableTime("to", req.To); err != nil {
		return err
	}
	if req.Limit != nil {
		// To the service 0 means the default; a 0 that was given is refused.
		if ask.Limit = *req.Limit; ask.Limit == 0 {
			ask.Limit = -1
		}
	}
	dry, err := c.DryRun()
	if err != nil {
		return err
	}
	if dry {
		p, err := h.Schedules.PreviewBackfill(c.Ctx(), ask)
		if err != nil {
			return err
		}
		return c.Reply(http.StatusOK, backfillPreviewOf(p))
	}
	return c.Idempotent(func(o *core.Creation) error {
		ask.Keep = func(id string, slots int) *idempotency.Answer {
			return o.Answer(http.StatusAccepted, nil, backfillBody{id, slots})
		}
		_, _, err := h.Schedules.Backfill(c.Ctx(), ask)
		return err
	})
}
