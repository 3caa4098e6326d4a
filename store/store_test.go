package store_test

import (
	"context"
	"path/filepath"
	"testing"

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
