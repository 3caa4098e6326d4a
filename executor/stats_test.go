package executor_test

import (
	"heddle/executor"
	"math/rand/v2"
	"slices"
	"testing"
)

// The ranges hold every duration, in order, each 1.8 times as long as the one before.
func TestRangesOfDurations(t *testing.T) {
	for ms, want := range map[int64]int{-5: 0, 0: 0, 1: 1, 2: 2, 3: 3, 5: 3, 6: 4, 1000: 12, 3_600_000: 26, 45_517_159: 30, 45_517_160: 31, 1 << 60: 31} {
		if got := executor.DurationRange(ms); got != want {
			t.Errorf("%d ms are in range %d, want %d", ms, got, want)
		}
	}
	last := 0
	for ms := int64(0); ms < 50_000_000; ms += 1 + ms/10 {
		got := executor.DurationRange(ms)
		if got < last || got > last+1 {
			t.Fatalf("%d ms are in range %d, behind %d", ms, got, last)
		}
		last = got
	}
}

// A quantile is within its range of the true one: by less than a factor of 1.8, and a
// millisecond where those are few.
func TestQuantilesAreNearTheTrueOnes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		durations := make([]int64, 1+random.IntN(200))
		var h executor.Histogram
		for i := range durations {
			durations[i] = random.Int64N(1 << (1 + random.IntN(24)))
			h[executor.DurationRange(durations[i])]++
		}
		slices.Sort(durations)
		longest := durations[len(durations)-1]
		for _, q := range []float64{0.5, 0.95, 1} {
			rank := max(1, int(q*float64(len(durations))+0.999999))
			truth, got := float64(durations[rank-1]), float64(h.Quantile(q, longest))
			if got > truth*1.8+1.5 || got < truth/1.8-1.5 || got > float64(longest) {
				t.Fatalf("quantile %v of %v: %v, true is %v", q, durations, got, truth)
			}
		}
	}
	var none executor.Histogram
	if none.Quantile(0.5, 0) != 0 || none.Count() != 0 {
		t.Error("a quantile of nothing")
	}
}
