package store

import (
	"cmp"
	"context"
	"errors"
	"heddle/executor"
	"slices"

	"gorm.io/gorm"
)

// seriesRow is a row of run_series: a run's place in the series of its name.
// Numbers rise along a series, from 0; one run of it is the latest. Two unique
// indexes hold that: one number once per name, and one latest run per name. A
// run without a name has no row.
type seriesRow struct {
	RunID      string
	TenantID   string
	WorkflowID string
	Name       string
	Number     int
	Latest     int
}

func (seriesRow) TableName() string { return "run_series" }

// errSeparated fails a whole group because two runs that have to be written
// together could not be; for a single member it means that the run has moved
// on.
var errSeparated = errors.New("a run and its successor came apart")

var (
	// joinSQL inserts a run as its series' latest. It changes no row where the
	// name has a latest run already, or the run a place.
	joinSQL = inBothDialects("INSERT INTO run_series (run_id, tenant_id, workflow_id, name, number, latest) VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING")
	// supersedeSQL makes room for the next run; no row means that the run is not
	// the latest any more.
	supersedeSQL = inBothDialects("UPDATE run_series SET latest = 0 WHERE run_id = ? AND latest = 1")
)

// joinSeries puts new runs in their series: those that begin one first, then
// those that follow another run. One whose name is taken is left out
// (executor.ErrNameTaken), unless its answer has been kept in tx already: then
// the error is returned, for the group to be rolled back. Unique indexes decide
// between transactions.
func joinSeries(tx groupTx, p *plan) error {
	var first, later []*write
	for _, w := range p.inserts() {
		switch {
		case w.member == nil:
		case w.member.After == "":
			first = append(first, w)
		default:
			later = append(later, w)
		}
	}
	// In one order everywhere, or two nodes could wait for each other's names.
	order := func(a, b *write) int {
		return cmp.Or(cmp.Compare(a.row.WorkflowID, b.row.WorkflowID), cmp.Compare(a.member.Name, b.member.Name))
	}
	slices.SortStableFunc(first, order)
	slices.SortStableFunc(later, order)
	var joins []statement
	for _, w := range first {
		joins = append(joins, joinStatement(w, w.row.ID, 0))
	}
	joined, err := execStatements(tx, joins)
	if err != nil {
		return err
	}
	for i, w := range first {
		switch {
		case joined[i] > 0:
		case w.answer != nil:
			return executor.ErrNameTaken // nothing is written: the answer must not stay
		default:
			p.fail(w, executor.ErrNameTaken)
		}
	}
	for _, w := range later {
		if err := appendToSeries(tx, w); err != nil {
			return err
		}
	}
	return nil
}

// appendToSeries puts a run behind the latest of its series, or fails with
// errSeparated if that is not the latest any more. A run that had no name
// becomes the first of the series that begins here.
func appendToSeries(tx groupTx, w *write) error {
	before, n := w.member.After, w.member.Number
	if w.member.Name == before && n == 1 {
		if _, err := execStatements(tx, []statement{joinStatement(w, before, 0)}); err != nil {
			return err
		}
	}
	counts, err := execStatements(tx, []statement{{supersedeSQL, []any{before}}, joinStatement(w, w.row.ID, n)})
	if err == nil && slices.Contains(counts, 0) {
		err = errSeparated
	}
	return err
}

// joinStatement inserts a run as the latest of its series.
func joinStatement(w *write, runID string, number int) statement {
	return statement{joinSQL, []any{runID, w.row.TenantID, w.row.WorkflowID, w.member.Name, int64(number)}}
}

// leaveSeries removes a deleted run's place; the name then stands for the run
// before it, if there is one, and is free otherwise. It does nothing for a run
// without a name.
func leaveSeries(tx *gorm.DB, runID string) error {
	var m seriesRow
	ok, err := found(tx.Where("run_id = ?", runID), &m)
	if err != nil || !ok {
		return err
	}
	if err := tx.Exec("DELETE FROM run_series WHERE run_id = ?", runID).Error; err != nil || m.Latest == 0 {
		return err
	}
	return tx.Exec("UPDATE run_series SET latest = 1 WHERE workflow_id = ? AND name = ? AND number = (SELECT max(number) FROM run_series WHERE workflow_id = ? AND name = ?)",
		m.WorkflowID, m.Name, m.WorkflowID, m.Name).Error
}

// NamesTaken returns those of the names that runs of the workflow have, in no
// particular order.
func (db *DB) NamesTaken(ctx context.Context, workflowID string, names []string) ([]string, error) {
	return viewResult(ctx, db, func(tx *gorm.DB) (list []string, err error) {
		err = tx.Raw("SELECT DISTINCT name FROM run_series WHERE workflow_id = ? AND name IN ?", workflowID, names).Scan(&list).Error
		return list, err
	})
}

