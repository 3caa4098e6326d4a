package scheduling

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/schedules"
	"time"
)

// scheduleBody is a schedule as every answer shows it. Null times: no bound, none due, never
// fired.
type scheduleBody struct {
	ID string `json:"id"`
	// WorkflowID is the id, also where the request named the slug.
	WorkflowID string `json:"workflow_id"`
	// CronExpression is as it was written, but for an @every, which is in Go's form.
	CronExpression string `json:"cron_expression"`
	Description    string `json:"description" doc:"The expression in plain words."`
	// Timezone is the zone in which the expression is read; UTC unless one was given.
	Timezone string `json:"timezone" doc:"IANA name."`
	// InputData is what each run receives; null: an empty object.
	InputData json.RawMessage  `json:"input_data"`
	Version   *string          `json:"version" doc:"Null: the active version at each due time."`
	Status    schedules.Status `json:"status" enum:"active,paused,ended"`
	// PauseReason says why it is paused; null where no reason was given.
	PauseReason *string `json:"pause_reason"`
	// PausedBy and PausedAt are kept with the pause.
	PausedBy *core.ActorBody `json:"paused_by" doc:"Who paused it; null while it is not paused, or where it was not noted."`
	PausedAt *core.Timestamp `json:"paused_at"`
	// OverlapPolicy says what becomes of a due time while an earlier run is open.
	OverlapPolicy schedules.Overlap `json:"overlap_policy" enum:"skip,queue,allow,cancel_running"`
	CatchUp       catchUpBody       `json:"catch_up"`
	// DSTGap and DSTRepeat say what becomes of local times that a change of the clock skips or
	// repeats.
	DSTGap    schedules.Gap    `json:"dst_gap" enum:"shift,skip"`
	DSTRepeat schedules.Repeat `json:"dst_repeat" enum:"first,last,both"`
	// JitterSeconds bounds the delay of the schedule, which is the same each time.
	JitterSeconds float64 `json:"jitter_seconds"`
	// StartsAt and EndsAt bound its due times; null: no bound.
	StartsAt *core.Timestamp `json:"starts_at"`
	EndsAt   *core.Timestamp `json:"ends_at"`
	// NextRunAt is null while it is paused, and once no due time is left.
	NextRunAt    *core.Timestamp `json:"next_run_at" doc:"The next due time; null when none is."`
	NextRunLocal *string         `json:"next_run_local" doc:"The same in the schedule's zone."`
	// LastRunAt is when it last fired or was triggered; null: not yet.
	LastRunAt *core.Timestamp `json:"last_run_at"`
	CreatedAt core.Timestamp  `json:"created_at"`
	// UpdatedAt is when it was last edited; firing does not change it.
	UpdatedAt core.Timestamp `json:"updated_at"`
	core.Rights
}

// catchUpBody says what becomes of due times that were missed: how far back, in seconds, and how
// many at most.
type catchUpBody struct {
	Policy        schedules.CatchUpPolicy `json:"policy" enum:"none,latest,all"`
	WindowSeconds float64                 `json:"window_seconds"`
	// Max is how many missed due times are made up for at most.
	Max int `json:"max"`
}

// createSchedule is a request for a schedule; every field but the expression has a default.
type createSchedule struct {
	schedules.Patch `required:"cron_expression"`
}

// updateSchedule changes a schedule: what is left out stays.
type updateSchedule struct {
	core.Because
	schedules.Patch
}

// createdSchedule answers the creation of a schedule; it is what a repeated request receives too.
type createdSchedule struct {
	ScheduleID string `json:"schedule_id"`
	// Schedule has its first due time already.
	Schedule scheduleBody `json:"schedule"`
}

// scheduleAnswer is the answer that holds one schedule.
type scheduleAnswer struct {
	Schedule scheduleBody `json:"schedule"`
}

