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

// AgentTool is an HTTP request that an agent's model may ask for.
type AgentTool struct {
	Name        string          // what the model calls it by
	Description string          // what the model is told of it
	Parameters  json.RawMessage // a JSON Schema; nil: no arguments
	Method      string          // in upper case; with GET and DELETE the arguments go into the query
	URL         string
	Headers     map[string]string // secrets filled in
	Secrets     []string          // the values of the secrets in Headers, in any order
}

// maxToolResult is how many bytes of a tool's answer the model is shown.
const maxToolResult = 64 << 10

// toolCall is a call that a model asks for, as the API writes it. ID is sent back with
// the result.
type toolCall struct {
	ID       lenientText `json:"id"`
	Type     lenientText `json:"type"`
	Function struct {
		Name      string   `json:"name"`
		Arguments jsonText `json:"arguments"`
	} `json:"function"`
}

// jsonText is a text that holds JSON, as the API specifies, or the JSON value itself,
// which some servers write. null is "".
type jsonText string

// UnmarshalJSON reads either form.
func (t *jsonText) UnmarshalJSON(raw []byte) error {
	text, err := printValue(raw)
	*t = jsonText(text)
	return err
}

// toolRecord is what is kept of a call, with the attempt (machine.Usage.ToolCalls).
type toolRecord struct {
	Tool      string          `json:"tool"`
	Arguments json.RawMessage `json:"arguments,omitempty"`
	Status    int             `json:"status_code,omitempty"` // 0: no answer came
	Error     string          `json:"error,omitempty"`       // why the call failed; "": it was answered
	LatencyMS int64           `json:"latency_ms"`
}

// offered returns the agent's tools as the API wants them; nil for none.
func (t *task) offered() []any {
	var list []any
	for _, tool := range t.agent.Tools {
		parameters := tool.Parameters
		if parameters == nil {
			// The schema of no arguments.
			parameters = json.RawMessage(`{"type":"object","properties":{}}`)
		}
		list = append(list, map[string]any{"type": "function", "function": map[string]any{
			"name": tool.Name, "description": tool.Description, "parameters": parameters,
		}})
	}
	return list
}

// use makes one call that the model asked for, records it, and returns what the model is
// told. A failed call is told to the model too, so that it can do otherwise. Only two
// are errors that end the attempt: its own end, and an address that is off limits
// (egress_denied), which the operator should see.
func (t *task) use(ctx context.Context, call toolCall) (string, error) {
	started := t.client.now()
	// Names and arguments are the model's; the executor redacts the usage as it does the
	// output.
	record := toolRecord{Tool: call.Function.Name, Arguments: argumentsOf(call)}
	text, err := t.callTool(ctx, call, &record)
	record.LatencyMS = t.client.now().Sub(started).Milliseconds()
	if err != nil {
		record.Error = err.Error()
		if f, ok := machine.AsFailure(err); ok {
			record.Error = f.Message
			// The model can try something else; for these two there is nothing else to try.
			if f.Code != "egress_denied" && ctx.Err() == nil {
				text, err = "The tool failed: "+f.Message, nil
			}
		}
	}
	t.records = append(t.records, record)
	t.logToolCall(record)
	return text, err
}

// logToolCall writes a call to the attempt's log, as a warning where it failed.
func (t *task) logToolCall(record toolRecord) {
	level, came := executor.LogInfo, statusText(record.Status)
	if record.Error != "" {
		level, came = executor.LogWarn, record.Error
	}
	raw, _ := json.Marshal(record) // plain values always encode
	logLine(t.call, level, "tool", fmt.Sprintf("%s: %s", record.Tool, came), raw)
}

// argumentsOf returns the arguments of a call as JSON. A text that is not JSON, as some
// models write, becomes a JSON string, which the tool's schema then refuses.
func argumentsOf(call toolCall) json.RawMessage {
	if raw, ok := jsonValue([]byte(call.Function.Arguments)); ok {
		return raw
	}
	return textValue([]byte(call.Function.Arguments))
}

// callTool makes the request of one call and returns what the model is shown. Any status
// is an answer. It sets record.Status, and record.Arguments where the model sent none.
// An error that the model can act on (unknown_tool, invalid_arguments) is worded for it.
func (t *task) callTool(ctx context.Context, call toolCall, record *toolRecord) (string, error) {
	tool, ok := t.tool(call.Function.Name)
	if !ok {
		return "", permanent("unknown_tool", "There is no tool %q.", excerpt(t.call, []byte(call.Function.Name), 64))
	}
	// Servers write "" for a call without arguments.
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
	// Redirects are followed; the guard judges each hop.
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

// checkArguments describes in which way arguments break the tool's schema; "" where they
// meet it. A tool without a schema takes any object.
func checkArguments(tool AgentTool, arguments json.RawMessage) string {
	schema := tool.Parameters
	if schema == nil {
		schema = json.RawMessage(`{"type":"object"}`)
	}
	checker, err := schemas.NewChecker(schema)
	if err != nil {
		return "the tool's parameters are not a JSON Schema"
	}
	return breaches(checker, arguments)
}

// toolRequest builds the request of one call. The arguments go into the query with GET
// and DELETE, otherwise into a JSON body. Each call has an Idempotency-Key of its own,
// numbered by the calls of the attempt.
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
		// A body of GET or DELETE has no defined meaning (RFC 9110, 9.3).
		body = nil
	}
	req, err := http.NewRequestWithContext(ctx, tool.Method, target, bytes.NewReader(body))
	if err != nil {
		return nil, permanent("invalid_url", "The url of the tool is not valid.")
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	// setHeaders refuses what a header cannot hold, as a secret may hold anything.
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

// withQuery returns target with the arguments in its query, sorted by name: texts as
// they are, other values as JSON. An argument replaces parameters of its name that
// target has already.
func withQuery(target string, arguments json.RawMessage) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", permanent("invalid_url", "The url of the tool is not valid.")
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(arguments, &values); err != nil {
		return "", permanent("invalid_arguments", "The arguments are not a JSON object.")
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

// shown returns what the model sees of an answer: the status and the beginning of the
// body, without secrets. Secrets are removed before the text is cut.
func (t *task) shown(got answer) string {
	text := fmt.Sprintf("HTTP %d\n%s", got.status, got.body)
	// The model's server is a third party, and must not see the tenant's secrets.
	if t.agent.Redact != nil {
		var clean string
		if raw, err := json.Marshal(text); err == nil && json.Unmarshal(t.agent.Redact(raw), &clean) == nil {
			text = clean
		}
	}
	return head(text, maxToolResult)
}

// wait waits for d, or returns the failure of the attempt's end where that comes first.
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
