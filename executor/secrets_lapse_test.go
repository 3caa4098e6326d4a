package executor_test

import (
	"context"
	"encoding/json"
	"errors"
	"heddle/executor"
	"heddle/executor/machine"
	"strings"
	"sync/atomic"
	"testing"
)

// lapsedSecrets cannot be read once, behind the first attempt.
type lapsedSecrets struct {
	fakeSecrets
	looks *atomic.Int64
}

func (s lapsedSecrets) Redactor(ctx context.Context, tenantID string) (func(json.RawMessage) json.RawMessage, error) {
	if s.looks.Add(1) == 2 {
		return nil, errors.New("the store is unavailable")
	}
	return s.fakeSecrets.Redactor(ctx, tenantID)
}

// Where the secrets cannot be read behind an attempt nothing is kept that may hold one, its tool
// calls included; what it consumed is.
func TestNothingUncheckedIsKeptOfAnAttempt(t *testing.T) {
	s := newStack(t, func(context.Context, executor.Call) (executor.Result, error) {
		return executor.Result{Output: json.RawMessage(`"` + secretWord + `"`), Usage: machine.Usage{
			Tokens: 5, CostMicroUSD: 7, Agent: "writer", ToolCalls: json.RawMessage(`[{"tool":"x","arguments":{"word":"` + secretWord + `"}}]`),
		}}, nil
	}, func(c *executor.Config) { c.Secrets = lapsedSecrets{looks: new(atomic.Int64)} })
	id := s.start(s.workflow(strings.Replace(oneScript, "{ id: a,", "{ id: a, retry: { delay_seconds: 0 },", 1)), "{}").RunID
	if row := s.waitState(id, machine.Completed); row.Usage.Tokens != 10 || row.Usage.CostMicroUSD != 14 {
		t.Errorf("the run consumed %+v", row.Usage)
	}
	calls := 0
	for _, e := range s.journal(id) {
		if strings.Contains(string(e.Data), secretWord) {
			t.Errorf("%s holds the secret: %s", e.Kind, e.Data)
		}
		calls += strings.Count(string(e.Data), `"tool_calls"`)
	}
	if calls != 1 {
		t.Errorf("%d attempts have tool calls", calls)
	}
}