// listedSchedule is a schedule in a list, with how it goes.
type listedSchedule struct {
	scheduleBody
	Workflow scheduledWorkflow `json:"workflow"`
	LastSlot *lastSlot         `json:"last_slot" doc:"What became of the latest due time; null before the first."`
}

// scheduledWorkflow names the workflow of a schedule, as it is now.
type scheduledWorkflow struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// lastSlot is the line of a schedule's latest due time.
type lastSlot struct {
	DueAt     core.Timestamp    `json:"due_at"`
	Outcome   schedules.Outcome `json:"outcome" enum:"fired,late,caught_up,coalesced,skipped,waiting"`
	Reason    *string           `json:"reason"`
	RunID     *string           `json:"run_id"`
	RunStatus *string           `json:"run_status" doc:"The status of the run as it is now, as lists of runs have it; null without a run, or where it was deleted."`
}

// scheduleList is a page of schedules.
type scheduleList struct {
	Schedules []listedSchedule `json:"schedules" doc:"A page may be short, or empty, although more follow: filters without an index of their own look at 1,000 schedules for a page."`
	// Total counts all pages.
	Total      *int    `json:"total,omitempty" doc:"Left out with a cursor, and with q, health, or a workflow beside status or order."`
	NextCursor *string `json:"next_cursor" doc:"Null on the last page."`
}

// slotBody is a line of the ledger: what became of one due time, or of several in a row that have
// the same outcome.
type slotBody struct {
	DueAt core.Timestamp `json:"due_at"`
	// Until and Count are of a line that stands for several due times in a row.
	Until   core.Timestamp    `json:"until" doc:"The last of the due times that the line stands for; due_at where it is one."`
	Count   int               `json:"count" doc:"How many due times the line stands for."`
	Outcome schedules.Outcome `json:"outcome" enum:"fired,late,caught_up,coalesced,skipped,waiting"`
	// Reason says more about the outcome; null where there is nothing to say.
	Reason *string `json:"reason"`
	Origin string  `json:"origin" doc:"schedule, trigger:<run id> or backfill:<id>."`
	// RunID is the run that was started; null where none was.
	RunID *string `json:"run_id"`
	// RunStatus and DurationSeconds are those of the run as it is now.
	RunStatus       *string  `json:"run_status" doc:"The status of the run as it is now, as lists of runs have it; null without one, or where it was deleted."`
	DurationSeconds *float64 `json:"duration_seconds" doc:"Of the run, from its start to its end; null until it has ended."`
	// DecidedAt is when the outcome was decided.
	DecidedAt core.Timestamp `json:"decided_at"`
}

// slotList is a page of the ledger, latest due time first.
type slotList struct {
	Slots      []slotBody `json:"slots"`
	Total      *int       `json:"total,omitempty" doc:"Of the lines; left out with a cursor."`
	NextCursor *string    `json:"next_cursor" doc:"Null on the last page."`
}

// previewRequest is an expression that is not stored.
type previewRequest struct {
	CronExpression string     `json:"cron_expression"`
	Timezone       string     `json:"timezone,omitempty"`
	From           *time.Time `json:"from,omitempty" doc:"Times strictly after this; default now."`
	To             *time.Time `json:"to,omitempty" doc:"Times up to this; default: none."`
	Count          *int       `json:"count,omitempty" doc:"1 to 500, default 10."`
	Against        string     `json:"against,omitempty" doc:"A workflow, by id or slug: due times at which its run before would still be open are marked, if it takes as long as its runs did lately."`
	// DSTGap and DSTRepeat have the defaults of a schedule when they are "".
	DSTGap    schedules.Gap    `json:"dst_gap,omitempty" enum:"shift,skip"`
	DSTRepeat schedules.Repeat `json:"dst_repeat,omitempty" enum:"first,last,both"`
}

// dueTimes is a preview: the expression in words, and due times in their order.
type dueTimes struct {
	// Description is the expression in plain words, in English.
	Description string    `json:"description"`
	Times       []dueTime `json:"times"`
	// Overlap is what against asked for.
	Overlap *expectedRuns `json:"overlap,omitempty" doc:"With against: how long runs are expected to take, and how many due times clash with that."`
}

