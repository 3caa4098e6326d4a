package expressions

import (
	"bytes"
	"encoding/json"
	"heddle/internal/exactjson"
	"strings"
)

// descend follows the path's hops from the one at index from through raw JSON, and
// returns the bytes found, a part of raw; for a character of a string, new bytes.
// Nothing is decoded on the way. A member that an object lacks is null. A member of
// null is an error with CodeFailed, unless the hop is optional: then the rest of
// its chain is skipped and the result is null. Errors have the column of the hop.
func descend(raw json.RawMessage, p path, from int) (json.RawMessage, *Error) {
	for i := from; i < len(p.hops); i++ {
		h := p.hops[i]
		if h.ends {
			continue
		}
		raw = bytes.TrimLeft(raw, " \t\r\n")
		// Valid JSON that begins with n is null.
		null := len(raw) == 0 || raw[0] == 'n'
		if null && h.optional {
			raw = nil
			// To the end of the innermost chain; what follows it reads a member of
			// null.
			for i++; i < len(p.hops) && !p.hops[i].ends; i++ {
			}
			continue
		}
		if null {
			return nil, failAt(CodeFailed, h.column, "%s is null, so %s cannot be read; use ?. where it may be missing", p.text(i), p.text(i+1))
		}
		next, ok := step(raw, h)
		if !ok {
			return nil, noMember(raw, p, i)
		}
		raw = next
	}
	return raw, nil
}

// noMember is the error of hop i of a path, which a value has no member for. A
// member that other languages have as a method, such as .length, is answered with
// the function for it.
func noMember(raw json.RawMessage, p path, i int) *Error {
	h, holder := p.hops[i], p.text(i)
	kind := rawKind(raw)
	// rawKind would say that an element is missing.
	if !h.numeric && raw[0] == '[' {
		kind = "a list, which has elements by number"
	}
	e := failAt(CodeFailed, h.column, "%s is %s, so %s cannot be read", holder, kind, p.text(i+1))
	if w, ok := methodWords().find(h.key); ok && !h.numeric && raw[0] != '{' {
		e.Message += ": " + strings.ReplaceAll(w.say, "(x)", "("+holder+")")
	}
	return e
}

// step takes one hop from a value that is not null. It returns false where a value
// of that kind has no such member, or the list or string no such element.
func step(raw json.RawMessage, h hop) (json.RawMessage, bool) {
	switch {
	case raw[0] == '{' && !h.numeric:
		return member(raw, h.key), true
	case raw[0] == '[' && h.numeric:
		return element(raw, h.index)
	case raw[0] == '"' && h.numeric:
		return character(raw, h.index)
	}
	return nil, false
}

// member returns the value of an object's member; of equal names the last one
// counts, as in encoding/json. Absent: nil. raw must be valid JSON and begin with a
// brace. It costs one pass over the object, without allocating.
func member(raw json.RawMessage, key string) json.RawMessage {
	var found json.RawMessage
	for p := exactjson.PartsOf(raw); p.Next(); {
		// Not the end of the search: a later member of the same name counts.
		if sameString(p.Name, key) {
			found = p.Value()
		}
	}
	return found
}

// character returns one character of a JSON string, as a JSON string; false beyond
// its end.
func character(raw json.RawMessage, index int) (json.RawMessage, bool) {
	v, err := decodeString(raw)
	s, ok := v.(string)
	if err != nil || !ok || index < 0 {
		return nil, false
	}
	at := byteOf(s, index)
	if at >= len(s) {
		return nil, false
	}
	return exactjson.Quote(s[at : at+byteOf(s[at:], 1)]), true
}

// element returns an element of a list; false beyond its end. raw must be valid
// JSON and begin with a bracket; it is read up to the element only.
func element(raw json.RawMessage, index int) (json.RawMessage, bool) {
	p := exactjson.PartsOf(raw)
	for n := 0; p.Next(); n++ {
		if n == index {
			return p.Value(), true
		}
	}
	return nil, false
}

// sameString compares a quoted JSON string with a Go string; only one with escapes
// is decoded.
func sameString(quoted []byte, s string) bool {
	// An unfinished string may be a single quote.
	inner := quoted[1:max(1, len(quoted)-1)]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner) == s
	}
	var decoded string
	return json.Unmarshal(quoted, &decoded) == nil && decoded == s
}

// rawKind names the kind of a JSON value in words, as noMember needs them: a list
// is one that lacks the element.
func rawKind(raw []byte) string {
	if len(raw) == 0 {
		return "null"
	}
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "a list without that element"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}
