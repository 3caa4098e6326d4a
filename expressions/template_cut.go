package expressions

import (
	"heddle/internal/exactjson"
	"slices"
	"strconv"
	"strings"
)

// cut is a stretch of a string: literal text, or what stands between {{ and }}.
type cut struct {
	text     string // without the braces
	template bool
	column   int // where it begins, in characters from 1; of a template, that of its {{
}

// cutTemplates cuts a string at its {{ }}; the cuts in order are the whole string.
// A {{ that is not closed is an error with CodeSyntax, and the cuts before it are
// returned with it. For "a {{ b }}" the cuts are "a " at column 1 and the template
// " b " at column 3.
func cutTemplates(s string) ([]cut, *Error) {
	var cuts []cut
	at, column := 0, 1
	for {
		i := strings.Index(s[at:], "{{")
		if i < 0 {
			break
		}
		if i > 0 {
			cuts = append(cuts, cut{text: s[at : at+i], column: column})
			column += runes(s[at : at+i])
		}
		inner := s[at+i+2:]
		end := templateEnd(inner)
		if end < 0 {
			return cuts, unclosed(inner, column)
		}
		cuts = append(cuts, cut{text: inner[:end], template: true, column: column})
		column += 4 + runes(inner[:end])
		at += i + 4 + end
	}
	if at < len(s) {
		cuts = append(cuts, cut{text: s[at:], column: column})
	}
	return cuts, nil
}

// unclosed is the error of a {{ without its }}, where inner is what follows the {{.
// A common cause is // meant as a default: it begins a comment, which hides the }}.
func unclosed(inner string, column int) *Error {
	if first, _, _ := strings.Cut(inner, "\n"); strings.Contains(first, "//") && strings.Contains(first, "}}") {
		if at, found := comment(first); found {
			e := failAt(CodeSyntax, column+1+at, "%s", commentWords)
			e.Suggestion = "??"
			return e
		}
	}
	return failAt(CodeSyntax, column, "{{ has no closing }}; {{ \"{{\" }} writes two braces")
}

// templateEnd returns the byte at which the }} that ends a template begins: not one
// inside a string literal, a comment or an object literal. None: -1.
func templateEnd(s string) int {
	depth := 0
	for t := newScan(s); t.next(); {
		switch {
		case t.opens():
			depth++
		// A bracket of the expression itself; only at depth 0 can a brace be
		// the template's.
		case t.closes() && depth > 0:
			depth--
		case t.token() == "}" && strings.HasPrefix(s[t.end:], "}"):
			return t.start
		}
	}
	return -1
}

// located is a string value of a config that holds a template.
type located struct {
	start, end int    // its bytes in the config, quotes included
	text       string // decoded
	pointer    string // RFC 6901
}

// templateStrings finds the string values that hold {{ in a JSON document, in the
// order of the text. The document must be valid and not too deep. It never decodes
// more than one string at a time; strings directly under the names in literal at
// the top level are left out.
func templateStrings(config []byte, literal []string) []located {
	f := &finder{raw: config, literal: literal}
	f.value(exactjson.SkipSpace(config, 0), "")
	return f.found
}

// finder walks a valid JSON document by position. Its methods take the position of
// a value's first byte and return the one behind it; pointer is the value's RFC
// 6901 pointer.
type finder struct {
	raw     []byte
	literal []string // names at the top level whose strings are left out
	found   []located
}

// value visits any value. Lists and objects recurse, at most maxJSONDeep deep.
func (f *finder) value(i int, pointer string) int {
	switch f.raw[i] {
	case '"':
		return f.text(i, pointer)
	case '{':
		return f.object(i, pointer)
	case '[':
		return f.list(i, pointer)
	}
	return exactjson.SkipValue(f.raw, i)
}

// text keeps a string that holds {{. The braces may be written as \u007b, so it is
// decoded first.
func (f *finder) text(i int, pointer string) int {
	end := exactjson.SkipString(f.raw, i)
	v, err := decodeString(f.raw[i:end])
	if s, ok := v.(string); ok && err == nil && strings.Contains(s, "{{") {
		f.found = append(f.found, located{i, end, s, pointer})
	}
	return end
}

// object visits the members of an object; their names are not searched.
func (f *finder) object(i int, pointer string) int {
	i = exactjson.SkipSpace(f.raw, i+1)
	for f.raw[i] != '}' {
		end := exactjson.SkipString(f.raw, i)
		name := exactjson.Unquote(f.raw[i:end])
		i = exactjson.SkipSpace(f.raw, exactjson.SkipSpace(f.raw, end)+1)
		if pointer == "" && f.raw[i] == '"' && slices.Contains(f.literal, name) {
			i = exactjson.SkipString(f.raw, i)
		} else {
			i = f.value(i, pointer+"/"+exactjson.EscapeToken(name))
		}
		i = f.comma(i)
	}
	return i + 1
}

// list visits the elements of a list.
func (f *finder) list(i int, pointer string) int {
	i = exactjson.SkipSpace(f.raw, i+1)
	for n := 0; f.raw[i] != ']'; n++ {
		i = f.comma(f.value(i, pointer+"/"+strconv.Itoa(n)))
	}
	return i + 1
}

// comma moves to the next member or element, or to the closing bracket.
func (f *finder) comma(i int) int {
	if i = exactjson.SkipSpace(f.raw, i); f.raw[i] == ',' {
		i = exactjson.SkipSpace(f.raw, i+1)
	}
	return i
}
