package main

import (
	"context"
	"heddle/executor"
	"log/slog"
	"runtime"
	"time"
)

// When serve says that more slots would help: after hintLooks looks in succession, hintEvery
// apart, at which all slots were taken, hintQueue times as many runs were queued, and the
// process used less than half of its CPUs; and then not again for hintPause.
const (
	hintEvery = 20 * time.Second
	hintLooks = 3
	hintQueue = 5
	hintPause = time.Hour
)

// hintAtSlots logs how to raise the number of slots when runs wait for one while the CPU is
// idle, until ctx ends. load is that of the executor; cpu returns the CPU time that the
// process has used, false where the system does not say: then it ends at once.
func hintAtSlots(ctx context.Context, load func() executor.Load, cpu func() (time.Duration, bool), log *slog.Logger) {
	used, known := cpu()
	tick := time.NewTicker(hintEvery)
	defer tick.Stop()
	var said time.Time
	for looks := 0; known; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		before := used
		used, known = cpu()
		share := float64(used-before) / float64(hintEvery) / float64(runtime.GOMAXPROCS(0))
		now := load()
		if looks++; now.SlotsUsed < now.Slots || now.Queued < hintQueue*now.Slots || share >= 0.5 {
			looks = 0
		}
		if looks >= hintLooks && (said.IsZero() || time.Since(said) >= hintPause) {
			said = time.Now()
			log.Info("runs wait for a slot while the CPU is idle; WORKFLOW_MAX_CONCURRENT_RUNS may be raised (docs/operations.md)",
				"slots", now.Slots, "queued", now.Queued, "cpu_percent", int(100*share))
		}
	}
}
