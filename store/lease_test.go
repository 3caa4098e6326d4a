package store_test

import (
	"context"
	"database/sql"
	"errors"
	"heddle/executor"
	"heddle/internal/await"
	"heddle/store"
	"heddle/store/storetest"
	"path/filepath"
	"testing"
	"time"
)

func lease(db *store.DB, holder string) (int64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), await.Patience)
	defer cancel()
	return db.AcquireLease(ctx, holder, time.Time{}, 15*time.Second)
}

// Every connection of the pool is taken by a call that lasts: for as long as they
// do the lease is renewed all the same, also over a session that is new.
func TestALeaseIsRenewedThoughNoConnectionIsFree(t *testing.T) {
	url := storetest.Postgres(t)
	const conns = 3
	db := open(t, url+"&pool_max_conns=3&lock_timeout=0&statement_timeout=0")
	epoch, err := lease(db, "a")
	if err != nil {
		t.Fatal(err)
	}
	other := rawConn(t, "pgx", url)
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "LOCK TABLE idempotency_answers IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	waiting, stop := context.WithCancel(t.Context())
	ended := make(chan error, conns)
	for range conns {
		go func() { ended <- db.PurgeAnswers(waiting, time.UnixMilli(5)) }()
	}
	await.True(t, "no connection is free", func() bool {
		var n int
		return other.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_locks WHERE NOT granted").Scan(&n) == nil && n == conns
	})
	renewed := make(chan error, 1)
	for round := range 3 {
		go func() {
			again, err := lease(db, "a")
			if err == nil && again != epoch {
				err = errors.New("another term")
			}
			renewed <- err
		}()
		if err := await.Receive(t, "the lease is renewed", renewed); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		if len(ended) > 0 {
			t.Fatal("the calls that take the connections ended")
		}
		endLeaseSession(t, other)
	}
	stop()
	for range conns {
		await.Receive(t, "the waiting calls end", ended)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
}

// endLeaseSession breaks the connection that the lease names.
func endLeaseSession(t *testing.T, other *sql.DB) {
	t.Helper()
	var ended bool
	err := other.QueryRowContext(t.Context(), "SELECT pg_terminate_backend(split_part(beacon, ' ', 1)::int) FROM leases WHERE name = 'executor'").Scan(&ended)
	if err != nil || !ended {
		t.Fatalf("the session of the lease: %v", err)
	}
}

// A server has its SQLite file for itself: however long the writer is taken, by
// its own transactions or by another process, the lease is renewed.
func TestALeaseIsRenewedThoughTheFileIsLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.db")
	db, err := store.Open(t.Context(), "sqlite://"+path, store.WithLock())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	epoch, err := lease(db, "a")
	if err != nil {
		t.Fatal(err)
	}
	unlock := storetest.LockFile(t, path)
	waiting := make(chan error, 20)
	for range cap(waiting) {
		go func() { waiting <- db.PurgeAnswers(context.Background(), time.UnixMilli(5)) }()
	}
	renewed := make(chan error, 1)
	for range 3 {
		go func() {
			again, err := lease(db, "a")
			if err == nil && again != epoch {
				err = errors.New("another term")
			}
			renewed <- err
		}()
		if err := await.Receive(t, "the lease is renewed", renewed); err != nil {
			t.Error(err)
		}
	}
	if _, err := lease(db, "b"); !errors.Is(err, executor.ErrLeaseHeld) {
		t.Errorf("another holder: %v", err)
	}
	unlock()
	for range cap(waiting) {
		await.Receive(t, "the transactions end", waiting)
	}
	if err := db.ReleaseLease(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if next, err := lease(db, "b"); err != nil || next <= epoch {
		t.Errorf("released: epoch %d after %d, %v", next, epoch, err)
	}
	if _, err := lease(db, "a"); !errors.Is(err, executor.ErrLeaseHeld) {
		t.Errorf("the old holder: %v", err)
	}
}
