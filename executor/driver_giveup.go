package executor

import (
	"context"
	"heddle/definitions"
	"heddle/executor/machine"
	"heddle/fault"
	"time"
)

// commitDelays are those between the attempts of one commit. An unavailable store is waited
// for without end; one that refuses the same commit again and again will not take it.
var commitDelays = definitions.Backoff{Growth: definitions.Exponential, Delay: storeRetryDelay, MaxDelay: 2 * time.Second}

// maxRefusals is how often in succession a store may refuse a commit, within about 3 s.
const maxRefusals = 5

// refusals counts the failed attempts of one commit. The zero value is that of a commit that
// was not attempted yet.
type refusals struct {
	failed  int // attempts in all
	refused int // in succession, of those that the store answered
}

// note counts one more failed attempt and reports whether the store has refused the commit
// maxRefusals times in succession. An unavailable store has not refused it, and starts that
// count anew.
func (r *refusals) note(err error) (tooMany bool) {
	r.failed++
	if fault.KindOf(err) == fault.Unavailable {
		r.refused = 0
		return false
	}
	r.refused++
	return r.refused >= maxRefusals
}

// delay returns how long to wait before the next attempt.
func (r *refusals) delay() time.Duration { return commitDelays.After(r.failed) }

// sleepUnlessHalted sleeps for delay, or until this node may no longer journal, whichever
// is sooner, give or take storeRetryDelay.
func (d *driver) sleepUnlessHalted(delay time.Duration) {
	for ; delay > 0 && d.term.state().journals(); delay -= storeRetryDelay {
		sleep(context.Background(), min(delay, storeRetryDelay))
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
		Message: "The database refused again and again what this run did next, so the run was ended; the server's log has the details.",
	}
	now := d.cfg.now()
	row := rowOf(a.run, a.trace, now)
	evs := machine.FailUnloaded(a.id, row.State, row.Seq, row.StartedAt, now, failure)
	row.State, row.Seq, row.Error = machine.Failed, row.Seq+int64(len(evs)), failure
	row.CompletedAt, row.WakeAt = now, time.Time{}
	err := d.commits.submit(a.epoch, Commit{Row: row, Expected: a.run.Seq, Events: evs, Requests: machine.CancelRequests(now)})
	d.cfg.Log.Error("a run was failed: its journal cannot be written", "run_id", a.id, "seq", a.run.Seq, "error", cause, "failed", err == nil)
	if err == nil {
		d.trace(a, machine.Change{Run: a.run, Events: evs})
		d.cfg.Hub.Wake(a.id)
		d.dispatcher.leaveLimits(a.id)
	}
	return fault.Wrap(cause, fault.Internal, failure.Code, "%s", failure.Message)
}
