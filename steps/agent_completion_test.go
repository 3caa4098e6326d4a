package steps_test

import (
	"context"
	"encoding/json"
	"heddle/steps"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

const anyGoal = `{"agent_id":"writer","goal":"g"}`

// choiceOf returns a chat completion with one message.
func choiceOf(message, reason string) string {
	return `{"choices":[{"message":` + message + `,"finish_reason":` + reason + `}],"usage":{"prompt_tokens":1,"completion_tokens":1}}`
}

func TestAnAnswerWithNothingIsAFailure(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]struct {
		code, says string
		permanent  bool
	}{
		`{"choices":[{"finish_reason":"stop"}]}`:                                                         {"agent_failed", "no message", false},
		`{"choices":[{"message":null}]}`:                                                                 {"agent_failed", "no message", false},
		`{"choices":null,"x":1}`:                                                                         {"agent_failed", `"x":1`, false},
		choiceOf(`{"content":""}`, `"stop"`):                                                             {"agent_failed", "empty message (finish_reason stop)", false},
		choiceOf(`{"content":null}`, `null`):                                                             {"agent_failed", "empty message", false},
		choiceOf(`{"content":"  \n"}`, `"stop"`):                                                         {"agent_failed", "empty message", false},
		choiceOf(`{"content":[]}`, `"stop"`):                                                             {"agent_failed", "empty message", false},
		choiceOf(`{"content":null,"tool_calls":[]}`, `"tool_calls"`):                                     {"agent_failed", "finish_reason tool_calls", false},
		choiceOf(`{"content":"half of it"}`, `"content_filter"`):                                         {"agent_filtered", "content filter", true},
		choiceOf(`null`, `"content_filter"`):                                                             {"agent_filtered", "content filter", true},
		choiceOf(`{"content":null,"refusal":"I will not."}`, `"stop"`):                                   {"agent_refused", "I will not.", true},
		choiceOf(`{"content":[{"type":"refusal","refusal":""}],"refusal":"No."}`, `"stop"`):              {"agent_refused", "No.", true},
		choiceOf(`{"content":null,"function_call":{"name":"f","arguments":"{}"}}`, `"function_call"`):    {"agent_unsupported", "function_call", true},
		choiceOf(`{"content":"text","function_call":{"name":"f","arguments":"{}"}}`, `"function_call"`):  {"agent_unsupported", "function_call", true},
		choiceOf(`{"content":[{"type":"refusal","refusal":"Not that."}]}`, `"stop"`):                     {"agent_refused", "Not that.", true},
		choiceOf(`{"content":"half of it"}`, `"SAFETY"`):                                                 {"agent_filtered", "finish_reason SAFETY", true},
		choiceOf(`{"content":"half of it"}`, `"content_filtered"`):                                       {"agent_filtered", "content filter", true},
		choiceOf(`{"content":"half"}`, `"MAX_TOKENS"`):                                                   {"budget_exceeded", "cut off", true},
		choiceOf(`{"content":"half"}`, `"model_length"`):                                                 {"budget_exceeded", "cut off", true},
		choiceOf(`{"content":"half"}`, `"error"`):                                                        {"agent_failed", "broke off", false},
		`{"choices":[{"message":{"content":"half"},"error":{"code":502,"message":"upstream is away"}}]}`: {"agent_failed", "upstream is away", false},
		choiceOf(`{"content":"cut"}`, `"length"`):                                                        {"budget_exceeded", "cut off", true},
	} {
		_, r := withModel(t, answer)
		if !strings.HasPrefix(answer, `{"choices"`) {
			t.Fatal("the model would wrap this")
		}
		f := fail(t, r, "agent_task", anyGoal, want.code, want.permanent)
		if !strings.Contains(f.Message, want.says) {
			t.Errorf("%s: %s", answer, f.Message)
		}
	}
}

