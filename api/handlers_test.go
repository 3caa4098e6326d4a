package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestHandlersRunBeforeTheEnd: on_failure and finally over HTTP: what they see,
// how the run reads meanwhile and at its end, and after a resume.
func TestHandlersRunBeforeTheEnd(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	const definition = `{"name":"Handlers","steps":[{"id":"a","type":"wait","config":{"seconds":0}},` +
		`{"id":"b","type":"condition","depends_on":["a"],"config":{"expression":"input.n > 1"}}],` +
		`"on_failure":[{"id":"ask","type":"wait","config":{"signal":{"name":"{{ run.error.step_id }}_{{ run.error.code }}"},"timeout_seconds":600}}],` +
		`"finally":[{"id":"tidy","type":"condition","depends_on":[],"config":{"expression":"run.state == 'failed' and steps.a.status == 'completed'"}}]}`
	wf := s.create(definition, "")
	run := s.start(wf, `{"input_data":{"n":"x"}}`)
	waiting := s.until(run, "waiting")
	if !strings.Contains(waiting.body, `"handler":"on_failure"`) {
		t.Errorf("waiting: %s", waiting.body)
	}
	s.post("/api/workflows/runs/"+run+"/cancel", "").want(t, http.StatusOK)
	s.post("/api/workflows/runs/"+run+"/pause", "").want(t, http.StatusAccepted)
	s.post("/v1/runs/"+run+"/signals/b_expression_type", `{"payload":1}`).want(t, http.StatusAccepted)
	done := s.until(run, "failed")
	if !strings.Contains(done.body, `"branch":"then"`) || !strings.Contains(done.body, `"handler":"finally"`) || strings.Contains(done.body, "handlers_failed") {
		t.Errorf("failed: %s", done.body)
	}
	s.post("/api/workflows/runs/"+run+"/resume", `{"from_step":"tidy"}`).wantCode(t, http.StatusUnprocessableEntity, "step_not_reachable")
	preview := s.post("/api/workflows/runs/"+run+"/resume?dry_run=true", ``).want(t, http.StatusOK)
	if strings.Contains(preview.body, "tidy") || !strings.Contains(preview.body, `"step_id":"b"`) {
		t.Errorf("preview: %s", preview.body)
	}
	good := s.until(s.start(wf, `{"input_data":{"n":3}}`), "completed")
	if strings.Contains(good.body, `"ask"`) || !strings.Contains(good.body, `"output":{"b":`) {
		t.Errorf("completed: %s", good.body)
	}
	dry := s.post("/api/workflows/"+wf+"/dry-run", `{"input_data":{"n":"x"},"mocks":{"ask":{"output":{}}}}`).want(t, http.StatusOK)
	if dry.text(t, "status") != "failed" || !strings.Contains(dry.body, `"handler":"finally"`) {
		t.Errorf("dry run: %s", dry.body)
	}
	tested := s.post("/api/workflows/"+wf+"/steps/tidy/test", `{"steps":{}}`).want(t, http.StatusOK)
	if !strings.Contains(tested.body, `"branch":"else"`) {
		t.Errorf("a step by itself: %s", tested.body)
	}
}

// TestFinallyThatFails makes a completed run failed.
func TestFinallyThatFails(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	wf := s.create(`{"name":"F","steps":[{"id":"a","type":"wait","config":{"seconds":0}}],"finally":[{"id":"z","type":"condition","config":{"expression":"input.n > 1"}}]}`, "")
	got := s.until(s.start(wf, `{"input_data":{"n":"x"}}`), "failed")
	history := s.get("/v1/runs/"+got.text(t, "run", "id")+"/history").want(t, http.StatusOK)
	if !strings.Contains(history.body, `"input":{"expression":"input.n > 1"}`) {
		t.Errorf("%s", history.body)
	}
	if got.text(t, "run", "error", "code") != "finally_failed" || !strings.Contains(got.body, `"handlers_failed":["z"]`) {
		t.Errorf("%s", got.body)
	}
}
