package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"heddle/access"
	"heddle/agents"
	"heddle/api"
	"heddle/approvals"
	"heddle/bulk"
	"heddle/definitions/workflows"
	"heddle/drafts"
	"heddle/events"
	"heddle/executor"
	"heddle/idempotency"
	"heddle/ids"
	"heddle/internal/await"
	"heddle/live"
	"heddle/quota"
	"heddle/schedules"
	"heddle/search"
	"heddle/secrets"
	"heddle/steps"
	"heddle/store"
	"heddle/store/storetest"
	"heddle/system"
	"heddle/templates"
	"heddle/versions"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const bootstrapKey = "a first key for tests"

// stack is the whole product over a database in memory, behind a real server.
type stack struct {
	node   string // its id
	t      testing.TB
	url    string
	db     *store.DB
	access *access.Service
	links  *access.Links
	exec   *executor.Service
	bulk   *bulk.Service
	// schedules fires nothing by itself.
	schedules *schedules.Service
	log       *lockedBuffer
	doc       *document
	client    *http.Transport
	// handler is what the server serves.
	handler *api.Handler
	gate    *gate
	admin   string // the key of the tenant default
	blind   bool   // the next look for a kept answer finds nothing
	panics  bool   // the next look panics
	forgets bool   // the next answer that is kept by itself is not
}

// answers is the store as another process leaves it: a look may come too early.
type answers struct{ *stack }

func (a answers) Answer(ctx context.Context, tenantID, scope, key string) (*idempotency.Answer, error) {
	if a.panics {
		a.stack.panics = false
		panic("boom")
	}
	if a.blind {
		a.stack.blind = false
		return nil, nil
	}
	return a.db.Answer(ctx, tenantID, scope, key)
}

func (a answers) KeepAnswer(ctx context.Context, kept idempotency.Answer) error {
	if a.forgets {
		a.stack.forgets = false
		return errors.New("the process dies here")
	}
	return a.db.KeepAnswer(ctx, kept)
}

func (a answers) PurgeAnswers(ctx context.Context, before time.Time) error {
	return a.db.PurgeAnswers(ctx, before)
}

// lockedBuffer collects the log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// holdings are the secrets and agents of a stack, for previews.
type holdings struct {
	*secrets.Service
	agents *agents.Service
}

func (h holdings) HasAgent(ctx context.Context, tenantID, id string) (bool, error) {
	return h.agents.HasAgent(ctx, tenantID, id)
}

type stackOption func(*api.Config, *executor.Config)

func newStack(t testing.TB, opts ...stackOption) *stack {
	t.Helper()
	return newStackOn(t, storetest.SQLite(t), opts...)
}

