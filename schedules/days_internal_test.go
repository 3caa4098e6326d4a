package schedules

import (
	"slices"
	"testing"
	"time"
)

// What is multiplied out for a day is what a walk along the due times finds there, in zones whose
// clocks change at midnight, over midnight, by half an hour, or jump over a day, and from and to
// any time of a day.
func TestDaysHaveTheDueTimesThatAWalkFinds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		zone string
		from string // a day shortly before a change
	}{
		{"Europe/Berlin", "2026-03-26"},
		{"Europe/Berlin", "2026-10-22"},
		{"America/New_York", "2026-10-30"},
		{"Australia/Lord_Howe", "2026-10-01"},
		{"Australia/Lord_Howe", "2026-04-02"},
		{"Pacific/Apia", "2011-12-27"},
		{"America/Sao_Paulo", "2018-11-01"},
		{"America/Sao_Paulo", "2018-02-15"},
		{"America/Havana", "2026-03-05"},
		{"America/Havana", "2026-10-29"},
		{"Africa/Casablanca", "2026-02-12"},
		{"America/St_Johns", "2006-10-26"},
		{"Asia/Kathmandu", "2026-01-01"},
		{"UTC", "2024-02-26"},
	} {
		loc, err := LoadZone(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		date, err := time.Parse(time.DateOnly, test.from)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"* * * * *", "*/20 * * * *", "0,30 0-23 * * *", "30 2 * * *", "0 0 * * *", "15 23,0 * * MON-FRI", "0 12 29 2 *", "@every 7h", "@every 24h", "@hourly"} {
			spec, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range []Rules{{Gap: Shift, Repeat: First}, {Gap: Skip, Repeat: Both}, {Gap: Shift, Repeat: Last}} {
				first, n := dayOf(date), 9
				for _, bounds := range [][2]time.Duration{{-48 * time.Hour, 300 * time.Hour}, {5 * time.Hour, 101*time.Hour + 30*time.Minute}, {40 * time.Hour, 41 * time.Hour}, {0, 24*time.Hour - 1}} {
					from, until := date.Add(bounds[0]), date.Add(bounds[1])
					want := make([]int, n)
					for at, ok := spec.Next(from.Add(-1), loc, r); ok && !at.After(until); at, ok = spec.Next(at, loc, r) {
						if i := localDay(at) - first; i >= 0 && i < int64(n) {
							want[i]++
						}
					}
					if got := spec.countDays(first, n, from, until, loc, r); !slices.Equal(got, want) {
						t.Errorf("%s %s from %s, %v: %v, a walk finds %v", test.zone, text, test.from, bounds, got, want)
					}
				}
			}
		}
	}
}

// A year of minutes costs no more than the days on which clocks change.
func BenchmarkCalendarOfMinutes(b *testing.B) {
	loc, err := LoadZone("Europe/Berlin")
	if err != nil {
		b.Fatal(err)
	}
	spec, err := Parse("* 0-23 * * *")
	if err != nil {
		b.Fatal(err)
	}
	date := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for b.Loop() {
		total := 0
		for _, n := range spec.countDays(dayOf(date), MaxCalendarDays, date, date.AddDate(2, 0, 0), loc, Rules{Gap: Shift, Repeat: First}) {
			total += n
		}
		if total < 570_000 {
			b.Fatal(total)
		}
	}
}
