package source

import (
	"bytes"
	"fmt"
	"strings"

	regexp "heddle/internal/lazyregexp"
)

// yamlScan walks a YAML text token by token. It knows enough of the grammar
// to find common mistakes, not enough to read YAML: it is used only for texts
// that the library refused, and for the spans of double-quoted text. One
// pass, O(size of the text), plus the bounded look-ahead of quoted
// suggestions.
//
// In the text
//
//	steps:
//	  - id: a
//	    config: {url: https://x, method: GET
//	  - id: b
//
// the library complains about the last line; the scan reports the brace that
// is never closed, in the third.
type yamlScan struct {
	src    []byte
	at     int   // offset of the next byte
	open   []int // offsets of the open brackets of flow collections
	levels []int // columns of the open block mappings and lists, outermost first
	line   int   // offset at which the line begins
	column int   // of the last key or dash of the line: what follows hangs below it; -1: none
	key    int   // offset of the line's key; -1: none yet
	value  bool  // the line before ended with a value
	before int   // column of the last key of the lines before; -1: none
	loose  int   // offset of a line that is not a key and continues nothing; -1: none
	began  bool  // this document has content

	hard    *yamlFault   // the first that is wrong in any YAML; nil: none
	soft    []*yamlFault // wrong only where the library says so; at most maxSoftFaults
	quoted  [][2]int     // spans of double-quoted text, without the quotes
	another int          // offset of the --- that begins a second document; -1: none
}

// maxSoftFaults is how many soft faults are kept; further ones are dropped.
const maxSoftFaults = 100

// scanYAMLFaults scans the whole text. A bracket that is still open at its end is
// a hard fault, unless one was found before.
func scanYAMLFaults(src []byte) *yamlScan {
	s := &yamlScan{src: src, key: -1, loose: -1, before: -1, another: -1, column: -1}
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		s.at = 3
	}
	for s.at < len(s.src) {
		s.lineOf()
	}
	// The innermost is the one that was forgotten, more often than not.
	if len(s.open) > 0 {
		s.fault(s.open[len(s.open)-1], "the %c that opens here is never closed", rune(s.src[s.open[len(s.open)-1]]))
	}
	return s
}

// fault makes a hard fault, and keeps it if it is the first: what follows a
// mistake is often only its consequence. The fault is returned in either case,
// for its suggestion.
func (s *yamlScan) fault(at int, format string, args ...any) *yamlFault {
	f := &yamlFault{at: at, say: fmt.Sprintf(format, args...)}
	if s.hard == nil {
		s.hard = f
	}
	return f
}

// perhaps makes a soft fault and keeps it while there is room.
func (s *yamlScan) perhaps(at int, format string, args ...any) *yamlFault {
	f := &yamlFault{at: at, say: fmt.Sprintf(format, args...)}
	if len(s.soft) < maxSoftFaults {
		s.soft = append(s.soft, f)
	}
	return f
}

// lineOf reads one line, or several where quoted text or block text reaches over
// them. A line that begins with a dash inside of brackets means that they were
// not closed.
func (s *yamlScan) lineOf() {
	s.line, s.key, s.column = s.at, -1, -1
	if len(s.open) == 0 {
		if s.marker() {
			return
		}
		s.indentation()
	} else if item := bytes.TrimLeft(s.src[s.at:], " "); len(item) > 1 && item[0] == '-' && item[1] == ' ' {
		start := s.open[len(s.open)-1]
		s.fault(start, "the %c that opens here is never closed", rune(s.src[start]))
	}
	for s.at < len(s.src) && s.src[s.at] != '\n' {
		s.token()
	}
	if s.at < len(s.src) {
		s.at++
	}
}

// marker passes over --- at the beginning of a line, and over ... and directives,
// which take the whole line: then it returns true.
func (s *yamlScan) marker() bool {
	rest := s.src[s.at:]
	switch {
	case bytes.HasPrefix(rest, []byte("---")) && (len(rest) == 3 || strings.IndexByte(" \t\r\n", rest[3]) >= 0):
		if s.began && s.another < 0 {
			s.another = s.at
		}
		s.at += 3
		s.levels, s.loose, s.value, s.before = s.levels[:0], -1, false, -1
	case bytes.HasPrefix(rest, []byte("...")) && (len(rest) == 3 || strings.IndexByte(" \t\r\n", rest[3]) >= 0),
		!s.began && rest[0] == '%':
		s.at = s.endOfLine()
		s.at = min(s.at+1, len(s.src))
		return true
	}
	return false
}

// endOfLine returns the offset of the next line break, or the end of the text.
func (s *yamlScan) endOfLine() int {
	if i := bytes.IndexByte(s.src[s.at:], '\n'); i >= 0 {
		return s.at + i
	}
	return len(s.src)
}

// token reads the token that begins here: white space, a comment, a mark or a
// scalar.
func (s *yamlScan) token() {
	c := s.src[s.at]
	switch {
	case c == ' ' || c == '\t' || c == '\r':
		s.at++
		return
	case c == '#' && (s.at == s.line || strings.IndexByte(" \t", s.src[s.at-1]) >= 0):
		s.at = s.endOfLine()
		return
	}
	s.began = true
	next := byte('\n')
	if s.at+1 < len(s.src) {
		next = s.src[s.at+1]
	}
	// A dash, a question mark and a colon are marks only where white space
	// follows.
	blank := strings.IndexByte(" \t\r\n", next) >= 0
	s.commas(c)
	if len(s.open) == 0 && c == '-' && s.key < 0 && gluedDash.Match(s.src[s.at:s.endOfLine()]) {
		s.perhaps(s.at, "a space is missing after the dash")
	}
	switch {
	case len(s.open) == 0 && c == '-' && blank:
		s.dash()
	case c == '?' && blank, c == ':' && (blank || len(s.open) > 0):
		s.at++
	case c == '{' || c == '[':
		s.open = append(s.open, s.at)
		s.at++
	case c == ',' && len(s.open) > 0:
		s.at++
	case c == '}' || c == ']':
		s.closing(c)
	case c == '"' || c == '\'':
		s.quote(c)
	case (c == '|' || c == '>') && len(s.open) == 0:
		s.block()
	default:
		s.plain(c)
	}
}

// gluedDash matches an item of a list whose dash touches its first field.
var gluedDash = regexp.MustCompile(`^-[A-Za-z_][\w-]*:(?:\s|$)`)
