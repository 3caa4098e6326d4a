package storetest

import (
	"context"
	"fmt"
	"heddle/store"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// sqliteTemplate is the content of a file with the current schema and nothing else.
// Writing it costs an eighth of what the migrations do.
var sqliteTemplate = sync.OnceValues(func() (content []byte, err error) {
	dir, err := os.MkdirTemp("", "heddle-sqlite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	path := filepath.Join(dir, "template.db")
	db, err := store.Open(context.Background(), "sqlite://"+path)
	if err != nil {
		return nil, fmt.Errorf("migrate the template: %w", err)
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// SQLite returns the URL of a fresh file with the current schema and no rows, as a server
// leaves it that was opened once. It lies in memory where there is room, and is removed
// when the test ends; tests of the disk, and of how the schema comes about, make their own.
func SQLite(t testing.TB) string {
	t.Helper()
	content, err := sqliteTemplate()
	if err != nil {
		t.Fatalf("make a database: %v", err)
	}
	dir := t.TempDir()
	if folders := memoryDirs(); len(folders) > 0 {
		if dir, err = os.MkdirTemp(folders[0], "heddle-sqlite-"); err != nil { //nolint:usetesting // a folder in memory, not that of TempDir
			t.Fatalf("make a database: %v", err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
	}
	path := filepath.Join(dir, "heddle.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatalf("make a database: %v", err)
	}
	return "sqlite://" + path
}
