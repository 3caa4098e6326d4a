package schedules_test

import (
	"context"
	"heddle/events"
	"heddle/executor"
	"heddle/fault"
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
			Store: db, Hub: events.NewHub(), Now: c.now, NewID: newID,
			Admission: executor.Admission{Quota: &quota.Gate{Name: "open_runs", Limit: limit(2), Count: db.CountOpenRuns, Now: c.now}},
			Attempts:  executor.Attempts{Runner: noSteps{}},
			Node:      executor.Node{Holder: "node-quota"},
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
			Store: db, Hub: events.NewHub(), Now: c.now, NewID: newID,
			Admission: executor.Admission{Quota: &quota.Gate{Name: "open_runs", Limit: func(context.Context, string) (int, error) { return open, nil }, Count: db.CountOpenRuns, Now: c.now}},
			Attempts:  executor.Attempts{Runner: noSteps{}},
			Values:    executor.Values{Stored: stored},
			Node:      executor.Node{Holder: "node-quota"},
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

// unstored is a store that takes no firing while it is away.
type unstored struct {
	*store.DB
	away bool
}

func (u *unstored) Fire(ctx context.Context, group []schedules.Firing) []error {
	if !u.away {
		return u.DB.Fire(ctx, group)
	}
	errs := make([]error, len(group))
	for i := range errs {
		errs[i] = fault.New(fault.Unavailable, "store_unavailable", "away")
	}
	return errs
}

// A run that could not be stored with its due time holds nothing of the quotas.
func TestWhatCouldNotBeStoredHoldsNoQuota(t *testing.T) {
	db := openSQLite(t)
	c, newID := &clock{at: noon}, ids.New(time.Now).New
	exec := executor.New(executor.Config{
		Store: db, Hub: events.NewHub(), Now: c.now, NewID: newID,
		Admission: executor.Admission{Quota: &quota.Gate{Name: "open_runs", Limit: func(context.Context, string) (int, error) { return 1, nil }, Count: db.CountOpenRuns, Now: c.now}},
		Attempts:  executor.Attempts{Runner: noSteps{}},
		Node:      executor.Node{Holder: "node-quota"},
	})
	t.Cleanup(exec.Close)
	u := &unstored{DB: db}
	n := &node{t: t, db: db, exec: exec, clock: c, svc: schedules.New(schedules.Config{
		Store: u, Runs: exec, Now: c.now, NewID: newID, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})}
	w := n.workflow(parked)
	s := n.create(w, schedules.Schedule{Expression: "* * * * *", Overlap: schedules.OverlapAllow})
	u.away = true
	c.set(minutes(1))
	n.svc.Tick(t.Context())
	if _, err := n.svc.Trigger(t.Context(), tenant, s.ID, noTrace, nil); fault.CodeOf(err) != "store_unavailable" {
		t.Errorf("a trigger: %v", err)
	}
	from := schedules.BackfillRequest{TenantID: tenant, ScheduleID: s.ID, From: minutes(-2), To: minutes(-1), Overlap: schedules.OverlapAllow}
	if _, _, err := n.svc.Backfill(t.Context(), from); fault.CodeOf(err) != "store_unavailable" {
		t.Errorf("a backfill: %v", err)
	}
	if _, err := exec.Start(t.Context(), executor.StartRequest{TenantID: tenant, Workflow: w, Trigger: "manual"}); err != nil {
		t.Error("a start by hand:", err)
	}
}
