package steps

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"heddle/definitions"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
)

// agentConfig is the config of agent_task.
type agentConfig struct {
	AgentID        string          `json:"agent_id" minLength:"1" doc:"One of the tenant's agents."`
	Goal           string          `json:"goal" minLength:"1" doc:"What the agent is to do."`
	Context        json.RawMessage `json:"context,omitempty" doc:"Any JSON that the agent needs to know."`
	MaxTokens      int64           `json:"max_tokens,omitempty" minimum:"1" doc:"The most tokens of the answer."`
	BudgetMicroUSD int64           `json:"budget_micro_usd,omitempty" minimum:"1" doc:"The most that one attempt may cost, in millionths of a US dollar."`
	OutputSchema   json.RawMessage `json:"output_schema,omitempty" doc:"A JSON Schema: the answer is then JSON that meets it."`
}

// Agent is where a tenant's agent lives and what it costs. Provider openai, or
// none, means any server of the chat completions API.
type Agent struct {
	Provider            string
	BaseURL             string // up to and without /chat/completions
	Model               string
	SystemPrompt        string
	APIKey              string // sent as a bearer token; empty: none
	InputMicroUSDPer1K  int64
	OutputMicroUSDPer1K int64
}

// Agents finds a tenant's agents. One that does not exist is fault.NotFound.
type Agents interface {
	Agent(ctx context.Context, tenantID, agentID string) (Agent, error)
}

func agentTaskType(c *client, agents Agents) *stepType {
	return &stepType{
		name:   "agent_task",
		config: schemaOf[agentConfig](),
		output: agentOutput,
		check:  checkAgent,
		run: performed(func(ctx context.Context, call executor.Call, cfg *agentConfig) (executor.Result, error) {
			agent, err := findAgent(ctx, agents, call.TenantID, cfg.AgentID)
			if err != nil {
				return executor.Result{}, err
			}
			t := &task{client: c, call: call, agent: agent, cfg: cfg}
			output, err := t.perform(ctx)
			return executor.Result{Output: output, Usage: t.usage}, err
		}),
	}
}

func agentOutput(config json.RawMessage) json.RawMessage {
	if c, ok := readFields(config); ok && c.has("output_schema") {
		return c["output_schema"]
	}
	return json.RawMessage(`{"type":"string"}`)
}

func checkAgent(c fields) []definitions.Diagnostic {
	if !c.has("output_schema") || templated(string(c["output_schema"])) {
		return nil
	}
	if _, err := definitions.NewValueChecker(c["output_schema"]); err != nil {
		return []definitions.Diagnostic{problem("schema_invalid", "/output_schema", "output_schema is no valid JSON Schema: %s", err)}
	}
	return nil
}

func findAgent(ctx context.Context, agents Agents, tenantID, agentID string) (Agent, error) {
	unknown := permanent("agent_not_found",
		"There is no agent %q. Agents are set up with PUT /v1/agents/%s (provider, base_url, model, and the name of the secret that holds the key).", agentID, url.PathEscape(agentID))
	if agents == nil {
		return Agent{}, unknown
	}
	agent, err := agents.Agent(ctx, tenantID, agentID)
	switch {
	case err == nil && agent.Provider != "" && agent.Provider != "openai":
		return Agent{}, permanent("agent_invalid", "Agent %q has the provider %q; only openai (any chat completions server) is known.", agentID, agent.Provider)
	case err == nil:
		return agent, nil
	case fault.KindOf(err) == fault.NotFound:
		return Agent{}, unknown
	case ctx.Err() != nil:
		return Agent{}, stopped(ctx)
	default:
		return Agent{}, transient("agent_unavailable", "Agent %q could not be looked up.", agentID)
	}
}

// task is one attempt of an agent_task.
type task struct {
	client *client
	call   executor.Call
	agent  Agent
	cfg    *agentConfig
	usage  machine.Usage
}

// perform asks for the answer; one that breaks the schema is sent back for
// repair once.
func (t *task) perform(ctx context.Context) (json.RawMessage, error) {
	messages := t.messages()
	answer, err := t.ask(ctx, messages)
	if err != nil {
		return nil, err
	}
	if t.cfg.OutputSchema == nil {
		return textValue([]byte(answer)), nil
	}
	checker, err := definitions.NewValueChecker(t.cfg.OutputSchema)
	if err != nil {
		return nil, permanent("schema_invalid", "output_schema is no valid JSON Schema: %s.", err)
	}
	value, wrong := structured(checker, answer)
	if wrong == "" {
		return value, nil
	}
	messages = append(messages,
		chat{"assistant", answer},
		chat{"user", "That answer is not valid: " + wrong + ". Answer again with nothing but JSON that meets the schema."})
	t.call.Key += "/repair" // another request, so another key
	if answer, err = t.ask(ctx, messages); err != nil {
		return nil, err
	}
	if value, wrong = structured(checker, answer); wrong != "" {
		return nil, transient("agent_answer_invalid", "The agent's answer breaks output_schema, also when asked again: %s.", wrong)
	}
	return value, nil
}

