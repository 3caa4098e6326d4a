package steps

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"heddle/definitions/schemas"
	"heddle/executor"
	"heddle/executor/machine"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// AgentTool is an HTTP request that an agent may ask for.
type AgentTool struct {
	Name        string
	Description string
	Parameters  json.RawMessage // a JSON Schema; nil: no arguments
	Method      string
	URL         string
	Headers     map[string]string
}

// maxToolResult is how many bytes of a tool's answer the model is shown.
const maxToolResult = 64 << 10

// toolCall is what a model asks for.
type toolCall struct {
	ID       lenientText `json:"id"`
	Type     lenientText `json:"type"`
	Function struct {
		Name      string   `json:"name"`
		Arguments jsonText `json:"arguments"`
	} `json:"function"`
}

// jsonText is JSON in a text, as the API says, or the JSON itself, which some
// servers write; null is not a text.
type jsonText string

func (t *jsonText) UnmarshalJSON(raw []byte) error {
	text, err := printValue(raw)
	*t = jsonText(text)
	return err
}

// toolRecord is what is kept of a call, on the attempt.
type toolRecord struct {
	Tool      string          `json:"tool"`
	Arguments json.RawMessage `json:"arguments,omitempty"`
	Status    int             `json:"status_code,omitempty"`
	Error     string          `json:"error,omitempty"`
	LatencyMS int64           `json:"latency_ms"`
}

// offered lists the agent's tools as the API wants them.
func (t *task) offered() []any {
	var list []any
	for _, tool := range t.agent.Tools {
		parameters := tool.Parameters
		if parameters == nil {
			parameters = json.RawMessage(`{"type":"object","properties":{}}`)
		}
		list = append(list, map[string]any{"type": "function", "function": map[string]any{
			"name": tool.Name, "description": tool.Description, "parameters": parameters,
		}})
	}
	return list
}

// use makes one call that the model asked for and returns what the model is told
// of it. What went wrong is told too, so that the model can do otherwise; only
// the end of the attempt, and an address that is off limits, are errors.
func (t *task) use(ctx context.Context, call toolCall) (string, error) {
	started := t.client.now()
	record := toolRecord{Tool: call.Function.Name, Arguments: argumentsOf(call)}
	text, err := t.callTool(ctx, call, &record)
	record.LatencyMS = t.client.now().Sub(started).Milliseconds()
	if err != nil {
		record.Error = err.Error()
		if f, ok := machine.AsFailure(err); ok {
			record.Error = f.Message
			if f.Code != "egress_denied" && ctx.Err() == nil {
				text, err = "The tool failed: "+f.Message, nil
			}
		}
	}
	t.records = append(t.records, record)
	t.logToolCall(record)
	return text, err
}

// logToolCall logs a call of a tool.
func (t *task) logToolCall(record toolRecord) {
	level, came := executor.LogInfo, statusText(record.Status)
	if record.Error != "" {
		level, came = executor.LogWarn, record.Error
	}
	raw, _ := json.Marshal(record) // plain values always encode
	logLine(t.call, level, "tool", fmt.Sprintf("%s: %s", record.Tool, came), raw)
}

// argumentsOf returns the arguments of a call as JSON; a text that is not JSON, as
// some models write, becomes a JSON string, which the schema then refuses.
func argumentsOf(call toolCall) json.RawMessage {
	if raw, ok := jsonValue([]byte(call.Function.Arguments)); ok {
		return raw
	}
	return textValue([]byte(call.Function.Arguments))
}

// callTool makes the request of one call and returns what the model is shown. It
// fills record in. An error that the model can act on (unknown tool, invalid
// arguments) is worded for it.
func (t *task) callTool(ctx context.Context, call toolCall, record *toolRecord) (string, error) {
	tool, ok := t.tool(call.Function.Name)
	if !ok {
		return "", permanent("unknown_tool", "There is no tool %q.", excerpt(t.call, []byte(call.Function.Name), 64))
	}
	if strings.TrimSpace(string(call.Function.Arguments)) == "" {
		record.Arguments = json.RawMessage(`{}`)
	}
	if wrong := checkArguments(tool, record.Arguments); wrong != "" {
		return "", permanent("invalid_arguments", "The arguments are not valid: %s.", wrong)
	}
	req, err := t.toolRequest(ctx, tool, record.Arguments)
	if err != nil {
		return "", err
	}
	got, err := t.client.do(req, true, t.call.ReserveMemory)
	if err != nil {
		return "", err
	}
	record.Status = got.status
	return t.shown(got), nil
}

// tool returns the agent's tool of that name; false where it has none. Models invent
// names now and then.
func (t *task) tool(name string) (AgentTool, bool) {
	for _, tool := range t.agent.Tools {
		if tool.Name == name {
			return tool, true
		}
	}
	return AgentTool{}, false
}

// checkArguments says in which way arguments do not meet the tool's schema; "" where
// they do. A tool without a schema takes any object.
func checkArguments(tool AgentTool, arguments json.RawMessage) string {
	schema := tool.Parameters
	if schema == nil {
		schema = json.RawMessage(`{"type":"object"}`)
	}
	checker, err := schemas.NewChecker(schema)
	if err != nil {
		return "the tool's parameters are no JSON Schema"
	}
	return breaches(checker, arguments)
}

// toolRequest puts the arguments into the query with GET and DELETE, into a
// JSON body otherwise.
func (t *task) toolRequest(ctx context.Context, tool AgentTool, arguments json.RawMessage) (*http.Request, error) {
	address, err := parseURL(tool.URL)
	if err != nil {
		return nil, permanent("invalid_url", "The url of the tool is not valid.")
	}
	target, body := address.String(), []byte(arguments)
	if tool.Method == http.MethodGet || tool.Method == http.MethodDelete {
		if target, err = withQuery(target, arguments); err != nil {
			return nil, err
		}
		body = nil
	}
	req, err := http.NewRequestWithContext(ctx, tool.Method, target, bytes.NewReader(body))
	if err != nil {
		return nil, permanent("invalid_url", "The url of the tool is not valid.")
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	headers := make(map[string]printed, len(tool.Headers))
	for name, value := range tool.Headers {
		headers[name] = printed(value)
	}
	if _, err := setHeaders(req.Header, headers); err != nil {
		return nil, err
	}
	call := t.call
	call.Key = fmt.Sprintf("%s/tool/%d", t.call.Key, len(t.records)+1) // another request, so another key
	setRequestHeaders(req.Header, call)
	return req, nil
}

// withQuery returns target with the arguments in its query: texts as they are, other
// values as JSON. A parameter that target has already is replaced.
func withQuery(target string, arguments json.RawMessage) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", permanent("invalid_url", "The url of the tool is not valid.")
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(arguments, &values); err != nil {
		return "", permanent("invalid_arguments", "The arguments are no JSON object.")
	}
	q := u.Query()
	for name, raw := range values {
		text := string(raw)
		var plain string
		if json.Unmarshal(raw, &plain) == nil {
			text = plain
		}
		q.Set(name, text)
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// shown is what the model sees of an answer: the status and the beginning of
// the body, without secrets.
func (t *task) shown(got answer) string {
	text := fmt.Sprintf("HTTP %d\n%s", got.status, got.body)
	if t.agent.Redact != nil {
		var clean string
		if raw, err := json.Marshal(text); err == nil && json.Unmarshal(t.agent.Redact(raw), &clean) == nil {
			text = clean
		}
	}
	return head(text, maxToolResult)
}

// wait rests before a call is tried again, unless the attempt ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return stopped(ctx)
	}
}
