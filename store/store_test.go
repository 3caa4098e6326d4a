package store_test

import (
	"context"
	"errors"
	"heddle/executor"
	"heddle/fault"
	"heddle/store"
	"heddle/store/storetest"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func open(t testing.TB, url string, opts ...store.Option) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

func TestSQLiteFile(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *store.DB {
		return open(t, storetest.SQLite(t))
	})
}

func TestSQLiteMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *store.DB { return open(t, "sqlite://:memory:") })
}

func TestPostgres(t *testing.T) {
	storetest.Postgres(t)
	storetest.Run(t, func(t *testing.T) *store.DB { return open(t, storetest.Postgres(t)) })
}

// A session may break while its process lives: then the process renews, with
// another session, or stops by itself, and only after that the lease is free.
func TestPostgresLeaseOfABrokenSessionIsNotFreeAtOnce(t *testing.T) {
	url := storetest.Postgres(t)
	begin := time.UnixMilli(1_700_000_000_000)
	holder, next := open(t, url), open(t, url)
	cut := func() { // every session of the database but the one that asks
		t.Helper()
		conn, err := pgx.Connect(context.Background(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		_, err = conn.Exec(context.Background(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		if err != nil {
			t.Fatal(err)
		}
	}
	acquire := func(db *store.DB, name string, after time.Duration) (int64, error) {
		t.Helper()
		for {
			epoch, err := db.AcquireLease(context.Background(), name, begin.Add(after), time.Hour)
			if fault.KindOf(err) != fault.Unavailable { // sessions that were cut are found out one by one
				return epoch, err
			}
		}
	}
	held := func(after time.Duration) {
		t.Helper()
		if _, err := acquire(next, "next", after); !errors.Is(err, executor.ErrLeaseHeld) {
			t.Fatalf("after %v: %v", after, err)
		}
	}
	first, err := acquire(holder, "holder", 0)
	if err != nil {
		t.Fatal(err)
	}
	held(0)
	cut()
	held(time.Second)
	held(executor.StopsAfter - time.Second)
	renewed, err := acquire(holder, "holder", executor.StopsAfter-time.Second)
	if err != nil || renewed != first {
		t.Fatalf("renewed as %d, %v", renewed, err)
	}
	held(executor.StopsAfter + time.Second) // its new session is there
	cut()
	held(2*executor.StopsAfter - time.Second)
	second, err := acquire(next, "next", 2*executor.StopsAfter+time.Second)
	if err != nil || second <= first {
		t.Fatalf("when the holder must have stopped: epoch %d after %d, %v", second, first, err)
	}
}
