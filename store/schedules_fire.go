package store

import (
	"context"
	"errors"
	"heddle/audit"
	"heddle/definitions"
	"heddle/executor"
	"heddle/fault"
	"heddle/schedules"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

func statusOf(text string) definitions.Status { return definitions.Status(text) }

// statement is one text with ? for its arguments.
type statement struct {
	text string
	args []any
}

// Fire writes firings in one transaction. Those that lost their race are left
// out; where anything else is wrong with one, the transaction is rolled back
// and the firings are written singly.
func (db *DB) Fire(ctx context.Context, group []schedules.Firing) []error {
	errs := make([]error, len(group))
	err := db.fire(ctx, group, errs)
	if err == nil {
		return errs
	}
	away := fault.KindOf(translate(err)) == fault.Unavailable && !deadlock(err)
	if len(group) == 1 || away || errors.Is(err, executor.ErrFenced) {
		for i := range errs {
			errs[i] = translateFire(err)
		}
		return errs
	}
	for i := range group {
		one := make([]error, 1)
		if err := db.fire(ctx, group[i:i+1], one); err != nil {
			one[0] = translateFire(err)
		}
		errs[i] = one[0]
	}
	return errs
}

func translateFire(err error) error {
	if errors.Is(err, executor.ErrStale) || errors.Is(err, executor.ErrFenced) || errors.Is(err, schedules.ErrLost) {
		return err
	}
	return translate(err)
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

const moveSQL = "UPDATE schedules SET next_due = ?, wake_at = ?, status = ?, last_run_at = ?, fence = fence + 1 WHERE id = ? AND fence = ? AND deleted = 0"

// writeFirings moves the schedules on, and then writes the ledger and the runs
// of those that could be moved: whoever moves a schedule owns its due times.
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
		moves[n] = statement{moveSQL, []any{millis(f.NextDue), millis(f.Wake), string(f.Status), millis(f.LastRunAt), f.ScheduleID, f.Fence}}
	}
	moved, err := tx.statements(moves)
	if err != nil {
		return err
	}
	var lines []statement
	var trail []audit.Entry
	var runs []executor.Prepared
	var answers []answerRow
	for n, i := range order {
		if moved[n] == 0 {
			errs[i] = schedules.ErrLost
			continue
		}
		lines = append(lines, ledger(&group[i])...)
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
	if err := keepAll(tx, answers); err != nil {
		return err
	}
	if _, err := tx.statements(lines); err != nil {
		return err
	}
	if err := auditAll(tx, trail); err != nil {
		return err
	}
	return writeRuns(tx, runs)
}

// keepAll stores answers; a key that is taken fails them all.
func keepAll(tx groupTx, answers []answerRow) error {
	if len(answers) == 0 {
		return nil
	}
	free, err := tx.keep(answers)
	if err == nil && slices.Contains(free, false) {
		err = executor.ErrDuplicateKey
	}
	return err
}

// writeRuns inserts new runs; one that is refused fails them all.
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

const (
	slotSQL = `INSERT INTO schedule_slots (schedule_id, due_at, origin, until, count, outcome, reason, run_id, at, live, doomed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
ON CONFLICT (schedule_id, due_at, origin) DO UPDATE SET outcome = excluded.outcome, reason = excluded.reason, run_id = excluded.run_id, at = excluded.at, live = excluded.live
WHERE schedule_slots.outcome = 'waiting'`
	closedSQL = "UPDATE schedule_slots SET live = 0, doomed = 0 WHERE schedule_id = ? AND live = 1 AND run_id = ?"
	doomSQL   = "UPDATE schedule_slots SET doomed = 1 WHERE schedule_id = ? AND live = 1 AND run_id = ?"
)

// ledger is what a firing writes about due times.
func ledger(f *schedules.Firing) []statement {
	var list []statement
	for _, run := range f.Closed {
		list = append(list, statement{closedSQL, []any{f.ScheduleID, run}})
	}
	for _, run := range f.Cancel {
		list = append(list, statement{doomSQL, []any{f.ScheduleID, run}})
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

// statements runs statements in order and tells how many rows each changed.
func (g *sqliteGroup) statements(list []statement) ([]int64, error) {
	counts := make([]int64, len(list))
	for i, s := range list {
		res, err := g.tx.Exec(s.text, s.args...)
		if err != nil {
			return nil, err
		}
		if counts[i], err = res.RowsAffected(); err != nil {
			return nil, err
		}
	}
	return counts, nil
}

// statements sends all statements at once.
func (g *postgresGroup) statements(list []statement) ([]int64, error) {
	if len(list) == 0 {
		return nil, nil
	}
	batch := &pgx.Batch{}
	for _, s := range list {
		batch.Queue(numbered(s.text), s.args...)
	}
	results := g.tx.SendBatch(g.ctx, batch)
	counts := make([]int64, len(list))
	for i := range list {
		tag, err := results.Exec()
		if err != nil {
			_ = results.Close()
			return nil, err
		}
		counts[i] = tag.RowsAffected()
	}
	return counts, results.Close()
}

// numbered writes $1, $2 … for the ? of a text that holds no other.
func numbered(text string) string {
	var b strings.Builder
	n := byte(0)
	for _, part := range strings.SplitAfter(text, "?") {
		before, marked := strings.CutSuffix(part, "?")
		b.WriteString(before)
		if !marked {
			continue
		}
		n++
		b.WriteByte('$')
		if n >= 10 {
			b.WriteByte('0' + n/10)
		}
		b.WriteByte('0' + n%10)
	}
	return b.String()
}
