package machine

import (
	"encoding/json"
	"heddle/events"
	"heddle/internal/exactjson"
	"time"
)

// timeLayout is RFC 3339 with milliseconds, for UTC times. All stored times have it.
const timeLayout = "2006-01-02T15:04:05.000Z"

// jsonObject is an exactjson.Object with what the machine writes; it leaves out members
// that say nothing. The machine writes millions of these, and reflection would be most of
// their cost.
type jsonObject struct{ exactjson.Object }

// objectIn returns an object that begins at the end of buf.
func objectIn(buf []byte) jsonObject { return jsonObject{exactjson.ObjectIn(buf)} }

// text appends a string, unless it is empty.
func (o *jsonObject) text(name, v string) {
	if v != "" {
		o.Text(name, v)
	}
}

// raw appends a JSON value as it stands, unless it is empty.
func (o *jsonObject) raw(name string, v json.RawMessage) {
	if len(v) > 0 {
		o.Raw(name, v)
	}
}

// numberIf appends a whole number, unless it is 0.
func (o *jsonObject) numberIf(name string, v int64) {
	if v != 0 {
		o.Int(name, v)
	}
}

// instant appends a time in RFC 3339 with milliseconds, unless it is zero.
func (o *jsonObject) instant(name string, t time.Time) {
	if !t.IsZero() {
		o.Name(name)
		o.Buf = append(t.UTC().AppendFormat(append(o.Buf, '"'), timeLayout), '"')
	}
}

// err appends a member error, unless e is nil.
func (o *jsonObject) err(e *Error) {
	if e != nil {
		o.Name("error")
		o.Buf = appendError(o.Buf, e)
	}
}

// encode appends the detail's JSON to buf; nothing when it is empty. The order of members
// is fixed, so that equal details have equal text. kind decides where a duration of 0 is
// written. It writes the members that the tags of Detail name, and ReadDetail reads them
// back.
func (d *Detail) encode(buf []byte, kind events.Kind) []byte {
	o := objectIn(buf)
	o.text("state", string(d.State))
	o.text("from", string(d.From))
	o.text("outcome", string(d.Outcome))
	o.text("reason", d.Reason)
	o.actor(d.Actor)
	o.text("role", d.Role)
	o.text("kind", d.Kind)
	o.text("name", d.Name)
	o.text("from_step", d.FromStep)
	o.text("redrive", d.Redrive)
	o.numberIf("version", int64(d.Version))
	o.numberIf("generation", int64(d.Generation))
	o.text("definition_hash", d.Hash)
	o.text("handlers", d.Handlers)
	if d.Defaults {
		o.raw("defaults", json.RawMessage("true"))
	}
	if d.KeepKeys {
		o.raw("keep_keys", json.RawMessage("true"))
	}
	o.text("request_id", d.RequestID)
	o.numberIf("signal_seq", d.SignalSeq)
	o.text("prompt", d.Prompt)
	o.raw("schema", d.Schema)
	o.raw("context", d.Context)
	o.raw("choices", d.Choices)
	o.raw("assignees", d.Assignees)
	o.raw("payload", d.Payload)
	if kind == events.SignalReceived || kind == events.StateChanged {
		o.text("answer_key", d.AnswerKey)
	}
	o.raw("output", d.Output)
	o.raw("result", d.Result)
	o.err(d.Error)
	o.raw("items", d.Items)
	o.text("fallback", d.Fallback)
	if d.Count != nil {
		o.Int("count", int64(*d.Count))
	}
	o.instant("until", d.Until)
	o.instant("timeout_at", d.TimeoutAt)
	o.instant("next_attempt_at", d.NextAttemptAt)
	switch kind {
	case events.StepCompleted:
		o.Int("latency_ms", d.LatencyMS)
	case events.RunCompleted, events.RunFailed, events.RunCancelled:
		o.Int("duration_ms", d.DurationMS)
	default:
		o.numberIf("latency_ms", d.LatencyMS)
	}
	o.numberIf("tokens", d.Tokens)
	o.numberIf("cost_micro_usd", d.CostMicroUSD)
	o.raw("tool_calls", d.ToolCalls)
	o.text("agent", d.Usage.Agent)
	if o.Empty() {
		return buf
	}
	return o.End()
}

// appendError appends an error's JSON. Details that cannot be encoded are left
// out.
func appendError(buf []byte, e *Error) []byte {
	o := objectIn(buf)
	o.Text("code", e.Code)
	o.Text("message", e.Message)
	if len(e.Details) > 0 {
		if details, err := json.Marshal(e.Details); err == nil {
			o.Raw("details", details)
		}
	}
	return o.End()
}
