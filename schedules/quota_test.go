package schedules_test

import (
	"context"
	"heddle/events"
	"heddle/executor"
	"heddle/ids"
	"heddle/quota"
	"heddle/schedules"
	"heddle/store"
	"log/slog"
	"testing"
	"time"
)

// A due time beyond the tenant's quota of open runs is skipped, and the ledger
// says why; a schedule beyond that of schedules is refused.
func TestDueTimesBeyondAQuotaAreSkipped(t *testing.T) {
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		c, newID := &clock{at: noon}, ids.New(time.Now).New
		limit := func(n int) func(context.Context, string) (int, error) {
			return func(context.Context, string) (int, error) { return n, nil }
		}
		exec := executor.New(executor.Config{
			Store: db, Runner: noSteps{}, Hub: events.NewHub(), Now: c.now, NewID: newID, Holder: "node-quota",
			Quota: &quota.Gate{Name: "open_runs", Limit: limit(2), Count: db.CountOpenRuns, Now: c.now},
		})
		t.Cleanup(exec.Close)
		n := &node{t: t, db: db, exec: exec, clock: c, svc: schedules.New(schedules.Config{
			Store: db, Runs: exec, Now: c.now, NewID: newID, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
			Quota: &quota.Gate{Name: "schedules", Limit: limit(1), Count: db.CountSchedules, Now: c.now},
		})}
		w := n.workflow(parked)
		s := n.create(w, schedules.Schedule{Expression: "* * * * *", Overlap: schedules.OverlapAllow})
		for m := 1; m <= 4; m++ {
			n.tick(minutes(m))
		}
		wantLedger(t, n, s.ID, "12:01 fired", "12:02 fired", "12:03 skipped quota_exceeded", "12:04 skipped quota_exceeded")
		_, err := n.svc.Create(t.Context(), schedules.CreateRequest{Schedule: schedules.Schedule{TenantID: tenant, Expression: "@daily"}, Workflow: w})
		wantCode(t, err, "quota_exceeded")
		if got := len(n.runs(w)); got != 2 {
			t.Errorf("%d runs", got)
		}
	})
}

// So is one beyond the quota of stored bytes, whose start holds no room among the
// open runs.
func TestDueTimesBeyondTheQuotaOfStoredBytesAreSkipped(t *testing.T) {
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		c, newID := &clock{at: noon}, ids.New(time.Now).New
		limit, open := int64(100_000), 1
		stored := quota.NewBytes(quota.BytesConfig{
			Limit: func(context.Context, string) (int64, error) { return limit, nil },
			Count: db.CountStoredBytes, Now: c.now,
		})
		t.Cleanup(stored.Close)
		exec := executor.New(executor.Config{
			Store: db, Runner: noSteps{}, Hub: events.NewHub(), Now: c.now, NewID: newID, Holder: "node-quota", Stored: stored,
			Quota: &quota.Gate{Name: "open_runs", Limit: func(context.Context, string) (int, error) { return open, nil }, Count: db.CountOpenRuns, Now: c.now},
		})
		t.Cleanup(exec.Close)
		n := &node{t: t, db: db, exec: exec, clock: c, svc: schedules.New(schedules.Config{
			Store: db, Runs: exec, Now: c.now, NewID: newID, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		})}
		w := n.workflow(parked)
		s := n.create(w, schedules.Schedule{Expression: "* * * * *", Overlap: schedules.OverlapAllow})
		limit = 1
		n.tick(minutes(1))
		n.tick(minutes(2))
		limit = 100_000
		if _, err := exec.Start(t.Context(), executor.StartRequest{TenantID: tenant, Workflow: w, Trigger: "manual"}); err != nil {
			t.Error("a start by hand:", err)
		}
		open = 2
		n.tick(minutes(3))
		wantLedger(t, n, s.ID, "12:01 skipped quota_exceeded", "12:02 skipped quota_exceeded", "12:03 fired")
	})
}
