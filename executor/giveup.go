package executor

import (
	"context"
	"heddle/executor/machine"
	"heddle/fault"
	"time"
)

// A commit that failed is tried again: at first soon, then ever less often. A
// store that is away is waited for; one that refuses the same commit again and
// again will not take it.
const (
	retryStoreMax = 2 * time.Second
	maxRefusals   = 5 // refusals, about 3 s
)

// refusals counts how a store takes the tries of one commit.
type refusals struct {
	wait    time.Duration
	refused int
}

// note takes the error of one more try and tells whether it was one too many.
func (r *refusals) note(err error) (tooMany bool) {
	r.wait = min(max(2*r.wait, retryStoreAfter), retryStoreMax)
	if fault.KindOf(err) == fault.Unavailable {
		r.refused = 0
		return false
	}
	r.refused++
	return r.refused >= maxRefusals
}

// sleepUnlessHalted waits, but not on when nothing may be journalled any more.
func (e *engine) sleepUnlessHalted(d time.Duration) {
	for ; d > 0 && !e.stopped.Load(); d -= retryStoreAfter {
		sleep(context.Background(), min(d, retryStoreAfter))
	}
}

// failUnjournalable fails a run whose next commit the store refuses, from what is stored
// of it. Where that is refused too the run stays as it is; it is looked at
// again with the strays.
func (e *engine) failUnjournalable(l *activeRun, cause error) error {
	failure := &machine.Error{
		Code:    "journal_failed",
		Message: "The database refused again and again what this run did next, so the run was given up; the server's log has the details.",
	}
	now := e.now()
	row := rowOf(l.run, l.trace, now)
	evs := machine.FailUnloaded(l.id, row.State, row.Seq, row.StartedAt, now, failure)
	row.State, row.Seq, row.Error = machine.Failed, row.Seq+int64(len(evs)), failure
	row.CompletedAt, row.WakeAt = now, time.Time{}
	err := e.commits.submit(l.epoch, Commit{Row: row, Expected: l.run.Seq, Events: evs})
	e.log.Error("a run was given up: its journal cannot be written", "run_id", l.id, "seq", l.run.Seq, "error", cause, "failed", err == nil)
	if err == nil {
		e.trace(l, machine.Change{Run: l.run, Events: evs})
		e.svc.cfg.Hub.Wake(l.id)
		e.leaveLimits(l.id)
	}
	return fault.Wrap(cause, fault.Internal, failure.Code, "%s", failure.Message)
}
