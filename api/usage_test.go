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
		Tokens: 100, CostMicroUSD: 7, Agent: "writer",
		ToolCalls: json.RawMessage(`[{"tool":"stock","arguments":{"sku":"a"},"status_code":200,"latency_ms":3}]`),
	}
	if call.Attempt == 1 || strings.Contains(string(call.Config), "never") {
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

// An agent is charged by day for each attempt that consumed something, failed ones and those of a
// resumed run too, each once; and stays charged when its run is deleted.
func TestAgentsAreChargedByDay(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.do(request{method: "PUT", path: "/v1/agents/writer", body: `{"provider":"openai","base_url":"https://models.example/v1","model":"small"}`}).want(t, 200)
		s.create(`{"name":"Spend","steps":[{"id":"a","type":"agent_task","retry":{"max_attempts":2,"delay_seconds":0},"config":{"agent_id":"writer","goal":"{{ input.goal }}"}}]}`, `"slug":"spend"`)
		charged := func(attempts int) {
			t.Helper()
			got := s.get("/v1/agents/writer/usage").want(t, 200)
			for path, want := range map[string]int{"attempts": attempts, "tokens": 100 * attempts, "cost_micro_usd": 7 * attempts} {
				sum := 0
				for _, day := range got.field(t, "days").([]any) {
					n, _ := day.(map[string]any)[path].(json.Number).Int64()
					sum += int(n)
				}
				if got.field(t, path) != jsonNumber(want) || sum != want {
					t.Errorf("%s is not %d: %s", path, want, got.body)
				}
			}
		}
		charged(0)
		well := s.start("spend", `{"input_data":{"goal":"well"}}`)
		s.until(well, "completed")
		charged(2)
		id := s.start("spend", `{"input_data":{"goal":"never"}}`)
		s.until(id, "failed")
		charged(4)
		s.post("/api/workflows/runs/"+id+"/resume", "").want(t, 202)
		s.eventually("the resumed run has failed", func() bool {
			return strings.Count(s.get("/v1/runs/"+id+"/history").want(t, 200).body, `"tokens":100`) == 4 && s.get("/api/workflows/runs/"+id).text(t, "run", "status") == "failed"
		})
		charged(6)
		s.do(request{method: "DELETE", path: "/api/workflows/runs/" + well}).want(t, 204)
		charged(6)
		const path = "/v1/agents/writer/usage"
		past := s.get(path+"?from=2020-01-01T12:00:00Z&to=2020-01-03T00:00:01Z").want(t, 200)
		if past.text(t, "from") != "2020-01-01T00:00:00.000Z" || past.text(t, "to") != "2020-01-04T00:00:00.000Z" || len(past.field(t, "days").([]any)) != 0 {
			t.Errorf("long ago: %s", past.body)
		}
		for _, query := range []string{"from=now", "to=2020-01-01", "from=2020-01-02T00:00:00Z&to=2020-01-01T00:00:00Z", "from=2020-01-01T00:00:00Z&to=2021-01-02T00:00:00Z", "days=3"} {
			s.get(path+"?"+query).wantCode(t, 400, "invalid_request")
		}
		s.get("/v1/agents/nobody/usage").wantCode(t, 404, "agent_not_found")
		s.do(request{method: "GET", path: path, key: s.key("operator")}).wantCode(t, 403, "acl_denied")
		s.do(request{method: "GET", path: path, key: s.tenant("other")}).wantCode(t, 404, "agent_not_found")
	}, func(_ *api.Config, c *executor.Config) { c.Runner = spender{} })
}
