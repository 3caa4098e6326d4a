package templates_test

import (
	"context"
	"encoding/json"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/ids"
	"heddle/internal/await"
	"heddle/steps"
	"heddle/store"
	"heddle/store/storetest"
	"heddle/templates"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

const tenant = "ten_0123456789abcdef01234567"

// stack is templates over a real store, with an executor that performs real
// steps against a loopback server.
type stack struct {
	t           *testing.T
	db          *store.DB
	definitions *workflows.Service
	templates   *templates.Service
	exec        *executor.Service
	world       *world
	// meanwhile, unless nil, is called once during a merge.
	meanwhile func()
}

// interrupted is a store in which another write comes first.
type interrupted struct {
	templates.Store
	stack *stack
}

func (i interrupted) Origin(ctx context.Context, tenantID, workflowID string) (*workflows.Origin, error) {
	if f := i.stack.meanwhile; f != nil {
		i.stack.meanwhile = nil
		f()
	}
	return i.Store.Origin(ctx, tenantID, workflowID)
}

// world is the services that templates call: a server that records its requests
// and answers as the test configures it.
type world struct {
	url string

	mu      sync.Mutex
	asked   []asked
	answers map[string]func(n int) (int, string) // by path; n counts from 1
}

// asked is one request that the world received.
type asked struct {
	Method, Path, Body string
	Header             http.Header
}

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.mu.Lock()
	w.asked = append(w.asked, asked{r.Method, r.URL.Path, string(body), r.Header})
	n := 0
	for _, a := range w.asked {
		if a.Path == r.URL.Path {
			n++
		}
	}
	answer := w.answers[r.URL.Path]
	w.mu.Unlock()
	status, text := http.StatusOK, `{}`
	if answer != nil {
		status, text = answer(n)
	}
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_, _ = io.WriteString(rw, text)
}

// on sets the answer of a path.
func (w *world) on(path string, answer func(n int) (int, string)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[path] = answer
}

func always(status int, body string) func(int) (int, string) {
	return func(int) (int, string) { return status, body }
}

// at lists the requests to a path.
func (w *world) at(path string) []asked {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []asked
	for _, a := range w.asked {
		if a.Path == path {
			list = append(list, a)
		}
	}
	return list
}

// paths lists the paths of all requests, in their order.
func (w *world) paths() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []string
	for _, a := range w.asked {
		list = append(list, a.Path)
	}
	return list
}

// agents has the agent "writer", served by the world.
type agents struct{ world *world }

func (a agents) Agent(_ context.Context, _, agentID string) (steps.Agent, error) {
	if agentID != "writer" {
		return steps.Agent{}, fault.New(fault.NotFound, "agent_not_found", "none")
	}
	return steps.Agent{BaseURL: a.world.url + "/v1", Model: "small-1", InputMicroUSDPer1K: 500, OutputMicroUSDPer1K: 1500}, nil
}

func newStack(t *testing.T) *stack {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{answers: map[string]func(int) (int, string){}}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	w.url = server.URL
	guard, err := steps.NewGuard("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	registry := steps.Default(steps.Deps{Egress: guard, Agents: agents{w}, Now: time.Now, Scripts: steps.Scripts{Mode: "unconfined"}})
	t.Cleanup(registry.Close)
	newID := ids.New(time.Now).New
	s := &stack{t: t, db: db, world: w}
	s.exec = executor.New(executor.Config{
		Store: db, Hub: events.NewHub(), Now: time.Now, NewID: newID,
		Attempts: executor.Attempts{Runner: registry, Traits: registry.Traits, Drain: 100 * time.Millisecond},
		Node:     executor.Node{Holder: "node"},
	})
	s.definitions = workflows.NewService(workflows.ServiceConfig{Store: db, Catalog: registry, Runs: s.exec, Now: time.Now, NewID: newID})
	s.templates, err = templates.NewService(templates.ServiceConfig{Store: interrupted{db, s}, Definitions: s.definitions, Catalog: registry, Now: time.Now, NewID: newID})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.exec.Serve(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-served
		s.exec.Close()
	})
	s.eventually("ready", func() bool { return s.exec.Ready(t.Context()) == nil })
	return s
}

// eventually waits for a condition.
func (s *stack) eventually(what string, holds func() bool) {
	s.t.Helper()
	await.True(s.t, what, holds)
}

// builtin finds a built-in template by its name.
func (s *stack) builtin(name string) templates.Template {
	s.t.Helper()
	for _, b := range builtins(s.t) {
		if b.Name == name {
			return b
		}
	}
	s.t.Fatalf("no built-in template %q", name)
	return templates.Template{}
}

// install creates a workflow from a built-in template. A string that begins with /
// is a path of the world.
func (s *stack) install(name string, parameters map[string]any) workflows.Workflow {
	s.t.Helper()
	for key, v := range parameters {
		if path, ok := v.(string); ok && path != "" && path[0] == '/' {
			parameters[key] = s.world.url + path
		}
	}
	w, err := s.templates.Install(s.t.Context(), templates.InstallRequest{
		TenantID: tenant, Author: "tester", TemplateID: s.builtin(name).ID, Parameters: toJSON(s.t, parameters),
	})
	if err != nil {
		s.t.Fatalf("install %s: %v %+v", name, err, err.(*fault.Error).Issues) //nolint:errcheck // services give faults
	}
	return w
}

// start runs a workflow.
func (s *stack) start(w workflows.Workflow, input any) string {
	s.t.Helper()
	rec, err := s.exec.Start(s.t.Context(), executor.StartRequest{
		TenantID: tenant, Workflow: w.ID, Trigger: "manual", Input: toJSON(s.t, input),
	})
	if err != nil {
		s.t.Fatalf("start: %v", err)
	}
	return rec.RunID
}

// ends waits until a run is in a state.
func (s *stack) ends(runID string, want machine.State) executor.Record {
	s.t.Helper()
	var rec executor.Record
	s.eventually(runID+" has ended", func() bool {
		var err error
		if rec, err = s.exec.Run(s.t.Context(), tenant, runID); err != nil {
			s.t.Fatal(err)
		}
		return rec.State.Terminal()
	})
	if rec.State != want {
		s.t.Fatalf("the run is %s, want %s: %+v", rec.State, want, rec.Error)
	}
	return rec
}

// step reads one step of a run.
func (s *stack) step(runID, stepID string) machine.StepRun {
	s.t.Helper()
	view, err := s.exec.Get(s.t.Context(), tenant, runID)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, step := range view.Steps {
		if step.StepID == stepID {
			return step
		}
	}
	s.t.Fatalf("run %s has no step %s", runID, stepID)
	return machine.StepRun{}
}

func toJSON(t *testing.T, v any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// field reads one member of a JSON text by its path.
func field(t *testing.T, text string, path ...string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("no JSON: %s", text)
	}
	for _, key := range path {
		object, ok := v.(map[string]any)
		if !ok {
			t.Fatalf("%v: no object in %s", path, text)
		}
		v = object[key]
	}
	return v
}
