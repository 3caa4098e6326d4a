package bulk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/access"
	"heddle/audit"
	"heddle/bulk"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/ids"
	"heddle/internal/await"
	"heddle/steps"
	"heddle/store"
	"heddle/store/storetest"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	tenant = "ten_0123456789abcdef01234567"
	parked = `{"name":"Parked","steps":[{"id":"a","type":"wait","config":{"signal":{"name":"go"}}}]}`
	// broken is a loop of which one iteration fails, whenever it runs.
	broken = `{"name":"Broken","steps":[{"id":"each","type":"loop","config":{"items":"[1, 0]","steps":[{"id":"row","type":"condition","config":{"expression":"1 % item == 0"}}]}}]}`
	quick  = `{"name":"Quick","steps":[{"id":"a","type":"condition","config":{"expression":"true"}}]}`
)

// mortal is a store that stops keeping outcomes, as where the process dies between a command and
// its outcome.
type mortal struct {
	*store.DB
	dying atomic.Bool
}

func (m *mortal) SettleBulkItems(ctx context.Context, jobID string, items []bulk.Item, now time.Time) (bulk.Job, error) {
	if m.dying.Load() {
		return bulk.Job{}, errors.New("the process dies here")
	}
	return m.DB.SettleBulkItems(ctx, jobID, items, now)
}

// rights are those that a test gives; nil: none any more.
type rights struct {
	mu sync.Mutex
	p  *access.Principal
}

func (r *rights) PrincipalOf(context.Context, string, audit.Actor) (access.Principal, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.p == nil {
		return access.Principal{}, fault.New(fault.Unauthenticated, "unauthenticated", "The key was revoked.")
	}
	return *r.p, nil
}

func (r *rights) set(p *access.Principal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.p = p
}

// stack is jobs over a real executor and store; batches are carried out by the test.
type stack struct {
	t      *testing.T
	db     *mortal
	exec   *executor.Service
	defs   *workflows.Service
	rights *rights
	jobs   *bulk.Service
	admin  access.Principal
}

// onBothStores runs a test on SQLite and on PostgreSQL.
func onBothStores(t *testing.T, test func(t *testing.T, s *stack)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { test(t, newStack(t, "sqlite://"+filepath.Join(t.TempDir(), "heddle.db"))) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, newStack(t, storetest.Postgres(t))) })
}

func newStack(t *testing.T, url string) *stack {
	t.Helper()
	db, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	newID, log := ids.New(time.Now).New, slog.New(slog.NewTextHandler(t.Output(), nil))
	registry := steps.Default(steps.Deps{Version: "test", Now: time.Now, Log: log, Scripts: steps.Scripts{Mode: "off"}})
	t.Cleanup(registry.Close)
	s := &stack{t: t, db: &mortal{DB: db}, rights: &rights{}, admin: access.Principal{
		Actor: audit.Actor{Type: audit.Key, ID: "key_1", Name: "ops"}, TenantID: tenant, Role: access.RoleAdmin,
	}}
	s.rights.set(&s.admin)
	s.exec = executor.New(executor.Config{
		Store: db, Hub: events.NewHub(), Now: time.Now, NewID: newID, Log: log,
		Attempts: executor.Attempts{Runner: registry, Traits: registry.Traits, Drain: 100 * time.Millisecond},
		Node:     executor.Node{Holder: newID("node_")},
	})
	s.defs = workflows.NewService(workflows.ServiceConfig{Store: db, Catalog: registry, Runs: s.exec, Now: time.Now, NewID: newID})
	s.jobs = s.node()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() { defer close(served); _ = s.exec.Serve(ctx) }()
	t.Cleanup(func() { cancel(); <-served; s.exec.Close() })
	await.True(t, "leading", s.exec.Leading)
	return s
}

// node returns another service over the same store, as another process has one.
func (s *stack) node() *bulk.Service {
	return bulk.New(bulk.Config{
		Store: s.db, Runs: s.exec, Workflows: s.defs, Rights: s.rights, Answers: s.db, Now: time.Now, NewID: ids.New(time.Now).New,
		Log: slog.New(slog.NewTextHandler(s.t.Output(), nil)),
	})
}

// workflow stores a definition and returns its id.
func (s *stack) workflow(text string) string {
	s.t.Helper()
	doc, found := parser.Parse([]byte(text), source.JSON)
	if doc == nil || len(found) > 0 {
		s.t.Fatal(found)
	}
	w, err := s.defs.Create(s.t.Context(), workflows.CreateRequest{TenantID: tenant, Definition: parser.ParsedDefinition{Document: doc, Found: found}})
	if err != nil {
		s.t.Fatal(err)
	}
	return w.ID
}

// start starts n runs and waits until all are in a state.
func (s *stack) start(workflow string, n int, state machine.State) []string {
	s.t.Helper()
	list := make([]string, n)
	for i := range list {
		run, err := s.exec.Start(s.t.Context(), executor.StartRequest{TenantID: tenant, Workflow: workflow, Trigger: "api"})
		if err != nil {
			s.t.Fatal(err)
		}
		list[i] = run.RunID
	}
	for _, id := range list {
		s.until(id, state)
	}
	return list
}

func (s *stack) run(id string) executor.Record {
	s.t.Helper()
	run, err := s.exec.Run(s.t.Context(), tenant, id)
	if err != nil {
		s.t.Fatal(err)
	}
	return run
}

func (s *stack) until(id string, state machine.State) {
	s.t.Helper()
	await.True(s.t, fmt.Sprintf("%s is %s", id, state), func() bool { return s.run(id).State == state })
}

// accept makes a job of the admin.
func (s *stack) accept(r bulk.Request) bulk.Job {
	s.t.Helper()
	ctx := audit.WithActor(s.t.Context(), s.admin.Actor, "a test")
	r.Selection = json.RawMessage(`{"filter":{}}`)
	job, _, err := s.jobs.Accept(ctx, s.admin, r, func(bulk.Job, bulk.Preview) *idempotency.Answer { return nil })
	if err != nil {
		s.t.Fatal(err)
	}
	return job
}

// finish carries batches out until the job has ended, and returns it.
func (s *stack) finish(svc *bulk.Service, id string) bulk.Job {
	s.t.Helper()
	var job bulk.Job
	await.True(s.t, "the job has ended", func() bool {
		svc.RunBatch(s.t.Context())
		var err error
		if job, err = s.db.BulkJob(s.t.Context(), tenant, id); err != nil {
			s.t.Fatal(err)
		}
		return job.State != bulk.Running
	})
	return job
}

// count counts the events of a run that a test is about.
func (s *stack) count(run string, is func(events.Event, machine.Detail) bool) (n int) {
	s.t.Helper()
	list, err := s.db.Events(s.t.Context(), run, 0, 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range list {
		d, err := machine.ReadDetail(e)
		if err != nil {
			s.t.Fatal(err)
		}
		if is(e, d) {
			n++
		}
	}
	return n
}