func TestWhatAServerSaidInsteadIsQuoted(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ contentType, body, says string }{
		"error object":   {"application/json", `{"error":{"message":"Model small-1 is overloaded","type":"server_error"}}`, "answered with an error"},
		"error text":     {"application/json", `{"error":"Model small-1 is overloaded"}`, "answered with an error"},
		"html":           {"text/html; charset=utf-8", `<html><h1>Model small-1 is overloaded</h1>`, "an HTML page"},
		"stream":         {"text/event-stream", "data: {\"choices\":[{\"delta\":{\"content\":\"Model small-1 is overloaded\"}}]}\n\ndata: [DONE]\n\n", "a stream of events"},
		"stream as json": {"application/json", "\n data: Model small-1 is overloaded", "a stream of events"},
		"other":          {"application/json", `["Model small-1 is overloaded"]`, "did not answer with a chat completion"},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", tt.contentType)
			_, _ = io.WriteString(w, strings.Replace(tt.body, "overloaded", "overloaded"+strings.Repeat(" hush-hush ", 600), 1))
		})
		r := open(t, "127.0.0.1", func(d *steps.Deps) { d.Agents = agents{s.URL} })
		c := call("agent_task", anyGoal)
		c.Redact = func(raw json.RawMessage) json.RawMessage {
			return json.RawMessage(strings.ReplaceAll(string(raw), "hush-hush", "***"))
		}
		_, f := perform(t.Context(), t, r, c)
		if f == nil || f.Code != "agent_failed" || f.Permanent {
			t.Errorf("%s: %+v", name, f)
			continue
		}
		body, _ := f.Details["body"].(string)
		if !strings.Contains(f.Message, tt.says) || !strings.Contains(f.Message, "Model small-1 is overloaded") || len(f.Message) > 500 || len(body) > 2048 {
			t.Errorf("%s: %s (%d bytes in details)", name, f.Message, len(body))
		}
		if strings.Contains(f.Message+body, "hush") {
			t.Errorf("%s shows a secret: %s", name, body)
		}
	}
}

func TestWhatServersWriteOtherwiseIsRead(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`{"choices":[{"message":{"content":[{"type":"text","text":"Fo"},{"type":"text","text":"ur."}]}}]}`:                 `"Four."`,
		`{"choices":[{"message":{"content":["Fo","ur."]}}]}`:                                                               `"Four."`,
		`{"choices":[{"message":{"content":[{"type":"reasoning","text":"Well"},{"type":"output_text","text":"Four."}]}}]}`: `"Four."`,
		`{"choices":[{"message":{"content":{"sum":4}}}]}`:                                                                  `"{\"sum\":4}"`,
		`{"choices":[{"message":{"content":"Four.","refusal":null,"function_call":null,"tool_calls":null}}]}`:              `"Four."`,
		`{"choices":[{"message":{"content":"Four.","refusal":false},"finish_reason":"eos"}],"usage":null}`:                 `"Four."`,
		`{"choices":[{"message":{"content":"Four."}}],"usage":[]}`:                                                         `"Four."`,
		`{"choices":[{"message":{"content":"Four."}}],"error":null}`:                                                       `"Four."`,
	} {
		_, r := withModel(t, answer)
		if res, f := attempt(t, r, "agent_task", anyGoal); f != nil || string(res.Output) != want {
			t.Errorf("%s: %s %+v", answer, res.Output, f)
		}
	}
	for usage, want := range map[string]int64{
		`{"prompt_tokens":10.0,"completion_tokens":"5"}`:    15,
		`{"input_tokens":10,"output_tokens":5}`:             15,
		`{"total_tokens":15}`:                               15,
		`{"total_tokens":15,"completion_tokens":5}`:         15,
		`{"prompt_tokens":"10","completion_tokens":5.2}`:    16,
		`{"prompt_tokens":null,"completion_tokens":"many"}`: 0,
		`{"prompt_tokens":-5,"completion_tokens":1e2}`:      100,
		`{"prompt_tokens":1e300,"completion_tokens":"NaN"}`: 1e12,
	} {
		_, r := withModel(t, `{"choices":[{"message":{"content":"Four."}}],"usage":`+usage+`}`)
		if res, f := attempt(t, r, "agent_task", anyGoal); f != nil || res.Usage.Tokens != want {
			t.Errorf("%s: %+v %+v", usage, res.Usage, f)
		}
	}
}

// Arguments may be an object, and ids may be missing or numbers.
func TestToolCallsThatServersWriteOtherwiseAreRead(t *testing.T) {
	t.Parallel()
	calls := `{"choices":[{"message":{"content":null,"tool_calls":[` +
		`{"function":{"name":"order","arguments":{"n":1}}},` +
		`{"id":"","type":null,"function":{"name":"order","arguments":"{\"n\":2}"}},` +
		`{"id":7,"function":{"name":"order","arguments":null}}]}}]}`
	m, r, asked := withTools(t, calls, "Done.")
	if _, f := attempt(t, r, "agent_task", anyGoal); f != nil {
		t.Fatalf("failed: %+v", f)
	}
	if got := strings.Join(*asked, "|"); got != `POST /order  {"n":1}|POST /order  {"n":2}|POST /order  {}` {
		t.Errorf("the tool was asked %s", got)
	}
	raw, _ := json.Marshal(m.asked[1]["messages"])
	for _, want := range []string{`"id":"call_1_1"`, `"id":"call_1_2"`, `"id":"7"`, `"tool_call_id":"call_1_1"`, `"tool_call_id":"call_1_2"`, `"tool_call_id":"7"`, `"arguments":"{\"n\":1}"`, `"type":"function"`} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("no %s in %s", want, raw)
		}
	}
}

