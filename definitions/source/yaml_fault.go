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
// names a line that is often one or two too early, and no column; this scan
// finds the places that authors get wrong.
type yamlFault struct {
	at      int // byte offset
	say     string
	suggest string
}

// yamlScan walks a YAML text token by token, coarsely: it is asked only about
// texts that the library refused, and about the spans of double-quoted text.
type yamlScan struct {
	src    []byte
	at     int
	open   []int // offsets of the open brackets of flow collections
	levels []int // columns of the open block mappings and lists
	line   int   // offset at which the line begins
	column int   // of the last key or dash of the line: what follows hangs below it
	key    int   // offset of the line's key; -1: none yet
	value  bool  // the line before ended with a value
	before int   // column of the last key
	loose  int   // offset of a line that is no key and continues nothing; -1: none
	began  bool  // something was said in this document

	hard    *yamlFault   // the first that nothing excuses
	soft    []*yamlFault // what is a fault only where the library says so; some
	quoted  [][2]int     // spans of double-quoted text, without the quotes
	another int          // offset of the --- that begins a second document; -1: none
}

// maxSoftFaults are kept; further ones are not looked at.
const maxSoftFaults = 100

func scanYAMLFaults(src []byte) *yamlScan {
	s := &yamlScan{src: src, key: -1, loose: -1, before: -1, another: -1, column: -1}
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		s.at = 3
	}
	for s.at < len(s.src) {
		s.lineOf()
	}
	if len(s.open) > 0 {
		s.fault(s.open[len(s.open)-1], "the %c that opens here is never closed", rune(s.src[s.open[len(s.open)-1]]))
	}
	return s
}

func (s *yamlScan) fault(at int, format string, args ...any) *yamlFault {
	f := &yamlFault{at: at, say: fmt.Sprintf(format, args...)}
	if s.hard == nil {
		s.hard = f
	}
	return f
}

func (s *yamlScan) perhaps(at int, format string, args ...any) *yamlFault {
	f := &yamlFault{at: at, say: fmt.Sprintf(format, args...)}
	if len(s.soft) < maxSoftFaults {
		s.soft = append(s.soft, f)
	}
	return f
}

// lineOf reads one line; quoted text and block text may reach over several.
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

// marker passes over --- and ... at the beginning of a line, and over
// directives.
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

func (s *yamlScan) endOfLine() int {
	if i := bytes.IndexByte(s.src[s.at:], '\n'); i >= 0 {
		return s.at + i
	}
	return len(s.src)
}

// indentation looks at the white space of a line outside of flow collections.
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

// token reads what begins here.
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

// gluedDash is an item of a list whose dash touches its first field.
var gluedDash = regexp.MustCompile(`^-[A-Za-z_][\w-]*:(?:\s|$)`)

// commas looks at what stands before a token within brackets: two values need
// one comma between them.
func (s *yamlScan) commas(c byte) {
	if len(s.open) == 0 {
		return
	}
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

// badCharacter is where the first character is that the library complains of: an
// escape of double-quoted text, or a control character; -1: there is none.
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

// knownEscape reports whether a backslash and this text are a character.
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

// dash begins an item of a list.
func (s *yamlScan) dash() {
	if s.key >= 0 {
		s.fault(s.at, "a list cannot begin on the line of its field; put the - on the next line, or write [a, b]")
	}
	column := s.at - s.line
	s.level(column, true)
	s.column, s.value, s.before, s.loose = column, false, -1, -1
	s.at++
}

// level opens or returns to the block collection at a column.
func (s *yamlScan) level(column int, item bool) {
	popped := false
	for len(s.levels) > 0 && s.levels[len(s.levels)-1] > column {
		s.levels, popped = s.levels[:len(s.levels)-1], true
	}
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

// closing ends a flow collection.
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
	s.open = s.open[:len(s.open)-1]
	s.at++
	s.value = true
	s.follows(start)
}

// follows checks what stands behind a value that has an end of its own.
func (s *yamlScan) follows(start int) {
	i := s.at
	for i < len(s.src) && (s.src[i] == ' ' || s.src[i] == '\t') {
		i++
	}
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

// quoteAll says that a value must stand in quotes as a whole.
func (s *yamlScan) quoteAll(start int) {
	if s.hard != nil {
		return // one is enough, and the value may be long
	}
	whole := quotedValue(s.wholeValue(start))
	s.fault(start, "quote the whole value: %s", Clip(whole)).suggest = whole
}

// wholeValue is the value that begins at a place, to the end of its line; in a
// flow collection, to the comma or bracket that ends it.
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

// quotedValue writes a text as a quoted scalar.
func quotedValue(text string) string {
	if !strings.ContainsAny(text, `"\`) {
		return `"` + text + `"`
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// quote reads quoted text.
func (s *yamlScan) quote(c byte) {
	start := s.at
	s.at++
	for s.at < len(s.src) {
		switch {
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

// ended looks at what follows a quoted scalar: it may be a key.
func (s *yamlScan) ended(start int) {
	s.follows(start)
	s.scalar(start, s.at)
}

// scalar notes a scalar that ended: as a key where a colon follows.
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

func (s *yamlScan) lineBefore(at int) int { return bytes.LastIndexByte(s.src[:at], '\n') + 1 }

// looseLine is a line without a colon where a field is expected.
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

// block passes over block text, | or >.
func (s *yamlScan) block() {
	s.at = min(s.endOfLine()+1, len(s.src))
	for s.at < len(s.src) {
		end := s.endOfLine()
		line := s.src[s.at:end]
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

// plain reads an unquoted scalar.
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
// blame, in words of ours.
func brokenYAML(src []byte, err error, finds *Diagnostics) {
	said := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.Contains(said, "exceeded max depth") {
		finds.Error(LimitExceeded, &Node{}, "Lists and objects are nested too deep; flatten them")
		return
	}
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

// blame picks the fault that the library's complaint is about; nil: none is
// known.
func (s *yamlScan) blame(said string) *yamlFault {
	best := s.hard
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

// yamlWords are our words for a complaint of the library.
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

// breaksAt looks around the line that the library names for the first line
// with which the text cannot be read.
func breaksAt(src []byte, said string) int {
	named := 1
	if m := yamlLine.FindStringSubmatch(said); m != nil {
		named, _ = strconv.Atoi(m[1])
	}
	lines := NewText(src).lines
	named = min(max(named, 1), len(lines))
	at := lines[named-1]
	if len(src) <= 64<<10 { // each attempt reads the text up to the line
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
	for at < len(src) && (src[at] == ' ' || src[at] == '\t') {
		at++
	}
	return at
}
