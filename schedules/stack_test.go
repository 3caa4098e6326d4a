package schedules_test

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
	"heddle/ids"
	"heddle/internal/await"
	"heddle/schedules"
	"heddle/store"
	"heddle/store/storetest"
	"log/slog"
	"path"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const tenant = "ten_0123456789abcdef01234567"

var noTrace executor.Trace

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Errorf("error %v, want %s", err, code)
	}
}

// clock is moved by tests; at zero it is the real one.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at.IsZero() {
		return time.Now()
	}
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// node is one process: an executor and schedules over a shared database.
type node struct {
	t     *testing.T
	db    *store.DB
	exec  *executor.Service
	svc   *schedules.Service
	clock *clock
	stop  func() // ends what it serves
}

type noSteps struct{}

func (noSteps) Run(context.Context, executor.Call) (executor.Result, error) {
	return executor.Result{Output: json.RawMessage(`{}`)}, nil
}

func openSQLite(t *testing.T) *store.DB {
	t.Helper()
	return openAt(t, storetest.SQLite(t))
}

func openAt(t *testing.T, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// eachStore runs a test on SQLite and on PostgreSQL.
func eachStore(t *testing.T, name string, test func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run(path.Join(name, "SQLite"), func(t *testing.T) { test(t, openSQLite(t)) })
	t.Run(path.Join(name, "PostgreSQL"), func(t *testing.T) { test(t, openAt(t, storetest.Postgres(t))) })
}

var holders atomic.Int64

// newNode serves when driving; otherwise runs stay queued and only Tick moves
// schedules.
func newNode(t *testing.T, db *store.DB, c *clock, driving bool) *node {
	t.Helper()
	newID := ids.New(time.Now).New
	exec := executor.New(executor.Config{
		Store: db, Hub: events.NewHub(), Now: c.now, NewID: newID,
		Attempts: executor.Attempts{Runner: noSteps{}, Drain: 100 * time.Millisecond},
		Node:     executor.Node{Holder: fmt.Sprint("node-", holders.Add(1))},
	})
	n := &node{
		t: t, db: db, exec: exec, clock: c,
		svc: schedules.New(schedules.Config{
			Store: db, Runs: exec, Now: c.now, NewID: newID,
			Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		}),
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		if driving {
			_ = exec.Serve(ctx)
		}
	}()
	n.stop = sync.OnceFunc(func() {
		cancel()
		<-served
		exec.Close()
	})
	t.Cleanup(n.stop)
	if driving {
		eventually(t, "ready", func() bool { return exec.Leading() })
	}
	return n
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	await.True(t, what, holds)
}

const (
	quick  = `{"name":"Quick","steps":[{"id":"a","type":"condition","config":{"expression":"true"}}]}`
	parked = `{"name":"Parked","steps":[{"id":"a","type":"wait","config":{"signal":{"name":"go"}}}]}`
	strict = `{"name":"Strict","input":{"type":"object","required":["n"]},"steps":[{"id":"a","type":"condition","config":{"expression":"true"}}]}`
)

// workflow stores a definition and returns its id.
func (n *node) workflow(text string) string {
	n.t.Helper()
	doc, problems := parser.Parse([]byte(text), source.JSON)
	if doc == nil || !validation.Valid(problems) {
		n.t.Fatalf("definition: %v", problems)
	}
	id := ids.New(time.Now).New("wf_")
	now := n.clock.now()
	err := n.db.CreateWorkflow(n.t.Context(), workflows.Revision{
		Workflow: workflows.Workflow{
			ID: id, TenantID: tenant, Slug: id, Name: doc.Definition.Name, Status: workflows.Active, Tags: []string{},
			TriggerType: "manual", ActiveVersion: 1, LatestVersion: 1, Revision: 1, CreatedAt: now, UpdatedAt: now,
		},
		Version: &workflows.NewVersion{Number: 1, Definition: doc.Canonical, Hash: doc.Hash, CreatedAt: now},
	}, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	return id
}

func (n *node) status(workflow string, status workflows.Status) {
	n.t.Helper()
	_, err := n.db.Change(n.t.Context(), tenant, workflow, func(c workflows.Current) (workflows.Revision, error) {
		c.Workflow.Status = status
		return workflows.Revision{Workflow: c.Workflow}, nil
	})
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) create(workflow string, s schedules.Schedule) schedules.Schedule {
	n.t.Helper()
	s.TenantID = tenant
	got, err := n.svc.Create(n.t.Context(), schedules.CreateRequest{Schedule: s, Workflow: workflow})
	if err != nil {
		n.t.Fatal(err)
	}
	return got
}

// tick sets the clock and lets everything due by then happen.
func (n *node) tick(at time.Time) {
	n.t.Helper()
	n.clock.set(at)
	n.svc.Tick(n.t.Context())
}

// ledger lists a schedule's slots, earliest first, as texts.
func (n *node) slots(id string) []schedules.Slot {
	n.t.Helper()
	var list []schedules.Slot
	q := schedules.SlotQuery{TenantID: tenant, ScheduleID: id, Limit: 100}
	for {
		p, err := n.svc.Slots(n.t.Context(), q)
		if err != nil {
			n.t.Fatal(err)
		}
		for _, s := range p.Slots {
			list = append([]schedules.Slot{s}, list...)
		}
		if q.Cursor = p.Next; p.Next == "" {
			return list
		}
	}
}

func (n *node) ledger(id string) []string {
	n.t.Helper()
	var lines []string
	for _, s := range n.slots(id) {
		line := fmt.Sprintf("%s %s", s.Due.Format("15:04"), s.Outcome)
		if s.Count > 1 {
			line = fmt.Sprintf("%s-%s %s x%d", s.Due.Format("15:04"), s.Until.Format("15:04"), s.Outcome, s.Count)
		}
		if s.Reason != "" {
			line += " " + s.Reason
		}
		lines = append(lines, line)
	}
	return lines
}

func (n *node) runs(workflow string) []executor.Record {
	n.t.Helper()
	p, err := n.exec.Runs(n.t.Context(), executor.RunQuery{TenantID: tenant, Workflows: []string{workflow}, Limit: 100_000})
	if err != nil {
		n.t.Fatal(err)
	}
	return p.Runs
}

// finish ends all open runs of a workflow.
func (n *node) finish(workflow string) {
	n.t.Helper()
	for _, r := range n.runs(workflow) {
		if r.State.Terminal() {
			continue
		}
		eventually(n.t, "the run waits", func() bool {
			row, err := n.exec.Run(n.t.Context(), tenant, r.RunID)
			return err == nil && row.State == machine.WaitingSignal
		})
		if _, err := n.exec.Signal(n.t.Context(), tenant, r.RunID, machine.Signal{Name: "go", RequestID: r.RunID}); err != nil {
			n.t.Fatal(err)
		}
		eventually(n.t, "the run ends", func() bool {
			row, err := n.exec.Run(n.t.Context(), tenant, r.RunID)
			return err == nil && row.State.Terminal()
		})
	}
}
