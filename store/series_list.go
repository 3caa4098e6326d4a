package store

import (
	"context"
	"heddle/executor"
	"heddle/executor/machine"
	"slices"

	"gorm.io/gorm"
)

const (
	// seriesJoinSQL adds the places in series to runs.
	seriesJoinSQL = " LEFT JOIN run_series AS s ON s.run_id = r.id"
	// firstSQL picks a series' first run, and each run without a series: a series
	// is listed where its first run stands, so that its place in the list does not
	// change when it grows. The first run may have any number, as earlier ones may
	// have been deleted.
	firstSQL = "(s.run_id IS NULL OR s.number = 0 OR NOT EXISTS (SELECT 1 FROM run_series AS f WHERE f.workflow_id = s.workflow_id AND f.name = s.name AND f.number < s.number))"
	// latestSQL picks the latest runs. With a filter by state a series is listed
	// where its latest run stands, whose state is what the filter is about.
	latestSQL = "(s.run_id IS NULL OR s.latest = 1)"

	// queuedNamedSQL lists a tenant's queue of runs with a name. It sorts what is queued,
	// which a tick does seldom; the plus keeps SQLite from walking over all runs in their
	// order instead.
	queuedNamedSQL = "SELECT id FROM runs WHERE state = 'queued' AND tenant_id = ? AND EXISTS (SELECT 1 FROM run_series AS s WHERE s.run_id = runs.id) ORDER BY +created_at, id LIMIT ?"
)

// NamedRuns lists a page of the latest runs of a workflow's series, newest
// series first; each run without a name is listed by itself. All is of one
// moment.
func (db *DB) NamedRuns(ctx context.Context, q executor.NamedQuery) (executor.NamedPage, error) {
	list := listFingerprint("series", q)
	at, err := decodeCursor(list, q.Cursor)
	if err != nil {
		return executor.NamedPage{}, err
	}
	return viewResult(ctx, db, func(tx *gorm.DB) (page executor.NamedPage, err error) {
		o, condition := runOrder{at: at}, firstSQL
		ranges, err := findRanges(tx, q.TenantID, []string{q.WorkflowID}, o)
		if err != nil {
			return page, err
		}
		if q.States != nil {
			condition = latestSQL
			ranges = slices.DeleteFunc(ranges, func(r runRange) bool { return !slices.Contains(q.States, machine.State(r.State)) })
		}
		l := mergeOf(tx, q.TenantID, ranges, o)
		l.join, l.condition = seriesJoinSQL, condition
		places, err := l.positions(tx, q.Limit+1)
		if err != nil {
			return page, err
		}
		places, page.Next = trimPage(list, places, q.Limit, func(p position) position { return p })
		page.Runs, err = latestOf(tx, idsOf(places))
		return page, err
	})
}

// latestOf returns the latest runs of the series to which the runs belong, in
// the same order; a run without a series stands for itself. All ids are of one
// workflow, within which a name stands for one series. It costs four queries and
// one for each series, however many runs a series has.
func latestOf(tx *gorm.DB, ids []string) ([]executor.NamedRun, error) {
	var members []seriesRow
	err := tx.Raw("SELECT l.* FROM run_series AS s JOIN run_series AS l ON l.workflow_id = s.workflow_id AND l.name = s.name AND l.latest = 1 WHERE s.run_id IN ?", ids).Scan(&members).Error
	if err != nil {
		return nil, err
	}
	var places []seriesRow
	if err := tx.Where("run_id IN ?", ids).Find(&places).Error; err != nil {
		return nil, err
	}
	latest, byName := map[string]string{}, map[string]string{}
	byRun := map[string]seriesRow{}
	for _, m := range members {
		byName[m.Name], byRun[m.RunID] = m.RunID, m
	}
	for _, p := range places {
		latest[p.RunID] = byName[p.Name]
	}
	wanted := make([]string, len(ids))
	for i, id := range ids {
		if wanted[i] = latest[id]; wanted[i] == "" {
			wanted[i] = id
		}
	}
	rows, err := runRows(tx, wanted)
	if err != nil {
		return nil, err
	}
	return namedRuns(tx, rows, byRun)
}

// runRows returns rows in the order of their ids; missing ones are left out. The
// inputs that have rows of their own are not loaded.
func runRows(tx *gorm.DB, ids []string) ([]runRow, error) {
	var rows []runRow
	if err := tx.Where("id IN ?", ids).Find(&rows).Error; err != nil {
		return nil, err
	}
	byID := make(map[string]runRow, len(rows))
	for _, r := range rows {
		byID[r.ID] = r
	}
	ordered := make([]runRow, 0, len(ids))
	for _, id := range ids {
		if r, ok := byID[id]; ok {
			ordered = append(ordered, r)
		}
	}
	return ordered, nil
}

// QueuedNamed lists at most limit ids of a tenant's queued runs that have a
// name, oldest first.
func (db *DB) QueuedNamed(ctx context.Context, tenantID string, limit int) ([]string, error) {
	var ids []string
	err := db.reader(ctx).Raw(queuedNamedSQL, tenantID, limit).Scan(&ids).Error
	return ids, translate(err)
}
