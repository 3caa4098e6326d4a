package executor

import (
	"bytes"
	"context"
	"errors"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/fault"
	"slices"
)

// commitGrowth makes a change durable and returns nil once it is. While the store is
// unavailable the commit is repeated, with growing pauses, for as long as this node may
// journal. After a failed commit the row is read back first, because the store may have
// committed and failed to say so. Errors:
//
//	ErrFenced        another node drives the run, or this one may journal no more
//	NotFound         the run, or the workflow of with, was deleted
//	that of with     refusesSuccessor; nothing was written
//	journal_failed   the store refused the commit too often, and the run was failed
//
// Inputs from the inbox are taken in the same transaction, and the audit lines of those
// inputs that had an effect are written in it.
func (d *driver) commitGrowth(a *activeRun, change machine.Change, answers []answer, blobs []string, inputs []RenderedInput, with *Commit) error {
	commit := Commit{
		Row:      rowOf(change.Run, a.trace, d.cfg.now()),
		Expected: a.run.Seq,
		Events:   change.Events,
		Requests: change.Requests,
		Snapshot: a.snapshots.take(change),
		Blobs:    blobs,
		Inputs:   inputs,
		With:     with,
	}
	// In the commit itself, so that an input is taken if and only if its effect is durable.
	commit.Taken = taken(answers, commit.Row)
	for _, a := range answers {
		if a.out.effect {
			commit.Audit = append(commit.Audit, a.audit...)
		}
	}
	var failures refusals
	for {
		if a.epoch == 0 || !d.term.state().journals() {
			return ErrFenced // this node may no longer journal
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
		// If the last attempt was stored after all, the commit of the failure is fenced by
		// the seq.
		if failures.note(err) {
			return d.failUnjournalable(a, err)
		}
		d.cfg.Log.Warn("a commit failed and is tried again", "run_id", a.id, "in", failures.delay(), "error", err)
		d.sleepUnlessHalted(failures.delay())
		if settled, err := d.confirmCommit(commit); settled || err != nil {
			return err
		}
	}
}

// confirmCommit reads back whether a commit that failed was stored after all: true if it
// was, false if it was not or if the store does not answer within confirmTimeout. The row
// is compared by seq and by the time of its update, since another node could reach the same
// seq. ErrFenced: the run has moved on otherwise, or is deleted.
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

// committed acts on a change that is durable: the tracer is told, watchers are woken,
// timers set, attempts started and stopped. It also replaces a.run, so it is the only place
// where the driver's state moves on. A run that has ended leaves its concurrency group,
// which may admit others.
func (d *driver) committed(a *activeRun, change machine.Change) {
	d.trace(a, change)
	if a.run != nil && a.run.State == machine.Queued && change.Run.State != machine.Queued {
		d.dispatcher.dropQueued(a.id)
	}
	a.run = change.Run
	if len(change.Events) > 0 {
		d.cfg.Hub.Wake(a.id)
	}
	// After the commit, so that the group never has more open runs than its limit.
	if a.key != "" && change.Run.State.Terminal() {
		d.dispatcher.leaveLimits(a.id)
	}
	if a.isolationEnded != nil && endsAttempt(change.Events) {
		a.endIsolation()
	}
	// Later ones are in the row's due time, and come into memory when their time is near.
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

// crashBefore calls the named point at which the crash tests kill the process before a
// commit.
func (d *driver) crashBefore(change machine.Change) {
	if change.Run.State.Terminal() {
		d.cfg.Crash("terminal_write")
		return
	}
	d.cfg.Crash("before_commit")
}

// unreferenced returns the ids of the blobs that were stored for a batch of messages and
// for the decision about it. No commit names them yet. Only the driver calls it.
func (a *activeRun) unreferenced(messages []message) []string {
	ids := slices.Clone(a.blobs)
	for _, m := range messages {
		if m.blob != "" {
			ids = append(ids, m.blob)
		}
		ids = append(ids, m.rendered.blobs()...)
	}
	return ids
}

// named returns those of the ids that the change's events name. It looks for an id as text
// in their encoded data. O(ids × bytes of the events).
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

// snapshotDebt decides when a run's state is worth writing as a whole: after at least
// snapshotEvents events whose size is at least that of the last snapshot, so that the cost
// of snapshots stays proportional to that of the journal. The zero value is that of a new
// run. It belongs to the run's driver.
type snapshotDebt struct {
	events int // since the last snapshot
	bytes  int // of those events, as size counts them
	last   int // bytes of the last snapshot; 0: there was none
}

// snapshotEvents is how many events are at least between two snapshots, and so about how
// many a load has to fold at most for a run whose state is small.
const snapshotEvents = 1000

// debtOf returns the debt of a run as it was loaded: the events after its snapshot count.
// Without that a run that wakes often and briefly would never have a snapshot.
func debtOf(j Journal) snapshotDebt {
	return snapshotDebt{events: len(j.Events), bytes: size(j.Events), last: len(j.Snapshot)}
}

// take adds a change, and returns the snapshot to write with it; nil: it is not due yet. A
// terminal run needs none, because it is hardly loaded again. A snapshot that cannot be
// encoded is left out and tried again with the next change: the journal is complete without
// it.
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

// size returns about how many bytes events take in the journal: their data and 64 bytes for
// the other columns of each.
func size(evs []events.Event) int {
	n := 0
	for i := range evs {
		n += len(evs[i].Data) + 64
	}
	return n
}