type chat struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

func (t *task) messages() []chat {
	var list []chat
	if t.agent.SystemPrompt != "" {
		list = append(list, chat{"system", t.agent.SystemPrompt})
	}
	goal := t.cfg.Goal
	if t.cfg.Context != nil {
		goal += "\n\nContext (JSON):\n" + string(t.cfg.Context)
	}
	if t.cfg.OutputSchema != nil {
		goal += "\n\nAnswer with nothing but JSON that meets this JSON Schema:\n" + string(t.cfg.OutputSchema)
	}
	return append(list, chat{"user", goal})
}

// completion is the part of a chat completion that is read.
type completion struct {
	Choices []struct {
		Message struct {
			Content string `json:"content"`
			Refusal string `json:"refusal"`
		} `json:"message"`
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
	Usage struct {
		Prompt     int64 `json:"prompt_tokens"`
		Completion int64 `json:"completion_tokens"`
	} `json:"usage"`
}

// ask makes one request and adds what it cost to the usage.
func (t *task) ask(ctx context.Context, messages []chat) (string, error) {
	tokens, err := t.allowance()
	if err != nil {
		return "", err
	}
	req, err := t.request(ctx, messages, tokens)
	if err != nil {
		return "", err
	}
	got, err := t.client.do(req, false)
	if err != nil {
		return "", err
	}
	if got.status != http.StatusOK {
		return "", unexpected(t.client, got, expectation{{200, 200}})
	}
	var c completion
	if err := json.Unmarshal(got.body, &c); err != nil || len(c.Choices) == 0 {
		return "", transient("agent_failed", "The agent's server did not answer with a chat completion.")
	}
	t.charge(c)
	return t.judge(c)
}

// judge finds the text of a completion, or why there is none.
func (t *task) judge(c completion) (string, error) {
	first := c.Choices[0]
	switch {
	case t.cfg.BudgetMicroUSD > 0 && t.usage.CostMicroUSD > t.cfg.BudgetMicroUSD:
		return "", permanent("budget_exceeded", "The attempt cost %d micro USD, more than budget_micro_usd (%d).", t.usage.CostMicroUSD, t.cfg.BudgetMicroUSD)
	case first.FinishReason == "length":
		return "", permanent("budget_exceeded", "The answer was cut off at its limit of tokens; raise max_tokens or budget_micro_usd.")
	case first.Message.Refusal != "":
		return "", permanent("agent_refused", "The agent refused: %s", excerpt([]byte(first.Message.Refusal), 500))
	default:
		return first.Message.Content, nil
	}
}

// allowance is the most tokens that the next answer may have: max_tokens, and
// what is left of the budget; 0 is no limit.
func (t *task) allowance() (int64, error) {
	tokens := t.cfg.MaxTokens
	if t.cfg.BudgetMicroUSD == 0 || t.agent.OutputMicroUSDPer1K <= 0 {
		return tokens, nil
	}
	left := (t.cfg.BudgetMicroUSD - t.usage.CostMicroUSD) * 1000 / t.agent.OutputMicroUSDPer1K
	if left < 1 {
		return 0, permanent("budget_exceeded", "Nothing is left of budget_micro_usd (%d) for an answer.", t.cfg.BudgetMicroUSD)
	}
	if tokens == 0 || left < tokens {
		return left, nil
	}
	return tokens, nil
}

// charge adds a completion's tokens and cost, rounded up to a micro USD.
func (t *task) charge(c completion) {
	in, out := max(c.Usage.Prompt, 0), max(c.Usage.Completion, 0)
	t.usage.Tokens += in + out
	t.usage.CostMicroUSD += (in*t.agent.InputMicroUSDPer1K + out*t.agent.OutputMicroUSDPer1K + 999) / 1000
}

func (t *task) request(ctx context.Context, messages []chat, tokens int64) (*http.Request, error) {
	target := strings.TrimSuffix(t.agent.BaseURL, "/")
	if !strings.HasSuffix(target, "/chat/completions") {
		target += "/chat/completions"
	}
	body := map[string]any{"model": t.agent.Model, "messages": messages}
	if tokens > 0 {
		body["max_tokens"] = tokens
	}
	if t.cfg.OutputSchema != nil {
		body["response_format"] = map[string]any{"type": "json_schema",
			"json_schema": map[string]any{"name": "answer", "schema": t.cfg.OutputSchema}}
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, permanent("invalid_config", "context or output_schema is not JSON.")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(raw))
	if err != nil {
		return nil, permanent("agent_invalid", "The agent's base_url is not valid.")
	}
	req.Header.Set("Content-Type", "application/json")
	if t.agent.APIKey != "" {
		if err := setHeaders(req.Header, map[string]printed{"Authorization": printed("Bearer " + t.agent.APIKey)}); err != nil {
			return nil, err
		}
	}
	stamp(req.Header, t.call)
	return req, nil
}
