package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"heddle/internal/await"
)

// While the memory for definitions is taken, every route that reads one waits
// for a bounded time and then says so; others go on.
func TestDefinitionsAreReadWithinTheirMemory(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	id := s.create(trivial, "")
	body := `{"definition":` + trivial + `}`
	routes := []request{
		{method: "POST", path: "/api/workflows/validate", body: body},
		{method: "POST", path: "/api/workflows", body: body},
		{method: "PUT", path: "/api/workflows/" + id, body: body},
		{method: "POST", path: "/api/workflows/" + id + "/diff", body: body},
		{method: "POST", path: "/api/workflows/templates", body: `{"name":"t","definition":` + trivial + `}`},
		{method: "POST", path: "/api/workflows/validate", body: "definition:\n  name: n\n", header: map[string]string{"Content-Type": "application/yaml"}},
	}
	leave, err := s.handler.HoldDefinitions(10 * time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range routes {
		if got := s.do(r).wantCode(t, http.StatusServiceUnavailable, "server_busy"); got.header.Get("Retry-After") == "" {
			t.Errorf("%s %s: no Retry-After", r.method, r.path)
		}
	}
	s.get("/api/workflows/"+id).want(t, http.StatusOK)
	leave()
	for _, r := range routes {
		if got := s.do(r); got.status >= 400 {
			t.Errorf("%s %s: %d %s", r.method, r.path, got.status, got.body)
		}
	}
}

// Large definitions at the same time are read one after the other, and what they
// held is given back whatever became of them.
func TestLargeDefinitionsWaitForEachOther(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	bomb := `{"definition":{"name":"n","steps":[` + strings.Repeat("1,", 400_000) + `1]}}`
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			got := s.post("/api/workflows/validate", bomb)
			if got.status != http.StatusOK && got.status != http.StatusServiceUnavailable || len(got.body) > 1<<20 {
				t.Errorf("%d, %d bytes: %.200s", got.status, len(got.body), got.body)
			}
		})
	}
	all.Wait()
	leave, err := s.handler.HoldDefinitions(await.Patience)
	if err != nil {
		t.Fatal("not everything was given back:", err)
	}
	leave()
}
