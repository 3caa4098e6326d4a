package schedules_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"heddle/definitions"
	"heddle/events"
	"heddle/executor"
	"heddle/ids"
	"heddle/schedules"
	"heddle/store"
	"heddle/store/storetest"
)

// timedStore notes when firings were durable.
type timedStore struct {
	*store.DB
	mu   sync.Mutex
	late []time.Duration
	full chan struct{}
	want int
}

func (s *timedStore) Fire(ctx context.Context, group []schedules.Firing) []error {
	errs := s.DB.Fire(ctx, group)
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range group {
		for _, slot := range f.Slots {
			if errs[i] == nil {
				s.late = append(s.late, now.Sub(slot.Due))
			}
		}
	}
	if len(s.late) == s.want {
		close(s.full)
	}
	return errs
}

// BenchmarkLateness has 1,000 schedules due at one moment, and reports how much
// later their runs were durable and had begun.
func BenchmarkLateness(b *testing.B) {
	b.Run("SQLite", func(b *testing.B) { lateness(b, "sqlite://"+filepath.Join(b.TempDir(), "heddle.db")) })
	b.Run("PostgreSQL", func(b *testing.B) { lateness(b, storetest.Postgres(b)) })
}

func lateness(b *testing.B, url string) {
	const schedulesDue = 1000
	db, err := store.Open(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	ts := &timedStore{DB: db, full: make(chan struct{}), want: schedulesDue}
	newID := ids.New(time.Now).New
	exec := executor.New(executor.Config{Store: db, Runner: noSteps{}, Hub: events.NewHub(), Now: time.Now, NewID: newID, Holder: "bench"})
	svc := schedules.New(schedules.Config{Store: ts, Runs: exec, Now: time.Now, NewID: newID})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = exec.Serve(ctx) })
	wg.Go(func() { svc.Serve(ctx) })
	defer func() {
		cancel()
		wg.Wait()
		exec.Close()
	}()
	doc, _ := definitions.Parse([]byte(quick), definitions.JSON)
	w := definitions.Workflow{ID: newID("wf_"), TenantID: tenant, Slug: "bench", Name: "Bench", Status: definitions.Active, TriggerType: "schedule",
		ActiveVersion: 1, LatestVersion: 1, Revision: 1, CreatedAt: time.Now(), UpdatedAt: time.Now()}
	if err := db.CreateWorkflow(b.Context(), definitions.Revision{Workflow: w, Version: &definitions.NewVersion{Number: 1, Definition: doc.Canonical, Hash: doc.Hash}}, nil); err != nil {
		b.Fatal(err)
	}
	due := time.Now().Add(8 * time.Second).Truncate(time.Second)
	for range schedulesDue {
		_, err := svc.Create(b.Context(), schedules.CreateRequest{Workflow: w.ID, Schedule: schedules.Schedule{
			TenantID: tenant, Expression: "@every 1h", StartsAt: due, Input: json.RawMessage(`{"n":1}`),
		}})
		if err != nil {
			b.Fatal(err)
		}
	}
	if time.Now().After(due) {
		b.Fatal("the schedules were not ready in time")
	}
	select {
	case <-ts.full:
	case <-time.After(30 * time.Second):
		b.Fatal("not all schedules fired")
	}
	report(b, "stored", ts.late)
	report(b, "begun", begun(b, exec, w.ID, due, schedulesDue))
}

// begun waits until all runs have begun and tells how late each did.
func begun(b *testing.B, exec *executor.Service, workflow string, due time.Time, want int) []time.Duration {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-tick.C {
		p, err := exec.Runs(b.Context(), executor.RunQuery{TenantID: tenant, WorkflowID: workflow, Limit: 2 * want})
		if err != nil {
			b.Fatal(err)
		}
		var late []time.Duration
		for _, r := range p.Runs {
			if !r.StartedAt.IsZero() {
				late = append(late, r.StartedAt.Sub(due))
			}
		}
		if len(late) == want {
			return late
		}
	}
	b.Fatal("not all runs began")
	return nil
}

func report(b *testing.B, what string, late []time.Duration) {
	slices.Sort(late)
	b.ReportMetric(float64(late[len(late)/2].Milliseconds()), what+"-p50-ms")
	b.ReportMetric(float64(late[len(late)*99/100].Milliseconds()), what+"-p99-ms")
	b.ReportMetric(float64(late[len(late)-1].Milliseconds()), what+"-max-ms")
}
