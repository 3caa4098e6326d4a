package executor

import (
	"context"
	"heddle/executor/machine"
	"heddle/fault"
	"time"
)

// A commit that failed is repeated with pauses that double from retryStoreAfter up to
// retryStoreMax. An unavailable store is waited for without end; one that refuses the same
// commit again and again will not take it.
const (
	retryStoreMax = 2 * time.Second
	maxRefusals   = 5 // in succession, about 3 s
)

// refusals counts how often in succession a store refused one commit, and how long to wait
// before the next attempt. The zero value is that of a commit that was not tried yet.
type refusals struct {
	wait    time.Duration
	refused int
}

// note counts one more failed attempt, doubles the pause, and reports whether the store has
// refused the commit maxRefusals times in succession. An unavailable store has not refused
// it, and starts the count anew.
func (r *refusals) note(err error) (tooMany bool) {
	r.wait = min(max(2*r.wait, retryStoreAfter), retryStoreMax)
	if fault.KindOf(err) == fault.Unavailable {
		r.refused = 0
		return false
	}
	r.refused++
	return r.refused >= maxRefusals
}

// sleepUnlessHalted sleeps for wait, or until this node may no longer journal, whichever
// is sooner, give or take retryStoreAfter.
func (d *driver) sleepUnlessHalted(wait time.Duration) {
	for ; wait > 0 && d.term.state().journals(); wait -= retryStoreAfter {
		sleep(context.Background(), min(wait, retryStoreAfter))
	}
}

// failUnjournalable fails a run whose next commit the store refuses, from what is stored of
// it, and returns the error for the callers: fault.Internal journal_failed. The two events
// of the failure are small and have nothing of the refused ones in them, so the store may
// take them. Where they are refused too the run stays as it is, and is found again as
// unattended. The caller unloads it in either case.
func (d *driver) failUnjournalable(a *activeRun, cause error) error {
	failure := &machine.Error{
		Code:    "journal_failed",
		Message: "The database refused again and again what this run did next, so the run was given up; the server's log has the details.",
	}
	now := d.cfg.now()
	row := rowOf(a.run, a.trace, now)
	evs := machine.FailUnloaded(a.id, row.State, row.Seq, row.StartedAt, now, failure)
	row.State, row.Seq, row.Error = machine.Failed, row.Seq+int64(len(evs)), failure
	row.CompletedAt, row.WakeAt = now, time.Time{}
	err := d.commits.submit(a.epoch, Commit{Row: row, Expected: a.run.Seq, Events: evs})
	d.cfg.Log.Error("a run was failed: its journal cannot be written", "run_id", a.id, "seq", a.run.Seq, "error", cause, "failed", err == nil)
	if err == nil {
		d.trace(a, machine.Change{Run: a.run, Events: evs})
		d.cfg.Hub.Wake(a.id)
		d.dispatcher.leaveLimits(a.id)
	}
	return fault.Wrap(cause, fault.Internal, failure.Code, "%s", failure.Message)
}
