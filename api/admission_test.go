package api_test

import (
	"heddle/api"
	"heddle/internal/await"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// While the memory for definitions is taken, every route that reads one waits
// for a bounded time and is then refused; others go on.
func TestDefinitionsAreReadWithinTheirMemory(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	id := s.create(trivial, "")
	body := `{"definition":` + trivial + `}`
	own := s.template(napping("1", ""))
	made := s.install(own, `{}`)
	routes := []request{
		{method: "POST", path: "/api/workflows/validate", body: body},
		{method: "POST", path: "/api/workflows", body: body},
		{method: "PUT", path: "/api/workflows/" + id, body: body},
		{method: "POST", path: "/api/workflows/" + id + "/diff", body: body},
		{method: "POST", path: "/api/workflows/templates", body: `{"name":"t","definition":` + trivial + `}`},
		{method: "POST", path: "/api/workflows/validate", body: "definition:\n  name: n\n", header: map[string]string{"Content-Type": "application/yaml"}},
		{method: "POST", path: "/api/workflows/templates", body: `{"name":"t","workflow_id":"` + id + `"}`},
		{method: "PUT", path: "/api/workflows/templates/" + own, body: `{"description":"A rest."}`},
		{method: "POST", path: "/api/workflows/templates/" + own + "/install", body: `{"parameters":{}}`},
		{method: "POST", path: "/api/workflows/templates/" + own + "/install"},
		{method: "POST", path: "/api/workflows/" + made + "/template-update"},
		{method: "POST", path: "/api/workflows/import", body: line("one") + line("two"), header: map[string]string{"Content-Type": "application/x-ndjson"}},
	}
	leave := held(t, s.handler.HoldDefinitions)
	s.handler.WaitForMemory(10 * time.Millisecond)
	for _, r := range routes {
		if got := s.do(r).wantCode(t, http.StatusServiceUnavailable, "server_busy"); got.header.Get("Retry-After") == "" {
			t.Errorf("%s %s: no Retry-After", r.method, r.path)
		}
	}
	s.get("/api/workflows/"+id).want(t, http.StatusOK)
	s.handler.WaitForMemory(await.Patience)
	leave()
	for _, r := range routes {
		if got := s.do(r); got.status >= 400 {
			t.Errorf("%s %s: %d %s", r.method, r.path, got.status, got.body)
		}
	}
}

// An import that finds the memory taken says which line it stopped at, and goes
// on there when it is sent again with its key.
func TestAnImportWaitsForMemoryLineByLine(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	both := line("one") + line("two")
	leave := held(t, s.handler.HoldDefinitions)
	s.handler.WaitForMemory(10 * time.Millisecond)
	got := s.importsOnce("k", "", both).wantCode(t, http.StatusServiceUnavailable, "server_busy")
	if got.field(t, "line") != jsonNumber(1) || len(got.field(t, "imported").([]any)) != 0 || got.header.Get("Retry-After") == "" {
		t.Errorf("%v %s", got.header, got.body)
	}
	s.handler.WaitForMemory(await.Patience)
	leave()
	s.importsOnce("k", "", both).want(t, http.StatusOK)
}

// What a line of an import held is released before the next one is waited for.
func TestAnImportHoldsNoMemoryBetweenLines(t *testing.T) {
	t.Parallel()
	s := newStack(t, withPatience(api.Patience{Header: onlyAHangReaches, Stall: onlyAHangReaches, Before: onlyAHangReaches, After: onlyAHangReaches}))
	first, second := line("one"), line("two")
	r := s.dial()
	r.send(s.head("POST", "/api/workflows/import", "", "Content-Type: application/x-ndjson", "Content-Length: "+strconv.Itoa(len(first+second))) + first)
	s.eventually("the first line is stored", func() bool { return s.workflows() == 1 })
	held(t, s.handler.HoldDefinitions)()
	r.send(second)
	if got := r.answer(); got.status != http.StatusOK || s.workflows() != 2 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// While the memory for long lines is taken, an import of one waits for a bounded
// time and is then refused; short lines and everything else go on. What a line held is
// released when it ends, and when its client disconnects.
func TestLongLinesAreReadWithinTheirMemory(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	long := strings.Replace(line("long"), `"first"`, `"first"`+strings.Repeat(" ", 3<<20), 1)
	if len(long) < 3<<20 {
		t.Fatal("the line is short")
	}
	body := line("one") + long + line("two")
	leave := held(t, s.handler.HoldLines)
	s.handler.WaitForMemory(10 * time.Millisecond)
	got := s.do(request{method: "POST", path: "/api/workflows/import", body: body}).wantCode(t, http.StatusServiceUnavailable, "server_busy")
	if got.field(t, "line") != jsonNumber(2) || len(got.field(t, "imported").([]any)) != 1 {
		t.Errorf("%s", got.body)
	}
	s.do(request{method: "POST", path: "/api/workflows/import", body: line("three")}).want(t, http.StatusOK)
	s.post("/api/workflows/validate", `{"definition":`+trivial+`}`).want(t, http.StatusOK)
	s.handler.WaitForMemory(await.Patience)
	leave()
	s.do(request{method: "POST", path: "/api/workflows/import?on_conflict=skip", body: body}).want(t, http.StatusOK)
	r := s.dial()
	r.send(s.head("POST", "/api/workflows/import", "", "Content-Type: application/x-ndjson", "Content-Length: "+strconv.Itoa(len(long))) + long[:len(long)-1])
	_ = r.conn.Close()
	held(t, s.handler.HoldLines)()
}

// Large definitions at the same time are read one after the other, and what they
// held is released whatever became of them.
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
	held(t, s.handler.HoldDefinitions)()
}

// held takes the whole of a budget once everything was released.
func held(t *testing.T, hold func() (func(), bool)) (leave func()) {
	t.Helper()
	await.True(t, "everything was given back", func() (ok bool) {
		leave, ok = hold()
		return ok
	})
	return leave
}
