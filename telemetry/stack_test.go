package telemetry_test

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"heddle/definitions"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/internal/await"
	"heddle/store"
	"heddle/store/storetest"
	"heddle/telemetry"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const tenant = "ten_0123456789abcdef01234567"

// receiver is an OTLP collector on loopback: it decodes what comes in.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*collector.ExportTraceServiceRequest
	headers  http.Header
	stalled  chan struct{} // closed: answers go on
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{stalled: make(chan struct{})}
	close(r.stalled)
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var body io.Reader = req.Body
	if req.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(req.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	text, err := io.ReadAll(body)
	var decoded collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(text, &decoded)
	}
	if err != nil || req.URL.Path != "/v1/traces" || req.Header.Get("Content-Type") != "application/x-protobuf" {
		http.Error(w, fmt.Sprint("not OTLP: ", req.URL, err), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	wait := r.stalled
	r.mu.Unlock()
	select {
	case <-wait:
	case <-req.Context().Done():
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.headers = req.Header
	r.requests = append(r.requests, &decoded)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// got is one span as it was received.
type got struct {
	*tracepb.Span
	attr map[string]any
}

func (g got) id() string     { return hex.EncodeToString(g.SpanId) }
func (g got) parent() string { return hex.EncodeToString(g.ParentSpanId) }
func (g got) trace() string  { return hex.EncodeToString(g.TraceId) }
func (g got) failed() bool   { return g.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR }

// attempt names a span of an attempt as the journal does.
func (g got) attempt() string {
	return fmt.Sprintf("%v %v %v", g.attr["heddle.step.id"], g.attr["heddle.iteration"], g.attr["heddle.attempt"])
}

func values(list []*common.KeyValue) map[string]any {
	m := make(map[string]any)
	for _, kv := range list {
		switch v := kv.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			m[kv.Key] = v.StringValue
		case *common.AnyValue_IntValue:
			m[kv.Key] = v.IntValue
		}
	}
	return m
}

func (r *receiver) spans() (list []got) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, req := range r.requests {
		for _, rs := range req.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					list = append(list, got{s, values(s.Attributes)})
				}
			}
		}
	}
	return list
}

func (r *receiver) resource() map[string]any {
	r.mu.Lock()
	defer r.mu.Unlock()
	return values(r.requests[0].ResourceSpans[0].Resource.Attributes)
}

// world is a store, and one process after another that drives its runs.
type world struct {
	t     *testing.T
	db    *store.DB
	store executor.Store // what processes use: db
	ids   *atomic.Int64
	to    *receiver
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &world{t: t, db: db, store: db, ids: new(atomic.Int64), to: newReceiver(t)}
}

type runnerFunc func(ctx context.Context, call executor.Call) (executor.Result, error)

func (f runnerFunc) Run(ctx context.Context, call executor.Call) (executor.Result, error) {
	return f(ctx, call)
}

// process is one life of the server.
type process struct {
	*world
	svc  *executor.Service
	tele *telemetry.Service
	end  func()
}

// traits are those of the types that the tests use, as steps declares them.
func traits(stepType string) definitions.Traits {
	switch stepType {
	case "http_request":
		return definitions.Traits{SendsTrace: true}
	case "webhook":
		return definitions.Traits{SendsTrace: true, DefaultRetry: &definitions.Retry{MaxAttempts: 5}}
	}
	return definitions.Traits{}
}

