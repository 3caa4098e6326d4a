package store_test

import (
	"context"
	"database/sql"
	"heddle/deadline"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/internal/await"
	"heddle/store"
	"heddle/store/storetest"
	"path/filepath"
	"testing"
	"time"
)

// brief is a request's time for the database that is over soon.
func brief(t *testing.T) context.Context {
	return deadline.WithBudget(t.Context(), 50*time.Millisecond)
}

// answered waits for calls that must return although the database does not, and
// checks that each says so.
func answered(t *testing.T, calls map[string]func(context.Context) error) {
	t.Helper()
	for name, call := range calls {
		done := make(chan error, 1)
		go func() { done <- call(brief(t)) }()
		wantCode(t, name, await.Receive(t, name+" returns", done), "store_unavailable")
	}
}

func reads(db *store.DB) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"a row": func(ctx context.Context) error { _, err := db.Run(ctx, "t1", "run_1"); return err },
		"a list": func(ctx context.Context) error {
			_, err := db.Runs(ctx, executor.RunQuery{TenantID: "t1", Limit: 5})
			return err
		},
		"a snapshot":  func(ctx context.Context) error { _, err := db.Journal(ctx, "run_1"); return err },
		"a key":       func(ctx context.Context) error { _, err := db.Answer(ctx, "t1", "POST /x", "k"); return err },
		"a workflow":  func(ctx context.Context) error { _, err := db.Workflow(ctx, "t1", "one"); return err },
		"a start's":   func(ctx context.Context) error { _, err := db.Target(ctx, "t1", "one", ""); return err },
		"definitions": func(ctx context.Context) error { _, err := db.Definition(ctx, "wf_1", 1); return err },
	}
}

func writes(db *store.DB) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"a change":      func(ctx context.Context) error { return db.PurgeAnswers(ctx, time.UnixMilli(5)) },
		"a run's end":   func(ctx context.Context) error { return db.DeleteRun(ctx, "t1", "run_1") },
		"the readiness": db.Ping,
		"a save": func(ctx context.Context) error {
			return db.CreateWorkflow(ctx, workflows.Revision{Workflow: workflows.Workflow{ID: "wf_2", TenantID: "t1", Slug: "two"}}, nil)
		},
	}
}

// A server that takes connections and never answers.
func TestCallsEndWhilePostgresIsSilent(t *testing.T) {
	proxy, url := storetest.NewProxy(t, storetest.Postgres(t))
	db := open(t, url)
	workflow(t, db)
	proxy.Freeze()
	answered(t, reads(db))
	answered(t, writes(db))
	proxy.Thaw()
	await.True(t, "the store answers again", func() bool { return db.Ping(t.Context()) == nil })
}

// The one connection is taken by a call that waits for a lock.
func TestCallsEndWhileNoConnectionIsFree(t *testing.T) {
	url := storetest.Postgres(t)
	db := open(t, url+"&pool_max_conns=1")
	workflow(t, db)
	other := rawConn(t, "pgx", url)
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "LOCK TABLE idempotency_answers IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	waiting, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- db.PurgeAnswers(waiting, time.UnixMilli(5)) }()
	await.True(t, "the lock is waited for", func() bool {
		var n int
		return other.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_locks WHERE NOT granted").Scan(&n) == nil && n == 1
	})
	calls := reads(db)
	delete(calls, "a key")
	answered(t, calls)
	stop()
	await.Receive(t, "the waiting call ends", ended)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
}

// Another process has the file locked for longer than a request may wait.
func TestCallsEndWhileTheFileIsLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.db")
	db := open(t, "sqlite://"+path)
	workflow(t, db)
	unlock := storetest.LockFile(t, path)
	answered(t, writes(db))
	unlock()
	await.True(t, "the store takes writes again", func() bool { return db.Ping(t.Context()) == nil })
}

func rawConn(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	pool, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	return pool
}
