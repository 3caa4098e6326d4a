package store

import (
	"context"
	"database/sql"
	"heddle/deadline"
	"heddle/executor"
	"math"
)

// The reads of single runs, which requests and streams make most often. They
// bypass gorm, whose words cost more than what they say, and are prepared:
// SQLite parses a text anew for each call otherwise, and pgx keeps its own
// statements.
var (
	runSQL        = inBothDialects("SELECT " + runColumns + " FROM runs WHERE id = ? AND tenant_id = ?")
	runByIDSQL    = inBothDialects("SELECT " + runColumns + " FROM runs WHERE id = ?")
	createdSQL    = inBothDialects("SELECT created_at FROM runs WHERE id = ?")
	snapshotOfSQL = inBothDialects("SELECT seq, data FROM run_snapshots WHERE run_id = ?")
	runInputSQL   = inBothDialects("SELECT input FROM run_inputs WHERE run_id = ?")
	// eventsSQL casts the seq because SQLite would parse the statement again for
	// each value that it might compare with the condition of a partial index.
	eventsSQL     = inBothDialects("SELECT " + eventColumns + " FROM run_events WHERE run_id = ? AND seq > CAST(? AS BIGINT) ORDER BY seq LIMIT ?")
	definitionSQL = inBothDialects("SELECT definition FROM workflow_versions WHERE workflow_id = ? AND number = ?")
)

// prepareReads prepares the hot reads on the pool of readers, whose end closes
// them; the tables must exist.
func (db *DB) prepareReads(ctx context.Context) error {
	db.reads = make(map[string]*sql.Stmt)
	for _, text := range []sqlText{runSQL, runByIDSQL, createdSQL, snapshotOfSQL, runInputSQL, eventsSQL, definitionSQL} {
		s, err := db.read.sql.PrepareContext(ctx, text.sqlite)
		if err != nil {
			return err
		}
		db.reads[text.sqlite] = s
	}
	return nil
}

// rows is what a hot read returns in either dialect.
type rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
}

// hotRead executes a hot read within the request's time for the database, and
// calls scan for each row. Its errors are the driver's: the caller translates
// them.
func (db *DB) hotRead(ctx context.Context, text sqlText, args []any, scan func(rows) error) error {
	ctx, call := deadline.Begin(ctx)
	defer call.End()
	if db.postgres() {
		r, err := db.pool.Query(ctx, text.postgres, args...)
		if err != nil {
			return err
		}
		defer r.Close()
		return scanAll(r, scan)
	}
	r, err := db.reads[text.sqlite].QueryContext(ctx, args...) //nolint:rowserrcheck // scanAll checks it
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // scanAll returns the errors of reading
	return scanAll(r, scan)
}

// scanAll calls scan for each row and returns the first error.
func scanAll(r rows, scan func(rows) error) error {
	for r.Next() {
		if err := scan(r); err != nil {
			return err
		}
	}
	return r.Err()
}

// hotRun reads the row of a tenant's run, with its input where that has a row
// of its own; false: there is none.
func (db *DB) hotRun(ctx context.Context, tenantID, runID string) (row runRow, found bool, err error) {
	return db.hotRow(ctx, runSQL, runID, tenantID)
}

// hotRow is hotRun by the given read, whose first argument is the run.
func (db *DB) hotRow(ctx context.Context, text sqlText, runID string, more ...any) (row runRow, found bool, err error) {
	err = db.hotRead(ctx, text, append([]any{runID}, more...), func(r rows) error {
		found = true
		return r.Scan(row.fields()...)
	})
	if err == nil && found && row.Input == "" {
		err = db.hotRead(ctx, runInputSQL, []any{runID}, func(r rows) error { return r.Scan(&row.Input) })
	}
	return row, found, err
}

// hotEvents reads at most limit events of a run after a seq, in order.
func (db *DB) hotEvents(ctx context.Context, runID string, after int64, limit int) (list []eventRow, err error) {
	err = db.hotRead(ctx, eventsSQL, []any{runID, after, int64(limit)}, func(r rows) error {
		list = append(list, eventRow{})
		return r.Scan(list[len(list)-1].fields()...)
	})
	return list, err
}

// hotJournal reads a journal by single reads, without a transaction around them. consistent is
// false where they were not of one moment, see upTo.
func (db *DB) hotJournal(ctx context.Context, runID string) (j executor.Journal, consistent bool, err error) {
	row, found, err := db.hotRow(ctx, runByIDSQL, runID)
	if err != nil {
		return j, false, err
	}
	if !found {
		return j, false, runNotFound(runID)
	}
	snap := snapshotRow{}
	if err := db.hotRead(ctx, snapshotOfSQL, []any{runID}, func(r rows) error { return r.Scan(&snap.Seq, &snap.Data) }); err != nil {
		return j, false, err
	}
	list, err := db.hotEvents(ctx, runID, snap.Seq, math.MaxInt64)
	if err != nil {
		return j, false, err
	}
	var created int64
	if err := db.hotRead(ctx, createdSQL, []any{runID}, func(r rows) error { return r.Scan(&created) }); err != nil {
		return j, false, err
	}
	if list, consistent = upTo(row, snap.Seq, list, created); !consistent {
		return j, false, nil
	}
	j = executor.Journal{Snapshot: snap.Data, Events: eventList(list)}
	j.Row, err = row.record()
	return j, true, err
}

// upTo returns those of the events behind a snapshot that a run had when its row was read,
// before both. What a run has journalled never changes, so these are the events up to the
// row's seq. ok is false where the three are not of one moment: the snapshot is newer than
// the row, events are missing, or the row that is there after all reads was created at
// another time (0: there is none), as the run was deleted and its id given to another one.
func upTo(row runRow, snapshot int64, list []eventRow, created int64) (behind []eventRow, ok bool) {
	n := row.Seq - snapshot
	if created != row.CreatedAt || n < 0 || int64(len(list)) < n || n > 0 && list[n-1].Seq != row.Seq {
		return nil, false
	}
	return list[:n], true
}
