// Package store holds all SQL. Its DB fits the Store interface of every
// feature, over SQLite (one file, one process) and over PostgreSQL. It
// promises that each method is one transaction, that errors are *fault.Error
// (or the executor's sentinels) without SQL or values in their message, and
// that nothing of gorm, of database/sql or of a driver leaves it. It knows no
// rules: what a change means is decided by the features.
//
// Times are stored as milliseconds since 1970, 0 for "never"; JSON is stored
// as text, "" for "none". The store has no clock: times are arguments.
package store

import (
	"context"
	"database/sql"
	"errors"
	"heddle/access"
	"heddle/agents"
	"heddle/definitions"
	"heddle/executor"
	"heddle/idempotency"
	"heddle/migrations"
	"heddle/schedules"
	"heddle/secrets"
	"heddle/templates"
	"heddle/versions"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"
)

// DB fits every feature's Store.
var (
	_ access.Store       = (*DB)(nil)
	_ agents.Store       = (*DB)(nil)
	_ definitions.Store  = (*DB)(nil)
	_ executor.BlobStore = (*DB)(nil)
	_ executor.Store     = (*DB)(nil)
	_ idempotency.Store  = (*DB)(nil)
	_ schedules.Store    = (*DB)(nil)
	_ secrets.Store      = (*DB)(nil)
	_ templates.Store    = (*DB)(nil)
	_ versions.Store     = (*DB)(nil)
)

// DB is an open database. It is safe for concurrent use.
type DB struct {
	dialect     migrations.Dialect
	write       handle
	read        handle              // PostgreSQL and in-memory SQLite: the same as write
	pool        *pgxpool.Pool       // PostgreSQL only
	lock        *os.File            // SQLite with WithLock only
	prepared    *preparedStatements // SQLite only
	session     livenessSession     // PostgreSQL only
	processName string              // PostgreSQL only: this process's name
	observed    leaseObservation
	fileLease   fileLease // SQLite with WithLock only

	queueMu          sync.Mutex
	lastServedTenant string // the tenant that Queued served last
}

// handle is one pool and gorm's view of it. hangs: a statement of its driver may
// go on after its context has ended (SQLite's, while it waits for the disk).
type handle struct {
	sql             *sql.DB
	gorm            *gorm.DB
	outlivesContext bool
}

// Option changes how Open opens.
type Option func(*settings)

type settings struct {
	migrate   bool
	lock      bool
	waitLimit time.Duration
	onWait    func(error)
}

// WithoutMigration leaves the schema alone; Open then refuses a database whose
// schema is not exactly the binary's.
func WithoutMigration() Option { return func(s *settings) { s.migrate = false } }

// WithLock makes Open fail when another process has the same SQLite file open
// with this option (a server does, a reading tool does not), and ends the
// leases that a dead process left. It has no effect on PostgreSQL.
func WithLock() Option { return func(s *settings) { s.lock = true } }

// WithWait makes Open wait for a PostgreSQL server that is not there yet, or is
// still starting, for at most d. waiting is called at the first refusal and then
// at most every ten seconds. What cannot pass by itself, a wrong password for
// one, is an error at once.
func WithWait(d time.Duration, waiting func(error)) Option {
	return func(s *settings) { s.waitLimit, s.onWait = d, waiting }
}

// Open opens the database that url names and brings its schema up to date.
//
//	sqlite://heddle.db      a file, relative to the working directory
//	sqlite:///var/lib/h.db  a file by its absolute path
//	sqlite://:memory:       a private database that ends with Close
//	postgres://…            a PostgreSQL server (postgresql:// too)
//
// Errors are written for the operator and name HEDDLE_DATABASE_URL; they never
// hold a password.
func Open(ctx context.Context, url string, opts ...Option) (*DB, error) {
	s := settings{migrate: true}
	for _, o := range opts {
		o(&s)
	}
	t, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	var db *DB
	if t.dialect == migrations.SQLite {
		db, err = openSQLite(ctx, t, s)
	} else {
		db, err = openPostgres(ctx, url, s)
	}
	if err != nil {
		return nil, err
	}
	if err := db.prepare(ctx, t, s); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// prepare migrates or checks the schema and opens what needs one.
func (db *DB) prepare(ctx context.Context, t target, s settings) error {
	step := migrations.Check
	if s.migrate {
		step = migrations.Up
	}
	if err := step(ctx, db.write.sql, db.dialect); err != nil {
		return openError(err)
	}
	if s.migrate {
		if err := db.fillSearchTexts(ctx); err != nil {
			return openError(err)
		}
	}
	if db.dialect != migrations.SQLite {
		return nil
	}
	if err := db.openReader(ctx, t); err != nil {
		return openError(err)
	}
	if db.lock != nil {
		return db.endLeases(ctx)
	}
	return nil
}

// Close ends the connections. Calls in flight fail.
func (db *DB) Close() error {
	var errs []error
	if db.prepared != nil {
		errs = append(errs, db.prepared.close())
	}
	if db.read.sql != nil && db.read.sql != db.write.sql {
		errs = append(errs, db.read.sql.Close())
	}
	if db.write.sql != nil {
		errs = append(errs, db.write.sql.Close())
	}
	if db.pool != nil {
		db.session.close(context.Background())
		db.pool.Close()
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Close())
	}
	return errors.Join(errs...)
}

// Ping reports whether the store answers and takes writes: it writes a row of
// its own, which a full disk or a read-only server refuses.
func (db *DB) Ping(ctx context.Context) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		return tx.Exec("INSERT INTO leases (name, holder, epoch, expires_at) VALUES ('ping', '', 1, 0) ON CONFLICT (name) DO UPDATE SET epoch = leases.epoch + 1").Error
	})
}

// postgres tells which of two wordings of SQL to use.
func (db *DB) postgres() bool { return db.dialect == migrations.Postgres }
