package steps

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"heddle/definitions"
	"heddle/definitions/schemas"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"math"
	"math/bits"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// agentConfig is the config of agent_task after rendering. Zero values mean that a limit
// is not set, except for MaxTurns (maxTurns). The limits hold for one attempt.
type agentConfig struct {
	AgentID        string          `json:"agent_id" minLength:"1" doc:"One of the tenant's agents."`
	Goal           string          `json:"goal" minLength:"1" doc:"What the agent is to do."`
	Context        json.RawMessage `json:"context,omitempty" doc:"Any JSON that the agent needs to know."`
	MaxTokens      int64           `json:"max_tokens,omitempty" minimum:"1" doc:"The most tokens of the answer."`
	BudgetMicroUSD int64           `json:"budget_micro_usd,omitempty" minimum:"1" doc:"The most that one attempt may cost, in millionths of a US dollar."`
	MaxTurns       int             `json:"max_turns,omitempty" minimum:"1" maximum:"100" doc:"The most requests to the model in one attempt; 10 without it."`
	MaxTotalTokens int64           `json:"max_total_tokens,omitempty" minimum:"1" doc:"No further request is made once an attempt has used this many tokens."`
	OutputSchema   json.RawMessage `json:"output_schema,omitempty" doc:"A JSON Schema: the answer is then JSON that meets it."`
}

// Agent is where a tenant's agent is reached and what it costs. A Provider of "openai"
// or "" means any server of the chat completions API. Prices are millionths of a US
// dollar per 1,000 tokens.
type Agent struct {
	Provider            string
	BaseURL             string // up to and without /chat/completions
	Model               string
	SystemPrompt        string
	APIKey              string // sent as a bearer token; "": none
	InputMicroUSDPer1K  int64
	OutputMicroUSDPer1K int64
	TokenLimitField     string      // what max_tokens is sent as; "": max_tokens // the field that carries max_tokens; "": max_tokens
	Tools               []AgentTool // names are unique
	// Redact removes secrets from what tools answer before the model sees it; nil: there
	// are none.
	Redact func(json.RawMessage) json.RawMessage
}

// tellSecrets calls sensitive, unless it is nil, with each secret that the agent's requests
// hold: the key and those in the headers of its tools. They come from the agent and not from
// the step's config, so redaction has to be told.
func (a *Agent) tellSecrets(sensitive func(value string)) {
	if sensitive == nil {
		return
	}
	sensitive(a.APIKey)
	for _, tool := range a.Tools {
		for _, value := range tool.Secrets {
			sensitive(value)
		}
	}
}

// Agents finds a tenant's agents with their keys in plain text. An agent that does not
// exist is fault.NotFound; one whose secret is missing has the code secret_not_found. It
// may be called concurrently.
type Agents interface {
	Agent(ctx context.Context, tenantID, agentID string) (Agent, error)
}

// agentTaskType returns the type agent_task: a conversation with a model that may call
// the agent's tools. agents may be nil: then every agent is unknown. Usage is reported
// for failed attempts too, since their tokens were paid for.
func agentTaskType(c *client, agents Agents) *stepType {
	return &stepType{
		name:   "agent_task",
		config: schemaOf[agentConfig](),
		output: agentOutput,
		check:  checkAgent,
		traits: definitions.Traits{SendsTrace: true, Reports: definitions.ReportsStatus, AgentField: "agent_id", Docs: "agent_task"},
		run: withConfig(func(ctx context.Context, call executor.Call, cfg *agentConfig) (executor.Result, error) {
			agent, err := findAgent(ctx, agents, call.TenantID, cfg.AgentID)
			if err != nil {
				return executor.Result{}, err
			}
			agent.tellSecrets(call.Sensitive)
			t := &task{client: c, call: call, agent: agent, cfg: cfg}
			output, err := t.perform(ctx)
			// Also where the attempt failed: the calls were made.
			if len(t.records) > 0 {
				t.usage.ToolCalls, _ = json.Marshal(t.records) // plain values always encode
			}
			if t.usage.Tokens > 0 || t.usage.CostMicroUSD > 0 {
				t.usage.Agent = cfg.AgentID
			}
			return executor.Result{Output: output, Usage: t.usage}, err
		}),
	}
}

// agentOutput returns output_schema as the schema of the output; a string without one.
func agentOutput(config json.RawMessage) json.RawMessage {
	if c, ok := readFields(config); ok && c.has("output_schema") {
		return c["output_schema"]
	}
	return json.RawMessage(`{"type":"string"}`)
}

