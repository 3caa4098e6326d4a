package steps

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"heddle/executor"
	"strings"
	"unicode/utf8"
)

// Bounds of JSON from outside, so that no later reader of an output has more to bear.
const (
	maxJSONDepth = 64   // levels of objects and lists
	maxDigits    = 1000 // of one number
)

// textValue returns bytes from outside as a JSON value: a string, or {"$base64": …}
// where they are not UTF-8 or hold NUL. b is copied.
func textValue(b []byte) json.RawMessage {
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return object("$base64", quote(base64.StdEncoding.EncodeToString(b)))
	}
	return quoteText(b)
}

// quoteText is quote for texts of any size: it makes one copy, where encoding/json makes
// three. b must be valid UTF-8. U+2028 and U+2029 are escaped as encoding/json does it.
func quoteText(b []byte) json.RawMessage {
	out := append(make([]byte, 0, textSize(b)), '"')
	// Stretches without escapes are copied as a whole.
	from := 0
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c == '"' || c == '\\' || c < ' ':
			out = append(out, b[from:i]...)
			out = append(out, escape(c)...)
		case c == 0xe2 && i+2 < len(b) && b[i+1] == 0x80 && b[i+2]&^1 == 0xa8: // U+2028, U+2029
			out = append(out, b[from:i]...)
			out = append(append(out, `\u202`...), '8'+b[i+2]&1)
			i += 2
		default:
			continue
		}
		from = i + 1
	}
	return append(append(out, b[from:]...), '"')
}

// escape returns the JSON escape of a byte below 0x20, of a quotation mark or of a
// backslash.
func escape(c byte) string {
	switch c {
	case '"', '\\':
		return `\` + string(rune(c))
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	case '\b':
		return `\b`
	case '\f':
		return `\f`
	}
	return fmt.Sprintf(`\u%04x`, c)
}

// textSize returns a lower bound of the bytes that textValue returns for b, counted
// without allocating. It differs from the true size only by the escapes of U+2028 and
// U+2029, by bytes that are not UTF-8, and by the object around base64.
func textSize(b []byte) int {
	n := len(b) + 2
	for _, c := range b {
		switch {
		// textValue returns base64 for NUL, whatever else there is.
		case c == 0:
			return base64.StdEncoding.EncodedLen(len(b))
		case c == '"', c == '\\', c == '\n', c == '\r', c == '\t', c == '\b', c == '\f':
			n++
		case c < ' ':
			n += 5
		}
	}
	return n
}

// jsonValue returns bytes from outside as the JSON value that they are: compact, without
// a byte order mark, every number as it was written. A number out of range becomes a
// string (inRange). It returns false where the bytes are not JSON, are nested deeper
// than maxJSONDepth, or hold NUL. It takes O(len(b)) and does not keep b.
func jsonValue(b []byte) (json.RawMessage, bool) {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if !utf8.Valid(b) {
		return nil, false
	}
	// First the bounds, which json.Compact does not check.
	depth, oversized, ok := surveyJSON(b)
	if !ok || depth > maxJSONDepth {
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

// surveyJSON returns the depth of the nesting and whether a number is out of range,
// without decoding. ok is false for a string that holds NUL or does not end. Whether b
// is JSON at all is left to json.Compact.
func surveyJSON(b []byte) (depth int, oversized, ok bool) {
	level := 0
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			end, fine := skipString(b, i)
			if !fine {
				return 0, false, false
			}
			i = end
		case c == '{' || c == '[':
			level++
			depth = max(depth, level)
		case c == '}' || c == ']':
			level--
		case c == '-' || c >= '0' && c <= '9':
			end := numberEnd(b, i)
			oversized = oversized || !inRange(string(b[i:end]))
			i = end - 1
		}
	}
	return depth, oversized, true
}

// skipString returns the index of the quote that closes the string at start; false where
// the string holds an escaped NUL or does not end.
func skipString(b []byte, start int) (int, bool) {
	for i := start + 1; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i, true
		case '\\':
			if bytes.HasPrefix(b[i:], []byte(`\u0000`)) {
				return 0, false
			}
			i++
		}
	}
	return 0, false
}

// numberEnd returns the index after the number that begins at i. It takes every byte
// that may occur in a number; json.Compact judges the syntax.
func numberEnd(b []byte, i int) int {
	for i < len(b) && (b[i] >= '0' && b[i] <= '9' || b[i] == '-' || b[i] == '+' || b[i] == '.' || b[i] == 'e' || b[i] == 'E') {
		i++
	}
	return i
}

// inRange reports whether a number has at most 1,000 digits and an exponent within
// ±1,000, the same bounds that definitions have. A reader that turns a larger one into a
// big integer could be kept busy for hours.
func inRange(number string) bool {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	exponent = strings.TrimLeft(strings.TrimLeft(exponent, "+-"), "0")
	return len(mantissa) <= maxDigits && (len(exponent) < 4 || exponent == "1000")
}

// stringifyOversized returns a compact JSON text in which numbers out of range are
// strings with the same digits.
func stringifyOversized(b []byte) json.RawMessage {
	var out bytes.Buffer
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			end, _ := skipString(b, i)
			out.Write(b[i : end+1])
			i = end
		case c == '-' || c >= '0' && c <= '9':
			end := numberEnd(b, i)
			if number := string(b[i:end]); inRange(number) {
				out.WriteString(number)
			} else {
				out.WriteString(`"` + number + `"`)
			}
			i = end - 1
		default:
			out.WriteByte(c)
		}
	}
	return out.Bytes()
}

// quote returns s as a JSON string, with <, > and & as they are.
func quote(s string) json.RawMessage {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return json.RawMessage(`""`)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

// object returns a JSON object of alternating names and values, in the order given. A
// name is a string; a json.RawMessage is taken as it is and must be valid JSON, which
// saves a copy of large values.
func object(namesAndValues ...any) json.RawMessage {
	var buf bytes.Buffer
	for _, v := range namesAndValues {
		if raw, ok := v.(json.RawMessage); ok {
			// Large values are copied once and the buffer is not grown step by step.
			buf.Grow(len(raw) + 64)
		}
	}
	buf.WriteByte('{')
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		if i > 0 {
			buf.WriteByte(',')
		}
		name, _ := namesAndValues[i].(string)
		buf.Write(quote(name))
		buf.WriteByte(':')
		buf.Write(value(namesAndValues[i+1]))
	}
	buf.WriteByte('}')
	return buf.Bytes()
}

// value returns v as JSON. Raw JSON is taken as it is; what cannot be encoded becomes
// null.
func value(v any) json.RawMessage {
	switch v := v.(type) {
	case json.RawMessage:
		return v
	case string:
		return quote(v)
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
	if json.Unmarshal(call.Redact(quote(text)), &clean) != nil {
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
