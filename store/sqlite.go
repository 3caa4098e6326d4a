package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"heddle/migrations"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"gorm.io/gorm"
)

// maxReaders is how many reads of a SQLite file run at once; more of them would
// starve the writer on small machines.
const maxReaders = 4

// busyTimeout, in milliseconds, is how long a statement waits for another
// process that has the file locked. SQLite does not notice the end of a context
// while it waits, and hands the lock out unfairly; a request abandons such a
// call when its own time is over (handle.transact).
const busyTimeout = "10000"

// openSQLite takes the file lock where that is wanted and opens the writer: one
// connection, so that writers queue fairly in Go instead of polling in SQLite's
// busy handler. The readers follow in openReader, once there are tables.
func openSQLite(ctx context.Context, t target, s settings) (*DB, error) {
	db := &DB{dialect: migrations.SQLite}
	if !t.memory {
		if err := createFile(t.path); err != nil {
			return nil, err
		}
		if s.lock {
			lock, err := lockFile(t.path + ".lock")
			if err != nil {
				return nil, err
			}
			db.lock = lock
		}
	}
	var err error
	if db.write, err = openHandle(writerDSN(t), 1); err == nil {
		err = db.write.sql.PingContext(ctx)
	}
	if err != nil {
		return nil, errors.Join(openError(err), db.Close())
	}
	return db, nil
}

// openReader prepares the statements of group commits and opens the read-only
// pool. The tables must exist. A database in memory lives in its one
// connection, which then serves everything.
func (db *DB) openReader(ctx context.Context, t target) error {
	var err error
	if db.prepared, err = prepareStatements(ctx, db.write.sql); err != nil {
		return err
	}
	if t.memory {
		db.read = db.write
	} else if db.read, err = openHandle(readerDSN(t), maxReaders); err != nil {
		return err
	}
	return db.prepareReads(ctx)
}

// createFile creates the database file, readable by its owner alone, unless it
// exists; SQLite creates its -wal and -shm files with the same mode. Its errors
// are written for the operator.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	switch {
	case err == nil:
		return f.Close()
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the folder of the database file %q does not exist: make it, or change HEDDLE_DATABASE_URL", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("no permission to write the database file %q: change its owner, or HEDDLE_DATABASE_URL", path)
	}
	return fmt.Errorf("the database file %q cannot be opened, see HEDDLE_DATABASE_URL: %w", path, err)
}

// openHandle opens at most conns connections, which are kept open when idle: a
// new one would have to read the schema and set the pragmas again. None is made
// before the first statement.
func openHandle(dsn string, conns int) (handle, error) {
	pool, err := sql.Open("sqlite", dsn)
	if err != nil {
		return handle{}, err
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	g, err := gorm.Open(sqliteDialector{boundedPool{pool}}, gormConfig())
	if err != nil {
		return handle{}, errors.Join(err, pool.Close())
	}
	return handle{sql: pool, gorm: g, outlivesContext: true}, nil
}

// writerDSN returns the data source name of the writer. The pragmas stand in
// it, so that every connection of a pool has them. Transactions begin
// IMMEDIATE: what they read stays true until they end. synchronous=FULL: an
// acknowledged commit survives a power failure. The cache is 32 MiB; the log is
// written back every 4,000 pages and cut to 64 MiB.
func writerDSN(t target) string {
	q := url.Values{"_txlock": {"immediate"}}
	q["_pragma"] = []string{"busy_timeout(" + busyTimeout + ")", "foreign_keys(1)"}
	if t.memory {
		return "file::memory:?" + q.Encode()
	}
	q["_pragma"] = append(q["_pragma"], "journal_mode(WAL)", "synchronous(FULL)", "temp_store(MEMORY)",
		"cache_size(-32768)", "wal_autocheckpoint(4000)", "journal_size_limit(67108864)")
	return fileURI(t.path) + "?" + q.Encode()
}

// readerDSN returns the data source name of the readers, which can change
// nothing: the file is opened read-only, and statements that write are refused.
// Each has a cache of 8 MiB.
func readerDSN(t target) string {
	q := url.Values{"mode": {"ro"}}
	q["_pragma"] = []string{"busy_timeout(" + busyTimeout + ")", "query_only(1)", "cache_size(-8192)"}
	return fileURI(t.path) + "?" + q.Encode()
}

// fileURI returns a path as a URI of SQLite, with the three characters escaped
// that would end or change the path (https://sqlite.org/uri.html).
func fileURI(path string) string {
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
}