// checkAgent reports an output_schema that is not a valid JSON Schema. One that holds a
// template is checked when it is rendered.
func checkAgent(c fields) []fault.Issue {
	if !c.has("output_schema") || templated(string(c["output_schema"])) {
		return nil
	}
	if _, err := schemas.NewChecker(c["output_schema"]); err != nil {
		return []fault.Issue{problem("schema_invalid", "/output_schema", "output_schema is not a valid JSON Schema: %s", err)}
	}
	return nil
}

// findAgent returns a tenant's agent. It is a permanent failure where the agent is
// unknown (agent_not_found), has a provider that this server does not know
// (agent_invalid) or names a missing secret (secret_not_found), and transient where the
// lookup failed (agent_unavailable).
func findAgent(ctx context.Context, agents Agents, tenantID, agentID string) (Agent, error) {
	unknown := permanent("agent_not_found",
		"There is no agent %q. Agents are set up with PUT /v1/agents/%s (provider, base_url, model, and the name of the secret that holds the key).", agentID, url.PathEscape(agentID))
	if agents == nil {
		return Agent{}, unknown
	}
	agent, err := agents.Agent(ctx, tenantID, agentID)
	switch {
	// An agent that was stored by a later version may name another.
	case err == nil && agent.Provider != "" && agent.Provider != "openai":
		return Agent{}, permanent("agent_invalid", "Agent %q has the provider %q; only openai (any chat completions server) is known.", agentID, agent.Provider)
	case err == nil:
		return agent, nil
	case fault.KindOf(err) == fault.NotFound:
		return Agent{}, unknown
	case ctx.Err() != nil:
		return Agent{}, stopped(ctx)
	case fault.CodeOf(err) == "secret_not_found":
		return Agent{}, permanent("secret_not_found", "Agent %q names a secret that is not there: %s", agentID, err)
	default:
		return Agent{}, transient("agent_unavailable", "Agent %q could not be looked up.", agentID)
	}
}

// task is one attempt of an agent_task. One goroutine uses it.
type task struct {
	client *client
	call   executor.Call
	agent  Agent
	cfg    *agentConfig
	usage  machine.Usage // the sum over all requests
	turns  int           // requests made, a repetition within send counted once
	// records are the tool calls of the attempt, in order.
	records []toolRecord
}

// perform runs the conversation and returns the output: the answer as text or, with
// output_schema, as the JSON that meets it. An answer that breaks the schema is sent
// back once with what is wrong; a second one is the transient failure
// agent_answer_invalid.
func (t *task) perform(ctx context.Context) (json.RawMessage, error) {
	messages, answer, err := t.converse(ctx, t.messages())
	if err != nil {
		return nil, err
	}
	if t.cfg.OutputSchema == nil {
		return textValue([]byte(answer)), nil
	}
	checker, err := schemas.NewChecker(t.cfg.OutputSchema)
	if err != nil {
		return nil, permanent("schema_invalid", "output_schema is not a valid JSON Schema: %s.", err)
	}
	// The model may have written prose around its JSON.
	value, wrong := structured(checker, answer)
	if wrong == "" {
		return value, nil
	}
	messages = append(messages,
		chat{Role: "user", Content: "That answer is not valid: " + wrong + ". Answer again with nothing but JSON that meets the schema."})
	if _, answer, err = t.converse(ctx, messages); err != nil {
		return nil, err
	}
	if value, wrong = structured(checker, answer); wrong != "" {
		return nil, transient("agent_answer_invalid", "The agent's answer breaks output_schema, also when asked again: %s.", wrong)
	}
	return value, nil
}

// converse sends messages until the model answers without asking for a tool, and returns
// the messages extended by the conversation, and the answer. Calls of one message are
// made one after the other. allowance ends a conversation that does not come to an end.
func (t *task) converse(ctx context.Context, messages []chat) ([]chat, string, error) {
	for {
		said, err := t.ask(ctx, messages)
		if err != nil {
			return nil, "", err
		}
		messages = append(messages, said)
		if len(said.ToolCalls) == 0 {
			return messages, said.Content, nil
		}
		// One after another: a model may rely on the order in which it asked.
		for _, call := range said.ToolCalls {
			text, err := t.use(ctx, call)
			if err != nil {
				return nil, "", err
			}
			messages = append(messages, chat{Role: "tool", Content: text, ToolCallID: call.ID})
		}
	}
}

