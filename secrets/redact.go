package secrets

import (
	"bytes"
	"encoding/json"
	"heddle/internal/exactjson"
	"slices"
)

// mask stands where a secret stood.
const mask = "***"

// redactor removes a tenant's secrets from JSON and text. It does not change after
// newRedactor and is safe for concurrent use.
type redactor struct {
	matcher *matcher
	wholes  [][]byte // secrets that are JSON objects or lists, compact
}

// newRedactor returns a redactor of the values. Values that are JSON objects or lists
// are also found where they stand as such, however they are spaced.
func newRedactor(secrets []string) *redactor {
	r := &redactor{matcher: newMatcher(secrets)}
	for _, s := range secrets {
		var compact bytes.Buffer
		trimmed := bytes.TrimSpace([]byte(s))
		if len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') && json.Compact(&compact, trimmed) == nil {
			r.wholes = append(r.wholes, compact.Bytes())
		}
	}
	return r
}

// contains reports whether a JSON value holds a whole secret.
func (r *redactor) contains(value json.RawMessage) bool {
	_, found := r.walk(value, false)
	return found
}

// json replaces every secret in a JSON value by ***: within strings and keys, and
// numbers, objects and lists that are one. A value without secrets is returned as it is,
// not copied.
func (r *redactor) json(value json.RawMessage) json.RawMessage {
	out, _ := r.walk(value, true)
	return out
}

// walk copies a JSON value token by token, with what holds a secret replaced, and
// reports whether anything was. Tokens that hold none keep their spelling. A value that
// is not JSON is treated as the text of one string, and the result is that string.
// partial is that of matcher.find.
func (r *redactor) walk(value json.RawMessage, partial bool) (json.RawMessage, bool) {
	if !json.Valid(value) {
		spans := r.spans(value, partial)
		if len(spans) == 0 {
			return value, false
		}
		return exactjson.Quote(replaced(value, spans)), true
	}
	var out []byte
	copied := 0
	put := func(start, end int, text []byte) {
		out = append(append(out, value[copied:start]...), text...)
		copied = end
	}
	for i := 0; i < len(value); {
		end := i + 1
		switch c := value[i]; {
		case c == '"':
			end = exactjson.SkipString(value, i)
			if text := r.text(value[i:end], partial); text != nil {
				put(i, end, text)
			}
		case c == '{' || c == '[':
			if n := r.wholeLength(value[i:]); n > 0 {
				end = i + n
				put(i, end, []byte(`"`+mask+`"`))
			}
		case c == '-' || c >= '0' && c <= '9':
			end = exactjson.SkipWord(value, i)
			if len(r.matcher.find(value[i:end], false, nil)) > 0 {
				put(i, end, []byte(`"`+mask+`"`))
			}
		}
		i = end
	}
	if out == nil {
		return value, false
	}
	return append(out, value[copied:]...), true
}

// text redacts one JSON string with its quotes; nil where it holds no secret. It
// searches the decoded string, and its other readings (spans).
func (r *redactor) text(token []byte, partial bool) []byte {
	inner := token[1 : len(token)-1]
	if len(inner) < window {
		return nil
	}
	if bytes.IndexByte(inner, '\\') >= 0 {
		var decoded string
		if json.Unmarshal(token, &decoded) != nil {
			return nil
		}
		inner = []byte(decoded)
	}
	spans := r.spans(inner, partial)
	if len(spans) == 0 {
		return nil
	}
	return exactjson.Quote(replaced(inner, spans))
}

// spans returns where secrets are in a text, as it is and as its readers may decode it,
// in order and without overlaps.
func (r *redactor) spans(text []byte, partial bool) []span {
	found := r.matcher.find(text, partial, nil)
	for _, v := range viewsOf(text) {
		at := len(found)
		found = r.matcher.find(v.text, partial, found)
		for i := at; i < len(found); i++ {
			found[i] = v.origin(found[i])
		}
	}
	return merged(found)
}

// minWrapped is how many bytes of a secret must be seen at the end of a text whose line
// breaks were removed. Fewer occur there by chance too often, and the text would be held
// back.
const minWrapped = 6

// unfinished returns the position in a text from which on it may be the beginning of a
// secret that goes on behind its end; len(text) where there is none.
func (r *redactor) unfinished(text []byte) int {
	at := r.matcher.unfinished(text, 1)
	for _, v := range viewsOf(text) {
		least := 1
		if n := len(v.text); n > 0 && len(text) > 0 && v.text[n-1] != text[len(text)-1] {
			least = minWrapped
		}
		if i := r.matcher.unfinished(v.text, least); i < len(v.text) {
			at = min(at, v.origin(span{i, len(v.text)}).start)
		}
	}
	return at
}

// merged sorts spans by their start and joins those that touch or overlap. It changes
// the order of its argument.
func merged(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return a.start - b.start })
	var out []span
	for _, s := range spans {
		if n := len(out); n > 0 && s.start <= out[n-1].end {
			out[n-1].end = max(out[n-1].end, s.end)
			continue
		}
		out = append(out, s)
	}
	return out
}

// replaced returns text with *** in place of each span. spans are in order and apart.
func replaced(text []byte, spans []span) []byte {
	var out []byte
	at := 0
	for _, s := range spans {
		out = append(append(out, text[at:s.start]...), mask...)
		at = s.end
	}
	return append(out, text[at:]...)
}

// wholeLength returns the length of the object or list at the beginning of rest if it is
// a secret, however it is spaced; 0 otherwise.
func (r *redactor) wholeLength(rest []byte) int {
	for _, w := range r.wholes {
		if n := spaced(rest, w); n > 0 {
			return n
		}
	}
	return 0
}

// spaced returns how many bytes at the beginning of text are the same JSON as compact,
// with any white space between tokens; 0 where they are not.
func spaced(text, compact []byte) int {
	i, inString := 0, false
	for j := 0; j < len(compact); j++ {
		for !inString && i < len(text) && bytes.IndexByte([]byte(" \t\r\n"), text[i]) >= 0 {
			i++
		}
		if i >= len(text) || text[i] != compact[j] {
			return 0
		}
		switch {
		case inString && compact[j] == '\\' && j+1 < len(compact):
			i, j = i+1, j+1
			if i >= len(text) || text[i] != compact[j] {
				return 0
			}
		case compact[j] == '"':
			inString = !inString
		}
		i++
	}
	return i
}
