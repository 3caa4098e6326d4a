package store_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/store"
	"os"
	"strings"
	"testing"
	"time"
)

// The migration counts the runs that are there as they would have been counted: every hour, and
// every range of durations.
func TestRunsBeforeTheMigrationAreCounted(t *testing.T) {
	schemas(t, func(t *testing.T, url string, raw *sql.DB) {
		db := open(t, url)
		began := time.UnixMilli(1_700_000_000_000).UTC()
		w := workflows.Workflow{ID: "wf_1", TenantID: "t1", Slug: "one", Name: "One", Status: workflows.Active, TriggerType: "manual", Tags: []string{}, ActiveVersion: 1, LatestVersion: 1, Revision: 1, CreatedAt: began, UpdatedAt: began}
		version := &workflows.NewVersion{Number: 1, Definition: json.RawMessage(`{"name":"One"}`), Hash: "sha256:1", CreatedBy: "test", CreatedAt: began}
		if err := db.CreateWorkflow(t.Context(), workflows.Revision{Workflow: w, Version: version}, nil); err != nil {
			t.Fatal(err)
		}
		for i, ms := range []int64{0, 1, 2, 3, 5, 6, 999, 1_000, 60_000, 3_700_000, 45_517_159, 45_517_160, 90_000_000} {
			endedRun(t, db, i, began, ms)
		}
		columns := "sum(started) || sum(completed) || sum(failed) || max(longest_ms) || ','"
		for _, i := range []int{0, 1, 2, 3, 4, 12, 19, 27, 30, 31} {
			columns += fmt.Sprintf(" || sum(h%d)", i)
		}
		// PostgreSQL counts by connection: a period may be several rows.
		counts := "SELECT group_concat(row, ' ') FROM (SELECT workflow_id || period || ':' || " + columns + " AS row FROM run_stats WHERE span = 3600000 GROUP BY workflow_id, period ORDER BY 1) AS t"
		if store.IsPostgres(db) {
			counts = strings.ReplaceAll(counts, "group_concat", "string_agg")
		}
		var before, after string
		if err := raw.QueryRow(counts).Scan(&before); err != nil {
			t.Fatal(err)
		}
		if _, err := raw.Exec("DELETE FROM run_stats"); err != nil {
			t.Fatal(err)
		}
		if _, err := raw.Exec("DELETE FROM workflow_recent"); err != nil {
			t.Fatal(err)
		}
		for _, text := range fillsOf(t, store.IsPostgres(db)) {
			if _, err := raw.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
		if err := raw.QueryRow(counts).Scan(&after); err != nil {
			t.Fatal(err)
		}
		if before != after || before == "" {
			t.Errorf("counted\n%s\nfilled\n%s", before, after)
		}
		if wrong, err := db.WrongStats(t.Context()); err != nil || wrong > 0 {
			t.Errorf("%d hours are wrong, %v", wrong, err)
		}
		var last string
		if err := raw.QueryRow("SELECT last_run_id FROM workflow_recent").Scan(&last); err != nil || last != "run_12" {
			t.Errorf("the last run is %q, %v", last, err)
		}
	})
}

// endedRun stores a run that began at a time, and ended, failed where n is odd, ms later.
func endedRun(t *testing.T, db *store.DB, n int, began time.Time, ms int64) {
	t.Helper()
	id, ended := "run_"+string(rune('0'+n/10))+string(rune('0'+n%10)), began.Add(time.Duration(ms)*time.Millisecond)
	c := executor.Commit{
		Row: executor.Record{
			Header: machine.Header{RunID: id, TenantID: "t1", WorkflowID: "wf_1", Slug: "one", Version: 1, Hash: "sha256:1", Trigger: "manual", Input: json.RawMessage(`{}`), CreatedAt: began},
			State:  machine.Completed, Seq: 1, StartedAt: began, CompletedAt: ended, UpdatedAt: ended,
		},
		Events: []events.Event{{RunID: id, Seq: 1, Kind: events.RunCompleted, At: ended, Data: json.RawMessage(`{}`)}},
	}
	if n%2 == 1 {
		c.Row.State, c.Events[0].Kind = machine.Failed, events.RunFailed
	}
	if err := db.Commit(context.Background(), 0, []executor.Commit{c})[0]; err != nil {
		t.Fatal(err)
	}
}

// fillsOf returns the statements of the migration that count what is there.
func fillsOf(t *testing.T, postgres bool) []string {
	t.Helper()
	dialect := "sqlite"
	if postgres {
		dialect = "postgres"
	}
	text, err := os.ReadFile("../migrations/" + dialect + "/00032_run_stats.sql")
	if err != nil {
		t.Fatal(err)
	}
	var fills []string
	for statement := range strings.SplitSeq(string(text), ";\n") {
		if strings.HasPrefix(statement, "INSERT INTO") {
			fills = append(fills, statement)
		}
	}
	if len(fills) != 3 {
		t.Fatalf("%d statements", len(fills))
	}
	return fills
}
