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
