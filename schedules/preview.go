package schedules

import (
	"fmt"
	"strings"
	"time"
)

// DueTime is one due time of a preview, in its zone. Note explains what a clock
// change moved or left out between the due time before and this one; it is "" on
// all other days. Clash is set by Typical.MarkClashes.
type DueTime struct {
	At    time.Time
	Note  string
	Clash bool
}

// Preview lists the first n due times strictly after from and, unless it is zero, up to upto;
// fewer where the expression has no more.
func (s Spec) Preview(from, upto time.Time, n int, loc *time.Location, r Rules) []DueTime {
	list := []DueTime{}
	for range n {
		at, ok := s.Next(from, loc, r)
		if !ok || !upto.IsZero() && at.After(upto) {
			break
		}
		list = append(list, DueTime{At: at, Note: s.note(from, at, loc, r)})
		from = at
	}
	return list
}

// note explains the clock changes between a due time and the one before it. Each
// change is mentioned at exactly one due time.
func (s *Spec) note(before, at time.Time, loc *time.Location, r Rules) string {
	if s.every > 0 {
		return ""
	}
	var notes []string
	for seg := segmentAt(loc, before.Unix()); seg.end <= at.Unix(); {
		next := seg.next(loc)
		notes = append(notes, s.gapNotes(seg, next, at, loc, r)...)
		seg = next
	}
	if note := s.repeatNote(at, loc, r); note != "" {
		notes = append(notes, note)
	}
	return strings.Join(notes, " ")
}

// gapNotes explains matching local times and whole days that do not exist because
// of the change between two segments.
func (s *Spec) gapNotes(before, after segment, at time.Time, loc *time.Location, r Rules) []string {
	var notes []string
	from, to := before.wallTime(before.end), after.wallTime(after.start)
	for midnight := (from + day - 1).midnight(); midnight+day <= to; midnight += day {
		if s.matchesDate(midnight.days()) {
			notes = append(notes, fmt.Sprintf("%s does not exist in this zone.", midnight.time().Format(time.DateOnly)))
		}
	}
	lost := s.skippedByGap(before, after, loc, 4)
	if len(lost) == 0 {
		return notes
	}
	jump := fmt.Sprintf("%s not exist on %s (clocks go from %s to %s)",
		wallTimesMissing(lost), lost[0].time().Format(time.DateOnly), from.clock(), to.clock())
	if !s.wildcardHour && r.Gap != Skip && at.Unix() == after.start {
		return append(notes, jump+"; moved to the first time after the gap.")
	}
	return append(notes, jump+"; left out.")
}

// repeatNote explains which of two equal local times this is; "" where the local
// time comes once.
func (s *Spec) repeatNote(at time.Time, loc *time.Location, r Rules) string {
	seg := segmentAt(loc, at.Unix())
	w := seg.wallTime(at.Unix())
	all := instants(loc, w)
	if len(all) < 2 || seg.unambiguous(at.Unix()) {
		return ""
	}
	which := "first"
	if all[0] != at.Unix() {
		which = "second"
	}
	note := fmt.Sprintf("%s comes twice on %s; this is the %s", w.clock(), w.time().Format(time.DateOnly), which)
	if !s.wildcardHour && r.Repeat != Both {
		return note + ", the other is left out."
	}
	return note + "."
}

// midnight is the beginning of the day.
func (w wallTime) midnight() wallTime { return wallTime(w.days() * day) }

// clock prints hours and minutes, and seconds where there are any.
func (w wallTime) clock() string {
	if w%minute != 0 {
		return w.time().Format(time.TimeOnly)
	}
	return w.time().Format("15:04")
}

// wallTimesMissing prints "02:00, 02:30 do" or "02:30 does"; of four or more the first
// three.
func wallTimesMissing(list []wallTime) string {
	var texts []string
	for _, w := range list {
		texts = append(texts, w.clock())
	}
	switch {
	case len(texts) == 1:
		return texts[0] + " does"
	case len(texts) > 3:
		return strings.Join(texts[:3], ", ") + " and more do"
	}
	return strings.Join(texts, ", ") + " do"
}
