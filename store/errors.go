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

// translate turns an error of gorm or of a driver into a *fault.Error:
// store_unavailable (Unavailable) where the same call may succeed later,
// internal (Internal) where the statement itself is at fault. The message holds
// neither SQL nor values; the cause is wrapped. Faults and sentinels pass
// unchanged, nil is nil.
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

// commitError classifies the error of a COMMIT that failed. Where the database
// said that it rolled back, the error is returned as it is: the change does not
// exist. Otherwise it may exist or not, and the error is outcome_unknown: the
// caller has to look before it tries again.
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
	// Of I/O errors only these: the primary code stands for fsync, too.
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

// isSentinel reports whether err is, or wraps, one of the sentinels. nil is not.
func isSentinel(err error) bool {
	return slices.ContainsFunc(sentinels, func(s error) bool { return errors.Is(err, s) })
}

// isUnavailable reports whether err is of a database that cannot be reached, is
// overloaded or has no room, and not of the statement. A context that ended
// counts, as the request's time for the database does. nil is not allowed.
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

// closedPool recognises the one error of database/sql that has no variable, by
// its text.
func closedPool(err error) bool { return strings.Contains(err.Error(), "sql: database is closed") }

// connectionLost recognises pgx's errors of connections that could not be made,
// timed out or broke, and those of statements that were never sent. "conn
// closed" has no variable either.
func connectionLost(err error) bool {
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || pgconn.Timeout(err) || pgconn.SafeToRetry(err) ||
		strings.Contains(err.Error(), "conn closed")
}

// pgUnavailable reports whether an SQLSTATE is temporary: the classes of lost
// connections (08), missing resources (53), operator intervention (57:
// shutdown, statement_timeout) and system errors (58), and the timeouts,
// conflicts and read-only states that pass by themselves.
// https://www.postgresql.org/docs/current/errcodes-appendix.html
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

// isDeadlock reports whether PostgreSQL ended the transaction for the sake of
// another one (deadlock_detected, serialization_failure), so that an immediate
// retry is likely to succeed.
func isDeadlock(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001")
}

// sqliteUnavailable reports whether a result code of SQLite is temporary. The
// low byte is the primary code (https://sqlite.org/rescode.html).
func sqliteUnavailable(code int) bool {
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOMEM:
		return true
	}
	return false
}

// violatesUnique reports whether a unique constraint refused the statement, and
// the constraint is about column: it is part of the constraint's name on
// PostgreSQL, where "id" therefore matches run_id, too, and a column's whole name or
// its beginning in SQLite's message. nil is false.
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

// runExists reports whether an insertion found the run's row, one of its events
// or its input in place already: another commit was first.
func runExists(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "23505" && slices.Contains([]string{"runs", "run_events", "run_inputs"}, pg.TableName)
	}
	return violatesUnique(err, "id") || violatesUnique(err, "run_id")
}
