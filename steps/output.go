package steps

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"heddle/executor"
	"heddle/internal/exactjson"
	"strings"
	"unicode/utf8"
)

// textValue returns bytes from outside as a JSON value: a string, or {"$base64": …}
// where they are not UTF-8 or hold NUL. b is copied.
func textValue(b []byte) json.RawMessage {
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return object("$base64", exactjson.Quote(base64.StdEncoding.EncodeToString(b)))
	}
	return exactjson.AppendString(make([]byte, 0, textSize(b)), b)
}

// textSize returns how many bytes textValue returns for b, counted without allocating; of
// base64, and of what is not UTF-8, it is a lower bound.
func textSize(b []byte) int {
	n := len(b) + 2
	for _, c := range b {
		switch {
		// textValue returns base64 for NUL, whatever else there is.
		case c == 0:
			return base64.StdEncoding.EncodedLen(len(b))
		case c == '"', c == '\\', c == '\n', c == '\r', c == '\t':
			n++
		case c < ' ':
			n += 5
		}
	}
	return n
}

// jsonValue returns bytes from outside as the JSON value that they are: compact, without
// a byte order mark, every number as it was written. A number that is
// exactjson.TooLarge becomes a string. It returns false where the bytes are not JSON, are nested deeper
// than exactjson.MaxDepth, or hold NUL. It takes O(len(b)) and does not keep b.
func jsonValue(b []byte) (json.RawMessage, bool) {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if !utf8.Valid(b) {
		return nil, false
	}
	// First the bounds, which json.Compact does not check.
	oversized, ok := survey(b)
	if !ok {
		return nil, false
	}
	var compact bytes.Buffer
	compact.Grow(len(b))
	if json.Compact(&compact, b) != nil {
		return nil, false
	}
	if !oversized {
		return compact.Bytes(), true
	}
	return stringifyOversized(compact.Bytes()), true
}

// survey reports whether a number in b is too large, without decoding. ok is false where
// lists and objects nest too deep and for a string that holds NUL. Whether b is JSON at
// all is left to json.Compact.
func survey(b []byte) (oversized, ok bool) {
	for s := exactjson.ScannerOf(b); s.Next(); {
		switch token := s.Token(); {
		case s.Depth > exactjson.MaxDepth, token[0] == '"' && exactjson.HoldsNUL(token):
			return false, false
		case s.IsNumber():
			oversized = oversized || exactjson.TooLarge(token)
		}
	}
	return oversized, true
}

// stringifyOversized returns a JSON text in which numbers that are too large, which could
// keep a reader that expands them busy for hours, are strings with the same digits.
func stringifyOversized(b []byte) json.RawMessage {
	var out []byte
	copied := 0
	for s := exactjson.ScannerOf(b); s.Next(); {
		if s.IsNumber() && exactjson.TooLarge(s.Token()) {
			out = exactjson.AppendString(append(out, b[copied:s.Start]...), s.Token())
			copied = s.End
		}
	}
	return append(out, b[copied:]...)
}

// object returns a JSON object of alternating names and values, in the order given. A
// name is a string; a json.RawMessage is taken as it is and must be valid JSON, which
// saves a copy of large values.
func object(namesAndValues ...any) json.RawMessage {
	size := 64 * len(namesAndValues)
	for _, v := range namesAndValues {
		if raw, ok := v.(json.RawMessage); ok {
			// Large values are copied once and the buffer is not grown step by step.
			size += len(raw)
		}
	}
	o := exactjson.ObjectIn(make([]byte, 0, size))
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		name, _ := namesAndValues[i].(string)
		o.Raw(name, value(namesAndValues[i+1]))
	}
	return o.End()
}

// value returns v as JSON. Raw JSON is taken as it is; what cannot be encoded becomes
// null.
func value(v any) json.RawMessage {
	switch v := v.(type) {
	case json.RawMessage:
		return v
	case string:
		return exactjson.Quote(v)
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			return json.RawMessage("null")
		}
		return raw
	}
}

// maxExcerptSource is how many bytes of a body are searched for secrets before its
// beginning is quoted: more than any secret takes in any encoding, so none that begins
// in the quoted part can be missed.
const maxExcerptSource = 512 << 10

// excerpt returns at most limit bytes from the beginning of a body, for an error's
// details, without the tenant's secrets. Secrets are removed before the text is cut: one
// that was cut in two would not be found.
func excerpt(call executor.Call, b []byte, limit int) string {
	whole := len(b) <= maxExcerptSource
	text := shareable(call, b[:min(len(b), maxExcerptSource)])
	if !whole && len(text) <= limit { // nearly all of it was secrets; the last one may be cut off
		cut := strings.LastIndex(text, "***")
		if cut < 0 {
			return "" // what is left, without bytes that are no text, may end within a secret
		}
		text = text[:cut+len("***")]
	}
	return head(text, limit)
}

// head returns at most limit bytes from the beginning of a text, never a part of a
// character.
func head(text string, limit int) string {
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "")
	}
	return text
}

// shareable returns a text from outside as a caller may see it: UTF-8 without NUL and
// without the tenant's secrets. A text that is shortened must go through here first. It
// returns "" where redaction does not return a string.
func shareable(call executor.Call, b []byte) string {
	text := strings.ToValidUTF8(strings.ReplaceAll(string(b), "\x00", ""), "")
	if call.Redact == nil {
		return text
	}
	var clean string
	if json.Unmarshal(call.Redact(exactjson.Quote(text)), &clean) != nil {
		return ""
	}
	return clean
}

// logLine writes one line to the attempt's log; it does nothing where no log is kept.
func logLine(call executor.Call, level, category, message string, data json.RawMessage) {
	if call.Logs != nil {
		call.Logs.Line(level, category, message, data)
	}
}
