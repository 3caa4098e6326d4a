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

// completion is the part of a chat completion that is read. Servers differ in how
// strictly they keep to the API, so its types accept more than the API specifies.
type completion struct {
	Choices []choice      `json:"choices"`
	Usage   usageReported `json:"usage"`
}

// choice is one of a completion's answers. Only the first is used.
type choice struct {
	Message      *said           `json:"message"` // nil where the server sent none
	FinishReason lenientText     `json:"finish_reason"`
	Error        json.RawMessage `json:"error"` // from routers, whose own provider failed
}

// said is an assistant's message.
type said struct {
	Content      saidContent     `json:"content"`
	Refusal      lenientText     `json:"refusal"`
	ToolCalls    []toolCall      `json:"tool_calls"`
	FunctionCall json.RawMessage `json:"function_call"` // the older form of calls, which is refused
}

// usageReported counts a completion's tokens, under the names of either API of OpenAI.
// Of a total alone, all count as tokens in. What is not a number counts as 0.
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

// maxCount is the largest token count that is believed; a larger one counts as this.
const maxCount = 1e12

// lenientCount reads 10, 10.0 and "10", rounded up; 0 for anything else and for a
// negative number.
func lenientCount(raw json.RawMessage) int64 {
	n, err := strconv.ParseFloat(strings.Trim(string(raw), `" `), 64)
	if err != nil || math.IsNaN(n) || n < 0 {
		return 0
	}
	return int64(math.Ceil(min(n, maxCount)))
}

// lenientText is a text that servers also write as a list of parts, as null or false (""
// then), or as another JSON value, whose JSON text it is then.
type lenientText string

// UnmarshalJSON reads any of the forms; a refusal among the parts is a part of the text.
func (t *lenientText) UnmarshalJSON(raw []byte) error {
	var c saidContent
	err := c.UnmarshalJSON(raw)
	*t = c.text + c.refusal
	return err
}

// saidContent is the content of a message, in any form of lenientText. What its parts
// refuse is kept apart from what they say.
type saidContent struct{ text, refusal lenientText }

// UnmarshalJSON joins the texts of the parts. Parts of the model's reasoning are left
// out.
func (c *saidContent) UnmarshalJSON(raw []byte) error {
	raw = bytes.TrimSpace(raw)
	var parts []json.RawMessage
	if string(raw) == "false" {
		return nil
	}
	// Not a list of parts, so it is the text itself.
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
		// A part may be a plain string.
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

// readCompletion reads an answer with at least one choice, or returns the failure
// agent_failed, which says what the server answered instead.
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
	// Some servers answer an error with status 200.
	case isObject && len(instead.Error) > 0 && string(instead.Error) != "null":
		what, quoted = "answered with an error", instead.Error
	case strings.HasPrefix(got.header.Get("Content-Type"), "text/event-stream") || bytes.HasPrefix(bytes.TrimSpace(body), []byte("data:")):
		what = "answered with a stream of events, which was not asked for"
	case strings.HasPrefix(got.header.Get("Content-Type"), "text/html"):
		what = "answered with an HTML page"
	}
	return c, t.failed(what, quoted)
}

// failed returns the transient failure agent_failed of a server that answered something
// else than what was asked for. what completes "The agent's server …"; answered is
// quoted without secrets.
func (t *task) failed(what string, answered []byte) error {
	details := map[string]any{}
	text := excerpt(t.call, answered, 2048)
	if text != "" {
		details["body"] = text
		what += ": " + head(text, 300)
	}
	return failure("agent_failed", false, details, "The agent's server %s", strings.TrimRight(what, ".")+".").Err()
}

// logTurn writes a turn to the attempt's log, with what the model said and the attempt's
// cost so far.
func (t *task) logTurn(c completion) {
	content := ""
	if m := c.Choices[0].Message; m != nil {
		content = string(m.Content.text)
	}
	logLine(t.call, executor.LogInfo, "agent", fmt.Sprintf("turn %d: %d tokens in, %d out", t.turns, c.Usage.prompt, c.Usage.completion),
		object("turn", t.turns, "input_tokens", c.Usage.prompt, "output_tokens", c.Usage.completion, "cost_micro_usd", t.usage.CostMicroUSD,
			"content", excerpt(t.call, []byte(content), maxToolResult)))
}

// Reasons why an answer is not whole; 0 is none of them.
const (
	cutOff   = iota + 1 // at a limit of tokens
	filtered            // by a content filter
	broken              // by an error of the server
)

// finishReasons maps the finish reasons of answers that are not whole, in lower case, to
// why. They are those of OpenAI and of servers that pass on the reasons of other models.
// A reason that is not listed is taken as a regular end.
var finishReasons = map[string]int{
	"length": cutOff, "max_tokens": cutOff, "max_output_tokens": cutOff, "model_length": cutOff, "model_context_window_exceeded": cutOff,
	"content_filter": filtered, "content_filtered": filtered, "safety": filtered, "recitation": filtered, "blocklist": filtered,
	"prohibited_content": filtered, "spii": filtered, "guardrail_intervened": filtered, "refusal": filtered, "error_toxic": filtered,
	"error": broken, "error_limit": broken, "malformed_function_call": broken,
}

// judge returns the model's message, or the failure of an answer that is not usable:
// budget_exceeded, agent_filtered, agent_refused and agent_unsupported are permanent,
// agent_failed is transient. A message without text and without calls is never an
// answer. The order matters: the reason that the author can act on comes first.
func (t *task) judge(c completion, body []byte) (chat, error) {
	first, reason := c.Choices[0], string(c.Choices[0].FinishReason)
	m, ended := first.Message, finishReasons[strings.ToLower(reason)]
	switch {
	// First, because it holds whatever the answer is like.
	case t.cfg.BudgetMicroUSD > 0 && t.usage.CostMicroUSD > t.cfg.BudgetMicroUSD:
		return chat{}, permanent("budget_exceeded", "The attempt cost %d micro USD, more than budget_micro_usd (%d).", t.usage.CostMicroUSD, t.cfg.BudgetMicroUSD)
	case len(first.Error) > 0 && string(first.Error) != "null":
		return chat{}, t.failed("answered with an error", first.Error)
	// Before the message is read: what was cut off may look whole.
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
	// Servers that know only the older API write this although tools were offered.
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

// identify gives calls that came without an id one of their own, so that their results
// can be told apart, and sets the type that the API requires when they are sent back. It
// changes calls.
func (t *task) identify(calls []toolCall) {
	for i := range calls {
		if calls[i].ID == "" {
			calls[i].ID = lenientText(fmt.Sprintf("call_%d_%d", t.turns, i+1))
		}
		calls[i].Type = "function"
	}
}