func (w *world) begin(run runnerFunc, with ...func(*telemetry.Config)) *process {
	w.t.Helper()
	cfg := telemetry.Config{Endpoint: w.to.URL + "/v1/traces", Delay: 10 * time.Millisecond, Version: "test", SendsTrace: func(stepType string) bool { return traits(stepType).SendsTrace }}
	for _, f := range with {
		f(&cfg)
	}
	tele, err := telemetry.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	p := &process{world: w, tele: tele}
	p.svc = executor.New(executor.Config{
		Store: w.store, Hub: events.NewHub(), Now: time.Now, NewID: func(prefix string) string { return fmt.Sprintf("%s%024x", prefix, w.ids.Add(1)) },
		Attempts: executor.Attempts{Runner: run, Traits: traits, Drain: time.Millisecond, Tracer: tele},
		Node:     executor.Node{Holder: fmt.Sprint("node-", w.ids.Add(1))},
	})
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() { defer close(served); _ = p.svc.Serve(ctx) }()
	var once sync.Once
	p.end = func() {
		once.Do(func() {
			cancel()
			<-served
			p.svc.Close()
			if err := tele.Close(context.Background()); err != nil {
				w.t.Error(err)
			}
		})
	}
	w.t.Cleanup(p.end)
	w.eventually("ready", func() bool { return p.svc.Ready(w.t.Context()) == nil })
	return p
}

func (w *world) eventually(what string, holds func() bool) {
	w.t.Helper()
	await.True(w.t, what, holds)
}

