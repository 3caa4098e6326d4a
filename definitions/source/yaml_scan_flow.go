package source

import (
	"strings"
)

// commas checks what stands before a token within brackets: two values need
// exactly one comma between them. The faults are soft, because a quote or bracket
// may be part of plain text.
func (s *yamlScan) commas(c byte) {
	if len(s.open) == 0 {
		return
	}
	// White space and line breaks do not separate values within brackets.
	before := s.at - 1
	for before >= 0 && strings.IndexByte(" \t\r\n", s.src[before]) >= 0 {
		before--
	}
	switch {
	case before < 0:
	case c == ',' && strings.IndexByte("[{,", s.src[before]) >= 0:
		s.perhaps(s.at, "nothing stands before this comma; remove it")
	case strings.IndexByte("\"'{[", c) >= 0 && strings.IndexByte("\"'}]", s.src[before]) >= 0:
		s.perhaps(s.at, "a comma is missing before this")
	}
}

// closing reads the bracket that ends a flow collection.
func (s *yamlScan) closing(c byte) {
	if len(s.open) == 0 {
		s.fault(s.at, "there is a %c without the bracket that opens it", rune(c))
		s.at++
		return
	}
	start := s.open[len(s.open)-1]
	if s.src[start] != c-2 { // { } and [ ] are two apart in ASCII
		s.fault(start, "the %c that opens here is closed by %c", rune(s.src[start]), rune(c))
	}
	// Even the wrong bracket closes: one fault must not make all that follow.
	s.open = s.open[:len(s.open)-1]
	s.at++
	s.value = true
	s.follows(start)
}

// follows checks what stands behind a value with an end of its own, which began
// at start: text behind a closing quote or bracket means that the whole was meant
// as one text.
func (s *yamlScan) follows(start int) {
	i := s.at
	for i < len(s.src) && (s.src[i] == ' ' || s.src[i] == '\t') {
		i++
	}
	// The end of the line, a key's colon, a comment, or within brackets what
	// ends a value.
	if i >= len(s.src) || strings.IndexByte("\r\n:", s.src[i]) >= 0 || s.src[i] == '#' && i > s.at ||
		len(s.open) > 0 && strings.IndexByte(",]}", s.src[i]) >= 0 {
		return
	}
	if len(s.open) > 0 && strings.IndexByte("{[\"'", s.src[i]) >= 0 {
		s.fault(i, "a comma is missing before this value")
		return
	}
	s.quoteAll(start)
}