// expectedRuns is how long the runs of a workflow took in the last seven days.
type expectedRuns struct {
	P95Seconds *float64 `json:"p95_seconds" doc:"What 95 of a hundred runs did not exceed, to within a factor of 1.8; null: none ended."`
	Runs       int64    `json:"runs" doc:"How many runs that is of."`
	Clashes    int      `json:"clashes" doc:"How many due times come before a run of that length would have ended."`
}

// dueTime is one due time, in UTC and in the schedule's zone.
type dueTime struct {
	// At is the due time in UTC, and Local the same with its zone's offset.
	At    core.Timestamp `json:"at"`
	Local string         `json:"local"`
	Note  *string        `json:"note,omitempty" doc:"Where a change of the clock moved or dropped something."`
	Clash bool           `json:"clash,omitempty" doc:"With against: the run of the due time before would still be open."`
}

// backfillRequest is a range of past due times to run. From and To are required.
type backfillRequest struct {
	core.Because
	// From is excluded and To included; nil is refused.
	From          *time.Time        `json:"from"`
	To            *time.Time        `json:"to"`
	OverlapPolicy schedules.Overlap `json:"overlap_policy,omitempty" enum:"queue,allow" doc:"One after another (default) or all at once."`
	Limit         *int              `json:"limit,omitempty" doc:"Most due times that are accepted: 1 to 1000, default 100."`
}

// backfillBody answers a backfill.
type backfillBody struct {
	// BackfillID is in the origin of its slots: backfill:<id>.
	BackfillID string `json:"backfill_id"`
	// Slots are stored when the request is answered; their runs may not have begun.
	Slots int `json:"slots" doc:"How many due times there are; the ledger shows what becomes of them."`
}

// backfillPreview is what a backfill would run.
type backfillPreview struct {
	DryRun   bool          `json:"dry_run"`
	Slots    int           `json:"slots" doc:"How many due times there are."`
	Ran      int           `json:"ran" doc:"How many of them have a run already; a backfill runs them again."`
	DueTimes []backfillDue `json:"due_times" doc:"Oldest first, as they would run."`
}

// backfillDue is a due time that a backfill would run, with what the ledger has of it.
type backfillDue struct {
	At        core.Timestamp     `json:"at"`
	Local     string             `json:"local"`
	Ran       bool               `json:"ran" doc:"A run was started for it."`
	Outcome   *schedules.Outcome `json:"outcome" doc:"Of the ledger; null where it has no line."`
	RunID     *string            `json:"run_id"`
	RunStatus *string            `json:"run_status" doc:"The status of the run as it is now, as lists of runs have it; null without a run, or where it was deleted."`
}

// local returns a time in RFC 3339 with the offset of its zone, to the second.
func local(t time.Time) string { return t.Format(time.RFC3339) }

// scheduleBodyOf returns a schedule as answers show it. An expression or a zone that can no
// longer be read, as after an update of the zones, leaves its description or local time out.
func scheduleBodyOf(c *core.Call, s schedules.Schedule) scheduleBody {
	b := scheduleBody{
		ID: s.ID, WorkflowID: s.WorkflowID, CronExpression: s.Expression, Timezone: s.Timezone, InputData: s.Input,
		Version: core.TextOrNull(s.Version), Status: s.Status, PauseReason: core.TextOrNull(s.PauseReason),
		PausedBy: core.ActorOf(s.PausedBy), PausedAt: core.TimestampOrNil(s.PausedAt), OverlapPolicy: s.Overlap,
		CatchUp: catchUpBody{s.CatchUp.Policy, s.CatchUp.Window.Seconds(), s.CatchUp.Max},
		DSTGap:  s.Gap, DSTRepeat: s.Repeat, JitterSeconds: s.Jitter.Seconds(),
		StartsAt: core.TimestampOrNil(s.StartsAt), EndsAt: core.TimestampOrNil(s.EndsAt), NextRunAt: core.TimestampOrNil(s.NextDue), LastRunAt: core.TimestampOrNil(s.LastRunAt),
		CreatedAt: core.Timestamp(s.CreatedAt), UpdatedAt: core.Timestamp(s.UpdatedAt), Rights: c.RightsOn(s.WorkflowID),
	}
	if b.InputData == nil {
		b.InputData = json.RawMessage("null")
	}
	if spec, err := schedules.Parse(s.Expression); err == nil {
		b.Description = spec.Describe(s.Timezone)
	}
	if loc, err := schedules.LoadZone(s.Timezone); err == nil && !s.NextDue.IsZero() {
		b.NextRunLocal = core.TextOrNull(local(s.NextDue.In(loc)))
	}
	return b
}

