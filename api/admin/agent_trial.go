package admin

import (
	"encoding/json"
	"heddle/access"
	"heddle/api/core"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/executor"
	"net/http"
	"strings"
	"unicode/utf8"
)

// The bounds of the one request that a trial of an agent makes.
const (
	trialTokens  = 256
	trialSeconds = 30
)

// trialGoal is what an agent is asked unless the request says it.
const trialGoal = "Say in one short sentence that you are there."

// agentTrial is a request to try an agent.
type agentTrial struct {
	core.Because
	Goal string `json:"goal,omitempty" doc:"At most 2,000 characters, without templates; by default the agent is to say that it is there."`
}

// agentTrialResult is how the request to the model ended.
type agentTrialResult struct {
	OK              bool            `json:"ok"`
	Output          json.RawMessage `json:"output" doc:"What a step of type agent_task returns; null where it failed."`
	Error           *core.Failure   `json:"error"`
	DurationSeconds float64         `json:"duration_seconds"`
}

// agentTester serves trials of agents. It may be used concurrently.
type agentTester struct{ Services }

// testAgent has an agent answer once, as a step would, with its key, within the egress rules and
// with secrets taken out of what comes back.
func (h *agentTester) testAgent(c *core.Call, req agentTrial) error {
	if utf8.RuneCountInString(req.Goal) > 2000 || strings.Contains(req.Goal, "{{") {
		return core.Malformed("goal has at most 2,000 characters, and no template in it.")
	}
	a, err := h.Agents.Get(c.Ctx(), c.TenantID(), c.Param("agent_id"))
	if err != nil {
		return err
	}
	goal := req.Goal
	if goal == "" {
		goal = trialGoal
	}
	got, err := h.Executor.TestStep(c.Ctx(), executor.StepTestRequest{TenantID: c.TenantID(), StepID: "trial", Definition: trialOf(a.ID, goal)})
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, agentTrialResult{
		OK: got.Error == nil, Output: got.Output, Error: core.FailureOf(got.Error), DurationSeconds: got.Duration.Seconds(),
	})
}

// trialOf returns a definition of one step that asks the agent once. It is sound.
func trialOf(agentID, goal string) *parser.Document {
	config := map[string]any{"agent_id": agentID, "goal": goal, "max_tokens": trialTokens, "max_turns": 1}
	text, _ := json.Marshal(map[string]any{ //nolint:errchkjson // texts and numbers always encode
		"name":  "Trial",
		"steps": []any{map[string]any{"id": "trial", "type": "agent_task", "timeout_seconds": trialSeconds, "config": config}},
	})
	doc, _ := parser.Parse(text, source.JSON)
	return doc
}

// routes returns the route of trials.
func (h *agentTester) routes() []core.Route {
	return []core.Route{
		// The model may take its time, so that each call of the database has its own.
		core.Route{
			Method: http.MethodPost, Path: "/v1/agents/{agent_id}/test", ID: "testAgent", Tag: "access", LongRunning: true,
			Summary: "Have an agent answer once, really: at most 256 tokens and 30 seconds", Action: access.Admin, On: core.OnTenant,
			Body: core.BodyOptional, Answers: core.OK(agentTrialResult{}), Codes: []string{"agent_not_found"},
		}.Handle(core.WithBody(h.testAgent)),
	}
}
