package steps

import (
	"bytes"
	"encoding/json"
	"fmt"
	"heddle/executor"
	"math"
	"strconv"
	"strings"
)

// completion is the part of a chat completion that is read.
type completion struct {
	Choices []choice      `json:"choices"`
	Usage   usageReported `json:"usage"`
}

type choice struct {
	Message      *said           `json:"message"`
	FinishReason lenientText     `json:"finish_reason"`
	Error        json.RawMessage `json:"error"` // of routers, whose own provider failed
}

// said is an assistant's message.
type said struct {
	Content      saidContent     `json:"content"`
	Refusal      lenientText     `json:"refusal"`
	ToolCalls    []toolCall      `json:"tool_calls"`
	FunctionCall json.RawMessage `json:"function_call"`
}

// usageReported counts tokens, under the names of either API of OpenAI; of a
// total alone all count as tokens in. What is not a number counts as none.
type usageReported struct{ prompt, completion int64 }

// UnmarshalJSON never fails: an answer is worth more than its bill.
func (u *usageReported) UnmarshalJSON(raw []byte) error {
	var counts map[string]json.RawMessage
	if json.Unmarshal(raw, &counts) == nil {
		u.prompt = max(lenientCount(counts["prompt_tokens"]), lenientCount(counts["input_tokens"]))
		u.completion = max(lenientCount(counts["completion_tokens"]), lenientCount(counts["output_tokens"]))
		u.prompt = max(u.prompt, lenientCount(counts["total_tokens"])-u.completion)
	}
	return nil
}

// maxCount is the most tokens that are believed.
const maxCount = 1e12

// lenientCount reads 10, 10.0 and "10".
func lenientCount(raw json.RawMessage) int64 {
	n, err := strconv.ParseFloat(strings.Trim(string(raw), `" `), 64)
	if err != nil || math.IsNaN(n) || n < 0 {
		return 0
	}
	return int64(math.Ceil(min(n, maxCount)))
}

// lenientText is a text that servers also write as a list of parts, as null or false, or as
// another JSON value, which then is the text.
type lenientText string

func (t *lenientText) UnmarshalJSON(raw []byte) error {
	var c saidContent
	err := c.UnmarshalJSON(raw)
	*t = c.text + c.refusal
	return err
}

// saidContent is the content of a message, as lenientText is written; what its
// parts refuse stands apart.
type saidContent struct{ text, refusal lenientText }

func (c *saidContent) UnmarshalJSON(raw []byte) error {
	raw = bytes.TrimSpace(raw)
	var parts []json.RawMessage
	if string(raw) == "false" {
		return nil
	}
	if len(raw) == 0 || raw[0] != '[' || json.Unmarshal(raw, &parts) != nil {
		text, err := printValue(raw)
		c.text = lenientText(text)
		return err
	}
	var all, refused strings.Builder
	for _, part := range parts {
		var p struct {
			Type    string      `json:"type"`
			Text    lenientText `json:"text"`
			Refusal lenientText `json:"refusal"`
		}
		if raw := bytes.TrimSpace(part); raw[0] == '"' {
			text, _ := printValue(raw)
			all.WriteString(text)
		} else if json.Unmarshal(part, &p) == nil && !strings.Contains(p.Type, "reason") && !strings.Contains(p.Type, "think") {
			all.WriteString(string(p.Text))
			refused.WriteString(string(p.Refusal))
		}
	}
	c.text, c.refusal = lenientText(all.String()), lenientText(refused.String())
	return nil
}

// readCompletion reads an answer, or says what the server answered instead.
func (t *task) readCompletion(got answer) (completion, error) {
	body := bytes.TrimPrefix(got.body, []byte("\ufeff"))
	var c completion
	err := json.Unmarshal(body, &c)
	if err == nil && len(c.Choices) > 0 {
		return c, nil
	}
	var instead struct {
		Error json.RawMessage `json:"error"`
	}
	isObject := json.Unmarshal(body, &instead) == nil
	what, quoted := "did not answer with a chat completion", got.body
	switch {
	case isObject && len(instead.Error) > 0 && string(instead.Error) != "null":
		what, quoted = "answered with an error", instead.Error
	case strings.HasPrefix(got.header.Get("Content-Type"), "text/event-stream") || bytes.HasPrefix(bytes.TrimSpace(body), []byte("data:")):
		what = "answered with a stream of events, which was not asked for"
	case strings.HasPrefix(got.header.Get("Content-Type"), "text/html"):
		what = "answered with an HTML page"
	}
	return c, t.failed(what, quoted)
}

