package executor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/internal/await"
	"heddle/store"
	"heddle/store/storetest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const tenant = "ten_0123456789abcdef01234567"

// stack is the executor over a real store, with a runner that a test scripts.
type stack struct {
	t     *testing.T
	db    *store.DB
	store executor.Store
	svc   *executor.Service
	stop  func()
	ids   *atomic.Int64
}

type runnerFunc func(ctx context.Context, call executor.Call) (executor.Result, error)

func (f runnerFunc) Run(ctx context.Context, call executor.Call) (executor.Result, error) {
	return f(ctx, call)
}

type stackOption func(*executor.Config)

func openDB(t *testing.T, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func newStack(t *testing.T, run runnerFunc, opts ...stackOption) *stack {
	t.Helper()
	db := openDB(t, storetest.SQLite(t))
	return stackOn(t, db, new(atomic.Int64), run, opts...)
}

func stackOn(t *testing.T, db *store.DB, ids *atomic.Int64, run runnerFunc, opts ...stackOption) *stack {
	t.Helper()
	cfg := executor.Config{
		Store: db, Hub: events.NewHub(), Now: time.Now, NewID: func(prefix string) string { return fmt.Sprintf("%s%024x", prefix, ids.Add(1)) },
		Attempts: executor.Attempts{Runner: run, Drain: 100 * time.Millisecond},
		Values:   executor.Values{Blobs: db},
		Node:     executor.Node{Holder: fmt.Sprint("node-", ids.Add(1))},
	}
	for _, o := range opts {
		o(&cfg)
	}
	s := &stack{t: t, db: db, store: cfg.Store, svc: executor.New(cfg), ids: ids}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.svc.Serve(ctx)
	}()
	var once sync.Once
	s.stop = func() {
		once.Do(func() {
			cancel()
			<-served
			s.svc.Close()
		})
	}
	t.Cleanup(s.stop)
	s.eventually("ready", func() bool { return s.svc.Ready(t.Context()) == nil })
	return s
}

// eventually waits for a condition.
func (s *stack) eventually(what string, holds func() bool) {
	s.t.Helper()
	await.True(s.t, what, holds)
}

// workflow stores a definition given as YAML and returns its id.
func (s *stack) workflow(text string) string {
	s.t.Helper()
	doc, problems := parser.Parse([]byte(text), source.YAML)
	if doc == nil || !validation.Valid(problems) {
		s.t.Fatalf("definition: %v", problems)
	}
	id := fmt.Sprintf("wf_%024x", s.ids.Add(1))
	now := time.Now().UTC().Truncate(time.Millisecond)
	err := s.db.CreateWorkflow(s.t.Context(), workflows.Revision{
		Workflow: workflows.Workflow{
			ID: id, TenantID: tenant, Slug: id, Name: doc.Definition.Name, Status: workflows.Active,
			TriggerType: "manual", ActiveVersion: 1, LatestVersion: 1, Revision: 1, CreatedAt: now, UpdatedAt: now,
		},
		Version: &workflows.NewVersion{Number: 1, Definition: doc.Canonical, Hash: doc.Hash, CreatedAt: now},
	}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

func (s *stack) start(workflow, input string) executor.Record {
	s.t.Helper()
	rec, err := s.svc.Start(s.t.Context(), executor.StartRequest{
		TenantID: tenant, Workflow: workflow, Trigger: "manual", Input: json.RawMessage(input),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return rec
}

func (s *stack) run(id string) executor.Record {
	s.t.Helper()
	rec, err := s.svc.Run(s.t.Context(), tenant, id)
	if err != nil {
		s.t.Fatal(err)
	}
	return rec
}

func (s *stack) waitState(id string, want machine.State) executor.Record {
	s.t.Helper()
	s.eventually(fmt.Sprintf("run %s is %s", id, want), func() bool { return s.run(id).State == want })
	return s.run(id)
}

// journal reads the run's events and checks that seq is dense from 1.
func (s *stack) journal(id string) []events.Event {
	s.t.Helper()
	evs, err := s.store.Events(s.t.Context(), id, 0, 100_000)
	if err != nil {
		s.t.Fatal(err)
	}
	for i, e := range evs {
		if e.Seq != int64(i+1) {
			s.t.Fatalf("event %d has seq %d", i, e.Seq)
		}
	}
	return evs
}

func count(evs []events.Event, kind events.Kind) int {
	n := 0
	for _, e := range evs {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

func ok(string) (executor.Result, error) {
	return executor.Result{Output: json.RawMessage(`{"ok":true}`)}, nil
}

func transient(code string) error {
	f := &machine.Failure{}
	f.Code, f.Message = code, "scripted"
	return f.Err()
}

func wantCode(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	if fault.KindOf(err) != kind || fault.CodeOf(err) != code {
		t.Errorf("error is %v, want %s", err, code)
	}
}
