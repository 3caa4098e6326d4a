package versions

import (
	"bytes"
	"encoding/json"
	"heddle/fault"
	"io"
	"sort"
	"strings"
)

// maxDepth is how deep lists and objects may nest, as in definitions. Within it
// every function here may recurse.
const maxDepth = 64

// decode reads one JSON text into maps, lists and plain values. Numbers stay as
// written (json.Number), so that integers beyond 2^53 and decimals keep their
// digits. Errors: fault.Unacceptable syntax, limit_exceeded.
func decode(raw json.RawMessage) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	// As float64 they would lose digits.
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fault.Wrap(err, fault.Unacceptable, "syntax", "The text to compare is not JSON; correct it first.")
	}
	// The decoder stops behind the first value.
	if _, err := dec.Token(); err != io.EOF {
		return nil, fault.New(fault.Unacceptable, "syntax", "There is more text after the end of the JSON value; remove it.")
	}
	if deeperThan(v, maxDepth) {
		return nil, fault.New(fault.Unacceptable, "limit_exceeded", "Lists and objects are nested more than %d deep; flatten them.", maxDepth)
	}
	return v, nil
}

// deeperThan reports whether lists and objects nest more than depth levels; a
// scalar nests none.
func deeperThan(v any, depth int) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			if depth == 0 || deeperThan(member, depth-1) {
				return true
			}
		}
		return depth == 0
	case []any:
		for _, element := range v {
			if depth == 0 || deeperThan(element, depth-1) {
				return true
			}
		}
		return depth == 0
	}
	return false
}

// text returns a value's canonical form: keys sorted by their bytes, no white
// space, numbers as written, as few escapes as possible. Definitions are stored in
// the same form.
func text(v any) json.RawMessage { return appendJSON(nil, v) }

// appendJSON appends the canonical form of a decoded value.
func appendJSON(dst []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		dst = append(dst, '{')
		for i, key := range sortedKeys(v) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, key), ':')
			dst = appendJSON(dst, v[key])
		}
		return append(dst, '}')
	case []any:
		dst = append(dst, '[')
		for i, element := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, element)
		}
		return append(dst, ']')
	case string:
		return appendString(dst, v)
	case json.Number:
		// json.Number, as it was written.
		return append(dst, v...)
	case bool:
		if v {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	}
	return append(dst, "null"...)
}

// appendString appends a JSON string. It escapes only what JSON requires:
// quotes, backslashes and control characters; everything else stays as UTF-8.
// The string is valid UTF-8, since the decoder replaces what is not.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		// JSON has short escapes for these; canonical form uses them.
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// equal reports whether two decoded values are equal; numbers are equal only if
// they are written the same, because the patch has to restore every byte. See
// equalByValue for the other meaning.
func equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && equalObjects(a, b)
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case string:
		b, ok := b.(string)
		return ok && a == b
	case json.Number:
		b, ok := b.(json.Number)
		return ok && a == b
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	}
	// Two nulls; a decoded value has no other type.
	return b == nil
}

// equalObjects is equal for objects.
func equalObjects(a, b map[string]any) bool {
	if len(a) != len(b) {
		return false
	}
	for key, x := range a {
		if y, ok := b[key]; !ok || !equal(x, y) {
			return false
		}
	}
	return true
}

// sortedKeys returns an object's keys, sorted by their bytes.
func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// keysOfBoth returns the keys of both objects, each once, sorted.
func keysOfBoth(a, b map[string]any) []string {
	// Those of a, then those that only b has; sorted together below.
	keys := sortedKeys(a)
	for key := range b {
		if _, ok := a[key]; !ok {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	return keys
}

// escapeToken returns a key as one token of a JSON pointer (RFC 6901).
func escapeToken(key string) string {
	if !strings.ContainsAny(key, "~/") {
		return key
	}
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}
