package source

import (
	"strings"
)

// quoteAll reports that a value must stand in quotes as a whole, with the quoted
// value as the suggestion.
func (s *yamlScan) quoteAll(start int) {
	if s.hard != nil {
		return // one is enough, and the value may be long
	}
	whole := quotedValue(s.wholeValue(start))
	s.fault(start, "quote the whole value: %s", Clip(whole)).suggest = whole
}

// wholeValue returns the value that begins at an offset, to the end of its line
// or to a comment; in a flow collection, to the comma or bracket that ends it.
func (s *yamlScan) wholeValue(start int) string {
	end := start
	depth := 0
	for end < len(s.src) && s.src[end] != '\n' {
		c := s.src[end]
		if c == ' ' && end+1 < len(s.src) && s.src[end+1] == '#' {
			break
		}
		if len(s.open) > 0 {
			switch {
			case c == '{' || c == '[' || c == '(':
				depth++
			case depth > 0 && (c == '}' || c == ']' || c == ')'):
				depth--
			case depth == 0 && (c == ',' || c == '}' || c == ']'):
				return strings.TrimSpace(string(s.src[start:end]))
			}
		}
		end++
	}
	return strings.TrimSpace(string(s.src[start:end]))
}

// quotedValue returns a text as a quoted scalar: in double quotes, or in single
// ones, which know no escapes, where it holds a quote or a backslash.
func quotedValue(text string) string {
	if !strings.ContainsAny(text, `"\`) {
		return `"` + text + `"`
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// quote reads quoted text, which may reach over lines, and records the span of
// double-quoted text.
func (s *yamlScan) quote(c byte) {
	start := s.at
	s.at++
	for s.at < len(s.src) {
		switch {
		// The character behind a backslash ends nothing; it is passed over
		// below.
		case c == '"' && s.src[s.at] == '\\':
			s.at++
		case s.src[s.at] == c && c == '\'' && s.at+1 < len(s.src) && s.src[s.at+1] == c:
			s.at++
		case s.src[s.at] == c:
			if c == '"' {
				s.quoted = append(s.quoted, [2]int{start + 1, s.at})
			}
			s.at++
			s.ended(start)
			return
		}
		s.at++
	}
	s.at = len(s.src)
	s.fault(start, "the %c that opens here is never closed", rune(c))
}

// ended checks what follows a quoted scalar; it may be a key.
func (s *yamlScan) ended(start int) {
	s.follows(start)
	s.scalar(start, s.at)
}

// scalar records a scalar that ended: as a key where a colon and white space
// follow. A second key on one line is a value with a colon in it. In flow
// collections, where the columns mean nothing, it records nothing.
func (s *yamlScan) scalar(start, end int) {
	i := end
	for i < len(s.src) && (s.src[i] == ' ' || s.src[i] == '\t') {
		i++
	}
	isKey := i < len(s.src) && s.src[i] == ':' && (i+1 == len(s.src) || strings.IndexByte(" \t\r\n", s.src[i+1]) >= 0)
	if len(s.open) > 0 {
		return
	}
	column := start - s.line
	switch {
	// The line has a key already: a second one is text with a colon in it.
	case isKey && s.key >= 0:
		whole := quotedValue(s.wholeValue(start))
		s.perhaps(start, "a value that holds a colon and a space must stand in quotes: %s", Clip(whole)).suggest = whole
		s.at = s.endOfLine()
	case isKey:
		if s.loose >= 0 && column <= s.loose-s.lineBefore(s.loose) {
			s.looseLine()
		}
		s.level(column, false)
		s.key, s.column, s.before, s.value, s.loose = start, column, column, false, -1
		s.at = i + 1
	default:
		if s.key < 0 && s.column < 0 && !(s.before >= 0 && column > s.before) && s.loose < 0 {
			s.loose = start
		}
		s.value = true
	}
}

// plain reads an unquoted scalar that begins with c, to the end of its line, a
// comment, the colon of a key, or within brackets a comma or bracket. Some
// characters cannot begin one; others make it an alias, an anchor or a tag.
func (s *yamlScan) plain(c byte) {
	start := s.at
	switch c {
	case '@', '`', '%':
		whole := ""
		if s.hard == nil {
			whole = quotedValue(s.wholeValue(start))
		}
		s.fault(start, "a value cannot begin with %c; quote the whole value: %s", rune(c), Clip(whole)).suggest = whole
	case '*', '&', '!':
		names := map[byte]string{'*': "an alias", '&': "an anchor", '!': "a tag"}
		if len(s.soft) >= maxSoftFaults {
			break
		}
		whole := quotedValue(s.wholeValue(start))
		s.perhaps(start, "a value that begins with %c is %s in YAML; quote the whole value: %s", rune(c), names[c], Clip(whole)).suggest = whole
	}
	// A scalar ends with its line here; its continuation is read as one more.
	for s.at < len(s.src) && s.src[s.at] != '\n' {
		c = s.src[s.at]
		switch {
		case c == ':' && (s.at+1 == len(s.src) || strings.IndexByte(" \t\r\n", s.src[s.at+1]) >= 0 || len(s.open) > 0 && strings.IndexByte(",[]{}", s.src[s.at+1]) >= 0):
			s.scalar(start, s.at)
			return
		case c == '#' && s.at > start && strings.IndexByte(" \t", s.src[s.at-1]) >= 0:
			s.scalar(start, s.at)
			return
		case len(s.open) > 0 && strings.IndexByte(",[]{}", c) >= 0:
			if c == '{' || c == '[' {
				s.quoteAll(start)
			}
			s.scalar(start, s.at)
			return
		}
		s.at++
	}
	s.scalar(start, s.at)
}
