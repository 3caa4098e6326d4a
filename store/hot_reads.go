package store

import (
	"context"
	"database/sql"
	"heddle/deadline"
)

// The reads of single runs, which requests and streams make most often. They
// bypass gorm, whose words cost more than what they say, and are prepared:
// SQLite parses a text anew for each call otherwise, and pgx keeps its own
// statements.
var (
	runSQL      = inBothDialects("SELECT " + runColumns + " FROM runs WHERE id = ? AND tenant_id = ?")
	runInputSQL = inBothDialects("SELECT input FROM run_inputs WHERE run_id = ?")
	// eventsSQL casts the seq because SQLite would parse the statement again for
	// each value that it might compare with the condition of a partial index.
	eventsSQL     = inBothDialects("SELECT " + eventColumns + " FROM run_events WHERE run_id = ? AND seq > CAST(? AS BIGINT) ORDER BY seq LIMIT ?")
	definitionSQL = inBothDialects("SELECT definition FROM workflow_versions WHERE workflow_id = ? AND number = ?")
)

// prepareReads prepares the hot reads on the pool of readers, whose end closes
// them; the tables must exist.
func (db *DB) prepareReads(ctx context.Context) error {
	db.reads = make(map[string]*sql.Stmt)
	for _, text := range []sqlText{runSQL, runInputSQL, eventsSQL, definitionSQL} {
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
	err = db.hotRead(ctx, runSQL, []any{runID, tenantID}, func(r rows) error {
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
