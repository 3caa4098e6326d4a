package api_test

import (
	"context"
	"encoding/json"
	"heddle/api"
	"heddle/executor"
	"heddle/executor/machine"
	"strings"
	"testing"
)

// spender is an agent whose first attempt fails; each attempt calls a tool.
type spender struct{}

func (spender) Run(_ context.Context, call executor.Call) (executor.Result, error) {
	used := machine.Usage{
		Tokens: 100, CostMicroUSD: 7,
		ToolCalls: json.RawMessage(`[{"tool":"stock","arguments":{"sku":"a"},"status_code":200,"latency_ms":3}]`),
	}
	if call.Attempt == 1 {
		return executor.Result{Usage: used}, (&machine.Failure{Error: machine.Error{Code: "agent_failed", Message: "no"}}).Err()
	}
	return executor.Result{Output: json.RawMessage(`"done"`), Usage: used}, nil
}

func TestToolCallsAndCostAreShown(t *testing.T) {
	s := newStack(t, func(_ *api.Config, c *executor.Config) { c.Runner = spender{} })
	wf := s.create(`{"name":"Spend","steps":[{"id":"a","type":"agent_task","retry":{"max_attempts":2,"delay_seconds":0},"config":{"agent_id":"x","goal":"y"}}]}`, `"slug":"spend"`)
	id := s.start(wf, "")
	s.start(wf, "")
	run := s.until(id, "completed")
	step := run.body
	if n := strings.Count(step, `"tool":"stock"`); n != 2 || run.text(t, "run", "step_runs", 0, "tool_calls", 1, "arguments", "sku") != "a" {
		t.Errorf("%d tool calls in %s", n, step)
	}
	history := s.get("/v1/runs/"+id+"/history").want(t, 200)
	for i := range 2 {
		if history.text(t, "nodes", 0, "attempts", i, "tool_calls", 0, "tool") != "stock" || history.field(t, "nodes", 0, "attempts", i, "tokens") != jsonNumber(100) {
			t.Errorf("attempt %d in %s", i+1, history.body)
		}
	}
	s.eventually("both runs have ended", func() bool {
		sum := s.get("/api/workflows/spend/usage").want(t, 200)
		return sum.field(t, "runs") == jsonNumber(2) && sum.field(t, "tokens") == jsonNumber(400) && sum.field(t, "cost_micro_usd") == jsonNumber(28)
	})
	if past := s.get("/api/workflows/"+wf+"/usage?from=2020-01-01T00:00:00Z&to=2021-01-01T00:00:00Z").want(t, 200); past.field(t, "runs") != jsonNumber(0) || past.text(t, "workflow_id") != wf {
		t.Errorf("usage %s", past.body)
	}
	s.get("/api/workflows/spend/usage?from=2021-01-01T00:00:00Z&to=2020-01-01T00:00:00Z").wantCode(t, 400, "invalid_request")
	s.get("/api/workflows/spend/usage?from=now").wantCode(t, 400, "invalid_request")
	s.get("/api/workflows/none/usage").wantCode(t, 404, "workflow_not_found")
}
