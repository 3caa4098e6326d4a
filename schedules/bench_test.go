package schedules_test

import (
	"context"
	"encoding/json"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor"
	"heddle/ids"
	"heddle/schedules"
	"heddle/store"
	"heddle/store/storetest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// timedStore notes when firings, and the beginnings of runs, were durable.
type timedStore struct {
	*store.DB
	mu     sync.Mutex
	due    time.Time
	stored []time.Duration
	begun  map[string]time.Duration
	full   chan struct{}
	want   int
}

func (s *timedStore) Fire(ctx context.Context, group []schedules.Firing) []error {
	errs := s.DB.Fire(ctx, group)
	late := time.Since(s.due)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range group {
		for _, r := range f.Runs {
			if errs[i] == nil {
				s.stored = append(s.stored, late)
				s.note(r.Row, late)
			}
		}
	}
	return errs
}

func (s *timedStore) Commit(ctx context.Context, epoch int64, group []executor.Commit) []error {
	errs := s.DB.Commit(ctx, epoch, group)
	late := time.Since(s.due)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, c := range group {
		if errs[i] == nil {
			s.note(c.Row, late)
		}
	}
	return errs
}

func (s *timedStore) note(r executor.Record, late time.Duration) {
	if _, known := s.begun[r.RunID]; known || r.StartedAt.IsZero() {
		return
	}
	s.begun[r.RunID] = late
	if len(s.begun) == s.want {
		close(s.full)
	}
}

// BenchmarkLateness has 1,000 schedules due at one moment, and reports how much
// later their runs were durable, and how much later it was durable that they
// had begun: runs of a condition, and runs whose step acts and needs one of the
// ten slots.
func BenchmarkLateness(b *testing.B) {
	for name, definition := range map[string]string{
		"condition": quick,
		"action":    `{"name":"Acts","steps":[{"id":"a","type":"http_request","config":{"url":"http://localhost/"}}]}`,
	} {
		b.Run("SQLite/"+name, func(b *testing.B) { lateness(b, "sqlite://"+filepath.Join(b.TempDir(), "heddle.db"), definition, 1) })
		b.Run("PostgreSQL/"+name, func(b *testing.B) { lateness(b, storetest.Postgres(b), definition, 4) })
	}
}

func lateness(b *testing.B, url, definition string, writers int) {
	const schedulesDue = 1000
	db, err := store.Open(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	ts := &timedStore{DB: db, begun: map[string]time.Duration{}, full: make(chan struct{}), want: schedulesDue}
	newID := ids.New(time.Now).New
	exec := executor.New(executor.Config{
		Store: ts, Hub: events.NewHub(), Now: time.Now, NewID: newID,
		Attempts: executor.Attempts{Runner: noSteps{}},
		Commits:  executor.Commits{Writers: writers},
		Node:     executor.Node{Holder: "bench"},
	})
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
	doc, _ := parser.Parse([]byte(definition), source.JSON)
	w := workflows.Workflow{
		ID: newID("wf_"), TenantID: tenant, Slug: "bench", Name: "Bench", Status: workflows.Active, TriggerType: "schedule",
		ActiveVersion: 1, LatestVersion: 1, Revision: 1, CreatedAt: time.Now(), UpdatedAt: time.Now(),
	}
	if err := db.CreateWorkflow(b.Context(), workflows.Revision{Workflow: w, Version: &workflows.NewVersion{Number: 1, Definition: doc.Canonical, Hash: doc.Hash}}, nil); err != nil {
		b.Fatal(err)
	}
	ts.due = time.Now().Add(8 * time.Second).Truncate(time.Second)
	for range schedulesDue {
		_, err := svc.Create(b.Context(), schedules.CreateRequest{Workflow: w.ID, Schedule: schedules.Schedule{
			TenantID: tenant, Expression: "@every 1h", StartsAt: ts.due, Input: json.RawMessage(`{"n":1}`),
		}})
		if err != nil {
			b.Fatal(err)
		}
	}
	if time.Now().After(ts.due) {
		b.Fatal("the schedules were not ready in time")
	}
	select {
	case <-ts.full:
	case <-time.After(40 * time.Second):
		b.Fatal("not all runs began")
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	report(b, "stored", ts.stored)
	var begun []time.Duration
	for _, late := range ts.begun {
		begun = append(begun, late)
	}
	report(b, "begun", begun)
}

func report(b *testing.B, what string, late []time.Duration) {
	slices.Sort(late)
	b.ReportMetric(float64(late[len(late)/2].Milliseconds()), what+"-p50-ms")
	b.ReportMetric(float64(late[len(late)*99/100].Milliseconds()), what+"-p99-ms")
	b.ReportMetric(float64(late[len(late)-1].Milliseconds()), what+"-max-ms")
}
