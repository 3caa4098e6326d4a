package steps_test

import (
	"context"
	"encoding/json"
	"errors"
	"heddle/fault"
	"heddle/steps"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// agents is an Agents with the agent "writer" of the tenant default, and "sick", whose
// lookup fails.
type agents struct{ baseURL string }

func (a agents) Agent(_ context.Context, tenantID, agentID string) (steps.Agent, error) {
	switch {
	case agentID == "sick":
		return steps.Agent{}, errors.New("database is away")
	case agentID != "writer" || tenantID != "default":
		return steps.Agent{}, fault.New(fault.NotFound, "agent_not_found", "none")
	}
	return steps.Agent{
		BaseURL: a.baseURL, Model: "small-1", SystemPrompt: "Be brief.", APIKey: "sk-hush",
		InputMicroUSDPer1K: 500, OutputMicroUSDPer1K: 1500,
	}, nil
}

// model is a server of chat completions that sends its answers in turn and keeps the
// requests.
type model struct {
	answers []string // content, or a whole response where it begins with {"choices"
	asked   []map[string]any
	headers []http.Header
}

func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	var body map[string]any
	_ = json.Unmarshal(raw, &body)
	m.asked, m.headers = append(m.asked, body), append(m.headers, r.Header)
	answer := m.answers[0]
	if len(m.answers) > 1 {
		m.answers = m.answers[1:]
	}
	if !strings.HasPrefix(answer, `{"choices"`) {
		answer = `{"choices":[{"message":{"role":"assistant","content":` + quoted(answer) + `},"finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":50}}`
	}
	_, _ = io.WriteString(w, answer)
}

func withModel(t *testing.T, answers ...string) (*model, *steps.Registry) {
	m := &model{answers: answers}
	s := serve(t, m.ServeHTTP)
	return m, open(t, "127.0.0.1", func(d *steps.Deps) { d.Agents = agents{s.URL + "/v1/"} })
}

func TestAgentTaskAnswersText(t *testing.T) {
	m, r := withModel(t, "Four.")
	res, f := attempt(t, r, "agent_task", `{"agent_id":"writer","goal":"Add them.","context":{"a":2,"b":2},"max_tokens":200}`)
	if f != nil {
		t.Fatalf("failed: %+v", f)
	}
	if string(res.Output) != `"Four."` || res.Usage.Tokens != 150 || res.Usage.CostMicroUSD != 125 || res.Usage.Agent != "writer" {
		t.Errorf("result %s %+v", res.Output, res.Usage)
	}
	if m.headers[0].Get("Authorization") != "Bearer sk-hush" || m.asked[0]["model"] != "small-1" || m.asked[0]["max_tokens"] != 200.0 {
		t.Errorf("request %v %v", m.headers[0], m.asked[0])
	}
	messages, _ := json.Marshal(m.asked[0]["messages"])
	if want := `[{"content":"Be brief.","role":"system"},{"content":"Add them.\n\nContext (JSON):\n{\"a\":2,\"b\":2}","role":"user"}]`; string(messages) != want {
		t.Errorf("messages %s", messages)
	}
}

const sumTask = `{"agent_id":"writer","goal":"Add.","output_schema":{"type":"object","properties":{"sum":{"type":"integer"}},"required":["sum"]}}`

func TestAgentTaskStructuredAnswer(t *testing.T) {
	m, r := withModel(t, "```json\n{\"sum\": 9007199254740993}\n```")
	res, f := attempt(t, r, "agent_task", sumTask)
	if f != nil || string(res.Output) != `{"sum":9007199254740993}` {
		t.Fatalf("result %s, %+v", res.Output, f)
	}
	format := m.asked[0]["response_format"].(map[string]any)
	if format["type"] != "json_schema" {
		t.Errorf("response_format %v", format)
	}
}

func TestAgentTaskRepairsOnce(t *testing.T) {
	m, r := withModel(t, "the sum is 4", `{"sum":4}`)
	res, f := attempt(t, r, "agent_task", sumTask)
	if f != nil || string(res.Output) != `{"sum":4}` || res.Usage.Tokens != 300 || len(m.asked) != 2 {
		t.Fatalf("result %s %+v, %+v, %d requests", res.Output, res.Usage, f, len(m.asked))
	}
	if m.headers[0].Get("Idempotency-Key") == m.headers[1].Get("Idempotency-Key") {
		t.Error("the repair is another request and needs another key")
	}
	_, r = withModel(t, `{"sum":"4"}`)
	res, f = attempt(t, r, "agent_task", sumTask)
	if f == nil || f.Code != "agent_answer_invalid" || f.Permanent || !strings.Contains(f.Message, "/sum") || res.Usage.Tokens != 300 {
		t.Errorf("failure %+v, usage %+v", f, res.Usage)
	}
}

