package machine

import (
	"encoding/json"
	"heddle/events"
	"strconv"
	"time"
	"unicode/utf8"
)

// timeLayout is RFC 3339 with milliseconds, for UTC times. All stored times have it.
const timeLayout = "2006-01-02T15:04:05.000Z"

// jsonObject builds one JSON object by appending; the machine writes millions of these, and
// reflection would be most of their cost. The caller appends the closing brace. Members
// come in the order of the calls.
type jsonObject struct {
	buf   []byte
	start int // where the object begins in buf
}

// key begins a member; name is a constant that needs no escapes.
func (o *jsonObject) key(name string) {
	if len(o.buf) == o.start {
		o.buf = append(o.buf, '{', '"')
	} else {
		o.buf = append(o.buf, ',', '"')
	}
	o.buf = append(o.buf, name...)
	o.buf = append(o.buf, '"', ':')
}

// text appends a string, unless it is empty.
func (o *jsonObject) text(name, v string) {
	if v != "" {
		o.key(name)
		o.buf = appendText(o.buf, v)
	}
}

// raw appends a JSON value as it stands, unless it is empty.
func (o *jsonObject) raw(name string, v json.RawMessage) {
	if len(v) > 0 {
		o.key(name)
		o.buf = append(o.buf, v...)
	}
}

// number appends a whole number.
func (o *jsonObject) number(name string, v int64) {
	o.key(name)
	o.buf = strconv.AppendInt(o.buf, v, 10)
}

// numberIf appends a whole number, unless it is 0.
func (o *jsonObject) numberIf(name string, v int64) {
	if v != 0 {
		o.number(name, v)
	}
}

// instant appends a time in RFC 3339 with milliseconds, unless it is zero.
func (o *jsonObject) instant(name string, t time.Time) {
	if !t.IsZero() {
		o.key(name)
		o.buf = append(o.buf, '"')
		o.buf = t.UTC().AppendFormat(o.buf, timeLayout)
		o.buf = append(o.buf, '"')
	}
}

// err appends a member error, unless e is nil.
func (o *jsonObject) err(e *Error) {
	if e != nil {
		o.key("error")
		o.buf = appendError(o.buf, e)
	}
}

// encode appends the detail's JSON to buf; nothing when it is empty. The order of members
// is fixed, so that equal details have equal text. kind decides where a duration of 0 is
// written. It writes the members that the tags of Detail name, and ReadDetail reads them
// back.
func (d *Detail) encode(buf []byte, kind events.Kind) []byte {
	o := jsonObject{buf, len(buf)}
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
	o.raw("payload", d.Payload)
	o.raw("output", d.Output)
	o.raw("result", d.Result)
	o.err(d.Error)
	o.raw("items", d.Items)
	o.text("fallback", d.Fallback)
	if d.Count != nil {
		o.number("count", int64(*d.Count))
	}
	o.instant("until", d.Until)
	o.instant("timeout_at", d.TimeoutAt)
	o.instant("next_attempt_at", d.NextAttemptAt)
	switch kind {
	case events.StepCompleted:
		o.number("latency_ms", d.LatencyMS)
	case events.RunCompleted, events.RunFailed, events.RunCancelled:
		o.number("duration_ms", d.DurationMS)
	default:
		o.numberIf("latency_ms", d.LatencyMS)
	}
	o.numberIf("tokens", d.Tokens)
	o.numberIf("cost_micro_usd", d.CostMicroUSD)
	o.raw("tool_calls", d.ToolCalls)
	if len(o.buf) > o.start {
		o.buf = append(o.buf, '}')
	}
	return o.buf
}

// appendError appends an error's JSON. Details that cannot be encoded are left
// out.
func appendError(buf []byte, e *Error) []byte {
	buf = append(buf, `{"code":`...)
	buf = appendText(buf, e.Code)
	buf = append(buf, `,"message":`...)
	buf = appendText(buf, e.Message)
	if len(e.Details) > 0 {
		if details, err := json.Marshal(e.Details); err == nil {
			buf = append(append(buf, `,"details":`...), details...)
		}
	}
	return append(buf, '}')
}

// appendText appends a JSON string; what is not UTF-8 is replaced, as
// encoding/json does.
func appendText(buf []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		// Most texts need no escapes and are copied as they are.
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, _ := json.Marshal(s) //nolint:errchkjson // a string always encodes
			return append(buf, quoted...)
		}
	}
	buf = append(buf, '"')
	buf = append(buf, s...)
	return append(buf, '"')
}
