package store_test

import (
	"bytes"
	"encoding/json"
	"heddle/executor"
	"heddle/fault"
	"heddle/internal/await"
	"heddle/store/storetest"
	"os"
	"path/filepath"
	"testing"
)

// A disk that is full refuses the write, and SQLite takes the transaction back:
// that the change is not there is known, and said.
func TestAFullDiskIsAKnownOutcome(t *testing.T) { storetest.OnSmallDisk(t, "2m", fullDisk) }

func fullDisk(t *testing.T, dir string) {
	db := open(t, "sqlite://"+filepath.Join(dir, "h.db"))
	workflow(t, db)
	ballast, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	for err = nil; err == nil; _, err = ballast.Write(make([]byte, 4096)) {
	}
	_ = ballast.Close()
	large := func(id string) executor.Commit {
		c := insertion(id)
		c.Row.Input = json.RawMessage(`"` + string(bytes.Repeat([]byte("x"), 200_000)) + `"`)
		return c
	}
	for range 3 {
		wantCode(t, "a commit", db.Commit(t.Context(), 0, []executor.Commit{large("run_1")})[0], "store_unavailable")
		wantCode(t, "readiness", db.Ping(t.Context()), "store_unavailable")
	}
	if err := os.Remove(ballast.Name()); err != nil {
		t.Fatal(err)
	}
	await.True(t, "the store takes writes again", func() bool { return db.Ping(t.Context()) == nil })
	if _, err := db.Run(t.Context(), "t1", "run_1"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("the run that was refused: %v", err)
	}
	if err := db.Commit(t.Context(), 0, []executor.Commit{large("run_1")})[0]; err != nil {
		t.Error(err)
	}
}
