package schedules_test

import (
	"fmt"
	"heddle/schedules"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// cronFields are an expression's fields as sets; nil stands for *.
type cronFields struct {
	minutes, hours, days, months, weekdays []int
	wild                                   bool // a / in the hour
}

func (f cronFields) String() string {
	texts := []string{words(f.minutes), words(f.hours), words(f.days), words(f.months), words(f.weekdays)}
	if f.wild {
		texts[1] = "*/3"
	}
	return strings.Join(texts, " ")
}

func words(set []int) string {
	if set == nil {
		return "*"
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(set), " ", ","), "[]")
}

func (f cronFields) elapsed() bool { return f.hours == nil || f.wild }

func in(set []int, v int) bool { return set == nil || slices.Contains(set, v) }

func (f cronFields) matches(shown time.Time) bool {
	day := in(f.days, shown.Day()) && in(f.weekdays, int(shown.Weekday()))
	if f.days != nil && f.weekdays != nil {
		day = in(f.days, shown.Day()) || in(f.weekdays, int(shown.Weekday()))
	}
	return in(f.minutes, shown.Minute()) && in(f.hours, shown.Hour()) && in(f.months, int(shown.Month())) && day
}

// oracle lists the due times between two instants the slow way: it looks at a
// local clock every minute, and at every local time that there could be.
func oracle(f cronFields, from, to time.Time, loc *time.Location, r schedules.Rules) []time.Time {
	shownAt, days := map[time.Time][]time.Time{}, map[string]bool{}
	var due []time.Time
	start, end := from.Add(-72*time.Hour), to.Add(72*time.Hour)
	for at := start; at.Before(end); at = at.Add(time.Minute) {
		shown := showing(at, loc)
		shownAt[shown] = append(shownAt[shown], at)
		days[shown.Format(time.DateOnly)] = true
	}
	for shown := showing(start, loc).Add(24 * time.Hour); shown.Before(showing(end, loc).Add(-24 * time.Hour)); shown = shown.Add(time.Minute) {
		all := shownAt[shown]
		switch {
		case !f.matches(shown):
		case f.elapsed() || r.Repeat == schedules.Both && len(all) > 0:
			due = append(due, all...)
		case len(all) > 0 && r.Repeat == schedules.Last:
			due = append(due, all[len(all)-1])
		case len(all) > 0:
			due = append(due, all[0])
		case r.Gap != schedules.Skip && days[shown.Format(time.DateOnly)]:
			due = append(due, firstAfterGap(start, shown, loc))
		}
	}
	slices.SortFunc(due, time.Time.Compare)
	due = slices.CompactFunc(due, time.Time.Equal)
	return slices.DeleteFunc(due, func(at time.Time) bool { return !at.After(from) || at.After(to) })
}

// firstAfterGap looks for the instant before which the clock showed less than
// the lost time, and from which it shows more.
func firstAfterGap(at, lost time.Time, loc *time.Location) time.Time {
	for !(showing(at.Add(-time.Minute), loc).Before(lost) && showing(at, loc).After(lost)) {
		at = at.Add(time.Minute)
	}
	return at
}

// turns lists instants since 1980 at which clocks changed in the zone.
func turns(loc *time.Location) []time.Time {
	var list []time.Time
	for at := time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC); ; {
		_, end := at.In(loc).ZoneBounds()
		if end.IsZero() || end.Year() > 2040 {
			return list
		}
		if !end.After(at) {
			end = at.Add(24 * time.Hour)
			at = end
			continue
		}
		list = append(list, end.UTC().Truncate(time.Minute))
		at = end
	}
}

func TestNextAgreesWithASlowOracle(t *testing.T) {
	zones := schedules.Zones()
	subset := func(rt *rapid.T, name string, low, high, most int) []int {
		if rapid.Bool().Draw(rt, name+" any") {
			return nil
		}
		set := rapid.SliceOfNDistinct(rapid.IntRange(low, high), 1, most, rapid.ID[int]).Draw(rt, name)
		slices.Sort(set)
		return set
	}
	rapid.Check(t, func(rt *rapid.T) {
		loc := zone(t, rapid.SampledFrom(zones).Draw(rt, "zone"))
		at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		if list := turns(loc); len(list) > 0 {
			at = rapid.SampledFrom(list).Draw(rt, "change")
		}
		f := cronFields{
			minutes: subset(rt, "minute", 0, 59, 5), hours: subset(rt, "hour", 0, 23, 6),
			days: subset(rt, "day", 1, 31, 10), weekdays: subset(rt, "weekday", 0, 6, 3),
		}
		if rapid.IntRange(0, 5).Draw(rt, "step") == 0 {
			f.hours, f.wild = []int{0, 3, 6, 9, 12, 15, 18, 21}, true
		}
		r := schedules.Rules{
			Gap:    rapid.SampledFrom([]schedules.Gap{"", schedules.Shift, schedules.Skip}).Draw(rt, "gap"),
			Repeat: rapid.SampledFrom([]schedules.Repeat{"", schedules.First, schedules.Last, schedules.Both}).Draw(rt, "repeat"),
		}
		from := at.Add(time.Duration(rapid.IntRange(-2880, 60).Draw(rt, "minutes")) * time.Minute)
		to := from.Add(50 * time.Hour)
		want := oracle(f, from, to, loc, r)
		s, err := schedules.Parse(f.String())
		if err != nil {
			rt.Fatal(err)
		}
		var got []time.Time
		for next, ok := s.Next(from, loc, r); ok && !next.After(to); next, ok = s.Next(next, loc, r) {
			got = append(got, next.UTC())
		}
		if !slices.EqualFunc(got, want, time.Time.Equal) {
			rt.Fatalf("%s in %s from %s: got\n%v\nwant\n%v", f, loc, from, got, want)
		}
		if n := s.Count(from, to, loc, r); n != len(want) {
			rt.Fatalf("%s in %s from %s: count %d of %d", f, loc, from, n, len(want))
		}
	})
}

func FuzzNext(f *testing.F) {
	for _, e := range []string{"0 2 * * *", "*/15 * * * *", "0 0 29 2 *", "@every 1h", "0 0 * * 5-7", "TZ=UTC", "* * * * * *", "5-7/2 1,2 L * #", "@every -1s"} {
		f.Add(e, int64(1772953200), uint16(7), uint8(0))
	}
	zones := schedules.Zones()
	f.Fuzz(func(t *testing.T, expression string, unix int64, place uint16, rule uint8) {
		s, err := schedules.Parse(expression)
		if err != nil {
			return
		}
		loc := zone(t, zones[int(place)%len(zones)])
		r := schedules.Rules{
			Gap:    []schedules.Gap{schedules.Shift, schedules.Skip}[rule%2],
			Repeat: []schedules.Repeat{schedules.First, schedules.Last, schedules.Both}[rule%3],
		}
		at := time.Unix(unix%8_000_000_000, 0)
		for range 5 {
			next, ok := s.Next(at, loc, r)
			if !ok {
				return
			}
			if !next.After(at) {
				t.Fatalf("%q in %s: after %s comes %s", expression, loc, at, next)
			}
			at = next
		}
		s.Describe(loc.String())
	})
}
