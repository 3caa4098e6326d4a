package schedules

import (
	"encoding/json"
	"heddle/definitions/workflows"
	"math"
	"time"
)

// Patch is what a request says of a schedule: the body of an edit and, with the
// expression, of a creation. It is the one type for it: the API decodes it, and
// describes it by its tags. Each field stands for one of Schedule; nil leaves that as
// it is. Durations are seconds, and kept to the millisecond.
//
// A field of Schedule that may be edited has one here and a line in applyTo, and is
// refused by Schedule.validate where it can be wrong; a test finds one without.
type Patch struct {
	Expression *string `json:"cron_expression,omitempty" doc:"Five fields, a word such as @daily, or @every with an interval."`
	Timezone   *string `json:"timezone,omitempty" doc:"IANA name; UTC unless one is given."`
	// Input replaces the input as a whole, and is checked against the workflow's schema.
	// null: no input.
	Input       json.RawMessage       `json:"input_data,omitempty"`
	Version     *workflows.VersionRef `json:"version,omitempty" doc:"A number from 1, such as 3 or \"v3\", or a label; \"\" follows the active version."`
	Overlap     *Overlap              `json:"overlap_policy,omitempty" enum:"skip,queue,allow,cancel_running"`
	CatchUp     CatchUpPatch          `json:"catch_up,omitempty"`
	Gap         *Gap                  `json:"dst_gap,omitempty" enum:"shift,skip"`
	Repeat      *Repeat               `json:"dst_repeat,omitempty" enum:"first,last,both"`
	Jitter      *float64              `json:"jitter_seconds,omitempty" doc:"The schedule fires this much later at most, always by the same delay."`
	StartsAt    TimePatch             `json:"starts_at,omitempty"`
	EndsAt      TimePatch             `json:"ends_at,omitempty"`
	Status      *Status               `json:"status,omitempty" enum:"active,paused"`
	PauseReason *string               `json:"pause_reason,omitempty" doc:"Kept while the schedule is paused."`
}

// CatchUpPatch changes some of CatchUp.
type CatchUpPatch struct {
	Policy *CatchUpPolicy `json:"policy,omitempty" enum:"none,latest,all" doc:"Default latest."`
	Window *float64       `json:"window_seconds,omitempty" doc:"How far back missed due times are made up for. Default 3600, at most 2678400."`
	Max    *int           `json:"max,omitempty" doc:"Default 100, at most 1000."`
}

// TimePatch is a time of a Patch. Its zero value leaves the time as it is; in JSON that
// is the absent field, and null clears.
type TimePatch struct{ at *time.Time }

// UnmarshalJSON takes an RFC 3339 time or null.
func (p *TimePatch) UnmarshalJSON(text []byte) error {
	p.at = new(time.Time)
	return json.Unmarshal(text, p.at)
}

// JSONSchema describes what UnmarshalJSON takes.
func (TimePatch) JSONSchema() map[string]any {
	return map[string]any{"type": []string{"string", "null"}, "format": "date-time", "description": "RFC 3339; null clears."}
}

// applyTo sets a time, in UTC and to the millisecond.
func (p TimePatch) applyTo(to *time.Time) {
	if p.at != nil {
		*to = p.at.UTC().Truncate(time.Millisecond)
	}
}

// StorableTime reports whether a time can be kept: it lies in the years 1971 to 9000, or
// is the zero time. Before, it would be stored as 0, which is none.
func StorableTime(t time.Time) bool { return t.IsZero() || t.Year() >= 1971 && t.Year() <= 9000 }

// check refuses what Schedule.validate does not see, since it would be taken for a field that is
// not given: times that cannot be stored and a catch-up of nothing. The error is
// fault.Unacceptable invalid_schedule.
func (p Patch) check() error {
	if m := p.CatchUp.Max; m != nil && *m == 0 {
		return invalidSchedule("/catch_up/max", "catch_up.max must be from 1 to %d; to catch up nothing, set catch_up.policy to none.", MaxCatchUp)
	}
	if w := p.CatchUp.Window; w != nil && *w == 0 {
		return invalidSchedule("/catch_up/window_seconds", "catch_up.window_seconds must be from 1 to %d; to catch up nothing, set catch_up.policy to none.", int(MaxCatchUpWindow.Seconds()))
	}
	for _, field := range []struct {
		name string
		TimePatch
	}{{"starts_at", p.StartsAt}, {"ends_at", p.EndsAt}} {
		if field.at != nil && !StorableTime(*field.at) {
			return invalidSchedule("/"+field.name, "%s must lie in the years 1971 to 9000.", field.name)
		}
	}
	return nil
}

// applyTo returns the schedule with the patch's fields. It is pure. An active schedule has
// no pause reason. What is out of range is for Schedule.validate.
func (p Patch) applyTo(s Schedule) Schedule {
	setIfGiven(&s.Expression, p.Expression)
	setIfGiven(&s.Timezone, p.Timezone)
	setIfGiven(&s.PauseReason, p.PauseReason)
	setIfGiven(&s.Overlap, p.Overlap)
	setIfGiven(&s.CatchUp.Policy, p.CatchUp.Policy)
	setIfGiven(&s.CatchUp.Max, p.CatchUp.Max)
	setSeconds(&s.CatchUp.Window, p.CatchUp.Window)
	setIfGiven(&s.Gap, p.Gap)
	setIfGiven(&s.Repeat, p.Repeat)
	setSeconds(&s.Jitter, p.Jitter)
	p.StartsAt.applyTo(&s.StartsAt)
	p.EndsAt.applyTo(&s.EndsAt)
	if p.Version != nil {
		s.Version = string(*p.Version)
	}
	if p.Input != nil {
		s.Input = p.Input
	}
	if string(s.Input) == "null" {
		s.Input = nil
	}
	setIfGiven(&s.Status, p.Status)
	if s.Status == Active || s.Status == "" { // which is active by default
		s.PauseReason = ""
	}
	return s
}

// edit is applyTo for a stored schedule: one that had ended is active again unless the
// patch says otherwise, since it may have new due times.
func (p Patch) edit(s Schedule) Schedule {
	if s.Status == Ended {
		s.Status = Active
	}
	return p.applyTo(s)
}

// setIfGiven copies a value that is not nil.
func setIfGiven[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// maxSeconds keeps a number of seconds within a duration: about 31 years, more than any
// field allows.
const maxSeconds = 1e9

// setSeconds sets a duration from seconds that are not nil, to the millisecond. What is
// out of every range becomes -1 ns, which no field allows.
func setSeconds(to *time.Duration, seconds *float64) {
	switch {
	case seconds == nil:
	case math.IsNaN(*seconds) || math.Abs(*seconds) > maxSeconds:
		*to = -1
	default:
		*to = time.Duration(*seconds * float64(time.Second)).Round(time.Millisecond)
	}
}
