package api

import (
	"heddle/access"
	"heddle/executor"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/schedules"
	"math"
	"net/http"
	"time"
)

// scheduleID reads the schedule of the path.
func (c *call) scheduleID() (string, error) {
	id := c.params.Param("id")
	if !validRef(id) {
		return "", fault.New(fault.NotFound, "schedule_not_found", "There is no schedule %q.", truncate(id))
	}
	return id, nil
}

// authoriseSchedule asks about the workflow of the path's schedule.
func (h *Handler) authoriseSchedule(c *call) error {
	id, err := c.scheduleID()
	if err != nil {
		return err
	}
	s, err := h.cfg.Schedules.Get(c.ctx(), c.tenantID(), id)
	if err != nil {
		return err
	}
	w, err := h.cfg.Definitions.Get(c.ctx(), c.tenantID(), s.WorkflowID)
	if err != nil {
		return err
	}
	return allow(c.principal, c.route.action, w.ID, w.Slug)
}

func (h *Handler) listSchedules(c *call) error {
	return h.scheduleList(c, schedules.Query{WorkflowIDs: access.ViewableWorkflows(c.principal)})
}

func (h *Handler) listWorkflowSchedules(c *call) error {
	ref, err := c.param("id")
	if err != nil {
		return err
	}
	w, err := h.cfg.Definitions.Get(c.ctx(), c.tenantID(), ref)
	if err != nil {
		return err
	}
	return h.scheduleList(c, schedules.Query{WorkflowID: w.ID})
}

func (h *Handler) scheduleList(c *call, ask schedules.Query) error {
	_, p, err := c.pageQuery()
	if err != nil {
		return err
	}
	ask.TenantID, ask.Limit, ask.Offset, ask.Cursor, ask.WantTotal = c.tenantID(), p.limit, p.offset, p.cursor, p.wantTotal()
	found, err := h.cfg.Schedules.List(c.ctx(), ask)
	if err != nil {
		return err
	}
	list := scheduleList{
		Schedules: make([]scheduleBody, len(found.Schedules)),
		Total:     totalOrNothing(found.Total, p.wantTotal()), NextCursor: textOrNull(found.Next),
	}
	for i, s := range found.Schedules {
		list.Schedules[i] = scheduleBodyOf(s)
	}
	return c.reply(http.StatusOK, list)
}

// maxSeconds keeps a number of seconds within a duration.
const maxSeconds = 1e9

// secondsToDuration reads a number of seconds; what is out of every range stays so.
func secondsToDuration(seconds float64) time.Duration {
	if math.IsNaN(seconds) || math.Abs(seconds) > maxSeconds {
		return -1
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Millisecond)
}

// storableTime checks that a time can be stored.
func storableTime(name string, t *time.Time) (time.Time, error) {
	if t == nil || t.IsZero() {
		return time.Time{}, nil
	}
	if t.Year() < 1971 || t.Year() > 9000 {
		return time.Time{}, fault.New(fault.Unacceptable, "invalid_schedule", "%s must lie in the years 1971 to 9000.", name)
	}
	return t.UTC().Truncate(time.Millisecond), nil
}

func (h *Handler) createSchedule(c *call, req createSchedule) error {
	ref, err := c.param("id")
	if err != nil {
		return err
	}
	s, err := req.schedule()
	if err != nil {
		return err
	}
	s.TenantID = c.tenantID()
	return c.idempotent(func(o *creation) error {
		if err := c.reserveStorage(len(s.Input)); err != nil {
			return err
		}
		_, err := h.cfg.Schedules.Create(c.ctx(), schedules.CreateRequest{
			Schedule: s, Workflow: ref,
			Keep: func(s schedules.Schedule) *idempotency.Answer {
				c.addStored(len(s.Input))
				header := map[string]string{"Location": workflowsBase + "/schedules/" + s.ID, "ETag": etag(s.Revision)}
				return o.answer(http.StatusCreated, header, createdSchedule{s.ID, scheduleBodyOf(s)})
			},
		})
		return err
	})
}

