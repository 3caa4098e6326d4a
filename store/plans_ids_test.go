package store_test

import (
	"fmt"
	"heddle/approvals"
	"heddle/executor"
	"heddle/store"
	"strings"
	"testing"
	"time"
)

// What is named by many ids is found by these, and not among all that the tenant has: SQLite
// prefers an index of the tenant as soon as the ids are some twenty.
func TestManyIDsAreLookedUp(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.DB) {
		var runs, flows []string
		for n := range 100 {
			runs, flows = append(runs, fmt.Sprintf("run_%06d", 2*n)), append(flows, fmt.Sprintf("wf_%06d", 2*n))
		}
		found := false
		for name, read := range map[string]func(){
			"runs of a schedule": func() {
				page, err := db.Runs(t.Context(), executor.RunQuery{TenantID: "tn_0", ScheduleID: "sched_1", Limit: 60})
				if err != nil || len(page.Runs) < 50 {
					t.Errorf("%d runs of the schedule, error %v", len(page.Runs), err)
				}
			},
			"runs by id": func() { _, _ = db.RunMatchesByID(t.Context(), "tn_0", nil, runs) },
			"approvals": func() {
				_, _ = db.Approvals(t.Context(), approvals.Query{TenantID: "tn_0", State: approvals.Open, Limit: 60})
			},
			"due times":     func() { _, _ = db.NextDue(t.Context(), "tn_0", flows) },
			"health":        func() { _, _ = db.Health(t.Context(), "tn_0", flows, time.UnixMilli(1)) },
			"open waits":    func() { _, _ = db.OpenApprovals(t.Context(), "tn_0", flows) },
			"origins":       func() { _, _ = db.Links(t.Context(), "tn_0", flows) },
			"drafts":        func() { _, _ = db.LatestDrafts(t.Context(), "tn_0", flows) },
			"changed runs":  func() { _, _ = db.ChangedRuns(t.Context(), runs) },
			"changed waits": func() { _, _ = db.ChangedApprovals(t.Context(), runs, time.UnixMilli(1), 10) },
			"open by flow":  func() { _, _ = db.OpenByWorkflow(t.Context(), "tn_0", flows) },
		} {
			for _, text := range db.Reads(read) {
				if strings.Count(text, "','") < 20 {
					continue
				}
				found = true
				plan := db.Plan(t, text)
				// Rows are found by the column of the list: =? on SQLite, = ANY on PostgreSQL.
				byList := strings.Contains(plan, "= ANY")
				for line := range strings.Lines(plan) {
					byList = byList || strings.Contains(line, "SEARCH ") && !strings.Contains(line, "SEARCH w ") && (strings.Contains(line, "(id=?") || strings.Contains(line, "workflow_id=?") || strings.Contains(line, "run_id=?"))
				}
				if !byList {
					t.Errorf("%s: rows named by their ids are sought elsewhere by\n%s\n%s", name, text, plan)
				}
			}
		}
		if !found {
			t.Error("no statement had a list of ids")
		}
	})
}
