package store_test

import (
	"context"
	"database/sql"
	"errors"
	"heddle/definitions/workflows"
	"heddle/internal/await"
	"heddle/store"
	"heddle/store/storetest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOpenAgain(t *testing.T) {
	url := "sqlite://" + filepath.Join(t.TempDir(), "h.db")
	first := open(t, url)
	if _, err := first.AcquireLease(context.Background(), "a", time.UnixMilli(1), time.Hour); err != nil {
		t.Fatal(err)
	}
	second := open(t, url, store.WithoutMigration())
	if err := second.Ping(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestOpenMakesPrivateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.db")
	open(t, "sqlite://"+path)
	for _, file := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", file, info.Mode())
		}
	}
}

func TestMemoryIsPrivate(t *testing.T) {
	first, second := open(t, "sqlite://:memory:"), open(t, "sqlite://:memory:")
	if _, err := first.AcquireLease(context.Background(), "a", time.UnixMilli(1), time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := second.AcquireLease(context.Background(), "b", time.UnixMilli(1), time.Hour); err != nil {
		t.Fatalf("two databases in memory share a lease: %v", err)
	}
}

// A dead process's lease does not keep its successor waiting.
func TestLock(t *testing.T) {
	ctx := context.Background()
	url := "sqlite://" + filepath.Join(t.TempDir(), "h.db")
	first, err := store.Open(ctx, url, store.WithLock())
	if err != nil {
		t.Fatal(err)
	}
	old, err := first.AcquireLease(ctx, "a", time.UnixMilli(1), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if db, err := store.Open(ctx, url, store.WithLock()); err == nil {
		_ = db.Close()
		t.Fatal("two servers have the lock")
	} else if !strings.Contains(err.Error(), "another heddle serves this database") {
		t.Fatalf("unclear: %v", err)
	}
	open(t, url) // a tool that only looks
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := open(t, url, store.WithLock())
	epoch, err := second.AcquireLease(ctx, "b", time.UnixMilli(2), time.Hour)
	if err != nil || epoch <= old {
		t.Fatalf("epoch %d after %d, %v", epoch, old, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.db")
	if err := os.WriteFile(junk, []byte(strings.Repeat("this is not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), await.Patience)
	defer cancel()
	for name, url := range map[string]string{
		"no folder":     "sqlite://" + filepath.Join(dir, "none", "h.db"),
		"a folder":      "sqlite://" + dir,
		"no database":   "sqlite://" + junk,
		"no server":     "postgres://user:sesame@127.0.0.1:1/db?connect_timeout=1",
		"bad settings":  "postgres://user:sesame@127.0.0.1:1/db?pool_max_conns=many",
		"not a dialect": "mysql://user:sesame@h/db",
	} {
		db, err := store.Open(ctx, url)
		if err == nil {
			_ = db.Close()
			t.Errorf("%s: opened", name)
			continue
		}
		if !strings.Contains(err.Error(), "HEDDLE_DATABASE_URL") || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// schemas are both databases, empty, each with its driver's name for database/sql.
func schemas(t *testing.T, test func(t *testing.T, url string, raw *sql.DB)) {
	connect := func(t *testing.T, driver, source string) *sql.DB {
		raw, err := sql.Open(driver, source)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = raw.Close() })
		return raw
	}
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "h.db")
		test(t, "sqlite://"+path, connect(t, "sqlite", path))
	})
	t.Run("postgres", func(t *testing.T) {
		url := storetest.EmptyPostgres(t)
		test(t, url, connect(t, "pgx", url))
	})
}

func TestNewerSchema(t *testing.T) {
	schemas(t, func(t *testing.T, url string, raw *sql.DB) {
		db, err := store.Open(context.Background(), url)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := raw.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)"); err != nil {
			t.Fatal(err)
		}
		for _, opts := range [][]store.Option{nil, {store.WithoutMigration()}} {
			db, err := store.Open(context.Background(), url, opts...)
			if err == nil {
				_ = db.Close()
				t.Fatal("a newer schema is opened")
			}
			if !strings.Contains(err.Error(), "schema 9999") || !strings.Contains(err.Error(), "newer heddle") {
				t.Fatalf("unclear: %v", err)
			}
		}
	})
}

func TestPendingMigration(t *testing.T) {
	schemas(t, func(t *testing.T, url string, _ *sql.DB) {
		db, err := store.Open(context.Background(), url, store.WithoutMigration())
		if err == nil {
			_ = db.Close()
			t.Fatal("an empty database is opened")
		}
		if !strings.Contains(err.Error(), "heddle migrate") {
			t.Fatalf("unclear: %v", err)
		}
	})
}

// Several nodes may start at once on an empty database.
func TestMigrateAtOnce(t *testing.T) {
	url := storetest.EmptyPostgres(t)
	errs := make(chan error)
	for range 4 {
		go func() {
			db, err := store.Open(context.Background(), url)
			if err == nil {
				err = db.Close()
			}
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// Workflows that were written before the searched form existed are found after
// the next start.
func TestOpenFoldsWhatIsNotYet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.db")
	first := open(t, "sqlite://"+path)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = raw.Exec(`WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 1100)
		INSERT INTO workflows (id, tenant_id, slug, name, description, status, trigger_type, tags, active_version, latest_version, latest_hash, revision, created_at, updated_at)
		SELECT 'wf_' || n, 't1', 'flow-' || n, 'ÉTÉ ' || n, '', 'active', 'manual', '[]', 1, 1, 'h', 1, 1, 1 FROM g`)
	if err := errors.Join(err, raw.Close()); err != nil {
		t.Fatal(err)
	}
	page, err := open(t, "sqlite://"+path).Workflows(context.Background(), workflows.Query{TenantID: "t1", Text: "été", Limit: 1, WantTotal: true})
	if err != nil || page.Total != 1100 {
		t.Errorf("%d are found, %v", page.Total, err)
	}
}
