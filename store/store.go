// Package store holds all SQL. Its DB fits the Store interface of every
// feature, over SQLite (one file, one process) and over PostgreSQL. It
// promises that each method is one transaction, that errors are *fault.Error
// (or the executor's sentinels) without SQL or values in their message, and
// that nothing of gorm, of database/sql or of a driver leaves it. It has no
// rules: what a change means is decided by the features.
//
// Times are stored as milliseconds since 1970, 0 for "never"; JSON is stored
// as text, "" for "none". The store has no clock: times are arguments.
//
// There are three ways to the tables. Single reads go through reader, which
// gorm words. Reads that must fit together and changes decided by a feature run
// in a transaction (view, update). The hot paths, where runs and firings are
// written in groups, bypass gorm: planGroup merges the members of a group into
// one write per run, writePlan executes them through groupTx, of which each
// dialect has one. A member that loses a race is left out and the rest of its
// group is written.
//
// Every row of a tenant's is found by the tenant's id, and a row of another
// tenant is not found: the errors do not tell the two cases apart. Lists
// continue from a cursor, which names the last row and a fingerprint of the
// list's filters.
package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"heddle/access"
	"heddle/agents"
	"heddle/approvals"
	"heddle/bulk"
	"heddle/definitions/validation"
	"heddle/definitions/workflows"
	"heddle/drafts"
	"heddle/executor"
	"heddle/idempotency"
	"heddle/live"
	"heddle/migrations"
	"heddle/schedules"
	"heddle/secrets"
	"heddle/system"
	"heddle/templates"
	"heddle/versions"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"
)

// DB fits every feature's Store.
var (
	_ access.Store       = (*DB)(nil)
	_ agents.Store       = (*DB)(nil)
	_ system.Store       = (*DB)(nil)
	_ approvals.Store    = (*DB)(nil)
	_ bulk.Store         = (*DB)(nil)
	_ workflows.Store    = (*DB)(nil)
	_ executor.BlobStore = (*DB)(nil)
	_ executor.Store     = (*DB)(nil)
	_ idempotency.Store  = (*DB)(nil)
	_ live.Source        = (*DB)(nil)
	_ schedules.Store    = (*DB)(nil)
	_ secrets.Store      = (*DB)(nil)
	_ drafts.Store       = (*DB)(nil)
	_ templates.Store    = (*DB)(nil)
	_ versions.Store     = (*DB)(nil)
)

// DB is an open database. It is safe for concurrent use.
type DB struct {
	// dialect decides which of two wordings of SQL is executed. It never
	// changes after Open, nor do the fields below that have no lock.
	dialect migrations.Dialect
	// write is where transactions that change something run. On SQLite it has
	// one connection, so writers queue in Go, in the order in which they came.
	write handle
	// read serves reads and snapshots. On PostgreSQL and for an in-memory
	// SQLite it is the same handle as write.
	read handle
	// pool is pgx's own view of write's connections, for group commits; nil on
	// SQLite.
	pool *pgxpool.Pool
	// notices notifies other nodes of what group commits have changed; nil on
	// SQLite. It has its own lock.
	notices *notifier
	// lock holds the file lock of a server on SQLite (WithLock); else nil.
	lock *os.File
	// prepared holds the statements of group commits on SQLite; else nil.
	prepared *preparedStatements
	// reads holds the statements of hot reads on SQLite; else nil.
	reads map[string]*sql.Stmt
	// session shows other nodes that this process lives (PostgreSQL). It has
	// its own lock.
	session livenessSession
	// processName names this process across restarts (PostgreSQL); "" where the
	// system does not say.
	processName string
	// usesIn reads what a definition names (KeepUses); nil: that is not kept.
	usesIn func(definition json.RawMessage) []validation.Use
	// observed is what this node last saw of another node's lease. It has its
	// own lock.
	observed leaseObservation
	// fileLease is the lease as kept in memory while lock is held. It has its
	// own lock.
	fileLease fileLease
	// searches holds the texts of workflows in memory, for searches. It has its own
	// lock.
	searches *searchMemory
	// walk bounds what pages of lists of runs cost.
	walk walkLimits
}

// handle is one pool of connections and gorm's view of it. outlivesContext is
// true for a driver whose statements may go on after their context has ended,
// as SQLite's do while they wait for the disk.
type handle struct {
	sql             *sql.DB
	gorm            *gorm.DB
	outlivesContext bool
}

// Option changes how Open opens a database.
type Option func(*settings)

// settings is what the options of one Open add up to.
type settings struct {
	// migrate: bring the schema up to date, instead of only checking it.
	migrate bool
	// lock: be the only server on the SQLite file.
	lock bool
	// waitLimit is for how long an unavailable PostgreSQL is tried; 0: once.
	// onWait is called with the reasons, see WithWait.
	waitLimit time.Duration
	onWait    func(error)
}

// WithoutMigration makes Open leave the schema alone and fail, with migrations'
// NewerError or OlderError, where it is not exactly the binary's.
func WithoutMigration() Option { return func(s *settings) { s.migrate = false } }

// WithLock makes Open fail while another process has the same SQLite file open
// with this option (a server does, a reading tool does not). It also ends the
// leases that a dead process left behind: holding the lock proves that their
// holder is gone. It has no effect on PostgreSQL.
func WithLock() Option { return func(s *settings) { s.lock = true } }

// WithWait makes Open wait, for at most d, for a PostgreSQL server that does
// not listen yet or is still starting. onWait is called with the reason of the
// first refusal and then at most every ten seconds. What cannot pass by itself,
// such as a wrong password, is an error at once. It has no effect on SQLite.
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
	db.searches, db.walk = newSearchMemory(searchMemoryLimit), defaultWalk
	if err := db.prepare(ctx, t, s); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// prepare migrates or checks the schema, then opens what needs tables: the
// prepared statements and the pool of readers. With migrate it also fills in the
// search texts that rows of earlier versions lack. Where the file lock is held
// it frees the leases last, once the table is sure to exist.
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

// Close ends the connections and releases the file lock. Calls in flight fail
// with store_unavailable, as later ones do. It works on a DB that Open could
// not finish. The lock goes last, so that no other server begins while a
// connection of this one may still write.
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
		db.notices.wait()
		db.session.close(context.Background())
		db.pool.Close()
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Close())
	}
	return errors.Join(errs...)
}

// Ping returns nil while the database answers and takes writes. It writes a row
// of its own, because a full disk or a read-only server refuses only that;
// callers that ask often should remember the answer for a while.
func (db *DB) Ping(ctx context.Context) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		return tx.Exec("INSERT INTO leases (name, holder, epoch, expires_at) VALUES ('ping', '', 1, 0) ON CONFLICT (name) DO UPDATE SET epoch = leases.epoch + 1").Error
	})
}

// postgres reports whether the database is PostgreSQL, for SQL that the
// dialects word differently.
func (db *DB) postgres() bool { return db.dialect == migrations.Postgres }
