package scheduling

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/schedules"
	"net/http"
	"net/url"
	"time"
)

// calendarList is a page of calendars.
type calendarList struct {
	// From and To are dates, both included.
	From       string             `json:"from"`
	To         string             `json:"to"`
	Calendars  []scheduleCalendar `json:"calendars" doc:"One for each schedule of the page; a page may be short although more follow."`
	NextCursor *string            `json:"next_cursor" doc:"Null on the last page."`
}

// scheduleCalendar is what became of a schedule's due times by day, and what is due.
type scheduleCalendar struct {
	ScheduleID     string            `json:"schedule_id"`
	Workflow       scheduledWorkflow `json:"workflow"`
	CronExpression string            `json:"cron_expression"`
	Timezone       string            `json:"timezone" doc:"The zone that the days are of."`
	Status         schedules.Status  `json:"status" enum:"active,paused,ended"`
	Days           []calendarDay     `json:"days" doc:"In their order, and only those on which something was or is due."`
	// Capped is of a long ledger: a page reads 100,000 lines, shared by its schedules.
	Capped       bool            `json:"capped" doc:"The ledger has more lines than were read: outcomes before counted_since are not counted."`
	CountedSince *core.Timestamp `json:"counted_since" doc:"The first due time that was counted, where capped; else null."`
}

// calendarDay counts the due times of a day by outcome; due are those to come.
type calendarDay struct {
	Date     string      `json:"date"`
	Outcomes dayOutcomes `json:"outcomes"`
	Due      int         `json:"due" doc:"Due times to come, if the schedule stays as it is."`
}

// dayOutcomes counts due times, those of triggers and backfills too.
type dayOutcomes struct {
	Fired     int `json:"fired"`
	Late      int `json:"late"`
	CaughtUp  int `json:"caught_up"`
	Coalesced int `json:"coalesced"`
	Skipped   int `json:"skipped"`
	Waiting   int `json:"waiting"`
}

// calendarRoute returns the route of the calendar; filters are those of lists.
func (h *handlers) calendarRoute(path string, filters []core.Param) core.Route {
	return core.Route{
		Method: http.MethodGet, Path: path, ID: "getScheduleCalendar", Tag: "schedules",
		Summary: "Count by day what became of schedules' due times, and what is due", Action: access.View, On: core.FilteredByAccess,
		Query: append([]core.Param{
			{Name: "from", Required: true, Description: "A date such as 2026-03-01, in the zone of each schedule."},
			{Name: "to", Required: true, Description: "A date, included, at most 400 days in all."},
			{Name: "schedule", Description: "Only this schedule, by its id."},
			{Name: "workflow", Description: "Only schedules of this workflow, by id or slug."},
		}, filters...),
		Answers: core.OK(calendarList{}), Codes: []string{"workflow_not_found"},
	}.Handle(core.NoBody(h.getCalendar))
}

// maxCalendars is how many schedules a page of the calendar has at most.
const maxCalendars = 100

// getCalendar counts the due times of schedules that the caller may view.
func (h *handlers) getCalendar(c *core.Call) error {
	q, p, err := c.PageQueryUpTo(maxCalendars)
	if err != nil {
		return err
	}
	ask := schedules.CalendarQuery{}
	if ask.Query, err = h.scheduleQuery(c, q, p); err != nil {
		return err
	}
	ask.ScheduleID = q.Get("schedule")
	if ask.From, err = dateParam(q, "from"); err != nil {
		return err
	}
	if ask.To, err = dateParam(q, "to"); err != nil {
		return err
	}
	found, err := h.Schedules.Calendar(c.Ctx(), ask)
	if err != nil {
		return err
	}
	list := calendarList{
		From: ask.From.Format(time.DateOnly), To: ask.To.Format(time.DateOnly),
		Calendars: make([]scheduleCalendar, len(found.Calendars)), NextCursor: core.TextOrNull(found.Next),
	}
	for i, of := range found.Calendars {
		list.Calendars[i] = calendarOf(of)
	}
	return c.Reply(http.StatusOK, list)
}

// calendarOf returns a calendar as answers show it.
func calendarOf(of schedules.Calendar) scheduleCalendar {
	s := of.Schedule
	b := scheduleCalendar{
		ScheduleID: s.ID, Workflow: scheduledWorkflow(of.Workflow), CronExpression: s.Expression, Timezone: s.Timezone, Status: s.Status,
		Days: make([]calendarDay, len(of.Days)), Capped: !of.CountedSince.IsZero(), CountedSince: core.TimestampOrNil(of.CountedSince),
	}
	for i, d := range of.Days {
		n := d.Outcomes
		b.Days[i] = calendarDay{d.Date.Format(time.DateOnly), dayOutcomes{
			n[schedules.Fired], n[schedules.Late], n[schedules.CaughtUp], n[schedules.Coalesced], n[schedules.Skipped], n[schedules.Waiting],
		}, d.Due}
	}
	return b
}

// dateParam reads a date of the years 1971 to 9000, as midnight of UTC. The error is
// fault.Malformed invalid_request.
func dateParam(q url.Values, name string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, q.Get(name))
	if err != nil || t.Year() < 1971 || t.Year() > 9000 {
		return time.Time{}, core.Malformed("%s must be a date such as 2026-03-01, not %q.", name, core.Truncate(q.Get(name)))
	}
	return t, nil
}
