package schedules

import (
	"heddle/definitions/workflows"
	"testing"
	"time"
)

// However many due times replace each other in one decision, each is written, and
// counted, once, and each run is cancelled once.
func TestASlotIsDecidedOnce(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	minute := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	spec, err := Parse("* * * * *")
	if err != nil {
		t.Fatal(err)
	}
	for _, overlap := range []Overlap{OverlapSkip, OverlapQueue, OverlapAllow, OverlapCancelRunning} {
		for open := range 2 {
			for waiting := range 3 {
				st := State{
					Schedule: Schedule{
						ID: "s", Expression: "* * * * *", Overlap: overlap, Status: Active, NextDue: minute(0),
						CatchUp: CatchUp{Policy: CatchUpAll, Window: time.Hour, Max: 10},
					},
					WorkflowStatus: workflows.Active, WaitingCount: waiting,
				}
				for n := range waiting {
					st.Waiting = append(st.Waiting, Slot{ScheduleID: "s", Due: minute(n - 5), Until: minute(n - 5), Count: 1, Origin: FromSchedule, Outcome: Waiting})
				}
				for range open {
					st.Tracked = append(st.Tracked, TrackedRun{RunID: "run_1", Open: true})
				}
				d := decide(st, spec, time.UTC, minute(3))
				seen := map[time.Time]int{}
				for _, s := range append(d.firing().Slots, d.starts...) {
					if seen[s.Due]++; seen[s.Due] > 1 {
						t.Errorf("%s, %d open, %d waiting: %s is decided twice", overlap, open, waiting, s.Due.Format("15:04"))
					}
				}
				if len(d.cancel) > open {
					t.Errorf("%s, %d open, %d waiting: cancels %v", overlap, open, waiting, d.cancel)
				}
			}
		}
	}
}
