package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"heddle/deadline"
	"sync/atomic"

	"gorm.io/gorm"
)

// update runs fn in one write transaction. An error of fn rolls back and is
// translated. An error of the COMMIT is outcome_unknown, unless the database
// said that it rolled back. On SQLite the writers run one after another; on
// PostgreSQL the isolation is READ COMMITTED, so a method that decides on what
// it read locks those rows (row_locks.go). fn runs once: no error makes it run
// again. It must not change variables outside of it (transact): what it finds
// out is returned by updateResult.
func (db *DB) update(ctx context.Context, fn func(tx *gorm.DB) error) error {
	_, err := updateResult(ctx, db, func(tx *gorm.DB) (struct{}, error) { return struct{}{}, fn(tx) })
	return err
}

// updateResult is update for a change that has a result. With an error it
// returns the zero value.
func updateResult[T any](ctx context.Context, db *DB, fn func(tx *gorm.DB) (T, error)) (T, error) {
	return transact(ctx, db.write, nil, fn)
}

// viewResult returns what fn reads of one snapshot of the database: on PostgreSQL
// a read-only transaction at REPEATABLE READ, on SQLite a read transaction,
// which sees the state of its first read. Neither waits for writers nor makes
// them wait, except over a database in memory, which has one connection. Its
// errors are translated, and come with the zero value.
func viewResult[T any](ctx context.Context, db *DB, fn func(tx *gorm.DB) (T, error)) (T, error) {
	opts := &sql.TxOptions{ReadOnly: true}
	if db.postgres() {
		opts.Isolation = sql.LevelRepeatableRead
	}
	return transact(ctx, db.read, opts, fn)
}

// transact runs fn in a transaction that draws on the request's time for the
// database (package deadline), and returns its result. Where that time is spent
// before a driver that outlives its context has answered, transact returns and
// the transaction goes on by itself, and with it fn: so fn changes nothing
// outside of it, and a test holds that over all of the package. The abandoned
// transaction rolls back, unless its COMMIT was under way; then the error is
// outcome_unknown.
func transact[T any](ctx context.Context, h handle, opts *sql.TxOptions, fn func(tx *gorm.DB) (T, error)) (T, error) {
	if !h.outlivesContext {
		ctx, call := deadline.Begin(ctx)
		defer call.End()
		return transaction(ctx, h, opts, fn, func() {})
	}
	var committing atomic.Bool
	return deadline.Do(ctx, func(ctx context.Context) (T, error) {
		return transaction(ctx, h, opts, fn, func() { committing.Store(true) })
	}, func() error {
		if committing.Load() {
			return commitError(context.DeadlineExceeded)
		}
		return translate(context.DeadlineExceeded)
	})
}

// transaction runs fn in a transaction on a connection of its own. committing
// is called right before the COMMIT is sent. A connection whose state is not
// known any more is closed instead of reused.
func transaction[T any](ctx context.Context, h handle, opts *sql.TxOptions, fn func(tx *gorm.DB) (T, error), committing func()) (T, error) {
	var none T
	conn, err := h.sql.Conn(ctx)
	if err != nil {
		return none, translate(err)
	}
	defer conn.Close() //nolint:errcheck // gives the connection back; a broken one is dropped by the pool
	tx, err := conn.BeginTx(ctx, opts)
	if err != nil {
		discard(conn)
		return none, translate(err)
	}
	// gorm begins no transaction of its own (gormConfig), so all of fn runs in tx.
	session := h.gorm.Session(&gorm.Session{NewDB: true, Context: ctx})
	session.Statement.ConnPool = tx
	result, err := fn(session)
	if err != nil {
		if rollback := tx.Rollback(); rollback != nil && !errors.Is(rollback, sql.ErrTxDone) {
			discard(conn)
		}
		return none, translate(err)
	}
	committing()
	if err := commit(ctx, conn, tx); err != nil {
		return none, err
	}
	return result, nil
}

// commit ends the transaction. After a failed COMMIT the connection may still
// be inside the transaction, so it is discarded. A context that ended before
// the COMMIT was sent has rolled back: that outcome is known.
func commit(ctx context.Context, conn *sql.Conn, tx *sql.Tx) error {
	err := tx.Commit()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil, errors.Is(err, ctx.Err()) && ctx.Err() != nil:
		return translate(ctx.Err()) // rolled back before COMMIT was sent
	}
	discard(conn)
	return translate(commitError(err))
}

// discard makes the pool close the connection instead of using it again. conn
// must still be closed afterwards, which returns its place in the pool.
func discard(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
}

// reader returns a session for reads of a single statement; what must fit
// together takes view. Its errors are the driver's: the caller translates them.
func (db *DB) reader(ctx context.Context) *gorm.DB {
	return db.read.gorm.WithContext(ctx)
}

// found runs a query for one row, scans the first one into dest and reports
// whether there was any. No row is not an error, and leaves dest as it was. The
// error is not translated: within update and view that is done at the end.
func found(q *gorm.DB, dest any) (bool, error) {
	res := q.Limit(1).Find(dest)
	return res.RowsAffected > 0, res.Error
}