func newStackOn(t testing.TB, url string, opts ...stackOption) *stack {
	t.Helper()
	db, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := &stack{t: t, db: db, log: &lockedBuffer{}, client: &http.Transport{}, admin: bootstrapKey, gate: newGate()}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	newID := ids.New(time.Now).New
	registry := steps.Default(steps.Deps{Version: "test", Now: time.Now, Log: log, Scripts: steps.Scripts{Mode: "off"}})
	t.Cleanup(registry.Close)
	db.KeepUses(workflows.Uses(registry))
	vault := secrets.New(secrets.Config{Store: db, Now: time.Now, Key: func(bool) (string, error) { return "a key for tests!", nil }})
	ecfg := executor.Config{
		Store: db, Hub: events.NewHub(), Now: time.Now, NewID: newID, Log: log,
		Attempts: executor.Attempts{Runner: registry, Traits: registry.Traits, Secrets: vault, Drain: 100 * time.Millisecond},
		Values:   executor.Values{Blobs: db},
		Node:     executor.Node{Holder: newID("node_")},
	}
	acfg := api.Config{
		Services: api.Services{
			Versions: versions.NewService(versions.Config{Store: db, Holdings: holdings{vault, agents.New(db, time.Now)}, Catalog: registry, Now: time.Now}),
			Transfer: versions.NewTransfer(versions.TransferConfig{Store: db, Catalog: registry, Secrets: vault, NewID: newID}),
			Answers:  answers{s}, Turns: db, Secrets: vault, Agents: agents.New(db, time.Now),
		},
		Limits:    api.Limits{StoreTime: await.Patience},
		Observers: api.Observers{Log: log},
		Version:   "test", Now: time.Now, NewID: newID,
	}
	s.gate.Runner, ecfg.Runner = registry, s.gate
	for _, o := range opts {
		o(&acfg, &ecfg)
	}
	s.access = access.New(access.Config{Store: db, Now: time.Now, NewID: newID, Log: log})
	s.links = access.NewLinks(s.access)
	if _, err := s.access.Bootstrap(t.Context(), bootstrapKey); err != nil {
		t.Fatal(err)
	}
	ecfg.Quota = s.quota("open_runs", func(q access.Quotas) int { return q.OpenRuns }, db.CountOpenRuns)
	stored := quota.NewBytes(quota.BytesConfig{
		Limit: func(ctx context.Context, tenantID string) (int64, error) {
			q, err := s.access.Quotas(ctx, tenantID)
			return q.StoredBytes, err
		},
		Count: db.CountStoredBytes, Now: time.Now,
	})
	t.Cleanup(stored.Close)
	ecfg.Stored, acfg.Stored = stored, stored
	s.exec = executor.New(ecfg)
	acfg.Access, acfg.Links, acfg.Executor, acfg.SignIn = s.access, s.links, s.exec, people(s.access)
	acfg.Definitions = workflows.NewService(workflows.ServiceConfig{
		Store: db, Catalog: registry, Runs: s.exec, Secrets: vault, Agents: agents.New(db, time.Now), Now: risingClock(), NewID: newID,
	})
	acfg.Drafts = drafts.NewService(drafts.Config{Store: db, Secrets: vault, Now: risingClock(), NewID: newID})
	acfg.Templates, err = templates.NewService(templates.ServiceConfig{
		Store: db, Definitions: acfg.Definitions, Catalog: registry, Secrets: vault, Now: time.Now, NewID: newID,
	})
	if err != nil {
		t.Fatal(err)
	}
	acfg.Schedules = schedules.New(schedules.Config{
		Store: db, Runs: s.exec, Now: time.Now, NewID: newID, Log: log,
		Quota:    s.quota("schedules", func(q access.Quotas) int { return q.Schedules }, db.CountSchedules),
		Announce: ecfg.Hub.Announce,
	})
	s.schedules = acfg.Schedules
	acfg.System = system.New(system.Config{
		Store: db, Runs: s.exec, Now: time.Now, Clock: func() *system.Clock { return &system.Clock{Offset: 20 * time.Millisecond} },
		Node:     system.Node{ID: ecfg.Node.Holder, Host: "heddle-1", Version: "test", StartedAt: time.Now()},
		Settings: []system.Setting{{Name: "HEDDLE_LISTEN", Value: "127.0.0.1:8080", Source: "default"}, {Name: "HEDDLE_SECRET_KEY", Value: "***", Source: "HEDDLE_SECRET_KEY", Secret: true}},
	})
	acfg.Search = search.New(acfg.Definitions, s.exec, acfg.Schedules, acfg.Templates, db)
	s.node = ecfg.Node.Holder
	acfg.Approvals = approvals.New(db, s.exec)
	s.bulk = bulk.New(bulk.Config{
		Store: db, Runs: s.exec, Schedules: s.schedules, Workflows: acfg.Definitions, Rights: s.access, Answers: db,
		Now: time.Now, NewID: newID, Log: log, Every: time.Millisecond,
	})
	acfg.Bulk = s.bulk
	acfg.Live = live.New(live.Config{Source: db, Hub: ecfg.Hub, Details: s.exec.Details, Encode: api.EncodeChange, Now: time.Now, Epoch: newID("live_"), Log: log, Interval: 10 * time.Millisecond})
	s.serve(api.New(acfg))
	return s
}

func (s *stack) quota(name string, of func(access.Quotas) int, count func(context.Context, string, int) (int, error)) *quota.Gate {
	return &quota.Gate{Name: name, Now: time.Now, Count: count, Limit: func(ctx context.Context, tenantID string) (int, error) {
		q, err := s.access.Quotas(ctx, tenantID)
		return of(q), err
	}}
}

// onBothStores runs a test on SQLite and on PostgreSQL, each with a stack of its
// own; PostgreSQL is left out, with a message, where none is installed.
func onBothStores(t *testing.T, test func(t *testing.T, s *stack), opts ...stackOption) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, newStack(t, opts...)) })
	t.Run("postgres", func(t *testing.T) { test(t, newStackOn(t, storetest.Postgres(t), opts...)) })
}

// risingClock returns a later millisecond at each call, so that what changed last
// is known.
func risingClock() func() time.Time {
	var looks atomic.Int64
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return func() time.Time { return start.Add(time.Duration(looks.Add(1)) * time.Millisecond) }
}

// serve runs the executor and the server until the test ends.
func (s *stack) serve(h *api.Handler) {
	s.handler = h
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var jobs sync.WaitGroup
		jobs.Go(func() { s.bulk.Serve(ctx) })
		_ = s.exec.Serve(ctx)
		jobs.Wait()
	}()
	server := httptest.NewUnstartedServer(nil)
	server.Config = api.NewServer(h)
	server.Start()
	s.url = server.URL
	s.t.Cleanup(func() {
		cancel()
		<-ended
		h.CloseStreams()
		s.client.CloseIdleConnections()
		server.Close()
		s.exec.Close()
	})
	s.t.Cleanup(s.gate.open)
	s.eventually("ready", func() bool { return s.exec.Ready(s.t.Context()) == nil })
	s.doc = readDocument(s.t, s.get("/openapi.json").body)
}

