package crash

import (
	"context"
	"database/sql"
	"heddle/client"
	"heddle/internal/await"
	"io"
	"path/filepath"
	"testing"

	_ "heddle/store" // the driver
)

// TestKilledBetweenAValueAndItsCommit: the large value of a commit that never
// came is swept by the next process, which runs the step again and stores its
// value for good.
func TestKilledBetweenAValueAndItsCommit(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience)
	defer cancel()
	file := filepath.Join(t.TempDir(), "heddle.db")
	bin := build(t)
	w := newBadDay(ctx, t, bin, "sqlite://"+file, "HEDDLE_TEST_CRASH=blob_written:1")
	run := w.start(ctx, w.workflow(ctx, `{"id":"get","type":"http_request","config":{"url":"http://`+w.r.addr+`/some"}}`))
	select {
	case <-w.s.dead:
	case <-ctx.Done():
		t.Fatal("the server was not killed")
	}
	if rows, kept := blobs(t, file); rows != 1 || kept != 0 {
		t.Fatalf("after the kill: %d values, %d of them named", rows, kept)
	}
	var err error
	if w.s, err = launch(ctx, bin, append(environment("sqlite://"+file, w.r.addr), "TMPDIR="+w.temp)); err != nil {
		t.Fatal(err)
	}
	w.c = client.New(w.s.base, adminKey, client.WithAttempts(1), client.WithHTTPClient(w.c.HTTP()))
	if got := w.awaitEnds(ctx, []string{run}); got["completed"] != 1 {
		t.Fatal(got)
	}
	w.await(ctx, "the orphan is swept", func() bool {
		rows, kept := blobs(t, file)
		return rows == 1 && kept == 1
	})
	got, err := w.c.Runs.Get(ctx, run)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.get(ctx, "/api/workflows/runs/"+run+"/blobs/"+reference(t, got.StepRuns[0].Output).ID)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); n < 3<<20 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if err := w.s.stop(); err != nil {
		t.Error(err)
	}
}

// blobs counts the values in a database file, and those that a commit named.
func blobs(t *testing.T, file string) (rows, kept int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT count(*), coalesce(sum(kept), 0) FROM blobs").Scan(&rows, &kept); err != nil {
		t.Fatal(err)
	}
	return rows, kept
}