// chat is one message of a conversation, in the form that the API takes.
type chat struct {
	Role       string      `json:"role"`
	Content    string      `json:"content"`
	ToolCalls  []toolCall  `json:"tool_calls,omitempty"`
	ToolCallID lenientText `json:"tool_call_id,omitempty"`
}

// messages returns the messages that begin a conversation: the agent's system prompt, if
// it has one, then goal, context and schema as one message of the user.
func (t *task) messages() []chat {
	var list []chat
	if t.agent.SystemPrompt != "" {
		list = append(list, chat{Role: "system", Content: t.agent.SystemPrompt})
	}
	goal := t.cfg.Goal
	if t.cfg.Context != nil {
		goal += "\n\nContext (JSON):\n" + string(t.cfg.Context)
	}
	if t.cfg.OutputSchema != nil {
		goal += "\n\nAnswer with nothing but JSON that meets this JSON Schema:\n" + string(t.cfg.OutputSchema)
	}
	return append(list, chat{Role: "user", Content: goal})
}

// ask makes one request within the limits and returns the model's message. The cost is
// added to the usage before the answer is judged: a useless answer is paid for too.
func (t *task) ask(ctx context.Context, messages []chat) (chat, error) {
	tokens, err := t.allowance()
	if err != nil {
		return chat{}, err
	}
	// Counted before it is sent, so that a failed request counts as one.
	t.turns++
	got, err := t.send(ctx, messages, tokens)
	if err != nil {
		return chat{}, err
	}
	c, err := t.readCompletion(got)
	if err != nil {
		return chat{}, err
	}
	t.charge(c)
	t.logTurn(c)
	return t.judge(c, got.body)
}

// A request within a conversation is attempted maxSendAttempts times, sendDelays apart,
// before the step's attempt fails and the conversation is lost. A server may ask for a
// longer delay, up to MaxDelay.
const maxSendAttempts = 3

var sendDelays = definitions.Backoff{Growth: definitions.Linear, Delay: time.Second, MaxDelay: 20 * time.Second}

// send makes a request until it is answered with 200 OK. Within a conversation, an
// answer that may differ next time (408, 429, 5xx) is waited for and the request made
// again, at most maxSendAttempts times in all. Everything else fails at once: the first request
// of a conversation, because nothing is lost and the step's own retry handles it; and a
// request without an answer, because the server may have acted on it.
func (t *task) send(ctx context.Context, messages []chat, tokens int64) (answer, error) {
	for attempt := 1; ; attempt++ {
		req, err := t.request(ctx, messages, tokens)
		if err != nil {
			return answer{}, err
		}
		got, err := t.client.do(req, false, t.call.ReserveMemory)
		if err == nil && got.status == http.StatusOK {
			return got, nil
		}
		if err != nil {
			return answer{}, err
		}
		err = unexpected(t.client, t.call, got, expectation{{200, 200}})
		f, ok := machine.AsFailure(err)
		if !ok || f.Permanent || ctx.Err() != nil || t.turns == 1 || attempt == maxSendAttempts || f.RetryAfter > sendDelays.MaxDelay {
			return answer{}, err
		}
		if err := wait(ctx, max(f.RetryAfter, sendDelays.After(attempt))); err != nil {
			return answer{}, err
		}
	}
}

// tokenLimitField returns the name of the request's field that bounds the answer's
// tokens.
func (t *task) tokenLimitField() string {
	if t.agent.TokenLimitField != "" {
		return t.agent.TokenLimitField
	}
	return "max_tokens"
}

// maxTurns returns the most requests of one attempt: max_turns, or 10.
func (t *task) maxTurns() int {
	if t.cfg.MaxTurns > 0 {
		return t.cfg.MaxTurns
	}
	return 10
}

