package client

import (
	"encoding/json"
	"time"
)

// SchedulePatch is what a request says of a schedule: the body of an edit and, with the
// expression, of a creation.
type SchedulePatch struct {
	// Five fields, a word such as @daily, or @every with an interval.
	Expression *string `json:"cron_expression,omitempty"`
	// IANA name; UTC unless one is given.
	Timezone *string         `json:"timezone,omitempty"`
	Input    json.RawMessage `json:"input_data,omitempty"`
	// A number from 1, such as 3 or "v3", or a label; "" follows the active version.
	Version *VersionRef `json:"version,omitempty"`
	// One of skip, queue, allow, cancel_running.
	Overlap *string       `json:"overlap_policy,omitempty"`
	CatchUp *CatchUpPatch `json:"catch_up,omitempty"`
	// One of shift, skip.
	Gap *string `json:"dst_gap,omitempty"`
	// One of first, last, both.
	Repeat *string `json:"dst_repeat,omitempty"`
	// The schedule fires this much later at most, always by the same delay.
	Jitter   *float64            `json:"jitter_seconds,omitempty"`
	StartsAt Optional[time.Time] `json:"starts_at,omitzero"`
	EndsAt   Optional[time.Time] `json:"ends_at,omitzero"`
	// One of active, paused.
	Status *string `json:"status,omitempty"`
	// Kept while the schedule is paused.
	PauseReason *string `json:"pause_reason,omitempty"`
}

// CatchUpPatch changes some of CatchUp.
type CatchUpPatch struct {
	// Default latest.
	Policy *string `json:"policy,omitempty"`
	// How far back missed due times are made up for. Default 3600, at most 2678400.
	Window *float64 `json:"window_seconds,omitempty"`
	// Default 100, at most 1000.
	Max *int `json:"max,omitempty"`
}

// Schedule is a schedule as every answer shows it.
type Schedule struct {
	ID             string `json:"id"`
	WorkflowID     string `json:"workflow_id"`
	CronExpression string `json:"cron_expression"`
	// The expression in plain words.
	Description string `json:"description"`
	// IANA name.
	Timezone  string          `json:"timezone"`
	InputData json.RawMessage `json:"input_data"`
	// Null: the active version at each due time.
	Version *string `json:"version"`
	// One of active, paused, ended.
	Status      string  `json:"status"`
	PauseReason *string `json:"pause_reason"`
	// Who paused it; null while it is not paused, or where it was not noted.
	PausedBy *Actor     `json:"paused_by"`
	PausedAt *time.Time `json:"paused_at"`
	// One of skip, queue, allow, cancel_running.
	OverlapPolicy string  `json:"overlap_policy"`
	CatchUp       CatchUp `json:"catch_up"`
	// One of shift, skip.
	DSTGap string `json:"dst_gap"`
	// One of first, last, both.
	DSTRepeat     string     `json:"dst_repeat"`
	JitterSeconds float64    `json:"jitter_seconds"`
	StartsAt      *time.Time `json:"starts_at"`
	EndsAt        *time.Time `json:"ends_at"`
	// The next due time; null when none is.
	NextRunAt *time.Time `json:"next_run_at"`
	// The same in the schedule's zone.
	NextRunLocal *string    `json:"next_run_local"`
	LastRunAt    *time.Time `json:"last_run_at"`
	CreatedAt    time.Time  `json:"created_at"`
	UpdatedAt    time.Time  `json:"updated_at"`
	// Can lists the actions that the caller may take.
	Can []string `json:"can"`
}

// CatchUp says what becomes of due times that were missed: how far back, in seconds, and how many
// at most.
type CatchUp struct {
	// One of none, latest, all.
	Policy        string  `json:"policy"`
	WindowSeconds float64 `json:"window_seconds"`
	Max           int     `json:"max"`
}

// ListedSchedule is a schedule in a list, with how it goes.
type ListedSchedule struct {
	Schedule
	Workflow ScheduledWorkflow `json:"workflow"`
	// What became of the latest due time; null before the first.
	LastSlot *LastSlot `json:"last_slot"`
}

// ScheduledWorkflow names the workflow of a schedule, as it is now.
type ScheduledWorkflow struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// LastSlot is the line of a schedule's latest due time.
type LastSlot struct {
	DueAt time.Time `json:"due_at"`
	// One of fired, late, caught_up, coalesced, skipped, waiting.
	Outcome string  `json:"outcome"`
	Reason  *string `json:"reason"`
	RunID   *string `json:"run_id"`
	// The status of the run as it is now, as lists of runs have it; null without a run, or where
	// it was deleted.
	RunStatus *string `json:"run_status"`
}

// Slot is a line of the ledger: what became of one due time, or of several in a row that have the
// same outcome.
type Slot struct {
	DueAt time.Time `json:"due_at"`
	// The last of the due times that the line stands for; due_at where it is one.
	Until time.Time `json:"until"`
	// How many due times the line stands for.
	Count int `json:"count"`
	// One of fired, late, caught_up, coalesced, skipped, waiting.
	Outcome string  `json:"outcome"`
	Reason  *string `json:"reason"`
	// Schedule, trigger:<run id> or backfill:<id>.
	Origin string  `json:"origin"`
	RunID  *string `json:"run_id"`
	// The status of the run as it is now, as lists of runs have it; null without one, or where it
	// was deleted.
	RunStatus *string `json:"run_status"`
	// Of the run, from its start to its end; null until it has ended.
	DurationSeconds *float64  `json:"duration_seconds"`
	DecidedAt       time.Time `json:"decided_at"`
}

