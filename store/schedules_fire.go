package store

import (
	"context"
	"errors"
	"heddle/audit"
	"heddle/executor"
	"heddle/fault"
	"heddle/schedules"
	"slices"
	"strings"
)

// Fire writes firings in one transaction: the schedules' next due times, the
// ledger and the runs, so that a due time never starts two runs and is never
// lost. It returns one error per firing, nil where the firing is durable. Those
// that lost a race (schedules.ErrConflict) are left out while the rest is
// written; any other error rolls back, and the firings are then written one by
// one, unless the database is unavailable or the lease is lost
// (executor.ErrFenced).
func (db *DB) Fire(ctx context.Context, group []schedules.Firing) []error {
	errs := make([]error, len(group))
	err := db.fire(ctx, group, errs)
	if err == nil {
		return errs
	}
	unavailable := fault.KindOf(translate(err)) == fault.Unavailable && !isDeadlock(err)
	if len(group) == 1 || unavailable || errors.Is(err, executor.ErrFenced) {
		for i := range errs {
			errs[i] = translate(err)
		}
		return errs
	}
	for i := range group {
		one := make([]error, 1)
		if err := db.fire(ctx, group[i:i+1], one); err != nil {
			one[0] = translate(err)
		}
		errs[i] = one[0]
	}
	return errs
}

// fire writes a group. An error means that nothing was written; losers have
// theirs in errs.
func (db *DB) fire(ctx context.Context, group []schedules.Firing, errs []error) error {
	tx, err := db.beginGroup(ctx)
	if err != nil {
		return err
	}
	if err := writeFirings(tx, group, errs); err != nil {
		tx.rollback()
		return err
	}
	return tx.commit()
}

// advanceScheduleSQL changes a row only if its fence is the one that the firing
// was decided on.
var advanceScheduleSQL = inBothDialects("UPDATE schedules SET next_due = ?, wake_at = ?, status = ?, last_run_at = ?, fence = fence + 1 WHERE id = ? AND fence = ? AND deleted = 0")

// writeFirings advances the schedules, then writes ledger and runs of those
// that could be advanced: whoever advances a schedule owns its due times. Rows
// are updated in the order of their ids, so that two nodes never wait for each
// other.
func writeFirings(tx groupTx, group []schedules.Firing, errs []error) error {
	// In one order everywhere, or two nodes could wait for each other's rows.
	order := make([]int, len(group))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(group[a].ScheduleID, group[b].ScheduleID) })
	moves := make([]statement, len(group))
	for n, i := range order {
		f := &group[i]
		moves[n] = statement{advanceScheduleSQL, []any{millis(f.NextDue), millis(f.WakeAt), string(f.Status), millis(f.LastRunAt), f.ScheduleID, f.Fence}}
	}
	moved, err := execStatements(tx, moves)
	if err != nil {
		return err
	}
	var lines []statement
	var trail []audit.Entry
	var runs []executor.Prepared
	var answers []answerRow
	var changed []string
	for n, i := range order {
		if moved[n] == 0 {
			errs[i] = schedules.ErrConflict
			continue
		}
		changed = append(changed, group[i].ScheduleID)
		lines = append(lines, ledgerStatements(&group[i])...)
		runs = append(runs, group[i].Runs...)
		trail = append(trail, group[i].Audit...)
		if keep := group[i].Keep; keep != nil {
			row, err := toAnswerRow(*keep)
			if err != nil {
				return err
			}
			answers = append(answers, row)
		}
	}
	if err := tx.notify(changed); err != nil {
		return err
	}
	if err := reserveAllKeys(tx, answers); err != nil {
		return err
	}
	if _, err := execStatements(tx, lines); err != nil {
		return err
	}
	if err := insertAuditEntries(tx, trail); err != nil {
		return err
	}
	return writeRuns(tx, runs)
}

// reserveAllKeys keeps answers; a key that is taken fails them all
// (executor.ErrDuplicateKey).
func reserveAllKeys(tx groupTx, answers []answerRow) error {
	if len(answers) == 0 {
		return nil
	}
	free, err := insertAnswers(tx, answers)
	if err == nil && slices.Contains(free, false) {
		err = executor.ErrDuplicateKey
	}
	return err
}

// writeRuns inserts the new runs of firings; one that is refused fails them
// all, with its error. Runs that were prepared in different terms of the lease
// cannot be written together: executor.ErrFenced.
func writeRuns(tx groupTx, runs []executor.Prepared) error {
	if len(runs) == 0 {
		return nil
	}
	epoch, commits := int64(0), make([]executor.Commit, len(runs))
	for i, r := range runs {
		if epoch != 0 && r.Epoch != 0 && r.Epoch != epoch {
			return executor.ErrFenced
		}
		epoch, commits[i] = max(epoch, r.Epoch), r.Commit
	}
	refused := make([]error, len(commits))
	if err := writePlan(tx, epoch, planGroup(commits, refused)); err != nil {
		return err
	}
	for _, err := range refused {
		if err != nil {
			return err
		}
	}
	return nil
}

var (
	// slotSQL writes a slot of the ledger. One that is there is changed only if it
	// waits: the outcome of a due time is written once.
	slotSQL = inBothDialects(`INSERT INTO schedule_slots (schedule_id, due_at, origin, until, count, outcome, reason, run_id, at, live, doomed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
ON CONFLICT (schedule_id, due_at, origin) DO UPDATE SET outcome = excluded.outcome, reason = excluded.reason, run_id = excluded.run_id, at = excluded.at, live = excluded.live
WHERE schedule_slots.outcome = 'waiting'`)
	// closeSlotSQL ends that a schedule follows a run; requestCancelSQL asks for
	// the run to be cancelled.
	closeSlotSQL     = inBothDialects("UPDATE schedule_slots SET live = 0, doomed = 0 WHERE schedule_id = ? AND live = 1 AND run_id = ?")
	requestCancelSQL = inBothDialects("UPDATE schedule_slots SET doomed = 1 WHERE schedule_id = ? AND live = 1 AND run_id = ?")
)

// ledgerStatements returns what a firing writes about due times, in this order:
// runs that have ended, runs to cancel, and slots. A slot is written once, and
// again only from waiting. A slot with a run is live: the schedule follows it.
func ledgerStatements(f *schedules.Firing) []statement {
	var list []statement
	for _, run := range f.Ended {
		list = append(list, statement{closeSlotSQL, []any{f.ScheduleID, run}})
	}
	for _, run := range f.Cancel {
		list = append(list, statement{requestCancelSQL, []any{f.ScheduleID, run}})
	}
	for i := range f.Slots {
		s := &f.Slots[i]
		live := int64(0)
		if s.RunID != "" {
			live = 1
		}
		list = append(list, statement{slotSQL, []any{
			f.ScheduleID, millis(s.Due), s.Origin, millis(s.Until), int64(s.Count), string(s.Outcome), s.Reason, s.RunID, millis(s.At), live,
		}})
	}
	return list
}
