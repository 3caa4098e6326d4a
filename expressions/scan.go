package expressions

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// scan walks the text of an expression token by token, coarsely: strings and
// comments are one token each, words and numbers are one, any other character
// is its own. It never recurses.
type scan struct {
	source     string
	start, end int
}

func newScan(source string) *scan { return &scan{source: source} }

// next moves to the next token; false at the end of the text.
func (s *scan) next() bool {
	for s.end < len(s.source) {
		s.start = s.end
		r, size := utf8.DecodeRuneInString(s.source[s.end:])
		rest := s.source[s.end:]
		switch {
		case unicode.IsSpace(r):
			s.end += size
			continue
		case r == '\'' || r == '"':
			s.end += quoted(rest, byte(r))
		case r == '`':
			s.end += rawQuoted(rest)
		case strings.HasPrefix(rest, "//"):
			s.end += upTo(rest, "\n")
			continue
		case strings.HasPrefix(rest, "/*"):
			s.end += upTo(rest, "*/")
			continue
		case wordRune(r):
			s.end += wordLength(rest)
		default:
			s.end += size
		}
		return true
	}
	s.start = s.end
	return false
}

func (s *scan) token() string { return s.source[s.start:s.end] }

// column is the token's place, in characters from 1.
func (s *scan) column() int { return utf8.RuneCountInString(s.source[:s.start]) + 1 }

func (s *scan) opens() bool {
	t := s.token()
	return t == "(" || t == "[" || t == "{"
}

func (s *scan) closes() bool {
	t := s.token()
	return t == ")" || t == "]" || t == "}"
}

func (s *scan) prefixes() bool {
	t := s.token()
	return t == "-" || t == "+" || t == "!" || t == "not"
}

func wordRune(r rune) bool {
	return r == '_' || r == '$' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

func wordLength(s string) int {
	for i, r := range s {
		if !wordRune(r) {
			return i
		}
	}
	return len(s)
}

// quoted is the length of a string literal with backslash escapes, its quotes
// included; an unfinished one reaches to the end.
func quoted(s string, quote byte) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case quote:
			return i + 1
		}
	}
	return len(s)
}

// rawQuoted is the length of a backtick literal, in which two backticks are one.
func rawQuoted(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] != '`' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '`' {
			i++
			continue
		}
		return i + 1
	}
	return len(s)
}

func upTo(s, end string) int {
	if i := strings.Index(s, end); i >= 0 {
		return i + len(end)
	}
	return len(s)
}
