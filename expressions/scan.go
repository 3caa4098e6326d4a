package expressions

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// scan walks the text of an expression token by token, coarsely: a string is
// one token, words and numbers are one, any other character is its own; white
// space and comments are skipped. It accepts every text, valid or not, and
// never recurses.
//
//	for s := newScan(source); s.next(); {
//	use(s.token(), s.column())
//	}
type scan struct {
	source     string
	start, end int // bytes of the current token; both 0 before the first
}

// newScan returns a scan that stands before the first token.
func newScan(source string) *scan { return &scan{source: source} }

// next moves to the next token; false at the end of the text. Each call takes
// time in proportion to the token, so that a scan is O(len(source)).
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

// token returns the current token, never empty after next returned true.
func (s *scan) token() string { return s.source[s.start:s.end] }

// column returns the current token's place, in characters from 1. O(start).
func (s *scan) column() int { return utf8.RuneCountInString(s.source[:s.start]) + 1 }

// opens reports whether the token is an opening bracket.
func (s *scan) opens() bool {
	t := s.token()
	return t == "(" || t == "[" || t == "{"
}

// closes reports whether the token is a closing bracket.
func (s *scan) closes() bool {
	t := s.token()
	return t == ")" || t == "]" || t == "}"
}

// prefixes reports whether the token may be a prefix operator.
func (s *scan) prefixes() bool {
	t := s.token()
	return t == "-" || t == "+" || t == "!" || t == "not"
}

// wordRune reports whether a character may stand in a name or a number.
func wordRune(r rune) bool {
	return r == '_' || r == '$' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// wordLength returns the length of the word at the beginning of a text, in
// bytes.
func wordLength(s string) int {
	for i, r := range s {
		if !wordRune(r) {
			return i
		}
	}
	return len(s)
}

// quoted returns the length of the string literal at the beginning of a text,
// its quotes included; an unfinished one reaches to the end. A backslash hides
// the character behind it.
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

// rawQuoted returns the length of the backtick literal at the beginning of a
// text, in which two backticks are one.
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

// upTo returns the length of a text up to the end of a mark in it; all of it
// without one.
func upTo(s, end string) int {
	if i := strings.Index(s, end); i >= 0 {
		return i + len(end)
	}
	return len(s)
}
