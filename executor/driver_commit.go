package executor

import (
	"bytes"
	"context"
	"errors"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/fault"
)

// commitGrowth makes a change durable. It returns an error only when another node
// drives the run (ErrFenced), when with is refused, or when the run was failed
// because the store does not take its journal; the commit is repeated while the store is unavailable,
// until it answers. After a failed commit the row is read back: the store may have
// committed and failed to say so.
func (d *driver) commitGrowth(a *activeRun, change machine.Change, answers []answer, blobs []string, with *Commit) error {
	commit := Commit{
		Row:      rowOf(change.Run, a.trace, d.cfg.now()),
		Expected: a.run.Seq,
		Events:   change.Events,
		Snapshot: a.snapshots.take(change),
		Blobs:    blobs,
		With:     with,
	}
	commit.Taken = taken(answers, commit.Row)
	for _, a := range answers {
		if a.out.effect {
			commit.Audit = append(commit.Audit, a.audit...)
		}
	}
	var tries refusals
	for {
		if a.epoch == 0 || !d.term.state().journals() {
			return ErrFenced // this node may journal nothing any more
		}
		d.crashBefore(change)
		err := d.commits.submit(a.epoch, commit)
		if err == nil {
			d.cfg.Crash("after_commit")
			return nil
		}
		if with != nil && refusesSuccessor(err) {
			return err
		}
		if errors.Is(err, ErrFenced) || fault.KindOf(err) == fault.NotFound || !d.term.state().journals() {
			d.cfg.Log.Warn("a run moved on without this node", "run_id", a.id, "error", err)
			return err
		}
		if tries.note(err) {
			return d.failUnjournalable(a, err)
		}
		d.cfg.Log.Warn("a commit failed and is tried again", "run_id", a.id, "in", tries.wait, "error", err)
		d.sleepUnlessHalted(tries.wait)
		if settled, err := d.confirmCommit(commit); settled || err != nil {
			return err
		}
	}
}

// confirmCommit reads back whether a commit that failed was stored after all.
// ErrFenced: the run has moved on otherwise, or is deleted.
func (d *driver) confirmCommit(c Commit) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), confirmTimeout)
	defer cancel()
	row, err := d.cfg.Store.Run(ctx, c.Row.TenantID, c.Row.RunID)
	switch {
	case err != nil && fault.KindOf(err) == fault.NotFound:
		return false, ErrFenced
	case err != nil:
		return false, nil // still unavailable
	case row.Seq == c.Row.Seq && row.UpdatedAt.Equal(c.Row.UpdatedAt):
		return true, nil
	case row.Seq == c.Expected:
		return false, nil
	default:
		return false, ErrFenced
	}
}

// committed acts on a change that is durable: watchers are woken, timers set,
// attempts started and stopped.
func (d *driver) committed(a *activeRun, change machine.Change) {
	d.trace(a, change)
	a.run = change.Run
	if len(change.Events) > 0 {
		d.cfg.Hub.Wake(a.id)
	}
	if a.key != "" && change.Run.State.Terminal() {
		d.dispatcher.leaveLimits(a.id)
	}
	if a.isolationEnded != nil && endsAttempt(change.Events) {
		a.endIsolation()
	}
	if at, ok := change.Run.Due(); ok && at.Before(d.cfg.now().Add(timerHorizon)) {
		d.dispatcher.timers.SetIfEarlier(a.id, at)
	}
	for _, effect := range change.Effects {
		switch f := effect.(type) {
		case machine.Execute:
			d.performer.startAttempt(a, f)
		case machine.Stop:
			d.performer.stopAttempt(a, attemptKey{f.Ref, f.Attempt})
		}
	}
}

// crashBefore is the named point at which the crash tests kill the process before a
// commit.
func (d *driver) crashBefore(change machine.Change) {
	if change.Run.State.Terminal() {
		d.cfg.Crash("terminal_write")
		return
	}
	d.cfg.Crash("before_commit")
}

// takeUnreferenced returns the ids of the blobs that were stored for a batch of
// messages and for the decision about it, and clears the run's list. No commit names
// them yet.
func (a *activeRun) takeUnreferenced(messages []message) []string {
	ids := a.blobs
	a.blobs = nil
	for _, m := range messages {
		if m.blob != "" {
			ids = append(ids, m.blob)
		}
	}
	return ids
}

// named returns those of the ids that the change's events name.
func named(ids []string, change machine.Change) []string {
	var list []string
	for _, id := range ids {
		for i := range change.Events {
			if bytes.Contains(change.Events[i].Data, []byte(id)) {
				list = append(list, id)
				break
			}
		}
	}
	return list
}

// snapshotDebt decides when a run's state is worth writing as a whole: after at
// least snapshotEvents events whose size is at least that of the last snapshot, so
// that the cost stays proportional to the journal. Sizes are in bytes.
type snapshotDebt struct {
	events int
	bytes  int
	last   int
}

// snapshotEvents is how many events there are at least between two snapshots.
const snapshotEvents = 1000

// debtOf returns what a journal as it was loaded still owes: without it a run that
// wakes often and briefly would never have a snapshot.
func debtOf(j Journal) snapshotDebt {
	return snapshotDebt{events: len(j.Events), bytes: size(j.Events), last: len(j.Snapshot)}
}

// take adds a change, and returns the snapshot to write with it; nil: it is not due
// yet. A terminal run needs none, because it is hardly loaded again.
func (d *snapshotDebt) take(change machine.Change) []byte {
	d.events += len(change.Events)
	d.bytes += size(change.Events)
	if d.events < snapshotEvents || d.bytes < d.last || change.Run.State.Terminal() {
		return nil
	}
	snapshot, err := change.Run.Snapshot()
	if err != nil {
		return nil
	}
	*d = snapshotDebt{last: len(snapshot)}
	return snapshot
}

// size returns about how many bytes events take in the journal.
func size(evs []events.Event) int {
	n := 0
	for i := range evs {
		n += len(evs[i].Data) + 64
	}
	return n
}