func (r createSchedule) schedule() (schedules.Schedule, error) {
	s := schedules.Schedule{
		Expression: r.CronExpression, Timezone: r.Timezone, Input: r.InputData, Version: string(r.Version),
		Overlap: r.OverlapPolicy, Gap: r.DSTGap, Repeat: r.DSTRepeat, Jitter: secondsToDuration(r.JitterSeconds),
		Status: r.Status, PauseReason: r.PauseReason,
	}
	if string(s.Input) == "null" {
		s.Input = nil
	}
	if p := r.CatchUp.Policy; p != nil {
		s.CatchUp.Policy = *p
	}
	if w := r.CatchUp.WindowSeconds; w != nil {
		if s.CatchUp.Window = secondsToDuration(*w); s.CatchUp.Window == 0 {
			s.CatchUp.Window = -1
		}
	}
	if m := r.CatchUp.Max; m != nil {
		if s.CatchUp.Max = *m; *m == 0 {
			s.CatchUp.Max = -1
		}
	}
	var err error
	if s.StartsAt, err = storableTime("starts_at", r.StartsAt); err != nil {
		return s, err
	}
	s.EndsAt, err = storableTime("ends_at", r.EndsAt)
	return s, err
}

func (h *Handler) getSchedule(c *call) error {
	id, err := c.scheduleID()
	if err != nil {
		return err
	}
	s, err := h.cfg.Schedules.Get(c.ctx(), c.tenantID(), id)
	if err != nil {
		return err
	}
	if c.setETag(s.Revision) {
		return c.replyStatus(http.StatusNotModified)
	}
	return c.reply(http.StatusOK, scheduleAnswer{scheduleBodyOf(s)})
}

func (h *Handler) updateSchedule(c *call, req updateSchedule) error {
	id, err := c.scheduleID()
	if err != nil {
		return err
	}
	match, err := c.ifMatch()
	if err != nil {
		return err
	}
	edit, err := req.edit()
	if err != nil {
		return err
	}
	s, err := h.cfg.Schedules.Update(c.ctx(), c.tenantID(), id, edit, match)
	if err != nil {
		return err
	}
	c.setETag(s.Revision)
	return c.reply(http.StatusOK, scheduleAnswer{scheduleBodyOf(s)})
}

func (r updateSchedule) edit() (schedules.Patch, error) {
	e := schedules.Patch{
		Expression: r.CronExpression, Timezone: r.Timezone, PauseReason: r.PauseReason, Input: r.InputData,
		Status: r.Status, Overlap: r.OverlapPolicy, CatchUpPolicy: r.CatchUp.Policy, CatchUpMax: r.CatchUp.Max,
		Gap: r.DSTGap, Repeat: r.DSTRepeat,
	}
	if r.Version != nil {
		v := string(*r.Version)
		e.Version = &v
	}
	if w := r.CatchUp.WindowSeconds; w != nil {
		d := secondsToDuration(*w)
		e.CatchUpWindow = &d
	}
	if j := r.JitterSeconds; j != nil {
		d := secondsToDuration(*j)
		e.Jitter = &d
	}
	for _, field := range []struct {
		name string
		from clearableTime
		to   **time.Time
	}{{"starts_at", r.StartsAt, &e.StartsAt}, {"ends_at", r.EndsAt, &e.EndsAt}} {
		if field.from.value == nil {
			continue
		}
		t, err := storableTime(field.name, field.from.value)
		if err != nil {
			return e, err
		}
		*field.to = &t
	}
	return e, nil
}

func (h *Handler) deleteSchedule(c *call) error {
	id, err := c.scheduleID()
	if err != nil {
		return err
	}
	match, err := c.ifMatch()
	if err != nil {
		return err
	}
	if err := h.cfg.Schedules.Delete(c.ctx(), c.tenantID(), id, match); err != nil {
		return err
	}
	return c.replyStatus(http.StatusNoContent)
}

