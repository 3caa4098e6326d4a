package metrics_test

import (
	"context"
	"heddle/clock"
	"heddle/metrics"
	"strings"
	"testing"
	"time"
)

func TestTheClocksOffset(t *testing.T) {
	base := time.UnixMilli(1_700_000_000_000)
	now := base.Add(time.Hour)
	w := clock.New(func() time.Time { return now }, func(context.Context) (time.Time, error) { return base, nil }, nil)
	m := metrics.New("test")
	m.WatchClock(w)
	for _, line := range scrape(t, m) {
		if strings.Contains(line, "clock") {
			t.Errorf("before it is measured: %s", line)
		}
	}
	w.Accurate(t.Context())
	wantLines(t, m, "heddle_clock_offset_seconds 3600", "heddle_schedules_wait_for_clock 1")
	now = base.Add(2 * time.Second)
	w.Accurate(t.Context())
	wantLines(t, m, "heddle_clock_offset_seconds 2", "heddle_schedules_wait_for_clock 0")
}
