package main

import (
	"os"
	"strings"
	"testing"

	"heddle/store/storetest"
)

// TestBenchOnPostgres measures a server with fsync on, as in production.
// HEDDLE_BENCH_RUNS says how many runs (default 200, to see that it works);
// `make bench` takes enough for figures.
func TestBenchOnPostgres(t *testing.T) {
	runs := os.Getenv("HEDDLE_BENCH_RUNS")
	if runs == "" {
		runs = "200"
	}
	url := storetest.NewServer(t, true).Database(t)
	code, out, errOut := heddle(t, nil, "bench", "--dir", t.TempDir(), "--store", url, "--runs", runs)
	if code != exitOK || !strings.Contains(out, "executor ") || !strings.Contains(out, "single ") {
		t.Fatalf("exit %d\n%s\n%s", code, out, errOut)
	}
	t.Logf("\n%s", out)
}
