package api_test

import (
	"heddle/api"
	"heddle/executor"
	"net/http"
	"sync"
	"testing"
	"time"
)

// clock is a time that a test sets.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// A key has a bucket of its own: a burst at once, then as many as come back.
// What needs no key is not counted, nor is a text that is not a key.
func TestEachKeyHasItsRate(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := newStack(t, func(a *api.Config, _ *executor.Config) {
		a.Rate, a.Now = api.Rate{Requests: 2, Per: time.Second, Burst: 4}, c.now
	})
	viewer := s.key("viewer") // one of the admin's
	ask := func(key string) response { return s.do(request{method: "GET", path: "/api/workflows", key: key}) }
	for i, want := range []struct{ limit, retry string }{{`"key";r=2;t=1`, ""}, {`"key";r=1;t=2`, ""}, {`"key";r=0;t=2`, ""}, {`"key";r=0;t=2`, "1"}, {`"key";r=0;t=2`, "1"}} {
		got := ask("")
		if want.retry != "" {
			got.wantCode(t, http.StatusTooManyRequests, "rate_limited")
		} else {
			got.want(t, http.StatusOK)
		}
		if got.header.Get("RateLimit") != want.limit || got.header.Get("RateLimit-Policy") != `"key";q=4;w=2` || got.header.Get("Retry-After") != want.retry {
			t.Errorf("request %d: %v", i, got.header)
		}
	}
	ask(viewer).want(t, http.StatusOK)
	for range 10 {
		s.do(request{method: "GET", path: "/healthz"}).want(t, http.StatusOK)
		s.do(request{method: "GET", path: "/api/workflows", key: "iw_live_nobody"}).wantCode(t, http.StatusUnauthorized, "unauthenticated")
	}
	c.pass(499 * time.Millisecond)
	ask("").wantCode(t, http.StatusTooManyRequests, "rate_limited")
	c.pass(time.Millisecond)
	ask("").want(t, http.StatusOK)
	ask("").wantCode(t, http.StatusTooManyRequests, "rate_limited")
	c.pass(time.Hour)
	for range 4 {
		ask("").want(t, http.StatusOK)
	}
	// Every dialect, in its envelope; a refusal does nothing.
	for _, r := range []request{
		{method: "POST", path: "/v1/runs", body: `{"workflow_id":"x"}`},
		{method: "POST", path: "/v1/workflows/x/execute", body: `{}`},
		{method: "POST", path: "/api/workflows/workflows/x/instances", body: `{}`},
		{method: "POST", path: "/api/workflows", body: `{"definition":` + trivial + `}`},
		{method: "GET", path: "/api/workflows/runs/x/stream"},
	} {
		s.do(r).wantCode(t, http.StatusTooManyRequests, "rate_limited")
	}
	c.pass(time.Hour)
	if list := s.get("/api/workflows").want(t, http.StatusOK); list.field(t, "total") != jsonNumber(0) {
		t.Errorf("a refused request made %s", list.body)
	}
}

func TestWithoutARateThereAreNoFields(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	if got := s.get("/api/workflows").want(t, http.StatusOK); got.header.Get("RateLimit") != "" || got.header.Get("RateLimit-Policy") != "" {
		t.Errorf("%v", got.header)
	}
}