// eventually waits for a condition.
func (s *stack) eventually(what string, holds func() bool) {
	s.t.Helper()
	before := s.t.Failed()
	defer func() {
		if !before && s.t.Failed() {
			s.t.Logf("the server's log:\n%s", s.log)
		}
	}()
	await.True(s.t, what, holds)
}

// request is one call of a test. Key "" is the admin's, "-" none.
type request struct {
	method, path string
	body         string
	key          string
	header       map[string]string
	host         string // "": as the server is called
}

// response is what came back, checked against the OpenAPI document.
type response struct {
	status int
	header http.Header
	body   string
}

func (s *stack) do(r request) response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), r.method, s.url+r.path, strings.NewReader(r.body))
	if err != nil {
		s.t.Fatal(err)
	}
	switch r.key {
	case "-":
	case "":
		req.Header.Set("Authorization", "Bearer "+s.admin)
	default:
		req.Header.Set("Authorization", "Bearer "+r.key)
	}
	if r.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Host = r.host
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	resp, err := s.client.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	got := response{resp.StatusCode, resp.Header, string(body)}
	if s.doc != nil {
		s.doc.check(s.t, r, got)
	}
	return got
}

func (s *stack) get(path string) response {
	s.t.Helper()
	return s.do(request{method: http.MethodGet, path: path})
}

func (s *stack) post(path, body string) response {
	s.t.Helper()
	return s.do(request{method: http.MethodPost, path: path, body: body})
}

// want fails unless the status is this one.
func (r response) want(t testing.TB, status int) response {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	return r
}

// wantCode fails unless the answer is this error in the envelope.
func (r response) wantCode(t testing.TB, status int, code string) response {
	t.Helper()
	var e struct {
		Error         struct{ Code, Message, RequestID string }
		Code, Message string
	}
	if err := json.Unmarshal([]byte(r.body), &e); err != nil {
		t.Fatalf("status %d, no envelope: %s", r.status, r.body)
	}
	if r.status != status || e.Code != code || e.Error.Code != code || e.Message == "" || e.Error.Message != e.Message {
		t.Fatalf("%d %q, want %d %q: %s", r.status, e.Code, status, code, r.body)
	}
	return r
}

// field reads one value by its path through objects and lists.
func (r response) field(t testing.TB, path ...any) any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(r.body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("no JSON: %s", r.body)
	}
	for _, p := range path {
		switch key := p.(type) {
		case string:
			object, ok := v.(map[string]any)
			if !ok {
				t.Fatalf("%v: no object in %s", path, r.body)
			}
			v = object[key]
		case int:
			list, ok := v.([]any)
			if !ok || key >= len(list) {
				t.Fatalf("%v: no such item in %s", path, r.body)
			}
			v = list[key]
		}
	}
	return v
}

func jsonNumber(n int) json.Number { return json.Number(strconv.Itoa(n)) }

func (r response) text(t testing.TB, path ...any) string {
	t.Helper()
	s, ok := r.field(t, path...).(string)
	if !ok {
		t.Fatalf("%v is not text in %s", path, r.body)
	}
	return s
}

// trivial is a definition of three condition steps.
const trivial = `{"name":"Trivial","steps":[` +
	`{"id":"a","type":"condition","config":{"expression":"true"}},` +
	`{"id":"b","type":"condition","config":{"expression":"steps.a.output.result"},"depends_on":["a"]},` +
	`{"id":"c","type":"condition","config":{"expression":"1 < 2"},"depends_on":["b"]}]}`

// parked is a definition that waits for an hour.
const parked = `{"name":"Parked","steps":[{"id":"nap","type":"wait","config":{"seconds":3600}}]}`

// create stores a workflow and returns its id. more is added to the request.
func (s *stack) create(definition, more string) string {
	s.t.Helper()
	if more != "" {
		more = "," + more
	}
	return s.post("/api/workflows", `{"definition":`+definition+more+`}`).want(s.t, http.StatusCreated).text(s.t, "id")
}

// start begins a run and returns its id.
func (s *stack) start(workflow, body string) string {
	s.t.Helper()
	return s.post("/api/workflows/"+workflow+"/run", body).want(s.t, http.StatusAccepted).text(s.t, "run_id")
}

// until waits for a run's status.
func (s *stack) until(runID, status string) response {
	s.t.Helper()
	var got response
	s.eventually(runID+" is "+status, func() bool {
		got = s.get("/api/workflows/runs/"+runID).want(s.t, http.StatusOK)
		return got.text(s.t, "run", "status") == status
	})
	return got
}

// key makes a key of a role, or of another tenant's admin.
func (s *stack) key(role string) string {
	s.t.Helper()
	return s.post("/v1/keys", `{"name":"`+role+` key","role":"`+role+`"}`).want(s.t, http.StatusCreated).text(s.t, "key")
}

func (s *stack) tenant(slug string) string {
	s.t.Helper()
	return s.post("/v1/tenants", `{"slug":"`+slug+`","name":"Other"}`).want(s.t, http.StatusCreated).text(s.t, "key")
}
