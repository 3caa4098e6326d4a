package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// brokenLoop fails in its second iteration, whatever happens.
const brokenLoop = `{"name":"Broken","steps":[{"id":"each","type":"loop","config":{"items":"[1, {}]","steps":[` +
	`{"id":"one","type":"condition","config":{"expression":"item > 0"}}]}}]}`

// failing is a definition whose second step fails for want of a number.
func failing(second string) string {
	return `{"name":"Failing","input":{"type":"object"},"steps":[` +
		`{"id":"a","type":"condition","config":{"expression":"true"}},` +
		`{"id":"b","type":"condition","config":{"expression":"` + second + `"},"depends_on":["a"]},` +
		`{"id":"c","type":"condition","config":{"expression":"true"},"depends_on":["b"]}]}`
}

func TestAFailedRunGoesOnWithACorrectedVersion(t *testing.T) {
	s := newStack(t)
	wf := s.create(failing("input.n.m > 1"), "")
	id := s.start(wf, `{"input_data":{"n":5}}`)
	run := "/api/workflows/runs/" + id
	s.until(id, "failed")
	s.do(request{method: "PUT", path: "/api/workflows/" + wf, body: `{"definition":` + failing("input.n > 1") + `}`}).want(t, 200)
	strict := strings.Replace(failing("input.n > 1"), `{"type":"object"}`, `{"type":"object","required":["more"]}`, 1)
	s.do(request{method: "PUT", path: "/api/workflows/" + wf, body: `{"definition":` + strict + `,"publish":false}`}).want(t, 200)

	for name, c := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"unknown version":  {`{"version":9}`, 404, "version_not_found"},
		"unknown step":     {`{"from_step":"zzz"}`, 422, "unknown_step"},
		"step not reached": {`{"from_step":"c"}`, 422, "step_not_reachable"},
		"input refused":    {`{"version":"v3"}`, 422, "invalid_input"},
		"unknown field":    {`{"form_step":"c"}`, 400, "invalid_request"},
		"wrong type":       {`{"from_step":3}`, 400, "invalid_request"},
	} {
		for _, query := range []string{"", "?dry_run=true"} {
			if got := s.post(run+"/resume"+query, c.body); got.status != c.status || got.text(t, "code") != c.code {
				t.Errorf("%s: %d %s", name, got.status, got.body)
			}
		}
	}
	s.post(run+"/resume?dry_run=1", "").wantCode(t, 400, "invalid_request")

	preview := s.post(run+"/resume?dry_run=true", `{"version":2}`).want(t, http.StatusOK)
	const want = `{"reused":[{"step_id":"a","reason":"It is completed and unchanged."}],` +
		`"run_again":[{"step_id":"b","reason":"Its definition changed."},{"step_id":"c","reason":"It has not started yet."}]}` + "\n"
	if preview.body != want {
		t.Errorf("preview %s, want %s", preview.body, want)
	}
	if got := s.get(run); got.text(t, "run", "status") != "failed" {
		t.Errorf("a preview changed the run: %s", got.body)
	}
	s.post(run+"/resume", `{"version":2}`).want(t, http.StatusAccepted)
	done := s.until(id, "completed")
	if done.field(t, "run", "versions", 0, "from_seq") != jsonNumber(1) || done.field(t, "run", "versions", 1, "version") != jsonNumber(2) ||
		done.field(t, "run", "version") != jsonNumber(2) || done.field(t, "run", "definition_hash") != done.field(t, "run", "versions", 1, "definition_hash") ||
		done.field(t, "run", "versions", 0, "definition_hash") == done.field(t, "run", "versions", 1, "definition_hash") {
		t.Errorf("versions of %s", done.body)
	}
	if got := s.get(run + "/definition"); got.field(t, "version") != jsonNumber(2) {
		t.Errorf("definition %s", got.body)
	}
	s.post(run+"/resume", "").wantCode(t, http.StatusConflict, "run_not_resumable")
	s.post(run+"/resume?dry_run=true", "").wantCode(t, http.StatusConflict, "run_not_resumable")
}

func TestRedriveIsForFailedLoops(t *testing.T) {
	s := newStack(t)
	id := s.start(s.create(brokenLoop, ""), "")
	run := "/api/workflows/runs/" + id
	s.until(id, "failed")
	s.post(run+"/redrive", `{"step_id":"one"}`).wantCode(t, 422, "step_not_redrivable")
	s.post(run+"/redrive", `{"step_id":"nope"}`).wantCode(t, 422, "unknown_step")
	s.post(run+"/redrive", `{}`).wantCode(t, 422, "unknown_step")
	s.post(run+"/redrive", "").wantCode(t, 400, "invalid_request")
	s.post(run+"/redrive", `{"step_id":"each"}`).want(t, http.StatusAccepted)
	again := s.until(id, "failed")
	if got := again.field(t, "run", "step_runs", 0, "attempt"); got != jsonNumber(2) {
		t.Errorf("attempt %v of %s", got, again.body)
	}
	done := s.start(s.create(trivial, ""), "")
	s.post("/api/workflows/runs/"+done+"/redrive", `{"step_id":"a"}`).wantCode(t, 409, "run_not_resumable")
}

func TestRestartTakesTheInputToTheActiveVersion(t *testing.T) {
	s := newStack(t)
	wf := s.create(parked, "")
	id := s.start(wf, `{"input_data":{"n":1}}`)
	s.do(request{method: "PUT", path: "/api/workflows/" + wf, body: `{"definition":` + trivial + `}`}).want(t, 200)
	restart := request{method: "POST", path: "/api/workflows/runs/" + id + "/restart", header: map[string]string{"Idempotency-Key": "k"}}
	first := s.do(restart).want(t, http.StatusAccepted)
	again := s.do(restart).want(t, http.StatusAccepted)
	next := first.text(t, "run_id")
	if next == id || again.text(t, "run_id") != next || first.header.Get("Location") != "/api/workflows/runs/"+next {
		t.Errorf("first %s, again %s", first.body, again.body)
	}
	if old := s.get("/api/workflows/runs/" + id); old.text(t, "run", "status") != "cancelled" || old.text(t, "run", "error", "code") != "terminated" {
		t.Errorf("the old run is %s", old.body)
	}
	done := s.until(next, "completed")
	if done.field(t, "run", "version") != jsonNumber(2) || done.field(t, "run", "input", "n") != jsonNumber(1) {
		t.Errorf("the new run is %s", done.body)
	}
	s.do(request{method: "PATCH", path: "/api/workflows/" + wf + "/status", body: `{"status":"paused"}`}).want(t, 200)
	s.post("/api/workflows/runs/"+next+"/restart", "").wantCode(t, 409, "workflow_not_runnable")
}

func TestTerminateIsAtOnce(t *testing.T) {
	s := newStack(t)
	id := s.start(s.create(parked, ""), "")
	if got := s.post("/api/workflows/runs/"+id+"/terminate", "").want(t, 200); got.text(t, "status") != "cancelled" {
		t.Errorf("terminate answers %s", got.body)
	}
	s.post("/api/workflows/runs/"+id+"/terminate", "{}").want(t, 200)
	if got := s.get("/api/workflows/runs/" + id); got.text(t, "run", "error", "code") != "terminated" {
		t.Errorf("the run is %s", got.body)
	}
}
