package api_test

import "testing"

const order = `{"name":"Order","steps":[` +
	`{"id":"fetch","type":"http_request","config":{"url":"http://x.test/"}},` +
	`{"id":"big","type":"condition","config":{"expression":"steps.fetch.output.status_code > 100","then":["ask"]},"depends_on":["fetch"]},` +
	`{"id":"ask","type":"wait","config":{"signal":{"name":"approval"}},"depends_on":["big"]},` +
	`{"id":"nap","type":"wait","config":{"seconds":3600},"depends_on":["ask"]}],` +
	`"output":"{{ steps.ask.output?.payload }}"}`

func TestADryRunPerformsNothing(t *testing.T) {
	s := newStack(t)
	wf := "/api/workflows/" + s.create(order, "")
	done := s.post(wf+"/dry-run", `{"mocks":{"fetch":{"output":{"status_code":500}},"ask":{"output":"yes"}}}`).want(t, 200)
	if done.text(t, "status") != "completed" || done.text(t, "output") != "yes" || done.field(t, "duration_seconds") != jsonNumber(3600) ||
		done.text(t, "steps", 2, "step_id") != "ask" || done.text(t, "steps", 2, "status") != "completed" {
		t.Errorf("approved: %s", done.body)
	}
	small := s.post(wf+"/dry-run", `{"mocks":{"fetch":{"output":{"status_code":5}}}}`).want(t, 200)
	if small.text(t, "status") != "completed" || small.text(t, "steps", 2, "status") != "skipped" {
		t.Errorf("small: %s", small.body)
	}
	waits := s.post(wf+"/dry-run", `{"mocks":{"fetch":{"output":{"status_code":500}}}}`).want(t, 200)
	if waits.text(t, "status") != "waiting" {
		t.Errorf("without an answer: %s", waits.body)
	}
	failed := s.post(wf+"/dry-run", `{"mocks":{"fetch":{"error":{"code":"http_500","message":"Down."}}}}`).want(t, 200)
	if failed.text(t, "status") != "failed" || failed.text(t, "error", "code") != "http_500" {
		t.Errorf("failed: %s", failed.body)
	}
	s.post(wf+"/dry-run", `{"mocks":{"nope":{"output":1}}}`).wantCode(t, 422, "unknown_step")
	s.post(wf+"/dry-run", `{"mocks":{"fetch":{"result":1}}}`).wantCode(t, 400, "invalid_request")
	s.post(wf+"/dry-run", `{"version":7}`).wantCode(t, 404, "version_not_found")
	if got := s.get(wf + "/runs"); got.field(t, "total") != jsonNumber(0) {
		t.Errorf("stored runs: %s", got.body)
	}
}

func TestADryRunIsBounded(t *testing.T) {
	s := newStack(t)
	wf := s.create(`{"name":"Long","steps":[{"id":"each","type":"loop","config":{"items":"90000","steps":[{"id":"a","type":"http_request","config":{"url":"http://x.test/"}}]}}]}`, "")
	got := s.post("/api/workflows/"+wf+"/dry-run", "").want(t, 200)
	if got.field(t, "truncated") != true || got.text(t, "status") != "running" {
		t.Errorf("a long one: %s", got.body)
	}
}
