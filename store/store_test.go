package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"heddle/executor"
	"heddle/store"
	"heddle/store/storetest"
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
		return open(t, "sqlite://"+filepath.Join(t.TempDir(), "heddle.db"))
	})
}

func TestSQLiteMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *store.DB { return open(t, "sqlite://:memory:") })
}

func TestPostgres(t *testing.T) {
	storetest.Postgres(t)
	storetest.Run(t, func(t *testing.T) *store.DB { return open(t, storetest.Postgres(t)) })
}

func TestPostgresLeaseOfAKilledProcessIsFreeAtOnce(t *testing.T) {
	url := storetest.Postgres(t)
	now := time.UnixMilli(1_700_000_000_000)
	dead, err := store.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	first, err := dead.AcquireLease(context.Background(), "dead", now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	next := open(t, url)
	if _, err := next.AcquireLease(context.Background(), "next", now, time.Hour); !errors.Is(err, executor.ErrLeaseHeld) {
		t.Fatalf("while the holder lives: %v", err)
	}
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(10 * time.Second)
	for {
		second, err := next.AcquireLease(context.Background(), "next", now, time.Hour)
		if err == nil {
			if second <= first {
				t.Errorf("epoch %d after %d", second, first)
			}
			return
		}
		select {
		case <-deadline:
			t.Fatal(err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