func TestAgentTaskKeepsToItsBudget(t *testing.T) {
	m, r := withModel(t, "Fine.")
	res, f := attempt(t, r, "agent_task", `{"agent_id":"writer","goal":"g","budget_micro_usd":300}`)
	if f != nil || m.asked[0]["max_tokens"] != 200.0 {
		t.Errorf("%s %+v, request %v", res.Output, f, m.asked[0])
	}
	res, f = attempt(t, r, "agent_task", `{"agent_id":"writer","goal":"g","budget_micro_usd":100}`)
	if f == nil || f.Code != "budget_exceeded" || !f.Permanent || res.Usage.CostMicroUSD != 125 {
		t.Errorf("failure %+v, usage %+v", f, res.Usage)
	}
	fail(t, r, "agent_task", `{"agent_id":"writer","goal":"g","budget_micro_usd":1}`, "budget_exceeded", true)
	_, r = withModel(t, `{"choices":[{"message":{"content":"cut"},"finish_reason":"length"}]}`)
	fail(t, r, "agent_task", `{"agent_id":"writer","goal":"g","max_tokens":1}`, "budget_exceeded", true)
}

func TestAgentTaskFailures(t *testing.T) {
	config := func(id string) string { return `{"agent_id":` + quoted(id) + `,"goal":"g"}` }
	f := fail(t, open(t, ""), "agent_task", config("writer"), "agent_not_found", true)
	if !strings.Contains(f.Message, "PUT /v1/agents/writer") {
		t.Errorf("the message must say how to set an agent up: %s", f.Message)
	}
	_, r := withModel(t, `{"choices":[]}`)
	fail(t, r, "agent_task", config("other"), "agent_not_found", true)
	fail(t, r, "agent_task", config("sick"), "agent_unavailable", false)
	fail(t, r, "agent_task", config("writer"), "agent_failed", false)
	for status, permanent := range map[int]bool{401: true, 429: false, 500: false} {
		url, _ := receiver(t, status, "Retry-After", "9")
		r := open(t, "127.0.0.1", func(d *steps.Deps) { d.Agents = agents{url} })
		if f := fail(t, r, "agent_task", config("writer"), "unexpected_status", permanent); f.RetryAfter != 9*time.Second || strings.Contains(f.Message, "sk-hush") {
			t.Errorf("failure %+v", f)
		}
	}
	private := open(t, "", func(d *steps.Deps) { d.Agents = agents{"http://10.0.0.1/v1"} })
	fail(t, private, "agent_task", config("writer"), "egress_denied", true)
}

// toolUse returns a completion that asks for a tool.
func toolUse(name, arguments string) string {
	return `{"choices":[{"message":{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":` +
		quoted(name) + `,"arguments":` + quoted(arguments) + `}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":100,"completion_tokens":50}}`
}

// toolAgents is agents whose writer has tools.
type toolAgents struct {
	agents
	tools []steps.AgentTool
}

func (a toolAgents) Agent(ctx context.Context, tenantID, agentID string) (steps.Agent, error) {
	agent, err := a.agents.Agent(ctx, tenantID, agentID)
	agent.Tools = a.tools
	agent.Redact = func(raw json.RawMessage) json.RawMessage {
		return json.RawMessage(strings.ReplaceAll(string(raw), "hush-hush", "***"))
	}
	return agent, err
}

func withTools(t *testing.T, answers ...string) (*model, *steps.Registry, *[]string) {
	var asked []string
	tool := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, r.Method+" "+r.URL.String()+" "+r.Header.Get("X-Key")+" "+string(body))
		_, _ = io.WriteString(w, `{"stock":7,"echo":"hush-hush"}`)
	})
	m := &model{answers: answers}
	s := serve(t, m.ServeHTTP)
	schema := json.RawMessage(`{"type":"object","properties":{"sku":{"type":"string"}},"required":["sku"]}`)
	tools := []steps.AgentTool{
		{Name: "stock", Method: "GET", URL: tool.URL + "/stock?a=1", Parameters: schema, Headers: map[string]string{"X-Key": "hush-hush"}},
		{Name: "order", Method: "POST", URL: tool.URL + "/order"},
		{Name: "inside", Method: "GET", URL: "http://10.0.0.1/"},
	}
	r := open(t, "127.0.0.1", func(d *steps.Deps) { d.Agents = toolAgents{agents{s.URL}, tools} })
	return m, r, &asked
}