// failed is the failure of a server that answered with something else than what
// was asked for; it quotes what that was.
func (t *task) failed(what string, answered []byte) error {
	details := map[string]any{}
	text := excerpt(t.call, answered, 2048)
	if text != "" {
		details["body"] = text
		what += ": " + head(text, 300)
	}
	return failure("agent_failed", false, details, "The agent's server %s", strings.TrimRight(what, ".")+".").Err()
}

// logTurn logs what a turn brought.
func (t *task) logTurn(c completion) {
	content := ""
	if m := c.Choices[0].Message; m != nil {
		content = string(m.Content.text)
	}
	logLine(t.call, executor.LogInfo, "agent", fmt.Sprintf("turn %d: %d tokens in, %d out", t.turns, c.Usage.prompt, c.Usage.completion),
		object("turn", t.turns, "input_tokens", c.Usage.prompt, "output_tokens", c.Usage.completion, "cost_micro_usd", t.usage.CostMicroUSD,
			"content", excerpt(t.call, []byte(content), maxToolResult)))
}

// Why an answer ended too early.
const (
	cutOff = iota + 1
	filtered
	broken
)

// finishReasons are the finish reasons of answers that are not whole, in the words of
// OpenAI and of servers that pass on those of other models; case does not count.
var finishReasons = map[string]int{
	"length": cutOff, "max_tokens": cutOff, "max_output_tokens": cutOff, "model_length": cutOff, "model_context_window_exceeded": cutOff,
	"content_filter": filtered, "content_filtered": filtered, "safety": filtered, "recitation": filtered, "blocklist": filtered,
	"prohibited_content": filtered, "spii": filtered, "guardrail_intervened": filtered, "refusal": filtered, "error_toxic": filtered,
	"error": broken, "error_limit": broken, "malformed_function_call": broken,
}

// judge finds what the model said, or why there is nothing: an answer without
// text and without calls is never one.
func (t *task) judge(c completion, body []byte) (chat, error) {
	first, reason := c.Choices[0], string(c.Choices[0].FinishReason)
	m, ended := first.Message, finishReasons[strings.ToLower(reason)]
	switch {
	case t.cfg.BudgetMicroUSD > 0 && t.usage.CostMicroUSD > t.cfg.BudgetMicroUSD:
		return chat{}, permanent("budget_exceeded", "The attempt cost %d micro USD, more than budget_micro_usd (%d).", t.usage.CostMicroUSD, t.cfg.BudgetMicroUSD)
	case len(first.Error) > 0 && string(first.Error) != "null":
		return chat{}, t.failed("answered with an error", first.Error)
	case ended == cutOff:
		return chat{}, permanent("budget_exceeded", "The answer was cut off at its limit of tokens; raise max_tokens or budget_micro_usd.")
	case ended == filtered:
		return chat{}, permanent("agent_filtered", "The agent's server withheld the answer: its content filter stopped it (finish_reason %s).", reason)
	case ended == broken:
		return chat{}, t.failed("broke off the answer (finish_reason "+reason+")", body)
	case m == nil:
		return chat{}, t.failed("answered with a completion that has no message", body)
	case m.Refusal+m.Content.refusal != "":
		return chat{}, permanent("agent_refused", "The agent refused: %s", excerpt(t.call, []byte(m.Refusal+m.Content.refusal), 500))
	case len(m.FunctionCall) > 0 && string(m.FunctionCall) != "null", len(m.ToolCalls) == 0 && reason == "function_call":
		return chat{}, permanent("agent_unsupported", "The agent's server answered with function_call, the older form of calls, which was not asked for and is not read; it has to answer with tool_calls.")
	case len(m.ToolCalls) == 0 && strings.TrimSpace(string(m.Content.text)) == "":
		if reason == "" {
			reason = "none"
		}
		return chat{}, t.failed("answered with an empty message (finish_reason "+head(excerpt(t.call, []byte(reason), 64), 64)+")", body)
	}
	t.identify(m.ToolCalls)
	return chat{Role: "assistant", Content: string(m.Content.text), ToolCalls: m.ToolCalls}, nil
}

// identify gives calls that came without an id one, so that their results can be
// told apart.
func (t *task) identify(calls []toolCall) {
	for i := range calls {
		if calls[i].ID == "" {
			calls[i].ID = lenientText(fmt.Sprintf("call_%d_%d", t.turns, i+1))
		}
		calls[i].Type = "function"
	}
}
