package executor_test

import (
	"context"
	"encoding/json"
	"heddle/executor"
	"heddle/fault"
	"testing"
)

func TestAStepRunsAlone(t *testing.T) {
	var got string
	s := newStack(t, func(_ context.Context, call executor.Call) (executor.Result, error) {
		got = string(call.Config)
		if got == `{"url":"http://x.test/bad"}` {
			return executor.Result{}, transient("connection_failed")
		}
		return ok("")
	})
	wf := s.workflow(`
name: two
steps:
  - {id: a, type: http_request, config: {url: "http://x.test/{{ input.n }}"}}
  - {id: b, type: http_request, depends_on: [a], config: {url: "http://x.test/{{ steps.a.output.body.id }}"}}
  - {id: c, type: condition, depends_on: [b], config: {expression: "steps.a.output.body.id > 5"}}
  - {id: w, type: wait, depends_on: [c], config: {seconds: 1}}
`)
	try := func(step, input, a string) (executor.StepTest, error) {
		req := executor.StepTestRequest{TenantID: tenant, Workflow: wf, StepID: step, Input: json.RawMessage(input)}
		if a != "" {
			req.Steps = map[string]json.RawMessage{"a": json.RawMessage(a)}
		}
		return s.svc.TestStep(t.Context(), req)
	}
	if r, err := try("b", "", `{"body":{"id":9}}`); err != nil || r.Error != nil || string(r.Output) != `{"ok":true}` || got != `{"url":"http://x.test/9"}` {
		t.Errorf("b: %+v, %v, with %s", r, err, got)
	}
	if r, err := try("a", `{"n":"bad"}`, ""); err != nil || r.Error == nil || r.Error.Code != "connection_failed" || r.Output != nil {
		t.Errorf("a: %+v, %v", r, err)
	}
	if r, err := try("b", "", ""); err != nil || r.Error == nil || r.Error.Code != "expression_failed" {
		t.Errorf("b without a: %+v, %v", r, err)
	}
	if r, err := try("c", "", `{"body":{"id":9}}`); err != nil || r.Error != nil || string(r.Output) != `{"result":true,"branch":"then"}` {
		t.Errorf("c: %s, %+v, %v", r.Output, r.Error, err)
	}
	if r, err := try("c", "", `{"body":{"id":"x"}}`); err != nil || r.Error == nil || r.Error.Code != "expression_type" {
		t.Errorf("c without a number: %s, %+v, %v", r.Output, r.Error, err)
	}
	_, err := try("w", "", "")
	wantCode(t, err, fault.Unacceptable, "step_not_testable")
	_, err = try("zzz", "", "")
	wantCode(t, err, fault.Unacceptable, "unknown_step")
	page, err := s.svc.Runs(t.Context(), executor.RunQuery{TenantID: tenant, Limit: 10})
	if err != nil || len(page.Runs) != 0 {
		t.Errorf("stored: %v, %v", page.Runs, err)
	}
}
