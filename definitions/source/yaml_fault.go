package source

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	regexp "heddle/internal/lazyregexp"
)

// yamlFault is where a YAML text breaks, and what to do about it. The library
// names a line that is often one or two too early, and no column; the scan below
// finds the places that authors get wrong.
type yamlFault struct {
	at      int    // byte offset
	say     string // what is wrong and what to do, in small letters and without a full stop
	suggest string // what to write in its place; "" where that is not known
}

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

// badCharacter returns the offset of the first character that the library's error
// said is about: an escape of double-quoted text, or a control character; -1 when
// said is about neither or nothing is found.
func (s *yamlScan) badCharacter(said string) int {
	if strings.Contains(said, "control characters") {
		return bytes.IndexFunc(s.src, func(r rune) bool {
			return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0 && r != 0x85
		})
	}
	if !strings.Contains(said, "unknown escape") && !strings.Contains(said, "invalid Unicode") && !strings.Contains(said, "hexdecimal") {
		return -1
	}
	for _, span := range s.quoted {
		for i := span[0]; i+1 < span[1]; i++ {
			if s.src[i] != '\\' {
				continue
			}
			if !knownEscape(s.src[i+1 : span[1]]) {
				return i
			}
			i++
		}
	}
	return -1
}

// knownEscape reports whether a backslash and rest, which is not empty, form an
// escape of YAML 1.2. The escapes \x, \u and \U need their digits, and must not
// be half of a surrogate pair.
func knownEscape(rest []byte) bool {
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[rest[0]]
	if digits == 0 {
		return strings.IndexByte("0abt\tnvfre \"/\\N_LP\r\n", rest[0]) >= 0
	}
	if len(rest) < digits+1 {
		return false
	}
	n, err := strconv.ParseUint(string(rest[1:digits+1]), 16, 32)
	return err == nil && (n < 0xd800 || n > 0xdfff) && n <= 0x10ffff
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

// lineBefore returns the offset at which the line around an offset begins.
func (s *yamlScan) lineBefore(at int) int { return bytes.LastIndexByte(s.src[:at], '\n') + 1 }

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
	s.fault(s.loose, "the line is no field: a colon and a space are missing")
}

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

// brokenYAML reports why the library refused a text, at the place that is to
// blame and in our words: those of the scan, or where it found nothing those of
// yamlWords.
func brokenYAML(src []byte, err error, finds *Diagnostics) {
	said := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.Contains(said, "exceeded max depth") {
		finds.Error(LimitExceeded, &Node{}, "Lists and objects are nested too deep; flatten them")
		return
	}
	// The original is scanned, not what the library was shown, so offsets need no
	// translation.
	scan := scanYAMLFaults(src)
	f := scan.blame(said)
	if errors.Is(err, errSeveralDocuments) {
		f = &yamlFault{at: max(scan.another, 0), say: "a second document begins here; keep one"}
	}
	if f == nil {
		f = &yamlFault{at: breaksAt(src, said), say: yamlWords(said)}
		if at := scan.badCharacter(said); at >= 0 {
			f.at = at
		}
	}
	d := finds.Error(Syntax, &Node{}, "The YAML cannot be read: %s", f.say).WithSuggestion(f.suggest)
	d.Pos = &Position{offset: int32(f.at)}
}

// blame returns the fault that the library's complaint is about, nil when none is
// known: the earliest of the hard fault and those soft faults that fit what was
// said.
func (s *yamlScan) blame(said string) *yamlFault {
	best := s.hard
	// Where the complaint is of a known kind, only faults of that kind can be
	// meant.
	for _, f := range s.soft {
		fits := true
		switch rest := s.src[f.at:]; {
		case strings.Contains(said, "unknown anchor"):
			_, name, _ := strings.Cut(said, "'")
			name, _, _ = strings.Cut(name, "'")
			fits = bytes.HasPrefix(rest, []byte("*"+name))
		case strings.Contains(said, "alphabetic"):
			fits = strings.IndexByte("*&!", rest[0]) >= 0
		case strings.Contains(said, "mapping values"):
			fits = strings.IndexByte("*&!", rest[0]) < 0
		}
		if fits && (best == nil || f.at < best.at) {
			best = f
		}
	}
	return best
}

// yamlWords returns our words for a complaint of the library. The order matters:
// the first entry that is contained in the complaint is used.
func yamlWords(said string) string {
	for _, w := range []struct{ theirs, ours string }{
		{"unknown escape", "a text in double quotes has an escape that YAML does not know; double the backslash, or use single quotes"},
		{"invalid Unicode", "a text in double quotes has an escape that is no character"},
		{"hexdecimal", "an escape in double quotes needs hexadecimal digits"},
		{"control characters", "the text holds a control character; write it as an escape in double quotes"},
		{"UTF-8", "the text is not UTF-8"},
		{"invalid", "the text is not UTF-8"},
		{"incompatible YAML", "the %YAML directive names a version other than 1.1 and 1.2; remove it"},
		{"directive", "the line that begins with % is not a directive of YAML; remove it"},
		{"tag", "tags (!…) are not supported; quote the whole value"},
		{"anchor", "anchors and aliases (&, *) are not supported; write the value out"},
		{"document", "the text goes on after its end; keep one document"},
		{"mapping values", "there is a colon where no field can be; check the indentation, or quote the whole value"},
		{"':'", "a colon and a space are missing after a field name; check the indentation and the quotes"},
		{"'-'", "a list ends here, and the line is no item of it; check the indentation"},
		{"indentation", "the indentation is not that of the lines around it"},
	} {
		if strings.Contains(said, w.theirs) {
			return w.ours
		}
	}
	return "the line does not fit what stands above it; check the indentation, the colons and the quotes"
}

// breaksAt returns the offset of the line that breaks the text: among the lines
// around the one that the library names, the first with which the text cannot be
// read up to its end. In a text of more than 64 KiB it is the named line, since
// each attempt parses the text again.
func breaksAt(src []byte, said string) int {
	named := 1
	if m := yamlLine.FindStringSubmatch(said); m != nil {
		named, _ = strconv.Atoi(m[1])
	}
	lines := NewText(src).lines
	named = min(max(named, 1), len(lines))
	at := lines[named-1]
	if len(src) <= 64<<10 { // each attempt reads the text up to the line
		// Backwards from a little behind the named line: once the text before a
		// line can be read, the line after it is to blame.
		for line := min(named+3, len(lines)); line >= max(named-2, 1); line-- {
			end := len(src)
			if line < len(lines) {
				end = lines[line]
			}
			if _, err := decodeYAML(src[:end]); err == nil {
				break
			}
			at = lines[line-1]
		}
	}
	// The column is that of the first character of the line, not of its
	// indentation.
	for at < len(src) && (src[at] == ' ' || src[at] == '\t') {
		at++
	}
	return at
}
