package schedules_test

import (
	"heddle/schedules"
	"testing"
	"time"
)

// A due time clashes where the one before it is nearer than runs usually take; without runs
// nothing is expected.
func TestDueTimesClashWithLongRuns(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		typical schedules.Typical
		want    int
	}{{schedules.Typical{P95: 10 * time.Minute, Runs: 5}, 1}, {schedules.Typical{P95: time.Hour, Runs: 5}, 2}, {schedules.Typical{P95: time.Minute, Runs: 5}, 0}, {schedules.Typical{P95: time.Hour}, 0}} {
		list := []schedules.DueTime{{At: start}, {At: start.Add(5 * time.Minute)}, {At: start.Add(20 * time.Minute)}}
		if got := test.typical.MarkClashes(list); got != test.want || list[0].Clash || list[1].Clash != (got > 0) || list[2].Clash != (got > 1) {
			t.Errorf("%+v: %d clash, %+v", test.typical, got, list)
		}
	}
}
