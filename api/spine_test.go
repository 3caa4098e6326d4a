package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// From a definition to a finished run, as the documents show it.
func TestTheWayOfARun(t *testing.T) {
	s := newStack(t)
	made := s.post("/api/workflows", `{"definition":`+trivial+`,"tags":["data","etl"],"slug":"way"}`).want(t, http.StatusCreated)
	id := made.text(t, "id")
	if made.header.Get("Location") != "/api/workflows/"+id || made.header.Get("ETag") != `"r1"` {
		t.Errorf("Location %q, ETag %q", made.header.Get("Location"), made.header.Get("ETag"))
	}
	started := s.post("/api/workflows/way/run", `{"input_data":{"n":9007199254740993,"big":1e400}}`).want(t, http.StatusAccepted)
	run := started.text(t, "run_id")
	done := s.until(run, "completed")
	for path, want := range map[string]string{"workflow_id": id, "trigger": "manual"} {
		if got := done.text(t, "run", path); got != want {
			t.Errorf("%s = %q, want %q", path, got, want)
		}
	}
	if !strings.Contains(done.body, `"input":{"n":9007199254740993,"big":1e400}`) {
		t.Errorf("numbers are not kept: %s", done.body)
	}
	for i, want := range []string{"a", "b", "c"} {
		if got := done.text(t, "run", "step_runs", i, "step_id"); got != want {
			t.Errorf("step %d is %q, want %q", i, got, want)
		}
	}
	if got := s.get("/api/workflows/way/runs").want(t, http.StatusOK).text(t, "runs", 0, "id"); got != run {
		t.Errorf("listed run %q, want %q", got, run)
	}
	s.post("/api/workflows/runs/"+run+"/cancel", "").want(t, http.StatusOK)
	s.get("/api/workflows/runs/"+run+"/definition").want(t, http.StatusOK)
	s.do(request{method: http.MethodDelete, path: "/api/workflows/runs/" + run}).want(t, http.StatusNoContent)
	s.get("/api/workflows/runs/"+run).wantCode(t, http.StatusNotFound, "run_not_found")
}