func TestAgentTaskUsesTools(t *testing.T) {
	m, r, asked := withTools(t, toolUse("stock", `{"sku":"a b"}`), toolUse("stock", `{}`), toolUse("order", ``), toolUse("none", `{}`), "Seven.")
	res, f := attempt(t, r, "agent_task", `{"agent_id":"writer","goal":"g"}`)
	if f != nil || string(res.Output) != `"Seven."` || res.Usage.Tokens != 750 || res.Usage.CostMicroUSD != 625 {
		t.Fatalf("%s %+v %+v", res.Output, res.Usage, f)
	}
	if want := []string{"GET /stock?a=1&sku=a+b hush-hush ", "POST /order  {}"}; strings.Join(*asked, "|") != strings.Join(want, "|") {
		t.Errorf("the tools were asked %q", *asked)
	}
	last, _ := json.Marshal(m.asked[len(m.asked)-1]["messages"])
	for _, want := range []string{`HTTP 200`, `***`, `The arguments are not valid`, `There is no tool`, `"tool_call_id":"c1"`} {
		if !strings.Contains(string(last), want) {
			t.Errorf("the model is not told %s: %s", want, last)
		}
	}
	if strings.Contains(string(last), "hush-hush") {
		t.Errorf("the model is shown a secret: %s", last)
	}
	var records []struct {
		Tool   string `json:"tool"`
		Status int    `json:"status_code"`
		Error  string `json:"error"`
	}
	if err := json.Unmarshal(res.Usage.ToolCalls, &records); err != nil || len(records) != 4 ||
		records[0].Status != 200 || records[1].Error == "" || records[3].Tool != "none" {
		t.Errorf("recorded %s", res.Usage.ToolCalls)
	}
	if m.headers[0].Get("Idempotency-Key") == m.headers[1].Get("Idempotency-Key") {
		t.Error("each request needs a key of its own")
	}
}

func TestAgentTaskKeepsToItsLimits(t *testing.T) {
	more := toolUse("order", `{}`)
	for code, limit := range map[string]string{
		"turn_limit": `"max_turns":2`, "token_limit": `"max_total_tokens":300`, "budget_exceeded": `"budget_micro_usd":250`,
	} {
		m, r, asked := withTools(t, more)
		fail(t, r, "agent_task", `{"agent_id":"writer","goal":"g",`+limit+`}`, code, true)
		if len(m.asked) != 2 || len(*asked) != 2 {
			t.Errorf("%s: %d requests, %d calls of tools", code, len(m.asked), len(*asked))
		}
	}
	_, r, _ := withTools(t, toolUse("inside", `{}`))
	fail(t, r, "agent_task", `{"agent_id":"writer","goal":"g"}`, "egress_denied", true)
}

func TestAgentTaskTriesAgainWithinAConversation(t *testing.T) {
	m, turns := &model{answers: []string{toolUse("none", `{}`), "Done."}}, 0
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if turns++; turns == 2 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		m.ServeHTTP(w, r)
	})
	r := open(t, "127.0.0.1", func(d *steps.Deps) { d.Agents = agents{s.URL} })
	res, f := attempt(t, r, "agent_task", `{"agent_id":"writer","goal":"g"}`)
	if f != nil || string(res.Output) != `"Done."` || turns != 3 {
		t.Errorf("%s %+v, %d requests", res.Output, f, turns)
	}
}

// An agent's key is reported as sensitive, so that no error quotes a piece of it: what a
// server quotes of it can be masked without touching the message's own words.
func TestAnAgentsKeyIsToldAsSensitive(t *testing.T) {
	t.Parallel()
	_, r := withModel(t, `{"choices":[],"error":{"message":"Incorrect key sk-h**sh"}}`)
	c, told := call("agent_task", `{"agent_id":"writer","goal":"g"}`), []string{}
	c.Sensitive = func(value string) { told = append(told, value) }
	_, f := perform(t.Context(), t, r, c)
	if f == nil || f.MaskMessage == nil || len(told) != 1 || told[0] != "sk-hush" {
		t.Fatalf("%+v, told %q", f, told)
	}
	mask := func(text string) string { return strings.NewReplacer("sk-h**sh", "***", "server", "***").Replace(text) }
	if got := f.MaskMessage(mask); !strings.HasPrefix(got, "The agent's server ") || strings.Contains(got, "sk-h") || !strings.Contains(got, "***") {
		t.Errorf("%s", got)
	}
}
