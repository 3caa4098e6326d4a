package schedules_test

import (
	"fmt"
	"heddle/ids"
	"heddle/metrics"
	"heddle/schedules"
	"heddle/store"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// What the ledger says of due times is what the process counts.
func TestDueTimesAreCounted(t *testing.T) {
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		n := newNode(t, db, &clock{at: noon}, false)
		m := metrics.New("test")
		n.svc = schedules.New(schedules.Config{Store: m.Schedules(db), Runs: n.exec, Now: n.clock.now, NewID: ids.New(time.Now).New, Meter: m})
		w := n.workflow(parked)
		s := n.create(w, schedules.Schedule{Expression: "* * * * *"})
		n.tick(minutes(1).Add(300 * time.Millisecond))
		n.tick(minutes(2).Add(3 * time.Second))
		n.tick(minutes(30).Add(2 * time.Second))
		if _, err := n.svc.Trigger(t.Context(), tenant, s.ID, noTrace, nil); err != nil {
			t.Fatal(err)
		}
		shaken := n.create(w, schedules.Schedule{Expression: "0 14 * * *", Jitter: time.Hour})
		n.tick(minutes(120).Add(shaken.Delay() + 2*time.Second))
		scraped := httptest.NewRecorder()
		m.Handler().ServeHTTP(scraped, httptest.NewRequest("GET", "/metrics", nil))
		missed, counts := 0, map[string]int{}
		for _, slot := range append(n.slots(s.ID), n.slots(shaken.ID)...) {
			origin, _, _ := strings.Cut(slot.Origin, ":")
			counts[fmt.Sprintf("heddle_schedule_due_times_total{origin=%q,outcome=%q,reason=%q}", origin, slot.Outcome, slot.Reason)] += slot.Count
			if slot.Missed() {
				missed += slot.Count
			}
		}
		if len(counts) != 6 || missed < 100 {
			t.Fatalf("%v, %d missed", counts, missed)
		}
		want := []string{
			fmt.Sprint("heddle_schedule_missed_total ", missed),
			`heddle_schedule_lateness_seconds_bucket{le="0.25"} 0`,
			`heddle_schedule_lateness_seconds_bucket{le="0.5"} 1`,
			`heddle_schedule_lateness_seconds_bucket{le="2.5"} 2`,
			`heddle_schedule_lateness_seconds_bucket{le="+Inf"} 2`,
			`heddle_runs_started_total{trigger="schedule"} 2`,
			`heddle_runs_started_total{trigger="manual"} 1`,
		}
		for name, count := range counts {
			want = append(want, fmt.Sprint(name, " ", count))
		}
		lines := strings.Split(scraped.Body.String(), "\n")
		for _, line := range want {
			if !slices.Contains(lines, line) {
				t.Errorf("no %s", line)
			}
		}
	})
}