// slotBodyOf returns a line of the ledger as answers show it.
func slotBodyOf(s schedules.Slot, runs map[string]schedules.SlotRun) slotBody {
	b := slotBody{
		DueAt: core.Timestamp(s.Due), Until: core.Timestamp(s.Until), Count: s.Count, Outcome: s.Outcome, Reason: core.TextOrNull(s.Reason),
		Origin: s.Origin, RunID: core.TextOrNull(s.RunID), DecidedAt: core.Timestamp(s.At),
	}
	b.RunStatus, b.DurationSeconds = runStatusOf(s, runs)
	return b
}

// runStatusOf returns the word for the state of a line's run, and how long it took; nil where
// there is none.
func runStatusOf(s schedules.Slot, runs map[string]schedules.SlotRun) (*string, *float64) {
	run, ok := runs[s.RunID]
	if !ok {
		return nil, nil
	}
	return core.TextOrNull(core.WordsOf(run.State).Workflows), core.Seconds(run.StartedAt, run.CompletedAt)
}

// listedScheduleOf returns a schedule as lists show it.
func listedScheduleOf(c *core.Call, s schedules.Schedule, o schedules.Overview, runs map[string]schedules.SlotRun) listedSchedule {
	b := listedSchedule{scheduleBody: scheduleBodyOf(c, s), Workflow: scheduledWorkflow(o.Workflow)}
	if o.Last != nil {
		b.LastSlot = &lastSlot{DueAt: core.Timestamp(o.Last.Due), Outcome: o.Last.Outcome, Reason: core.TextOrNull(o.Last.Reason), RunID: core.TextOrNull(o.Last.RunID)}
		b.LastSlot.RunStatus, _ = runStatusOf(*o.Last, runs)
	}
	return b
}

// previewOf returns due times in their order, with the zone that each has.
func previewOf(description string, times []schedules.DueTime, expected *expectedRuns) dueTimes {
	b := dueTimes{Description: description, Times: make([]dueTime, len(times)), Overlap: expected}
	for i, t := range times {
		b.Times[i] = dueTime{At: core.Timestamp(t.At), Local: local(t.At), Note: core.TextOrNull(t.Note), Clash: t.Clash}
	}
	return b
}

// backfillPreviewOf returns what a backfill would run.
func backfillPreviewOf(p schedules.BackfillPreview) backfillPreview {
	b := backfillPreview{DryRun: true, Slots: len(p.Due), DueTimes: make([]backfillDue, len(p.Due))}
	for i, d := range p.Due {
		due := backfillDue{At: core.Timestamp(d.At), Local: local(d.At)}
		if d.Line != nil {
			due.Outcome, due.RunID = &d.Line.Outcome, core.TextOrNull(d.Line.RunID)
			due.RunStatus, _ = runStatusOf(*d.Line, p.Runs)
			if due.Ran = d.Line.RunID != ""; due.Ran {
				b.Ran++
			}
		}
		b.DueTimes[i] = due
	}
	return b
}
