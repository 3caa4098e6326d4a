package store_test

import (
	"database/sql"
	"fmt"
	"heddle/approvals"
	"heddle/store"
	"os"
	"strings"
	"testing"
	"time"
)

// Runs that wait when the server is upgraded have approvals, as far as nothing in their
// journals has ended the wait: the migration reads them.
func TestRunsThatWaitAtTheUpgradeHaveApprovals(t *testing.T) {
	schemas(t, func(t *testing.T, url string, raw *sql.DB) {
		db := open(t, url)
		const asked = `{"request_id":"apr_%s","name":"ok","prompt":"Ship?","schema":{"maximum":1e400}}`
		for run, events := range map[string][]string{
			"open":     {"input_requested"},
			"timed":    {"step_waiting", "input_requested"},
			"answered": {"input_requested", "input_resolved", "step_completed"},
			"expired":  {"input_requested", "step_completed"},
			"failed":   {"input_requested", "step_cancelled", "run_failed"},
			"resumed":  {"input_requested", "state_changed"},
		} {
			state := "waiting_signal"
			if run == "failed" {
				state = "failed"
			}
			insert := fmt.Sprintf(`INSERT INTO runs (id, tenant_id, workflow_id, slug, version, hash, trigger_kind, input, trace_parent, trace_state, created_at, state, seq, started_at, completed_at, updated_at, wake_at, output, error, tokens, cost_micro_usd, started_by)
				VALUES ('run_%s', 't1', 'wf_1', 's', 3, 'h', 'manual', '{"a":1}', '', '', 1, '%s', 5, 1, 0, 1, 0, '', '', 0, 0, '')`, run, state)
			if _, err := raw.Exec(insert); err != nil {
				t.Fatal(err)
			}
			for seq, kind := range events {
				data := "{}"
				switch kind {
				case "input_requested":
					data = fmt.Sprintf(asked, run)
				case "state_changed":
					data = `{"state":"queued","from":"paused","from_step":"ask"}`
				case "step_waiting":
					data = `{"kind":"signal","timeout_at":"2026-01-02T03:04:05.678Z"}`
				}
				event := fmt.Sprintf(`INSERT INTO run_events (run_id, seq, kind, step_id, iteration, attempt, at, data) VALUES ('run_%s', %d, '%s', 'ask', 'each[3]', 1, 1700000000000, '%s')`, run, seq+1, kind, data)
				if _, err := raw.Exec(event); err != nil {
					t.Fatal(err)
				}
			}
		}
		dialect := "sqlite"
		if store.IsPostgres(db) {
			dialect = "postgres"
		}
		text, err := os.ReadFile("../migrations/" + dialect + "/00029_input_requests.sql")
		if err != nil {
			t.Fatal(err)
		}
		_, fill, _ := strings.Cut(string(text), "INSERT INTO input_requests (")
		if _, err := raw.Exec("INSERT INTO input_requests (" + fill); err != nil {
			t.Fatal(err)
		}
		page, err := db.Approvals(t.Context(), approvals.Query{TenantID: "t1", Assignees: []string{"ann"}, Order: approvals.ByExpiry, Limit: 10})
		if err != nil || len(page.Approvals) != 2 {
			t.Fatalf("%d approvals, %v, want those of open and timed", len(page.Approvals), err)
		}
		timed, open := page.Approvals[0], page.Approvals[1]
		if open.ID != "apr_open" || open.Signal != "ok" || open.Prompt != "Ship?" || string(open.Schema) != `{"maximum":1e400}` || open.Ref.StepID != "ask" || open.Ref.Iteration != "each[3]" ||
			open.Version != 3 || open.InputHead != `{"a":1}` || !open.ExpiresAt.IsZero() || open.Seq != 1 || open.OpenedAt.UnixMilli() != 1700000000000 {
			t.Errorf("the open one is %+v", open)
		}
		if want := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC); timed.ID != "apr_timed" || !timed.ExpiresAt.Equal(want) {
			t.Errorf("the one with a timeout is %+v", timed)
		}
		if n, err := db.WrongApprovalCounts(t.Context()); n != 0 || err != nil {
			t.Errorf("%d counters are wrong, %v", n, err)
		}
	})
}
