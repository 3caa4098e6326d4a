package source

import (
	"bytes"
	"strings"
)

// indentation passes over the white space at the beginning of a line outside of
// flow collections, where a tab is a fault.
func (s *yamlScan) indentation() {
	start := s.at
	tab := -1
	for s.at < len(s.src) && (s.src[s.at] == ' ' || s.src[s.at] == '\t') {
		if s.src[s.at] == '\t' && tab < 0 {
			tab = s.at
		}
		s.at++
	}
	if tab >= 0 && s.at < len(s.src) && strings.IndexByte("\r\n#", s.src[s.at]) < 0 {
		s.fault(start, "the line is indented with a tab; indent with spaces")
	}
}

// dash reads the dash that begins an item of a list; what follows on its line
// hangs below the column of the dash.
func (s *yamlScan) dash() {
	if s.key >= 0 {
		s.fault(s.at, "a list cannot begin on the line of its field; put the - on the next line, or write [a, b]")
	}
	// A dash inside the line of another, as in "- - a", opens a list of its own.
	column := s.at - s.line
	s.level(column, true)
	s.column, s.value, s.before, s.loose = column, false, -1, -1
	s.at++
}

// level opens the block collection at a column, or returns to it. A column that
// lies between two open ones belongs to neither, and one deeper than a field that
// has a value cannot begin anything; both are faults.
func (s *yamlScan) level(column int, item bool) {
	popped := false
	for len(s.levels) > 0 && s.levels[len(s.levels)-1] > column {
		s.levels, popped = s.levels[:len(s.levels)-1], true
	}
	// The columns on the stack rise, so what is left of it ends at column or
	// before it.
	top := -1
	if len(s.levels) > 0 {
		top = s.levels[len(s.levels)-1]
	}
	switch {
	case top == column:
	case popped && top < column:
		s.fault(s.line+column, "the line is indented by %d spaces, which no line above it is; align it with the fields or items that it belongs to", column)
	case s.value && !item && s.before >= 0 && column > s.before:
		s.fault(s.line+column, "the line is indented deeper than the field above it, which has a value already; align the two")
	default:
		s.levels = append(s.levels, column)
	}
}

// looseLine reports the line at s.loose, which has no key where a field is
// expected.
func (s *yamlScan) looseLine() {
	end := s.loose + len(s.src[s.loose:])
	if i := bytes.IndexByte(s.src[s.loose:], '\n'); i >= 0 {
		end = s.loose + i
	}
	if colon := bytes.IndexByte(s.src[s.loose:end], ':'); colon > 0 {
		s.fault(s.loose+colon, "a space is missing after the colon")
		return
	}
	s.fault(s.loose, "the line is not a field: a colon and a space are missing")
}

// lineBefore returns the offset at which the line around an offset begins.
func (s *yamlScan) lineBefore(at int) int { return bytes.LastIndexByte(s.src[:at], '\n') + 1 }

// block passes over block text, | or >: all lines that are empty or indented
// deeper than the key or dash that it belongs to.
func (s *yamlScan) block() {
	s.at = min(s.endOfLine()+1, len(s.src))
	for s.at < len(s.src) {
		end := s.endOfLine()
		line := s.src[s.at:end]
		// Tabs are not indentation, and a blank line belongs to the text however
		// short it is.
		text := bytes.TrimLeft(line, " ")
		if len(bytes.TrimSpace(text)) > 0 && len(line)-len(text) <= s.column {
			break
		}
		s.at = min(end+1, len(s.src))
	}
	s.value = true
	if s.at > 0 {
		s.at-- // the line break ends the line
	}
	if s.at < len(s.src) && s.src[s.at] != '\n' {
		s.at = len(s.src)
	}
}
