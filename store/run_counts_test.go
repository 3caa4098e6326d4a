package store_test

import (
	"database/sql"
	"heddle/store"
	"testing"
)

// A new leader does not wait for the counters of all runs: the beginning of a term leaves
// them as they are, and they are set right apart from it, where a node of a version that
// keeps none may have written runs.
func TestATermBeginsWithoutCountingRuns(t *testing.T) {
	schemas(t, func(t *testing.T, url string, raw *sql.DB) {
		db := open(t, url)
		if _, err := raw.Exec("INSERT INTO run_counts (tenant_id, workflow_id, state, trigger_kind, shard, n) VALUES ('t1', 'wf_1', 'completed', 'api', 0, 5), ('t2', 'wf_2', 'failed', 'api', 0, -1)"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.BeginTerm(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			name   string
			count  func() (int, error)
			wanted map[bool]int // by whether it is PostgreSQL
		}{
			{"repaired", func() (int, error) { return db.RepairCounts(t.Context()) }, map[bool]int{true: 2}},
			{"recounted", func() (int, error) { return db.RecountRuns(t.Context()) }, map[bool]int{false: 2}},
			{"recounted again", func() (int, error) { return db.RecountRuns(t.Context()) }, nil},
		} {
			if n, err := step.count(); err != nil || n != step.wanted[store.IsPostgres(db)] {
				t.Errorf("%d counters were %s, %v", n, step.name, err)
			}
		}
	})
}
