package executor

import (
	"context"
	"heddle/executor/machine"
	"heddle/fault"
	"time"
)

// A commit that failed is tried again, with growing pauses. An
// unavailable store is waited for; one that refuses the same commit again and
// again will not take it.
const (
	retryStoreMax = 2 * time.Second
	maxRefusals   = 5 // refusals, about 3 s
)

// refusals counts how often in succession a store refused one commit, and how long
// to wait before the next attempt.
type refusals struct {
	wait    time.Duration
	refused int
}

// note counts one more failed attempt and reports whether the store has refused the
// commit too often. An unavailable store has not refused it.
func (r *refusals) note(err error) (tooMany bool) {
	r.wait = min(max(2*r.wait, retryStoreAfter), retryStoreMax)
	if fault.KindOf(err) == fault.Unavailable {
		r.refused = 0
		return false
	}
	r.refused++
	return r.refused >= maxRefusals
}

// sleepUnlessHalted sleeps for wait, or until this node may journal nothing any
// more, whichever is sooner, give or take retryStoreAfter.
func (d *driver) sleepUnlessHalted(wait time.Duration) {
	for ; wait > 0 && d.term.state().journals(); wait -= retryStoreAfter {
		sleep(context.Background(), min(wait, retryStoreAfter))
	}
}

// failUnjournalable fails a run whose next commit the store refuses, from what is
// stored of it, and returns the error for the callers, journal_failed. Where that is
// refused too the run stays as it is, and is found again as unattended.
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