// maxStartAttempts is how often StartAll is tried in all when PostgreSQL ends it
// because of a deadlock.
const maxStartAttempts = 3

// StartAll writes new runs in one transaction, all or none, except those whose
// name is taken: it reports per run whether that is so, and the others are
// written. Errors are those of Commit's members; the first one rolls everything
// back. A deadlock on PostgreSQL is tried again up to maxStartAttempts times, as
// nothing was written then.
func (db *DB) StartAll(ctx context.Context, epoch int64, runs []executor.Commit) ([]bool, error) {
	for attempt := 1; ; attempt++ {
		taken, err := db.startAll(ctx, epoch, runs)
		if err == nil || !isDeadlock(err) || attempt == maxStartAttempts {
			if errors.Is(err, errBlobGone) {
				err = executor.ErrFenced
			}
			return taken, translate(err)
		}
	}
}

// startAll is one attempt of StartAll.
func (db *DB) startAll(ctx context.Context, epoch int64, runs []executor.Commit) ([]bool, error) {
	taken, errs := make([]bool, len(runs)), make([]error, len(runs))
	p := planGroup(runs, errs)
	if err := errors.Join(errs...); err != nil {
		return taken, err
	}
	tx, err := db.beginGroup(ctx)
	if err != nil {
		return taken, err
	}
	err = writePlan(tx, epoch, p)
	for i := range errs {
		taken[i] = errors.Is(errs[i], executor.ErrNameTaken)
		if err == nil && !taken[i] {
			err = errs[i]
		}
	}
	if err != nil || len(p.remaining()) == 0 {
		tx.rollback()
		return taken, err
	}
	return taken, tx.commit()
}

// Named returns a run by the name of its series and its number, executor.Latest
// for the latest. A run without a name goes by its id and number 0.
// run_not_found where there is no such run, or it is not the workflow's or not
// the tenant's. Run and number are of one moment.
func (db *DB) Named(ctx context.Context, tenantID, workflowID, name string, number int) (executor.NamedRun, error) {
	return viewResult(ctx, db, func(tx *gorm.DB) (executor.NamedRun, error) {
		m := seriesRow{Name: name}
		q := tx.Where("workflow_id = ? AND name = ? AND tenant_id = ?", workflowID, name, tenantID)
		if number == executor.Latest {
			q = q.Where("latest = 1")
		} else {
			q = q.Where("number = ?", number)
		}
		ok, err := found(q, &m)
		if err != nil {
			return executor.NamedRun{}, err
		}
		if !ok {
			if m, ok, err = runWithoutSeries(tx, name, number); err != nil {
				return executor.NamedRun{}, err
			}
		}
		if !ok {
			return executor.NamedRun{}, runNotFound(name)
		}
		var row runRow
		ok, err = found(tx.Where("id = ? AND tenant_id = ? AND workflow_id = ?", m.RunID, tenantID, workflowID), &row)
		if err == nil && !ok {
			err = runNotFound(name)
		}
		if err != nil {
			return executor.NamedRun{}, err
		}
		list, err := namedRuns(tx, []runRow{row}, map[string]seriesRow{m.RunID: m})
		if err != nil {
			return executor.NamedRun{}, err
		}
		return list[0], nil
	})
}

// runWithoutSeries takes a name for the id of a run that is in no series, and
// reports whether that is possible with this number.
func runWithoutSeries(tx *gorm.DB, id string, number int) (seriesRow, bool, error) {
	m := seriesRow{RunID: id, Name: id}
	if number != executor.Latest && number != 0 {
		return m, false, nil
	}
	var other seriesRow
	member, err := found(tx.Where("run_id = ?", id), &other)
	return m, !member, err
}

// namedRuns completes rows: inputs that have rows of their own, names and
// numbers, and when each series began.
func namedRuns(tx *gorm.DB, rows []runRow, members map[string]seriesRow) ([]executor.NamedRun, error) {
	if err := loadInputs(tx, rows); err != nil {
		return nil, err
	}
	recs, err := records(rows)
	if err != nil {
		return nil, err
	}
	list := make([]executor.NamedRun, len(recs))
	for i, r := range recs {
		m := members[r.RunID]
		list[i] = executor.NamedRun{Record: r, Name: cmp.Or(m.Name, r.RunID), Number: m.Number, Since: r.CreatedAt}
		if m.Number == 0 {
			continue
		}
		var since int64
		err := tx.Raw("SELECT r.created_at FROM run_series AS s JOIN runs AS r ON r.id = s.run_id WHERE s.workflow_id = ? AND s.name = ? ORDER BY s.number LIMIT 1",
			m.WorkflowID, m.Name).Scan(&since).Error
		if err != nil {
			return nil, err
		}
		list[i].Since = fromMillis(since)
	}
	return list, nil
}
