package schedules_test

import (
	"heddle/schedules"
	"strings"
	"testing"
	"time"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := schedules.LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func spec(t testing.TB, expression string) schedules.Spec {
	t.Helper()
	s, err := schedules.Parse(expression)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The days on which clocks change, each as it was or will be.
func TestNextOnOddDays(t *testing.T) {
	const form = "2006-01-02 15:04 -0700"
	skip, last, both := schedules.Rules{Gap: schedules.Skip}, schedules.Rules{Repeat: schedules.Last}, schedules.Rules{Repeat: schedules.Both}
	for _, test := range []struct {
		name, zone, expression string
		rules                  schedules.Rules
		from                   string // local date
		want                   string // separated by |
	}{
		{"gap", "America/New_York", "30 2 * * *", schedules.Rules{}, "2026-03-07", "2026-03-07 02:30 -0500|2026-03-08 03:00 -0400|2026-03-09 02:30 -0400"},
		{"gap, skip", "America/New_York", "30 2 * * *", skip, "2026-03-07", "2026-03-07 02:30 -0500|2026-03-09 02:30 -0400"},
		{"several in a gap fire together once", "America/New_York", "0,30 2,3 * * *", schedules.Rules{}, "2026-03-08", "2026-03-08 03:00 -0400|2026-03-08 03:30 -0400|2026-03-09 02:00 -0400"},
		{"repeat", "America/New_York", "30 1 * * *", schedules.Rules{}, "2026-11-01", "2026-11-01 01:30 -0400|2026-11-02 01:30 -0500"},
		{"repeat, last", "America/New_York", "30 1 * * *", last, "2026-11-01", "2026-11-01 01:30 -0500|2026-11-02 01:30 -0500"},
		{"repeat, both", "America/New_York", "30 1 * * *", both, "2026-11-01", "2026-11-01 01:30 -0400|2026-11-01 01:30 -0500|2026-11-02 01:30 -0500"},
		{"hourly, gap", "America/New_York", "0 * * * *", schedules.Rules{}, "2026-03-08 01:00", "2026-03-08 01:00 -0500|2026-03-08 03:00 -0400|2026-03-08 04:00 -0400"},
		{"half-hourly, repeat", "America/New_York", "*/30 * * * *", schedules.Rules{}, "2026-11-01 00:59", "2026-11-01 01:00 -0400|2026-11-01 01:30 -0400|2026-11-01 01:00 -0500|2026-11-01 01:30 -0500|2026-11-01 02:00 -0500"},
		{"no midnight", "America/Sao_Paulo", "0 0 * * *", schedules.Rules{}, "2018-11-03", "2018-11-03 00:00 -0300|2018-11-04 01:00 -0200|2018-11-05 00:00 -0200"},
		{"right after the gap", "America/Sao_Paulo", "0 1 4 11 *", schedules.Rules{}, "2018-11-03", "2018-11-04 01:00 -0200|2019-11-04 01:00 -0300"},
		{"no midnight hour", "Africa/Cairo", "15 0 * * *", schedules.Rules{}, "2026-04-23", "2026-04-23 00:15 +0200|2026-04-24 01:00 +0300|2026-04-25 00:15 +0300"},
		{"midnight in Santiago", "America/Santiago", "0 0 * * *", schedules.Rules{}, "2026-09-05", "2026-09-05 00:00 -0400|2026-09-06 01:00 -0300|2026-09-07 00:00 -0300"},
		{"evening repeats in Santiago", "America/Santiago", "30 23 * * *", schedules.Rules{}, "2026-04-04", "2026-04-04 23:30 -0300|2026-04-05 23:30 -0400"},
		{"half an hour forward", "Australia/Lord_Howe", "15 2 * * *", schedules.Rules{}, "2026-10-03", "2026-10-03 02:15 +1030|2026-10-04 02:30 +1100|2026-10-05 02:15 +1100"},
		{"half an hour back", "Australia/Lord_Howe", "45 1 * * *", schedules.Rules{}, "2026-04-04", "2026-04-04 01:45 +1100|2026-04-05 01:45 +1100|2026-04-06 01:45 +1030"},
		{"after half an hour", "Australia/Lord_Howe", "15 1 * * *", schedules.Rules{}, "2026-04-05", "2026-04-05 01:15 +1100|2026-04-06 01:15 +1030"},
		{"Chatham, gap", "Pacific/Chatham", "0 3 * * *", schedules.Rules{}, "2026-09-26", "2026-09-26 03:00 +1245|2026-09-27 03:45 +1345|2026-09-28 03:00 +1345"},
		{"Chatham, repeat", "Pacific/Chatham", "0 3 * * *", schedules.Rules{}, "2026-04-04", "2026-04-04 03:00 +1345|2026-04-05 03:00 +1345|2026-04-06 03:00 +1245"},
		{"the day that Apia left out", "Pacific/Apia", "0 9 * * *", schedules.Rules{}, "2011-12-29", "2011-12-29 09:00 -1000|2011-12-31 09:00 +1400|2012-01-01 09:00 +1400"},
		{"hours before that day", "Pacific/Apia", "0 */12 * * *", schedules.Rules{}, "2011-12-29 11:00", "2011-12-29 12:00 -1000|2011-12-31 00:00 +1400"},
		{"the day that Kwajalein left out", "Pacific/Kwajalein", "0 0 * * *", schedules.Rules{}, "1993-08-20", "1993-08-20 00:00 -1200|1993-08-22 00:00 +1200"},
		{"the last hour of a Saturday in Nuuk", "America/Nuuk", "30 23 * * *", schedules.Rules{}, "2026-03-27", "2026-03-27 23:30 -0200|2026-03-29 00:00 -0100|2026-03-29 23:30 -0100"},
		{"either day", "UTC", "0 0 13 * 5", schedules.Rules{}, "2026-02-07", "2026-02-13 00:00 +0000|2026-02-20 00:00 +0000"},
		{"Sunday as 7", "UTC", "0 0 * * 5-7", schedules.Rules{}, "2026-01-01", "2026-01-02 00:00 +0000|2026-01-03 00:00 +0000|2026-01-04 00:00 +0000|2026-01-09 00:00 +0000"},
		{"leap day over a century", "UTC", "0 0 29 2 *", schedules.Rules{}, "2096-03-01", "2104-02-29 00:00 +0000|2108-02-29 00:00 +0000"},
		{"last day of a leap year", "America/New_York", "0 12 * * *", schedules.Rules{}, "2040-12-30", "2040-12-30 12:00 -0500|2040-12-31 12:00 -0500|2041-01-01 12:00 -0500"},
		{"interval", "America/New_York", "@every 90m", schedules.Rules{Anchor: time.Date(2026, 3, 8, 5, 30, 0, 0, time.UTC)}, "2026-03-08", "2026-03-08 00:30 -0500|2026-03-08 03:00 -0400|2026-03-08 04:30 -0400"},
	} {
		t.Run(test.name, func(t *testing.T) {
			loc := zone(t, test.zone)
			layout := "2006-01-02 15:04"[:len(test.from)]
			at, err := time.ParseInLocation(layout, test.from, loc)
			if err != nil {
				t.Fatal(err)
			}
			at = at.Add(-time.Second)
			var got []string
			for range strings.Count(test.want, "|") + 1 {
				next, ok := spec(t, test.expression).Next(at, loc, test.rules)
				if !ok || !next.After(at) {
					t.Fatalf("after %s comes %s, %v", at, next, ok)
				}
				at = next
				got = append(got, next.Format(form))
			}
			if g := strings.Join(got, "|"); g != test.want {
				t.Errorf("got  %s\nwant %s", g, test.want)
			}
		})
	}
}

func TestNextNeedsNoWholeSecond(t *testing.T) {
	at := time.Date(2026, 1, 1, 2, 0, 0, 1, time.UTC)
	for from, want := range map[time.Time]time.Time{
		at.Add(-2): at.Add(-1),
		at.Add(-1): at.Add(-1).AddDate(0, 0, 1),
		at:         at.Add(-1).AddDate(0, 0, 1),
		time.Date(1931, 5, 5, 1, 59, 59, 999, time.UTC): time.Date(1931, 5, 5, 2, 0, 0, 0, time.UTC),
	} {
		if got, _ := spec(t, "0 2 * * *").Next(from, time.UTC, schedules.Rules{}); !got.Equal(want) {
			t.Errorf("after %s comes %s, not %s", from, got, want)
		}
	}
}

func TestLastAndCount(t *testing.T) {
	for _, name := range []string{"UTC", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"} {
		loc := zone(t, name)
		for _, expression := range []string{"* * * * *", "*/7 * * * *", "30 2 * * *", "0 0 29 2 *", "@every 61m", "15,45 1-3 * 3,4,9-11 0", "59 23 * * *"} {
			s := spec(t, expression)
			from := time.Date(2026, 3, 6, 7, 30, 0, 0, loc)
			if name == "Pacific/Apia" {
				from = time.Date(2011, 12, 27, 0, 0, 0, 0, loc)
			}
			for _, span := range []time.Duration{0, time.Minute, time.Hour, 50 * time.Hour, 20 * 24 * time.Hour, 300 * 24 * time.Hour} {
				upto := from.Add(span)
				n, last := 0, time.Time{}
				for at, ok := s.Next(from, loc, schedules.Rules{}); ok && !at.After(upto); at, ok = s.Next(at, loc, schedules.Rules{}) {
					n, last = n+1, at
				}
				if got := s.Count(from, upto, loc, schedules.Rules{}); got != n {
					t.Errorf("%s in %s within %s: count %d, want %d", expression, name, span, got, n)
				}
				if got, ok := s.Last(from, upto, loc, schedules.Rules{}); ok != (n > 0) || !got.Equal(last) {
					t.Errorf("%s in %s within %s: last %s, want %s", expression, name, span, got, last)
				}
			}
		}
	}
}