func (w *world) workflow(text string) string {
	w.t.Helper()
	doc, problems := parser.Parse([]byte(text), source.YAML)
	if doc == nil || !validation.Valid(problems) {
		w.t.Fatalf("definition: %v", problems)
	}
	id := fmt.Sprintf("wf_%024x", w.ids.Add(1))
	now := time.Now().UTC().Truncate(time.Millisecond)
	err := w.db.CreateWorkflow(w.t.Context(), workflows.Revision{
		Workflow: workflows.Workflow{
			ID: id, TenantID: tenant, Slug: "shop", Name: doc.Definition.Name, Status: workflows.Active,
			TriggerType: "manual", ActiveVersion: 1, LatestVersion: 1, Revision: 1, CreatedAt: now, UpdatedAt: now,
		},
		Version: &workflows.NewVersion{Number: 1, Definition: doc.Canonical, Hash: doc.Hash, CreatedAt: now},
	}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (p *process) start(workflow string, trace executor.Trace) string {
	p.t.Helper()
	rec, err := p.svc.Start(p.t.Context(), executor.StartRequest{
		TenantID: tenant, Workflow: workflow, Trigger: "api", Input: json.RawMessage(`{"card":"4242-secret"}`), Trace: trace,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return rec.RunID
}

func (p *process) await(runID string, want machine.State) {
	p.t.Helper()
	p.eventually(fmt.Sprintf("run %s is %s", runID, want), func() bool {
		rec, err := p.svc.Run(p.t.Context(), tenant, runID)
		return err == nil && rec.State == want
	})
}

// finish waits for the run's end, ends the process and returns the spans that
// were received, after they were held against the journal.
func (p *process) finish(runID string, want machine.State) []got {
	p.t.Helper()
	p.await(runID, want)
	p.end()
	return p.checked(runID)
}

// checked holds the spans against the journal: one for each attempt and no
// other, no id twice, every parent there, times within the parent's.
func (w *world) checked(runID string) []got {
	w.t.Helper()
	journal, err := w.db.Events(w.t.Context(), runID, 0, 100_000)
	if err != nil {
		w.t.Fatal(err)
	}
	want := make(map[string]bool)
	for _, e := range journal {
		probe := e.Kind == events.StepWaiting && json.Valid(e.Data) && detail(w.t, e).Role == "probe"
		if e.Kind == events.StepStarted || e.Kind == events.CompensationStarted || probe {
			iteration := any(nil)
			if e.Iteration != "" {
				iteration = e.Iteration
			}
			want[fmt.Sprintf("%v %v %v", e.StepID, iteration, e.Attempt)] = true
		}
	}
	spans := w.to.spans()
	byID := make(map[string]got)
	for _, s := range spans {
		if _, twice := byID[s.id()]; twice {
			w.t.Errorf("span %s (%s) came twice", s.id(), s.Name)
		}
		byID[s.id()] = s
		if s.attr["heddle.attempt"] != nil {
			if !want[s.attempt()] {
				w.t.Errorf("attempt %s is not in the journal, or has two spans", s.attempt())
			}
			delete(want, s.attempt())
		}
	}
	for missing := range want {
		w.t.Errorf("attempt %s has no span", missing)
	}
	for _, s := range spans {
		if s.EndTimeUnixNano < s.StartTimeUnixNano || s.StartTimeUnixNano < uint64(time.Now().Add(-time.Hour).UnixNano()) {
			w.t.Errorf("%s begins at %d and ends at %d", s.Name, s.StartTimeUnixNano, s.EndTimeUnixNano)
		}
		up, ok := byID[s.parent()]
		switch {
		case s.trace() != spans[0].trace():
			w.t.Errorf("%s is in another trace", s.Name)
		case !ok && s.attr["heddle.step.id"] != nil:
			w.t.Errorf("the parent of %s is not there", s.Name)
		case ok && s.StartTimeUnixNano < up.StartTimeUnixNano:
			w.t.Errorf("%s begins before its parent %s", s.Name, up.Name)
		}
	}
	w.regrouped(journal)
	return spans
}

// regrouped makes the spans of a journal again as other commits would have
// grouped it: they are the same, whatever is remembered and whatever is read.
func (w *world) regrouped(journal []events.Event) {
	w.t.Helper()
	j, err := w.db.Journal(w.t.Context(), journal[0].RunID)
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := w.db.Definition(w.t.Context(), j.Row.WorkflowID, 1)
	if err != nil {
		w.t.Fatal(err)
	}
	doc, _ := parser.Parse(text, source.JSON)
	plan, err := machine.Compile(doc.Definition, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	at := func(n int) *machine.Run {
		if n == 0 {
			return nil
		}
		run, err := machine.Restore(plan, j.Row.Header, nil, journal[:n])
		if err != nil {
			w.t.Fatal(err)
		}
		return run
	}
	spans := func(size int) (list []string) {
		for from := 0; from < len(journal); from += size {
			to := min(from+size, len(journal))
			list = append(list, telemetry.Describe(executor.Growth{Before: at(from), After: at(to), Events: journal[from:to]})...)
		}
		slices.Sort(list)
		return list
	}
	whole := spans(len(journal))
	if len(whole) != len(w.to.spans()) {
		w.t.Errorf("the journal as one commit gives %d spans, %d were received", len(whole), len(w.to.spans()))
	}
	for _, size := range []int{1, 2, 3, 5, 7, 13, 17, 23, 29, 37} {
		if diff := cmp.Diff(whole, spans(size)); diff != "" {
			w.t.Errorf("in commits of %d events the spans differ (-whole +commits):\n%s", size, diff)
		}
	}
}

func detail(t *testing.T, e events.Event) machine.Detail {
	t.Helper()
	d, err := machine.ReadDetail(e)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// find returns the one span of a name that has the attributes, which are pairs.
func find(t *testing.T, spans []got, name string, attributes ...any) got {
	t.Helper()
	var found []got
	for _, s := range spans {
		fits := s.Name == name
		for i := 0; fits && i < len(attributes); i += 2 {
			fits = fmt.Sprint(s.attr[attributes[i].(string)]) == fmt.Sprint(attributes[i+1])
		}
		if fits {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d spans are %s %v, of %v", len(found), name, attributes, names(spans))
	}
	return found[0]
}

func names(spans []got) (list []string) {
	for _, s := range spans {
		list = append(list, s.Name)
	}
	return list
}

func failure(code string, permanent bool) error {
	f := &machine.Failure{Permanent: permanent}
	f.Code, f.Message = code, "the card 4242-secret was refused"
	return f.Err()
}

func done() (executor.Result, error) {
	return executor.Result{Output: json.RawMessage(`{"card":"4242-secret"}`)}, nil
}
