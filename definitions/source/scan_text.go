package source

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// plain reads a string of ASCII without escapes, as most are, whose opening quote is next,
// and returns its text, which is not copied. It returns false and reads nothing where the
// string is of another kind, or may be refused.
func (s *scanner) plain() (string, bool) {
	start := s.at + 1
	for at := start; at < len(s.src); at++ {
		switch c := s.src[at]; {
		case c == '"':
			if at-start > s.limits.StringBytes {
				return "", false
			}
			s.at = at + 1
			return s.text[start:at], true
		case c == '\\' || c < ' ' || c >= utf8.RuneSelf:
			return "", false
		}
	}
	return "", false
}

// str reads a string, whose opening quote is next, into n.Text. A string that
// must not be stored makes n Bad; n.Kind is otherwise the caller's.
func (s *scanner) str(n *Node) {
	if text, ok := s.plain(); ok {
		n.Text = text
		return
	}
	s.at++
	start := s.at
	for s.at < len(s.src) {
		c := s.src[s.at]
		if c == '"' {
			n.Text = s.text[start:s.at]
			s.at++
			s.checkText(n)
			return
		}
		if c == '\\' {
			s.escaped(n, start)
			return
		}
		if c < ' ' {
			s.broken("Control character U+%04X in text; write it as an escape such as \\n", c)
			return
		}
		s.at++
	}
	// The error is shown at the opening quote: the end of the text says nothing.
	s.at = start - 1
	s.broken("Text is not closed; a double quote is missing")
}

// escaped reads on from the first backslash of a string that began at start.
func (s *scanner) escaped(n *Node, start int) {
	var b strings.Builder
	b.Write(s.src[start:s.at])
	for s.at < len(s.src) {
		c := s.src[s.at]
		switch {
		case c == '"':
			s.at++
			n.Text = b.String()
			s.checkText(n)
			return
		case c == '\\':
			if !s.escape(&b) {
				return
			}
		case c < ' ':
			s.broken("Control character U+%04X in text; write it as an escape such as \\n", c)
			return
		default:
			b.WriteByte(c)
			s.at++
		}
	}
	s.at = start - 1
	s.broken("Text is not closed; a double quote is missing")
}

// escape reads one backslash escape and appends what it stands for. False: it was
// broken, and the scan has stopped. Half of a surrogate pair is broken, because
// what it would become (U+FFFD) differs from reader to reader.
func (s *scanner) escape(b *strings.Builder) bool {
	if s.at+1 >= len(s.src) {
		s.broken("Text is not closed; a double quote is missing")
		return false
	}
	c := s.src[s.at+1]
	if plain := strings.IndexByte(`"\/bfnrt`, c); plain >= 0 {
		b.WriteByte("\"\\/\b\f\n\r\t"[plain])
		s.at += 2
		return true
	}
	if c != 'u' {
		s.broken("Unknown escape \\%c in text", c)
		return false
	}
	r, ok := s.hex(s.at)
	if !ok {
		s.broken("\\u needs four hexadecimal digits")
		return false
	}
	s.at += 6
	if !utf16.IsSurrogate(r) {
		b.WriteRune(r)
		return true
	}
	low, ok := s.hex(s.at)
	pair := utf16.DecodeRune(r, low)
	if !ok || pair == utf8.RuneError {
		s.at -= 6
		s.broken("\\u%04x is half of a character; its other half is missing", r)
		return false
	}
	s.at += 6
	b.WriteRune(pair)
	return true
}

// hex reads \uXXXX at an offset; false when something else is there.
func (s *scanner) hex(at int) (rune, bool) {
	if at+6 > len(s.src) || s.src[at] != '\\' || s.src[at+1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(s.src[at+2:at+6]), 16, 32)
	return rune(v), err == nil
}

// checkText makes n Bad and reports it when its text must not be stored.
func (s *scanner) checkText(n *Node) {
	if reason := invalidTextReason(n.Text, s.limits.StringBytes); reason != "" {
		code := LimitExceeded
		if !utf8.ValidString(n.Text) {
			code = Syntax
		}
		n.Kind = Bad
		s.finds.Error(code, n, "%s", reason)
	}
}

// invalidTextReason returns why a text must not be stored, as a sentence without
// a full stop: it is longer than limit bytes, holds NUL, which PostgreSQL's text
// cannot, or is not valid UTF-8. "" when it may be.
func invalidTextReason(t string, limit int) string {
	switch {
	case len(t) > limit:
		return "Text is longer than " + strconv.Itoa(limit) + " bytes; keep large data outside of the definition"
	case strings.IndexByte(t, 0) >= 0:
		return "Text holds the NUL character (U+0000), which cannot be stored; remove it"
	case !utf8.ValidString(t):
		return "Text is not valid UTF-8"
	}
	return ""
}

// Clip returns what a message quotes of s: at most 64 bytes, on one line.
func Clip(s string) string { return Cut(s, maxQuoted) }

// maxQuoted is the length, in bytes, that Clip leaves; every id fits it.
const maxQuoted = 64

// Cut returns s in at most limit bytes, whole characters, with an ellipsis where
// it was shortened. Control characters become U+FFFD, so the result is one line.
// limit is at least 3. A replaced character may take more bytes than it had.
func Cut(s string, limit int) string {
	whole := len(s) <= limit
	if !whole {
		end := limit - len("…")
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '�'
		}
		return r
	}, s)
	if whole {
		return s
	}
	return s + "…"
}
