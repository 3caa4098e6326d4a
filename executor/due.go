package executor

import (
	"context"
	"heddle/executor/machine"
	"time"
)

// maxActiveRuns is how many runs may be in memory, and how many woken ones wait for a
// slot there, before wake-ups slow down.
const (
	maxActiveRuns = 4096
	slowBatch     = 8
	slowPause     = 5 * time.Millisecond
)

// timerLoop wakes the runs whose time has come, the earliest first. While very
// many runs are in memory it goes slowly; it never stands still, because among
// those that are due may be what ends the others.
func (e *engine) timerLoop(ctx context.Context) {
	for ctx.Err() == nil {
		batch := queuePage
		if e.crowded() {
			sleep(ctx, slowPause)
			batch = slowBatch
		}
		ids, next := e.timers.Pop(e.now(), batch)
		for _, id := range ids {
			e.crash("timer_due")
			e.deliver(id, message{input: machine.Tick{}}, false)
		}
		e.sleepUntil(ctx, next)
	}
}

func (e *engine) crowded() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.runs) > e.maxActive
}

func (e *engine) sleepUntil(ctx context.Context, next time.Time) {
	wait := pollEvery
	if !next.IsZero() {
		wait = min(wait, max(next.Sub(e.now()), time.Millisecond))
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-e.timers.Changed():
	case <-ctx.Done():
	}
}

// pollLoop brings the due times of the next seconds into memory, now and then
// those that passed unseen, and looks for strays.
func (e *engine) pollLoop(ctx context.Context) {
	overdue, sweeping := DueRun{}, true
	for n := 1; ctx.Err() == nil; n++ {
		_, all := e.pollDue(ctx, DueRun{At: e.now().Add(-2 * pollEvery)}, e.now().Add(timerHorizon))
		if !all || n%sweepPolls == 0 {
			sweeping = true
		}
		if sweeping {
			if overdue, all = e.pollDue(ctx, overdue, e.now()); all {
				overdue, sweeping = DueRun{}, false
			}
		}
		if n%unattendedPolls == 0 {
			e.resumeUnattended(ctx)
		}
		sleep(ctx, pollEvery)
	}
}

// pollDue brings due times beyond after and up to t into memory, as many as
// there is room for, and tells how far it came and whether these were all.
func (e *engine) pollDue(ctx context.Context, after DueRun, t time.Time) (last DueRun, all bool) {
	for e.timers.Len() < 4*duePage {
		dues, err := e.store.Due(ctx, after, t, duePage)
		if err != nil {
			if ctx.Err() == nil {
				e.log.Warn("due runs could not be read", "error", err)
			}
			return after, false
		}
		for _, d := range dues {
			e.mu.Lock()
			waits := e.waiting[d.RunID]
			e.mu.Unlock()
			if !waits {
				e.timers.Sooner(d.RunID, d.At)
			}
		}
		if len(dues) < duePage {
			return after, true
		}
		after = dues[len(dues)-1]
	}
	return after, false
}

// resumeUnattended takes up runs that the store has as in action and nobody drives:
// a commit that was given up may be stored after all, and a run may have been
// unreadable for a while.
func (e *engine) resumeUnattended(ctx context.Context) {
	if e.trying.Load() {
		return
	}
	ids, err := e.busy(ctx)
	if err == nil {
		e.resumeRuns(ids)
	}
}

// enqueueIfRoom puts a woken run behind those that want a slot, unless very many do:
// then it stays due in the store and is found there again.
func (e *engine) enqueueIfRoom(runID string) {
	e.mu.Lock()
	full := len(e.ready) >= e.maxActive
	e.mu.Unlock()
	if !full {
		e.enqueueReady(runID)
	}
}
