package storetest

import (
	"context"
	"fmt"
	"heddle/store"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// shared is the server that all tests of the process use. It is started by the
// first and ends with the process.
var shared = sync.OnceValues(func() (*Server, error) { return newServer(false) })

// databases counts the databases made so far, for their names.
var databases atomic.Int64

// templateDatabase is the name of the database that holds the current schema and nothing
// else. Copying its files costs a tenth of what the migrations do, and a sixth of copying
// it through the log, which PostgreSQL does by itself from version 15 on.
const templateDatabase = "heddle_template"

// migrated is the server that all tests of the process use, with the template.
var migrated = sync.OnceValues(func() (*Server, error) {
	s, err := shared()
	if err != nil {
		return nil, err
	}
	if err := s.exec("CREATE DATABASE " + templateDatabase); err != nil {
		return nil, err
	}
	db, err := store.Open(context.Background(), s.url(templateDatabase))
	if err != nil {
		return nil, fmt.Errorf("migrate the template: %w", err)
	}
	return s, db.Close()
})

// Postgres returns the URL of a fresh database on a PostgreSQL server that the test
// process starts once. It has the current schema and no rows, as a server leaves it that
// was opened once. The test is skipped where no PostgreSQL is installed, and fails
// instead when HEDDLE_REQUIRE_POSTGRES=1. The server is not durable: its data survive
// its own end, and not a power failure.
func Postgres(t testing.TB) string {
	t.Helper()
	return fresh(t, migrated, " TEMPLATE "+templateDatabase+" STRATEGY FILE_COPY")
}

// EmptyPostgres does as Postgres does, but the database has no schema: for tests of how
// it comes about.
func EmptyPostgres(t testing.TB) string {
	t.Helper()
	return fresh(t, shared, "")
}

func fresh(t testing.TB, server func() (*Server, error), clause string) string {
	t.Helper()
	if requireBinaries(t) == "" {
		return ""
	}
	s, err := server()
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	return s.database(t, clause)
}

// requireBinaries finds the folder of PostgreSQL's programs, or skips or fails the
// test.
func requireBinaries(t testing.TB) string {
	t.Helper()
	bin := findBinaries()
	if bin != "" {
		return bin
	}
	const missing = "PostgreSQL is not installed: no initdb and postgres in /usr/lib/postgresql/*/bin or PATH"
	if os.Getenv("HEDDLE_REQUIRE_POSTGRES") == "1" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// NewServer starts a server of the test's own, for tests that stop it or
// measure it. durable leaves fsync on, as in production. It is removed when the test
// ends. Where no PostgreSQL is installed it does as Postgres does.
func NewServer(t testing.TB, durable bool) *Server {
	t.Helper()
	requireBinaries(t)
	s, err := newServer(durable)
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	t.Cleanup(s.remove)
	return s
}

// Database makes a fresh, empty database, dropped when the test ends, and
// returns its URL.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	return s.database(t, "")
}

// database does as Database does, with a clause of CREATE DATABASE.
func (s *Server) database(t testing.TB, clause string) string {
	t.Helper()
	name := fmt.Sprintf("heddle_%d", databases.Add(1))
	if err := s.exec("CREATE DATABASE " + name + clause); err != nil {
		t.Fatalf("make a database: %v", err)
	}
	t.Cleanup(func() {
		// A test may have stopped the server that it started for itself.
		if s.running() {
			if err := s.exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
				t.Logf("drop the database: %v", err)
			}
		}
	})
	return s.url(name)
}

// Stop ends the server at once, as a crash would. Its data stay. Connections break,
// and new ones are refused until Start.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.stop(); err != nil {
		t.Fatalf("stop PostgreSQL: %v", err)
	}
}

// Start starts a stopped server again, under the same URLs.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatalf("start PostgreSQL again: %v", err)
	}
}

// url returns the URL of a database, by the socket in the server's folder.
func (s *Server) url(database string) string {
	q := url.Values{"host": {s.dir}, "port": {"5432"}, "sslmode": {"disable"}}
	return "postgres://" + superuser + "@/" + database + "?" + q.Encode()
}

// exec executes a statement on a connection of its own, to the database postgres.
func (s *Server) exec(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	if closed := conn.Close(ctx); err == nil {
		err = closed
	}
	return err
}
