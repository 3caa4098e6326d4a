package main

import (
	"heddle/store/storetest"
	"os"
	"strconv"
	"strings"
	"testing"
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
	few, err := strconv.Atoi(runs)
	if err != nil {
		t.Fatal(err)
	}
	code, out, errOut = heddle(t, nil, "bench", "--dir", t.TempDir(), "--store", url, "--schedules", strconv.Itoa(max(few/20, 1)))
	if code != exitOK || strings.Count(out, "\nschedules ") != 2 {
		t.Fatalf("exit %d\n%s\n%s", code, out, errOut)
	}
	t.Logf("\n%s", out)
}