func (h *Handler) listSlots(c *call) error {
	id, err := c.scheduleID()
	if err != nil {
		return err
	}
	q, p, err := c.pageQuery()
	if err != nil {
		return err
	}
	found, err := h.cfg.Schedules.Slots(c.ctx(), schedules.SlotQuery{
		TenantID: c.tenantID(), ScheduleID: id, Outcome: schedules.Outcome(q.Get("outcome")),
		Limit: p.limit, Offset: p.offset, Cursor: p.cursor, WantTotal: p.wantTotal(),
	})
	if err != nil {
		return err
	}
	list := slotList{
		Slots: make([]slotBody, len(found.Slots)),
		Total: totalOrNothing(found.Total, p.wantTotal()), NextCursor: textOrNull(found.Next),
	}
	for i, s := range found.Slots {
		list.Slots[i] = slotBodyOf(s)
	}
	return c.reply(http.StatusOK, list)
}

const (
	defaultPreview = 10
	maxPreview     = 500
)

func (h *Handler) previewExpression(c *call, req previewRequest) error {
	spec, err := schedules.Parse(req.CronExpression)
	if err != nil {
		return err
	}
	loc, err := schedules.LoadZone(req.Timezone)
	if err != nil {
		return err
	}
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
		from = h.cfg.Now()
	}
	rules.Anchor = from
	return c.reply(http.StatusOK, previewOf(spec.Describe(req.Timezone), spec.Preview(from, count, loc, rules)))
}

func (h *Handler) previewSchedule(c *call) error {
	id, err := c.scheduleID()
	if err != nil {
		return err
	}
	q, err := c.query()
	if err != nil {
		return err
	}
	count, err := intParam(q, "count", defaultPreview, 1, maxPreview)
	if err != nil {
		return err
	}
	from := h.cfg.Now()
	if q.Has("from") {
		if from, err = time.Parse(time.RFC3339, q.Get("from")); err != nil || from.Year() < 1971 || from.Year() > 9000 {
			return malformed("from must be an RFC 3339 time such as 2026-03-01T00:00:00Z, not %q.", truncate(q.Get("from")))
		}
	}
	description, times, err := h.cfg.Schedules.PreviewStored(c.ctx(), c.tenantID(), id, from, count)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, previewOf(description, times))
}

func (h *Handler) triggerSchedule(c *call, _ because) error {
	id, err := c.scheduleID()
	if err != nil {
		return err
	}
	return c.idempotent(func(o *creation) error {
		_, err := h.cfg.Schedules.Trigger(c.ctx(), c.tenantID(), id, traceOf(c.r), func(run executor.Record) *idempotency.Answer {
			header := map[string]string{"Location": workflowsBase + "/runs/" + run.RunID}
			return o.answer(http.StatusAccepted, header, startedRun{run.RunID})
		})
		return err
	})
}

func (h *Handler) backfillSchedule(c *call, req backfillRequest) error {
	id, err := c.scheduleID()
	if err != nil {
		return err
	}
	ask := schedules.BackfillRequest{TenantID: c.tenantID(), ScheduleID: id, Overlap: req.OverlapPolicy}
	if req.From == nil || req.To == nil {
		return malformed("A backfill needs from and to, two times in the past.")
	}
	if ask.From, err = storableTime("from", req.From); err != nil {
		return err
	}
	if ask.To, err = storableTime("to", req.To); err != nil {
		return err
	}
	if req.Limit != nil {
		if ask.Limit = *req.Limit; ask.Limit == 0 {
			ask.Limit = -1
		}
	}
	return c.idempotent(func(o *creation) error {
		ask.Keep = func(id string, slots int) *idempotency.Answer {
			return o.answer(http.StatusAccepted, nil, backfillBody{id, slots})
		}
		_, _, err := h.cfg.Schedules.Backfill(c.ctx(), ask)
		return err
	})
}
