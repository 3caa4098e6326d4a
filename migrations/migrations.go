// Package migrations holds the database schema as ordered SQL files, one
// folder per dialect, and brings a database up to date. Forward only: there is
// no way down but a backup.
//
// A file is named by its number and its purpose (00008_run_series.sql) and is never
// changed once it was released; both folders have the same numbers. goose keeps in
// the database which of them were applied. The package knows the text of the schema
// and nothing of what the rows mean.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"path"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Dialect names a folder of migrations.
type Dialect string

// The dialects.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// files holds both folders, so that the binary needs no other file.
//
//go:embed sqlite/*.sql postgres/*.sql
var files embed.FS

// NewerError says that the database was written by a newer heddle. Database and
// Binary are numbers of migrations: the newest one applied, and the newest one known.
type NewerError struct {
	Database, Binary int64
}

// Error names both versions and says what the operator can do.
func (e *NewerError) Error() string {
	return fmt.Sprintf("the database has schema %d, this heddle knows schemas up to %d: start the newer heddle, or restore a backup made before the upgrade", e.Database, e.Binary)
}

// OlderError says that migrations are pending: Database is the newest one applied,
// Binary the newest one known.
type OlderError struct {
	Database, Binary int64
}

// Error names both versions and the command that migrates.
func (e *OlderError) Error() string {
	return fmt.Sprintf("the database has schema %d, this heddle needs schema %d: run `heddle migrate` first", e.Database, e.Binary)
}

// Up applies what is pending, in order, each file in a transaction of its own, so
// that a failure leaves those before it applied. On PostgreSQL it holds goose's
// session lock, so that several nodes may start at once: the others wait for up to a
// minute. A database that is newer than the binary is a *NewerError and stays
// untouched.
func Up(ctx context.Context, db *sql.DB, d Dialect) error {
	p, err := provider(db, d)
	if err != nil {
		return err
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if current > target {
		return &NewerError{Database: current, Binary: target}
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return nil
}

// Check reports whether the schema is exactly the binary's: *NewerError or
// *OlderError where it is not. It changes nothing but goose's own table.
func Check(ctx context.Context, db *sql.DB, d Dialect) error {
	p, err := provider(db, d)
	if err != nil {
		return err
	}
	current, target, err := p.GetVersions(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("read the schema's version: %w", err)
	case current > target:
		return &NewerError{Database: current, Binary: target}
	case current < target:
		return &OlderError{Database: current, Binary: target}
	}
	return nil
}

// provider returns goose's runner of the dialect's migrations, which writes no log
// and knows no migrations but these.
func provider(db *sql.DB, d Dialect) (*goose.Provider, error) {
	all, err := read(d)
	if err != nil {
		return nil, err
	}
	opts := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()), goose.WithGoMigrations(all...)}
	dialect := goose.DialectSQLite3
	if d == Postgres {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
		if err != nil {
			return nil, fmt.Errorf("migration lock: %w", err)
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(dialect, db, nil, opts...)
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return p, nil
}

// read returns the files of a dialect, each to be run whole in a transaction of
// its own. Both drivers take a text of several statements; goose's own reading
// of them costs more than running them.
func read(d Dialect) ([]*goose.Migration, error) {
	entries, err := files.ReadDir(string(d))
	if err != nil {
		return nil, fmt.Errorf("migrations of %s: %w", d, err)
	}
	var all []*goose.Migration
	for _, e := range entries {
		version, err := goose.NumericComponent(e.Name())
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", e.Name(), err)
		}
		text, err := files.ReadFile(path.Join(string(d), e.Name()))
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", e.Name(), err)
		}
		run := func(ctx context.Context, tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, string(text)); err != nil {
				return fmt.Errorf("%s: %w", e.Name(), err)
			}
			return nil
		}
		all = append(all, goose.NewGoMigration(version, &goose.GoFunc{RunTx: run}, nil))
	}
	return all, nil
}
