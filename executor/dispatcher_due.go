package executor

import (
	"context"
	"heddle/executor/machine"
	"time"
)

// timerLoop wakes the runs whose time has come, the earliest first, until ctx ends. While
// very many runs are in memory it goes slowly; it never stands still, because what ends the
// others may be among those that are due.
func (dp *dispatcher) timerLoop(ctx context.Context) {
	for ctx.Err() == nil {
		batch := queuePage
		if dp.crowded() {
			sleep(ctx, slowPause)
			batch = slowBatch
		}
		ids, next := dp.timers.Pop(dp.cfg.now(), batch)
		for _, id := range ids {
			dp.cfg.Crash("timer_due")
			dp.registry.deliver(id, message{input: machine.Tick{}}, false)
		}
		dp.sleepUntil(ctx, next)
	}
}

// sleepUntil sleeps until next (zero: not known), but for pollEvery at most and a
// millisecond at least, or until an earlier timer was set, or ctx ends.
func (dp *dispatcher) sleepUntil(ctx context.Context, next time.Time) {
	wait := pollEvery
	if !next.IsZero() {
		wait = min(wait, max(next.Sub(dp.cfg.now()), time.Millisecond))
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-dp.timers.Changed():
	case <-ctx.Done():
	}
}

// pollLoop brings due times into memory until ctx ends. Every second it reads those from
// two seconds ago up to timerHorizon ahead. Those that passed without being seen, because
// memory was full or another node set them, are swept from the earliest on: at first, every
// sweepPolls polls, and whenever a poll could not read all. A sweep that finds no room goes
// on in the next second where it stopped.
func (dp *dispatcher) pollLoop(ctx context.Context) {
	overdue, sweeping := DueRun{}, true
	for n := 1; ctx.Err() == nil; n++ {
		_, all := dp.pollDue(ctx, DueRun{At: dp.cfg.now().Add(-2 * pollEvery)}, dp.cfg.now().Add(timerHorizon))
		if !all || n%sweepPolls == 0 {
			sweeping = true
		}
		if sweeping {
			if overdue, all = dp.pollDue(ctx, overdue, dp.cfg.now()); all {
				overdue, sweeping = DueRun{}, false
			}
		}
		sleep(ctx, pollEvery)
	}
}

// pollDue brings due times behind after and up to t into memory, a page at a time, while
// fewer than four pages of them are there. It returns the last that it read, and whether
// there were no more. Runs that wait for a slot already are left out. An error is logged
// and counts as more to come.
func (dp *dispatcher) pollDue(ctx context.Context, after DueRun, t time.Time) (last DueRun, all bool) {
	for dp.timers.Len() < 4*duePage {
		dues, err := dp.cfg.Store.Due(ctx, after, t, duePage)
		if err != nil {
			if ctx.Err() == nil {
				dp.cfg.Log.Warn("due runs could not be read", "error", err)
			}
			return after, false
		}
		for _, d := range dues {
			// A run that waits for a slot is still due in the store, and would be woken
			// again.
			if !dp.isReady(d.RunID) {
				dp.timers.SetIfEarlier(d.RunID, d.At)
			}
		}
		if len(dues) < duePage {
			return after, true
		}
		after = dues[len(dues)-1]
	}
	return after, false
}
