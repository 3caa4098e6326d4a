package executor

import (
	"context"
	"heddle/executor/machine"
	"time"
)

// timerLoop wakes the runs whose time has come, the earliest first. While very many
// runs are in memory it goes slowly; it never stands still, because what ends the
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

// sleepUntil sleeps until next (zero: not known), for pollEvery at most, or until an
// earlier timer was set.
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

// pollLoop brings the due times of the next seconds into memory every second, and
// now and then those that passed without being seen.
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

// pollDue brings due times behind after and up to t into memory, as many as there is
// room for. It returns the last that it took, and whether there were no more.
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
