package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"heddle/executor"
	"heddle/fault"
	"heddle/schedules"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// translate turns an error of gorm or a driver into a fault. Faults and the
// executor's sentinels pass as they are.
func translate(err error) error {
	var f *fault.Error
	switch {
	case err == nil, errors.As(err, &f), isSentinel(err):
		return err
	case isUnavailable(err):
		return fault.Wrap(err, fault.Unavailable, "store_unavailable", "The database does not answer. Try again in a moment.")
	}
	return fault.Wrap(err, fault.Internal, "internal", "The database refused a statement.")
}

// commitError is the error of a COMMIT that failed. Where the database said
// that it rolled back, the change is not there; else it may be or not.
func commitError(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Severity == "ERROR" || errors.Is(err, pgx.ErrTxCommitRollback) {
		return err
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) && sqliteRolledBack(lite.Code()) {
		return err
	}
	return fault.Wrap(err, fault.Unavailable, "outcome_unknown", "The database failed while it committed: the change may have been made or not. Look before trying again.")
}

// sqliteRolledBack reports whether a COMMIT that failed with the code has left
// nothing behind. A transaction in the write-ahead log counts once the frame
// that ends it is written whole; these codes are of failures before that. A
// failed fsync, or no memory for the log's index, comes after it: the frame may
// be found after a crash.
func sqliteRolledBack(code int) bool {
	switch code {
	case sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ:
		return true
	}
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_LOCKED,
		sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_READONLY:
		return true
	}
	return false
}

// sentinels are the errors by which executor and schedules tell the outcomes of
// a race apart; they pass through the store unchanged.
var sentinels = []error{
	executor.ErrFenced, executor.ErrStale, executor.ErrDuplicateKey, executor.ErrNameTaken, executor.ErrLeaseHeld, schedules.ErrConflict,
}

// isSentinel reports whether err is, or wraps, one of the sentinels.
func isSentinel(err error) bool {
	return slices.ContainsFunc(sentinels, func(s error) bool { return errors.Is(err, s) })
}

// isUnavailable tells errors of a database that is away, overloaded or out of
// room from errors of the statement.
func isUnavailable(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pgUnavailable(pg.Code)
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return sqliteUnavailable(lite.Code())
	}
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, puddle.ErrClosedPool) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.As(err, &network) || closedPool(err) || connectionLost(err)
}

// closedPool knows the one error of database/sql that has no name.
func closedPool(err error) bool { return strings.Contains(err.Error(), "sql: database is closed") }

func connectionLost(err error) bool {
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || pgconn.Timeout(err) || pgconn.SafeToRetry(err) ||
		strings.Contains(err.Error(), "conn closed")
}

// pgUnavailable knows the SQLSTATE classes of lost connections (08), missing
// resources (53), operator intervention (57: shutdown, statement_timeout),
// system errors (58), and the timeouts, conflicts and read-only states that
// pass by themselves.
func pgUnavailable(code string) bool {
	switch code {
	case "40001", "40P01", "55P03", "25006", "25P03", "25P04":
		return true
	}
	for _, class := range []string{"08", "53", "57", "58"} {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return false
}

// isDeadlock tells whether PostgreSQL ended the transaction for the sake of
// another one, so that trying again may do.
func isDeadlock(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001")
}

func sqliteUnavailable(code int) bool {
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOMEM:
		return true
	}
	return false
}

// violatesUnique tells whether a unique constraint refused the statement, and
// whether the constraint is about the column.
func violatesUnique(err error, column string) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "23505" && strings.Contains(pg.ConstraintName, column)
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		unique := lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
		return unique && strings.Contains(lite.Error(), "."+column)
	}
	return false
}

// runExists tells whether a run's row or one of its events was there already.
func runExists(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "23505" && slices.Contains([]string{"runs", "run_events", "run_inputs"}, pg.TableName)
	}
	return violatesUnique(err, "id") || violatesUnique(err, "run_id")
}
