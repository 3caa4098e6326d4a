package main

import (
	"encoding/hex"
	"fmt"
	"heddle/internal/await"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// otlp is a collector that keeps the names of the spans that it received, by trace and
// id.
type otlp struct {
	mu    sync.Mutex
	spans map[string]string
	calls int
}

func (o *otlp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls++
	body, err := io.ReadAll(r.Body)
	var req collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &req)
	}
	if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("X-Token") != "a b" {
		http.Error(w, fmt.Sprint(r.URL, r.Header, err), http.StatusBadRequest)
		return
	}
	for _, rs := range req.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				o.spans[hex.EncodeToString(s.TraceId)+"-"+hex.EncodeToString(s.SpanId)] = s.Name
			}
		}
	}
}

// awaitSpan waits for the span that a traceparent names.
func (o *otlp) awaitSpan(t *testing.T, parent string) string {
	t.Helper()
	var name string
	await.True(t, "span "+parent, func() (ok bool) {
		o.mu.Lock()
		defer o.mu.Unlock()
		name, ok = o.spans[parent[3:52]]
		return ok
	})
	return name
}

const callOut = `{"name":"Call","steps":[{"id":"call","type":"http_request","config":{"url":%q}}]}`

// target sends the headers of each request that it receives.
func target(t *testing.T) (url string, got <-chan http.Header) {
	t.Helper()
	headers := make(chan http.Header, 16)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { headers <- r.Header }))
	t.Cleanup(srv.Close)
	return srv.URL, headers
}

// TestATraceGoesThrough checks that a run joins its caller's trace, whichever way it is
// started, and that requests of its steps carry their own spans.
func TestATraceGoesThrough(t *testing.T) {
	o := &otlp{spans: make(map[string]string)}
	srv := httptest.NewServer(o)
	t.Cleanup(srv.Close)
	st, c := startServer(t, io.Discard, "HEDDLE_DATABASE_URL=sqlite://"+t.TempDir()+"/t.db", "HEDDLE_EGRESS_ALLOW=127.0.0.1",
		"OTEL_EXPORTER_OTLP_ENDPOINT="+srv.URL, "OTEL_EXPORTER_OTLP_HEADERS=x-token=a%20b", "OTEL_BSP_SCHEDULE_DELAY=5")
	url, got := target(t)
	if _, err := c.Workflows.Add(t.Context(), jsonText(callOut, url), "call"); err != nil {
		t.Fatal(err)
	}
	starts := []struct{ path, body string }{
		{"/api/workflows/call/run", `{}`},
		{"/v1/runs", `{"workflow_id":"call"}`},
		{"/v1/workflows/call/execute", `{"run_input":{}}`},
		{"/api/workflows/workflows/call/instances", `{"id":"one"}`},
		{"/api/workflows/workflows/call/instances/one/restart", ``},
		{"/api/workflows/workflows/call/instances/batch", `{"instances":[{"id":"two"}]}`},
	}
	for n, start := range starts {
		trace := fmt.Sprintf("%032x", n+1)
		header := http.Header{"Traceparent": {"00-" + trace + "-00f067aa0ba902b7-01"}, "Tracestate": {"a=1", "b=2"}}
		post(t, c.URL()+start.path, start.body, header)
		out := <-got
		parent := out.Get("Traceparent")
		if !strings.HasPrefix(parent, "00-"+trace+"-") || !strings.HasSuffix(parent, "-01") || strings.Contains(parent, "00f067aa0ba902b7") {
			t.Errorf("%s: the step sends %q", start.path, parent)
		}
		if state := out.Get("Tracestate"); state != "a=1,b=2" {
			t.Errorf("%s: the step sends tracestate %q", start.path, state)
		}
		if name := o.awaitSpan(t, parent); name != "attempt call" {
			t.Errorf("%s: the parent that is sent is the span %q", start.path, name)
		}
	}
	post(t, c.URL()+starts[0].path, `{}`, http.Header{"Traceparent": {"00-junk"}, "Tracestate": {"a=1"}})
	out := <-got
	if name := o.awaitSpan(t, out.Get("Traceparent")); name != "attempt call" || out.Get("Tracestate") != "" {
		t.Errorf("after an invalid traceparent the step sends %v, the span %s", out, name)
	}
	if text := scrape(t, c.URL()); !strings.Contains(text, `heddle_spans_total{outcome="dropped"} 0`) {
		t.Errorf("the spans are not counted in\n%s", text)
	}
	if s := st.spans.Stats(); s.Failed+s.Dropped > 0 {
		t.Errorf("spans were lost: %+v", s)
	}
}

// TestTracingThatIsOffDoesNothing checks that no connection is made and that the
// caller's traceparent is passed on unchanged.
func TestTracingThatIsOffDoesNothing(t *testing.T) {
	o := &otlp{}
	srv := httptest.NewServer(o)
	t.Cleanup(srv.Close)
	for _, off := range [][]string{
		{},
		{"OTEL_SDK_DISABLED=true", "OTEL_EXPORTER_OTLP_ENDPOINT=" + srv.URL},
		{"OTEL_TRACES_EXPORTER=none", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=" + srv.URL},
	} {
		st, c := startServer(t, io.Discard, append(off, "HEDDLE_DATABASE_URL=sqlite://"+t.TempDir()+"/t.db", "HEDDLE_EGRESS_ALLOW=127.0.0.1")...)
		url, got := target(t)
		if _, err := c.Workflows.Add(t.Context(), jsonText(callOut, url), "call"); err != nil {
			t.Fatal(err)
		}
		const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		post(t, c.URL()+"/api/workflows/call/run", `{}`, http.Header{"Traceparent": {parent}})
		if sent := (<-got).Get("Traceparent"); sent != parent || st.spans != nil {
			t.Errorf("%v: the step sends %q, spans %v", off, sent, st.spans)
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.calls > 0 {
		t.Errorf("the collector was called %d times", o.calls)
	}
}

func TestTracingSettingsAreRefused(t *testing.T) {
	for env, want := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=collector:4318":      "OTEL_EXPORTER_OTLP_ENDPOINT: \"collector:4318\" is not acceptable",
		"OTEL_EXPORTER_OTLP_HEADERS=Bearer hidden-word":   "OTEL_EXPORTER_OTLP_HEADERS: its value is not acceptable",
		"OTEL_EXPORTER_OTLP_PROTOCOL=grpc":                "allowed: http/protobuf",
		"OTEL_TRACES_SAMPLER=sometimes":                   "allowed: parentbased_always_on",
		"OTEL_TRACES_SAMPLER_ARG=2":                       "a number from 0 to 1",
		"OTEL_BSP_MAX_QUEUE_SIZE=0":                       "OTEL_BSP_MAX_QUEUE_SIZE",
		"OTEL_SDK_DISABLED=maybe":                         "true or false",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://a:b@c": "OTEL_EXPORTER_OTLP_HEADERS",
	} {
		code, out, errOut := heddle(t, []string{env}, "config")
		if code != exitUsage || !strings.Contains(errOut, want) || strings.Contains(out+errOut, "hidden-word") {
			t.Errorf("%s: exit %d, %s", env, code, errOut)
		}
	}
}

func jsonText(format string, args ...any) rawJSON { return rawJSON(fmt.Sprintf(format, args...)) }

type rawJSON string

func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// post sends a request of an admin, which must succeed.
func post(t *testing.T, url, body string, header http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header.Clone()
	req.Header.Set("Authorization", "Bearer "+testServerKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode/100 != 2 {
		t.Fatalf("%s: %d %s", url, resp.StatusCode, text)
	}
}
