package expressions

import (
	"slices"
	"strconv"
	"strings"
)

// cut is a stretch of a string: literal, or what stands between {{ and }}.
type cut struct {
	text     string
	template bool
	column   int // where it begins, its {{ included
}

// cutTemplates cuts a string at its {{ }}. With an error, the cuts before it
// are given too.
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

// unclosed is the error of a {{ without its }}.
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

// templateEnd finds the }} that ends a template: not one inside a string
// literal, a comment or a map literal. None: -1.
func templateEnd(s string) int {
	depth := 0
	for t := newScan(s); t.next(); {
		switch {
		case t.opens():
			depth++
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
	start, end int
	text       string
	pointer    string
}

// templateStrings finds the strings that hold {{ in valid JSON, in order.
func templateStrings(config []byte, literal []string) []located {
	f := &finder{raw: config, literal: literal}
	f.value(skipSpace(config, 0), "")
	return f.found
}

type finder struct {
	raw     []byte
	literal []string
	found   []located
}

// value visits the value at i and gives the place behind it.
func (f *finder) value(i int, pointer string) int {
	switch f.raw[i] {
	case '"':
		return f.text(i, pointer)
	case '{':
		return f.object(i, pointer)
	case '[':
		return f.list(i, pointer)
	}
	return skipValue(f.raw, i)
}

func (f *finder) text(i int, pointer string) int {
	end := skipString(f.raw, i)
	v, err := decodeString(f.raw[i:end])
	if s, ok := v.(string); ok && err == nil && strings.Contains(s, "{{") {
		f.found = append(f.found, located{i, end, s, pointer})
	}
	return end
}

func (f *finder) object(i int, pointer string) int {
	i = skipSpace(f.raw, i+1)
	for f.raw[i] != '}' {
		end := skipString(f.raw, i)
		key, _ := decodeString(f.raw[i:end])
		name, _ := key.(string)
		i = skipSpace(f.raw, skipSpace(f.raw, end)+1)
		if pointer == "" && f.raw[i] == '"' && slices.Contains(f.literal, name) {
			i = skipString(f.raw, i)
		} else {
			i = f.value(i, pointer+"/"+escapePointer(name))
		}
		i = f.comma(i)
	}
	return i + 1
}

func (f *finder) list(i int, pointer string) int {
	i = skipSpace(f.raw, i+1)
	for n := 0; f.raw[i] != ']'; n++ {
		i = f.comma(f.value(i, pointer+"/"+strconv.Itoa(n)))
	}
	return i + 1
}

func (f *finder) comma(i int) int {
	if i = skipSpace(f.raw, i); f.raw[i] == ',' {
		i = skipSpace(f.raw, i+1)
	}
	return i
}

func escapePointer(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1")
}
