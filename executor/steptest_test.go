package executor_test

import (
	"context"
	"encoding/json"
	"heddle/executor"
	"heddle/executor/machine"
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

// A step in a loop's body is tried in one iteration: with the item that is given, or the one
// that the loop's items have at the index; of nested loops, in the first outer iteration.
func TestStepsOfLoopsAreTriedInOneIteration(t *testing.T) {
	var got string
	s := newStack(t, func(_ context.Context, c executor.Call) (executor.Result, error) {
		got = string(c.Config)
		return ok("")
	})
	wf := s.workflow(`
name: loops
steps:
  - {id: list, type: http_request, config: {url: "http://x.test"}}
  - id: each
    type: loop
    depends_on: [list]
    config:
      items: "steps.list.output.body"
      steps:
        - {id: fetch, type: http_request, config: {url: "http://x.test/{{ item.n }}/{{ index }}"}}
        - {id: big, type: condition, depends_on: [fetch], config: {expression: "steps.fetch.output.n > item.n"}}
        - id: inner
          type: loop
          config:
            while: "index < 3"
            max_iterations: 5
            as: turn
            steps:
              - {id: deep, type: http_request, config: {url: "http://x.test/{{ item.n }}/{{ turn }}"}}
`)
	body := map[string]json.RawMessage{"list": json.RawMessage(`{"body":[{"n":10},{"n":9007199254740993}]}`)}
	try := func(step string, steps map[string]json.RawMessage, in machine.Iteration) (executor.StepTest, error) {
		got = ""
		return s.svc.TestStep(t.Context(), executor.StepTestRequest{TenantID: tenant, Workflow: wf, StepID: step, Steps: steps, Iteration: in})
	}
	for _, c := range []struct {
		step  string
		steps map[string]json.RawMessage
		in    machine.Iteration
		want  string
	}{
		{"fetch", nil, machine.Iteration{Item: json.RawMessage(`{"n":7}`)}, `{"url":"http://x.test/7/0"}`},
		{"fetch", nil, machine.Iteration{Item: json.RawMessage(`{"n":7}`), Index: 12}, `{"url":"http://x.test/7/12"}`},
		{"fetch", body, machine.Iteration{}, `{"url":"http://x.test/10/0"}`},
		{"fetch", body, machine.Iteration{Index: 1}, `{"url":"http://x.test/9007199254740993/1"}`},
		{"deep", body, machine.Iteration{Index: 2}, `{"url":"http://x.test/10/2"}`},
	} {
		if r, err := try(c.step, c.steps, c.in); err != nil || r.Error != nil || got != c.want {
			t.Errorf("%s in %+v: %+v, %v, with %s, want %s", c.step, c.in, r, err, got, c.want)
		}
	}
	r, err := try("big", map[string]json.RawMessage{"fetch": json.RawMessage(`{"n":8}`)}, machine.Iteration{Item: json.RawMessage(`{"n":7}`)})
	if err != nil || string(r.Output) != `{"result":true,"branch":"then"}` {
		t.Errorf("big: %s, %+v, %v", r.Output, r.Error, err)
	}
	// Behind the items' end the item is null, and reading a member of it fails as in a run.
	if r, err := try("fetch", body, machine.Iteration{Index: 2}); err != nil || r.Error == nil || r.Error.Code != "expression_failed" {
		t.Errorf("behind the end: %+v, %v", r, err)
	}
	for name, c := range map[string]struct {
		step, code string
		in         machine.Iteration
		steps      map[string]json.RawMessage
	}{
		"in no loop":              {"list", "invalid_iteration", machine.Iteration{Item: json.RawMessage(`1`)}, nil},
		"below 0":                 {"fetch", "invalid_iteration", machine.Iteration{Index: -1}, nil},
		"too far":                 {"fetch", "invalid_iteration", machine.Iteration{Index: machine.MaxTriedIndex + 1}, nil},
		"an item of a count":      {"deep", "invalid_iteration", machine.Iteration{Item: json.RawMessage(`1`)}, nil},
		"a loop":                  {"inner", "step_not_testable", machine.Iteration{}, nil},
		"a step of a deeper list": {"fetch", "unknown_step", machine.Iteration{}, map[string]json.RawMessage{"deep": json.RawMessage(`1`)}},
	} {
		_, err := try(c.step, c.steps, c.in)
		t.Run(name, func(t *testing.T) { wantCode(t, err, fault.Unacceptable, c.code) })
	}
}
