package schedules

import (
	"heddle/definitions/workflows"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever a row holds, also what no request could store, a firing is decided: no due time is lost
// from the ledger, at most MaxCatchUp of the missed ones get a run, and the schedule moves on.
func TestWhateverIsStoredIsDecided(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	spec, err := Parse("* * * * *")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(rapid.SampledFrom([]int{0, -1, 1, 100, MaxCatchUp + 1, math.MaxInt, math.MinInt}), rapid.IntRange(-10, 10))
		missed := rapid.IntRange(1, 3000).Draw(t, "missed")
		st := State{
			Schedule: Schedule{
				ID: "s", Expression: "* * * * *", Status: rapid.SampledFrom([]Status{Active, Active, Paused, Ended, "", "?"}).Draw(t, "status"),
				Overlap: rapid.SampledFrom([]Overlap{OverlapSkip, OverlapQueue, OverlapAllow, OverlapCancelRunning, "", "?"}).Draw(t, "overlap"),
				NextDue: noon,
				CatchUp: CatchUp{
					Policy: rapid.SampledFrom([]CatchUpPolicy{CatchUpNone, CatchUpLatest, CatchUpAll, "", "?"}).Draw(t, "policy"),
					Window: time.Duration(number.Draw(t, "window")) * time.Second, Max: number.Draw(t, "max"),
				},
				Jitter: time.Duration(rapid.IntRange(-1, 5).Draw(t, "jitter")) * time.Second,
				Gap:    rapid.SampledFrom([]Gap{Shift, Skip, "", "?"}).Draw(t, "gap"), Repeat: rapid.SampledFrom([]Repeat{First, Last, Both, "", "?"}).Draw(t, "repeat"),
			},
			WorkflowStatus: rapid.SampledFrom([]workflows.Status{workflows.Active, workflows.Paused, ""}).Draw(t, "workflow"),
			WaitingCount:   rapid.IntRange(-1, 200).Draw(t, "waiting"),
		}
		now := noon.Add(time.Duration(missed) * time.Minute)
		d := decide(st, spec, time.UTC, now)
		if st.Status != Active {
			return
		}
		if !d.next.After(now.Add(-st.Delay())) {
			t.Fatalf("next is %v at %v", d.next, now)
		}
		lines := 0
		for _, s := range append(d.firing().Slots, d.starts...) {
			lines += s.Count
		}
		want := int(d.next.Sub(noon) / time.Minute)
		if lines != want || len(d.starts) > MaxCatchUp+2 || len(d.recorded) > 2*MaxCatchUp {
			t.Fatalf("%d due times in the ledger, want %d; %d starts, %d lines", lines, want, len(d.starts), len(d.recorded))
		}
	})
}