// PreviewSchedule is an expression that is not stored.
type PreviewSchedule struct {
	CronExpression string `json:"cron_expression"`
	Timezone       string `json:"timezone,omitempty"`
	// Times strictly after this; default now.
	From *time.Time `json:"from,omitempty"`
	// Times up to this; default: none.
	To *time.Time `json:"to,omitempty"`
	// 1 to 500, default 10.
	Count *int `json:"count,omitempty"`
	// A workflow, by id or slug: due times at which its run before would still be open are marked,
	// if it takes as long as its runs did lately.
	Against string `json:"against,omitempty"`
	// One of shift, skip.
	DSTGap string `json:"dst_gap,omitempty"`
	// One of first, last, both.
	DSTRepeat string `json:"dst_repeat,omitempty"`
}

// DueTimes is a preview: the expression in words, and due times in their order.
type DueTimes struct {
	Description string    `json:"description"`
	Times       []DueTime `json:"times"`
	// With against: how long runs are expected to take, and how many due times clash with that.
	Overlap *ExpectedRuns `json:"overlap,omitempty"`
}

// ExpectedRuns is how long the runs of a workflow took in the last seven days.
type ExpectedRuns struct {
	// What 95 of a hundred runs did not exceed, to within a factor of 1.8; null: none ended.
	P95Seconds *float64 `json:"p95_seconds"`
	// How many runs that is of.
	Runs int64 `json:"runs"`
	// How many due times come before a run of that length would have ended.
	Clashes int `json:"clashes"`
}

// DueTime is one due time, in UTC and in the schedule's zone.
type DueTime struct {
	At    time.Time `json:"at"`
	Local string    `json:"local"`
	// Where a change of the clock moved or dropped something.
	Note *string `json:"note,omitempty"`
	// With against: the run of the due time before would still be open.
	Clash bool `json:"clash,omitempty"`
}

// BackfillSchedule is a range of past due times to run.
type BackfillSchedule struct {
	// Reason is kept in the audit trail and the history.
	Reason string     `json:"reason,omitempty"`
	From   *time.Time `json:"from"`
	To     *time.Time `json:"to"`
	// One after another (default) or all at once.
	OverlapPolicy string `json:"overlap_policy,omitempty"`
	// Most due times that are accepted: 1 to 1000, default 100.
	Limit *int `json:"limit,omitempty"`
}

// Backfill answers a backfill.
type Backfill struct {
	BackfillID string `json:"backfill_id"`
	// How many due times there are; the ledger shows what becomes of them.
	Slots int `json:"slots"`
}

// BackfillPreview is what a backfill would run.
type BackfillPreview struct {
	DryRun bool `json:"dry_run"`
	// How many due times there are.
	Slots int `json:"slots"`
	// How many of them have a run already; a backfill runs them again.
	Ran int `json:"ran"`
	// Oldest first, as they would run.
	DueTimes []BackfillDue `json:"due_times"`
}

// BackfillDue is a due time that a backfill would run, with what the ledger has of it.
type BackfillDue struct {
	At    time.Time `json:"at"`
	Local string    `json:"local"`
	// A run was started for it.
	Ran bool `json:"ran"`
	// Of the ledger; null where it has no line.
	Outcome *string `json:"outcome"`
	RunID   *string `json:"run_id"`
	// The status of the run as it is now, as lists of runs have it; null without a run, or where
	// it was deleted.
	RunStatus *string `json:"run_status"`
}

// ScheduleCalendar is what became of a schedule's due times by day, and what is due.
type ScheduleCalendar struct {
	ScheduleID     string            `json:"schedule_id"`
	Workflow       ScheduledWorkflow `json:"workflow"`
	CronExpression string            `json:"cron_expression"`
	// The zone that the days are of.
	Timezone string `json:"timezone"`
	// One of active, paused, ended.
	Status string `json:"status"`
	// In their order, and only those on which something was or is due.
	Days []CalendarDay `json:"days"`
	// The ledger has more lines than were read: outcomes before counted_since are not counted.
	Capped bool `json:"capped"`
	// The first due time that was counted, where capped; else null.
	CountedSince *time.Time `json:"counted_since"`
}

// CalendarDay counts the due times of a day by outcome; due are those to come.
type CalendarDay struct {
	Date     string      `json:"date"`
	Outcomes DayOutcomes `json:"outcomes"`
	// Due times to come, if the schedule stays as it is.
	Due int `json:"due"`
}

// DayOutcomes counts due times, those of triggers and backfills too.
type DayOutcomes struct {
	Fired     int `json:"fired"`
	Late      int `json:"late"`
	CaughtUp  int `json:"caught_up"`
	Coalesced int `json:"coalesced"`
	Skipped   int `json:"skipped"`
	Waiting   int `json:"waiting"`
}
