package api_test

import (
	"net/http"
	"testing"
)

// A signal's name is what the path says, decoded once: A%2541 is A%41 and not
// AA. A slug is found however it is escaped, by each dialect.
func TestNamesAreDecodedOnceOverHTTP(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.create(`{"name":"Names","output":"{{ steps.ask.output.payload }}","steps":[{"id":"ask","type":"wait","config":{"signal":{"name":"A%41"}}},`+
		`{"id":"other","type":"wait","config":{"signal":{"name":"AA"}}},{"id":"third","type":"wait","config":{"signal":{"name":"a/b"}}}]}`, `"slug":"once-only"`)
	run := s.start("once%2Donly", `{}`)
	s.until(run, "waiting")
	waiting := func() int {
		n := 0
		for _, step := range s.get("/api/workflows/runs/"+run).field(t, "run", "step_runs").([]any) {
			if step.(map[string]any)["status"] == "waiting" {
				n++
			}
		}
		return n
	}
	for i, name := range []string{"A%2541", "%41%41", "a%2Fb"} {
		s.post("/v1/runs/"+run+"/signals/"+name, `{"payload":`+string(rune('1'+i))+`}`).want(t, http.StatusAccepted)
		s.eventually("the signal is taken", func() bool { return waiting() == 2-i })
	}
	if got := s.until(run, "completed").field(t, "run", "output"); got != jsonNumber(1) {
		t.Errorf("the wait for A%%41 took %v", got)
	}
	for _, path := range []string{"/api/workflows/%6Fnce-only", "/api/workflows/once%2donly/runs", "/api/workflows/workflows/once%2Donly/instances", "/%61pi/workflows/once-only/"} {
		s.get(path).want(t, http.StatusOK)
	}
	s.post("/v1/runs/"+run+"/signals/a/b", `{}`).wantCode(t, http.StatusNotFound, "route_not_found")
	s.get("/api/workflows/once%252Donly").wantCode(t, http.StatusNotFound, "workflow_not_found")
	s.get("/api/workflows/once%2Fonly").wantCode(t, http.StatusNotFound, "workflow_not_found")
	s.get("/api/workflows/%FF%00").wantCode(t, http.StatusNotFound, "workflow_not_found")
}

// Every answer says that it is what it says it is.
func TestEveryAnswerForbidsSniffing(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	p := s.place()
	for _, r := range []request{
		{method: "GET", path: "/"},
		{method: "GET", path: "/docs"},
		{method: "GET", path: "/openapi.json"},
		{method: "GET", path: "/healthz"},
		{method: "GET", path: "/metrics"},
		{method: "GET", path: "/nothing"},
		{method: "BREW", path: "/api/workflows"},
		{method: "GET", path: "/api/workflows", key: "-"},
		{method: "GET", path: "/api/workflows"},
		{method: "HEAD", path: "/api/workflows"},
		{method: "GET", path: "/api/workflows/export"},
		{method: "GET", path: "/api/workflows/runs/" + p.finished + "/stream"},
		{method: "DELETE", path: "/api/workflows/runs/" + p.finished},
		{method: "POST", path: "/api/workflows", body: "{"},
	} {
		if got := s.do(r); got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s: %d %v", r.method, r.path, got.status, got.header)
		}
	}
	stream := s.dial()
	stream.send(s.head("GET", "/api/workflows/runs/"+p.run+"/stream", ""))
	for line := ""; line != "\r\n"; {
		var err error
		if line, err = stream.in.ReadString('\n'); err != nil {
			t.Fatalf("the head has no nosniff: %v", err)
		}
		if line == "X-Content-Type-Options: nosniff\r\n" {
			return
		}
	}
	t.Error("an open stream has no nosniff")
}

// The last admin key stays, until there is another.
func TestTheLastAdminKeyStays(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	admin := s.get("/v1/keys").want(t, http.StatusOK).text(t, "keys", 0, "id")
	s.key("viewer")
	s.do(request{method: "DELETE", path: "/v1/keys/" + admin}).wantCode(t, http.StatusConflict, "last_admin_key")
	s.get("/v1/keys").want(t, http.StatusOK)
	other := s.key("admin")
	s.do(request{method: "DELETE", path: "/v1/keys/" + admin}).want(t, http.StatusNoContent)
	s.do(request{method: "GET", path: "/v1/keys", key: other}).want(t, http.StatusOK)
}
