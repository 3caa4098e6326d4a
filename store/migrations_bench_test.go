package store_test

import (
	"database/sql"
	"fmt"
	"heddle/store/storetest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
)

// beforeLists is the schema of which BenchmarkMigrations has its rows: the last one in which a
// list of runs knew states, triggers, workflows and starts only.
const beforeLists = 27

// BenchmarkMigrations is how long each migration takes that came after beforeLists, on a
// database with HEDDLE_MIGRATION_RUNS runs (100,000) of 100 workflows, in milliseconds; those
// below 1 ms for 1,000 runs are not told apart.
//
//	HEDDLE_MIGRATION_RUNS=1000000 go test -run '^$' -bench Migrations -benchtime 1x ./store
func BenchmarkMigrations(b *testing.B) {
	runs := 100_000
	if text := os.Getenv("HEDDLE_MIGRATION_RUNS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		runs = n
	}
	b.Run("sqlite", func(b *testing.B) {
		file := filepath.Join(b.TempDir(), "heddle.db")
		migrateMany(b, goose.DialectSQLite3, "sqlite", "file:"+file+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)", runs)
	})
	b.Run("postgres", func(b *testing.B) {
		migrateMany(b, goose.DialectPostgres, "pgx", storetest.NewServer(b, true).Database(b), runs)
	})
}

func migrateMany(b *testing.B, dialect goose.Dialect, driver, dsn string, runs int) {
	b.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	folder, numbers, padded := "sqlite", "WITH RECURSIVE g(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM g WHERE n + 1 < %d)", "printf('%07d', n)"
	if driver == "pgx" {
		folder, numbers, padded = "postgres", "WITH g(n) AS (SELECT generate_series(0, %d - 1))", "lpad(n::text, 7, '0')"
	}
	p, err := goose.NewProvider(dialect, db, os.DirFS(filepath.Join("..", "migrations", folder)))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := p.UpTo(b.Context(), beforeLists); err != nil {
		b.Fatal(err)
	}
	for _, fill := range []struct {
		rows int
		text string
	}{
		{100, `INSERT INTO workflows (id, tenant_id, slug, name, description, status, trigger_type, tags, active_version, latest_version, latest_hash, revision, created_at, updated_at)
			SELECT 'wf_' || n, 't', 'flow-' || n, 'Flow', '', 'active', 'manual', '[]', 1, 1, 'h', 1, n, n FROM g WHERE true`},
		{runs, `INSERT INTO runs (id, tenant_id, workflow_id, slug, version, hash, trigger_kind, input, trace_parent, trace_state, created_at, state, seq, started_at, completed_at, updated_at, wake_at, output, error, tokens, cost_micro_usd)
			SELECT 'run_' || PADDED, 't', 'wf_' || (n % 100), 'flow-' || (n % 100), 1, 'h', CASE n % 10 WHEN 0 THEN 'api' ELSE 'manual' END, '{}', '', '', 1700000000000 + n * 1000,
			CASE n % 50 WHEN 0 THEN 'failed' ELSE 'completed' END, 10, 1700000000000 + n * 1000 + n % 3, 1700000005000 + n * 1000, 1700000005000 + n * 1000, 0, '{}', CASE n % 50 WHEN 0 THEN '{"code":"timeout","message":"late"}' ELSE '' END, 0, 0 FROM g WHERE true`},
	} {
		if _, err := db.ExecContext(b.Context(), fmt.Sprintf(numbers, fill.rows)+" "+strings.ReplaceAll(fill.text, "PADDED", padded)); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() { // the first round migrates, others find nothing to do
		for {
			begun := time.Now()
			done, err := p.UpByOne(b.Context())
			if err != nil || done == nil {
				break
			}
			if took := time.Since(begun); took > time.Duration(runs)*time.Microsecond {
				b.ReportMetric(float64(took.Milliseconds()), fmt.Sprintf("ms-%05d", done.Source.Version))
			}
		}
	}
	if version, err := p.GetDBVersion(b.Context()); err != nil || version <= beforeLists {
		b.Fatalf("schema %d, error %v", version, err)
	}
}