// allowance checks the limits before a request and returns the most tokens that its
// answer may have: the smaller of max_tokens and what the rest of the budget pays for; 0
// is no limit. It returns a permanent failure where a limit forbids the request:
// turn_limit, token_limit or budget_exceeded. The tokens of the request itself are known
// only afterwards, so an attempt may exceed its budget by one request's input.
func (t *task) allowance() (int64, error) {
	tokens := t.cfg.MaxTokens
	if limit := t.maxTurns(); t.turns >= limit {
		return 0, permanent("turn_limit", "The agent did not answer within %d requests; raise max_turns.", limit)
	}
	if t.cfg.MaxTotalTokens > 0 && t.usage.Tokens >= t.cfg.MaxTotalTokens {
		return 0, permanent("token_limit", "The agent did not answer within max_total_tokens (%d).", t.cfg.MaxTotalTokens)
	}
	if t.cfg.BudgetMicroUSD > 0 && t.usage.CostMicroUSD >= t.cfg.BudgetMicroUSD {
		return 0, permanent("budget_exceeded", "Nothing is left of budget_micro_usd (%d) for another request.", t.cfg.BudgetMicroUSD)
	}
	if t.cfg.BudgetMicroUSD == 0 || t.agent.OutputMicroUSDPer1K <= 0 {
		return tokens, nil
	}
	// In tokens, at the price of the output.
	left := affordable(t.cfg.BudgetMicroUSD-t.usage.CostMicroUSD, t.agent.OutputMicroUSDPer1K)
	if left < 1 {
		return 0, permanent("budget_exceeded", "Nothing is left of budget_micro_usd (%d) for an answer.", t.cfg.BudgetMicroUSD)
	}
	if tokens == 0 || left < tokens {
		return left, nil
	}
	return tokens, nil
}

// charge adds a completion's tokens and cost to the usage. The cost is in millionths of
// a US dollar, rounded up for each request.
func (t *task) charge(c completion) {
	in, out := c.Usage.prompt, c.Usage.completion
	t.usage.Tokens += in + out
	cost := perThousand(in, t.agent.InputMicroUSDPer1K, out, t.agent.OutputMicroUSDPer1K)
	t.usage.CostMicroUSD += min(cost, math.MaxInt64-t.usage.CostMicroUSD)
}

// affordable returns how many tokens an amount buys at a price per thousand, at
// most math.MaxInt64. The amount is not negative, and the price positive.
func affordable(amount, price int64) int64 {
	high, low := bits.Mul64(uint64(amount), 1000)
	if high >= uint64(price) {
		return math.MaxInt64
	}
	quotient, _ := bits.Div64(high, low, uint64(price))
	return int64(min(quotient, math.MaxInt64))
}

// perThousand returns (n1*price1 + n2*price2) / 1000, rounded up, and at most
// math.MaxInt64. None of its arguments is negative.
func perThousand(n1, price1, n2, price2 int64) int64 {
	high1, low1 := bits.Mul64(uint64(n1), uint64(price1))
	high2, low2 := bits.Mul64(uint64(n2), uint64(price2))
	low, carry := bits.Add64(low1, low2, 0)
	high, _ := bits.Add64(high1, high2, carry)
	low, carry = bits.Add64(low, 999, 0)
	high += carry
	if high >= 1000/2 { // the quotient has more than 63 bits
		return math.MaxInt64
	}
	quotient, _ := bits.Div64(high, low, 1000)
	return int64(min(quotient, math.MaxInt64))
}

// request builds the request of one turn. base_url may end in /chat/completions or not.
// Each turn after the first has an Idempotency-Key of its own, because it is another
// request; its repetitions share that key.
func (t *task) request(ctx context.Context, messages []chat, tokens int64) (*http.Request, error) {
	// Both forms of base_url are common in the documents of servers.
	target := strings.TrimSuffix(t.agent.BaseURL, "/")
	if !strings.HasSuffix(target, "/chat/completions") {
		target += "/chat/completions"
	}
	body := map[string]any{"model": t.agent.Model, "messages": messages}
	if tokens > 0 {
		body[t.tokenLimitField()] = tokens
	}
	if tools := t.offered(); tools != nil {
		body["tools"] = tools
	}
	if t.cfg.OutputSchema != nil {
		body["response_format"] = map[string]any{
			"type":        "json_schema",
			"json_schema": map[string]any{"name": "answer", "schema": t.cfg.OutputSchema},
		}
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, permanent("invalid_config", "context or output_schema is not JSON.")
	}
	address, err := parseURL(target)
	if err != nil {
		return nil, permanent("agent_invalid", "The agent's base_url is not valid.")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), bytes.NewReader(raw))
	if err != nil {
		return nil, permanent("agent_invalid", "The agent's base_url is not valid.")
	}
	req.Header.Set("Content-Type", "application/json")
	if t.agent.APIKey != "" {
		if _, err := setHeaders(req.Header, map[string]printed{"Authorization": printed("Bearer " + t.agent.APIKey)}); err != nil {
			return nil, err
		}
	}
	call := t.call
	if t.turns > 1 {
		call.Key = fmt.Sprintf("%s/%d", t.call.Key, t.turns) // another request, so another key
	}
	setRequestHeaders(req.Header, call)
	return req, nil
}