func TestTheLimitOfTokensIsSentAsTheAgentSays(t *testing.T) {
	t.Parallel()
	for field, other := range map[string]string{"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"} {
		m := &model{answers: []string{"Four."}}
		s := serve(t, m.ServeHTTP)
		r := open(t, "127.0.0.1", func(d *steps.Deps) { d.Agents = limited{agents{s.URL}, field} })
		if _, f := attempt(t, r, "agent_task", `{"agent_id":"writer","goal":"g","max_tokens":9}`); f != nil {
			t.Fatalf("failed: %+v", f)
		}
		if m.asked[0][field] != 9.0 || m.asked[0][other] != nil {
			t.Errorf("%s: %v", field, m.asked[0])
		}
	}
}

type limited struct {
	agents
	field string
}

func (l limited) Agent(ctx context.Context, tenantID, agentID string) (steps.Agent, error) {
	agent, err := l.agents.Agent(ctx, tenantID, agentID)
	agent.TokenLimitField = l.field
	return agent, err
}

func TestRetryAfterInMilliseconds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		header []string
		want   time.Duration
	}{
		{[]string{"Retry-After-Ms", "1500"}, 1500 * time.Millisecond},
		{[]string{"Retry-After-Ms", "250.5", "Retry-After", "9"}, 250500 * time.Microsecond},
		{[]string{"Retry-After-Ms", "soon", "Retry-After", "9"}, 9 * time.Second},
		{[]string{"Retry-After", "0.5"}, 500 * time.Millisecond},
		{[]string{"Retry-After", "99999999999"}, 0},
	} {
		url, _ := receiver(t, 429, tt.header...)
		r := open(t, "127.0.0.1", func(d *steps.Deps) { d.Agents = agents{url} })
		if f := fail(t, r, "agent_task", anyGoal, "unexpected_status", false); f.RetryAfter != tt.want {
			t.Errorf("%v: %v", tt.header, f.RetryAfter)
		}
	}
}

func TestJSONIsFoundInAnAnswer(t *testing.T) {
	t.Parallel()
	const want = `{"sum":4}`
	for _, answer := range []string{
		"Here is the result:\n```json\n{\"sum\": 4}\n```\nAsk me for more.",
		"```\n{\"sum\": 4}\n```",
		"```json {\"sum\": 4}```",
		"```{\"sum\": 4}```",
		"```json\n{\"sum\": 4}",
		"First I had\n```json\n{\"sum\": \"four\"}\n```\nbut it is\n```json\n{\"sum\": 4}\n```",
		"<think>2 and 2 is {\"sum\": 5}, no, 4</think>\n\n{\"sum\": 4}",
		"<THINKING>hm</THINKING>```json\n{\"sum\": 4}\n```",
		"2 and 2, that is [4] or {4}\n</think>\n{\"sum\": 4}",
		"The answer is {\"sum\": 4}.",
		"Of the {braces} here [these] count: {\"sum\": 4} (and not {} or []).",
		"\ufeff{\"sum\": 4}",
		"  {\"sum\": 4}\n",
		"It is \"{\" that begins it: {\"sum\": 4}",
	} {
		m, r := withModel(t, answer)
		if res, f := attempt(t, r, "agent_task", sumTask); f != nil || string(res.Output) != want || len(m.asked) != 1 {
			t.Errorf("%q: %s %+v, %d requests", answer, res.Output, f, len(m.asked))
		}
	}
	for _, answer := range []string{"four", "{\"sum\": 4", "<think>{\"sum\": 4}</think>", strings.Repeat("[{", 400_000)} {
		_, r := withModel(t, answer)
		f := fail(t, r, "agent_task", sumTask, "agent_answer_invalid", false)
		if len(f.Message) > 600 {
			t.Errorf("%.40q: %d bytes of message", answer, len(f.Message))
		}
	}
}
