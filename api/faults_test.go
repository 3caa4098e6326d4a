package api_test

import (
	"bufio"
	"context"
	"fmt"
	"heddle/api"
	"heddle/executor"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	clocks "heddle/clock"
)

func TestAPanicIsAnInternalError(t *testing.T) {
	s := newStack(t)
	s.panics = true
	got := s.do(keyed("/api/workflows", `{"definition":`+trivial+`}`, "k")).wantCode(t, http.StatusInternalServerError, "internal")
	if strings.Contains(got.body, "boom") {
		t.Errorf("the answer tells what happened inside: %s", got.body)
	}
	id := got.header.Get("X-Request-Id")
	if log := s.log.String(); !strings.Contains(log, id) || !strings.Contains(log, "boom") || !strings.Contains(log, "stack=") {
		t.Errorf("the log does not: %s", log)
	}
	// The key and the server are free again.
	s.do(keyed("/api/workflows", `{"definition":`+trivial+`}`, "k")).want(t, http.StatusCreated)
}

func TestADatabaseThatIsAwayIsUnavailable(t *testing.T) {
	s := newStack(t)
	id := s.create(trivial, "")
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, r := range []request{
		{method: "GET", path: "/api/workflows"},
		{method: "GET", path: "/api/workflows/" + id},
		{method: "POST", path: "/api/workflows/" + id + "/run"},
		{method: "POST", path: "/api/workflows", body: `{"definition":` + trivial + `}`},
	} {
		got := s.do(r)
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
			t.Errorf("%s %s: %d %s", r.method, r.path, got.status, got.body)
		}
	}
	s.eventually("readiness is red", func() bool {
		got := s.do(request{method: "GET", path: "/readyz", key: "-"})
		return got.status == http.StatusServiceUnavailable && got.header.Get("Retry-After") != ""
	})
	s.do(request{method: "GET", path: "/healthz", key: "-"}).want(t, http.StatusOK)
}

// A wrong clock is said and does not turn readiness red.
func TestReadinessTellsOfTheClock(t *testing.T) {
	for ahead, says := range map[time.Duration]string{
		0: `{"status":"ready","clock":{"offset_seconds":0,"schedules_wait":false}}`, time.Hour: `{"status":"ready","clock":{"offset_seconds":3600,"schedules_wait":true}}`,
		-90 * time.Second: `{"status":"ready","clock":{"offset_seconds":-90,"schedules_wait":true}}`,
	} {
		base := time.UnixMilli(1_700_000_000_000)
		watch := clocks.New(func() time.Time { return base.Add(ahead) }, func(context.Context) (time.Time, error) { return base, nil }, nil)
		s := newStack(t, func(c *api.Config, _ *executor.Config) { c.Clock = watch })
		ask := request{method: "GET", path: "/readyz", key: "-"}
		s.eventually("it is ready", func() bool { return s.do(ask).status == http.StatusOK })
		if got := s.do(ask).want(t, http.StatusOK); got.body != `{"status":"ready"}` && strings.TrimSpace(got.body) != `{"status":"ready"}` {
			t.Errorf("before it is measured: %s", got.body)
		}
		watch.Accurate(t.Context())
		// The reading took no time by a clock that stands still, but a little by the
		// monotonic one: an offset that is behind may be less by that.
		got := s.do(ask).want(t, http.StatusOK)
		if ahead >= 0 && strings.TrimSpace(got.body) != says || !strings.Contains(got.body, `"schedules_wait":`+fmt.Sprint(ahead != 0)) {
			t.Errorf("%s, want %s", got.body, says)
		}
	}
}

func TestTheSite(t *testing.T) {
	s := newStack(t)
	for path, says := range map[string]string{
		"/": "/openapi.json", "/docs": "/api/workflows/{id}/run", "/healthz": `"ok"`, "/readyz": `"ready"`,
		"/schemas/definition.json": "depends_on", "/openapi.json": "3.1.0",
	} {
		got := s.do(request{method: "GET", path: path, key: "-"}).want(t, http.StatusOK)
		if !strings.Contains(got.body, says) {
			t.Errorf("%s does not say %s: %.200s", path, says, got.body)
		}
	}
	if front := s.do(request{method: "GET", path: "/", key: "-"}); !strings.Contains(front.body, "Heddle") || !strings.Contains(front.body, "test") {
		t.Error(front.body)
	}
	info := s.get("/v1/info").want(t, http.StatusOK)
	if info.text(t, "tenant") != "default" || info.text(t, "key", "role") != "admin" || info.text(t, "version") != "test" {
		t.Error(info.body)
	}
}

// A sender that is slow with a body, and one that promises more than it sends.
func TestABodyThatNeverComes(t *testing.T) {
	s := newStack(t)
	id := s.create(trivial, "")
	pr, pw := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/workflows/"+id+"/run", pr)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.admin)
	go func() { _, _ = pw.Write([]byte(`{"input_data":`)); _ = pw.CloseWithError(io.ErrUnexpectedEOF) }()
	if resp, err := s.client.RoundTrip(req); err == nil {
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("status %d", resp.StatusCode)
		}
	}
	if log := s.log.String(); strings.Contains(log, "level=ERROR") {
		t.Error(log)
	}
}

func BenchmarkStartRun(b *testing.B) {
	s := newStack(b, func(_ *api.Config, e *executor.Config) { e.Heartbeat = time.Minute })
	id := s.create(trivial, "")
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/api/workflows/"+id+"/run", strings.NewReader(`{"input_data":{"n":1}}`))
		r.Header.Set("Authorization", "Bearer "+s.admin)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if w.Code != http.StatusAccepted {
			b.Fatal(w.Body)
		}
	}
}

// A sender that reads only when all is sent still learns that it was too much.
func TestTooLargeABodyIsAnsweredAfterItIsSent(t *testing.T) {
	s := newStack(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const size = 12 << 20
	head := fmt.Sprintf("POST /api/workflows/validate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n", s.admin, size)
	if _, err := io.WriteString(conn, head+strings.Repeat("x", size)); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Error(answer.Status)
	}
}
