package main

import (
	"bytes"
	"context"
	"heddle/executor"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestServeSaysHowToRaiseTheSlots(t *testing.T) {
	full := executor.Load{Slots: 10, SlotsUsed: 10, Queued: 200}
	for name, test := range map[string]struct {
		load executor.Load
		cpu  time.Duration // in each look
		want int           // lines in 150 minutes
	}{
		"full and idle":    {full, 0, 3},
		"a short queue":    {executor.Load{Slots: 10, SlotsUsed: 10, Queued: 20}, 0, 0},
		"a slot is free":   {executor.Load{Slots: 10, SlotsUsed: 9, Queued: 200}, 0, 0},
		"the CPU is taken": {full, 1000 * hintEvery, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				var used time.Duration
				ctx, cancel := context.WithTimeout(t.Context(), 150*time.Minute)
				defer cancel()
				hintAtSlots(ctx, func() executor.Load { return test.load }, func() (time.Duration, bool) {
					used += test.cpu
					return used, true
				}, slog.New(slog.NewTextHandler(&out, nil)))
				if got := strings.Count(out.String(), "WORKFLOW_MAX_CONCURRENT_RUNS"); got != test.want {
					t.Errorf("said %d times, want %d\n%s", got, test.want, &out)
				}
			})
		})
	}
}
