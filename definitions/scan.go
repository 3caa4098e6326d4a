package definitions

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON into nodes, strictly, and goes on after whatever it can
// go on after. It stops (fatal) at broken syntax.
type scanner struct {
	src    []byte
	at     int
	seq    int32
	limits Limits
	finds  *findings
	fatal  bool
	spans  map[string][]byte // the texts of the opaque members
	full   bool              // too many values, said once
}

// scanJSON reads one JSON value that fills the text. Nil when the syntax is
// broken.
func scanJSON(src []byte, limits Limits, finds *findings) *node {
	return scanEnvelope(src, limits, finds, nil)
}

// scanEnvelope also gives the texts of the opaque members.
func scanEnvelope(src []byte, limits Limits, finds *findings, spans map[string][]byte) *node {
	s := &scanner{src: src, limits: limits, finds: finds, spans: spans}
	if strings.HasPrefix(string(src[:min(3, len(src))]), "\ufeff") {
		s.at = 3
	}
	n := s.value(nil, "", position{}, 1)
	s.space()
	if !s.fatal && s.at < len(s.src) {
		s.broken("Unexpected text after the end of the JSON value; remove it")
	}
	if s.fatal {
		return nil
	}
	return n
}

// broken reports a syntax error here and stops.
func (s *scanner) broken(format string, args ...any) {
	if s.fatal {
		return
	}
	s.fatal = true
	d := s.finds.error(Syntax, &node{seq: s.seq}, format, args...)
	d.pos = &position{offset: int32(s.at)}
}

func (s *scanner) space() {
	for s.at < len(s.src) {
		switch s.src[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// here gives the next byte after white space, 0 at the end.
func (s *scanner) here() byte {
	s.space()
	if s.at >= len(s.src) {
		return 0
	}
	return s.src[s.at]
}

func (s *scanner) value(parent *node, key string, keyPos position, depth int) *node {
	c := s.here()
	n := &node{seq: s.seq, pos: position{offset: int32(s.at)}, keyPos: keyPos}
	s.seq++
	if parent != nil {
		parent.add(key, n)
	}
	if int(s.seq) > s.limits.Values && !s.full {
		s.full = true
		s.finds.error(LimitExceeded, n, "There are more than %d values; split the workflow or shorten its configs", s.limits.Values)
		s.fatal = true
		return n
	}
	switch {
	case c == '{' || c == '[':
		s.nested(n, c, depth)
	case c == '"':
		n.kind = text
		s.str(n)
	case c == '-' || c >= '0' && c <= '9':
		s.number(n)
	case c == 0 && s.at >= len(s.src):
		s.broken("The JSON text ends where a value is expected")
	default:
		s.word(n)
	}
	return n
}

func (s *scanner) nested(n *node, c byte, depth int) {
	if depth > s.limits.Depth {
		s.finds.error(LimitExceeded, n, "Lists and objects are nested more than %d deep; flatten this value", s.limits.Depth)
		s.skip()
		return
	}
	s.at++
	if c == '{' {
		n.kind = object
		s.members(n, depth)
		return
	}
	n.kind = array
	if s.here() == ']' {
		s.at++
		return
	}
	for !s.fatal {
		s.value(n, "", position{}, depth+1)
		if s.fatal || s.closes(']', "list") {
			return
		}
	}
}

// closes eats a comma, or the closing bracket and says true.
func (s *scanner) closes(bracket byte, what string) bool {
	switch s.here() {
	case ',':
		s.at++
		if s.here() == bracket {
			s.broken("Remove the comma before the '%c' that ends the %s", bracket, what)
			return true
		}
		return false
	case bracket:
		s.at++
		return true
	}
	s.broken("Expected a comma or '%c' in this %s", bracket, what)
	return true
}

func (s *scanner) members(n *node, depth int) {
	if s.here() == '}' {
		s.at++
		return
	}
	seen := keySet{}
	for !s.fatal {
		if s.here() != '"' {
			s.broken("Expected a field name in double quotes")
			return
		}
		name := ghostOf(n, s.seq, position{offset: int32(s.at)})
		name.kind = text
		s.str(name)
		key, ok := name.text, name.kind == text
		if s.fatal {
			return
		}
		if s.here() != ':' {
			s.broken("Expected a colon after the field name %q", key)
			return
		}
		s.at++
		s.member(n, key, ok, &seen, name.pos, depth)
		if s.fatal || s.closes('}', "object") {
			return
		}
	}
}

// member reads the value of one key; a repeated key's value is read and left
// out of the tree.
func (s *scanner) member(n *node, key string, ok bool, seen *keySet, at position, depth int) {
	if depth == 1 && contains(s.limits.Opaque, key) && n.parent == nil {
		if !seen.take(key) {
			s.duplicate(n, key, at)
		}
		s.opaque(key)
		return
	}
	if ok && seen.take(key) {
		s.value(n, key, at, depth+1)
		return
	}
	if ok {
		s.duplicate(n, key, at)
	}
	s.value(ghostOf(n, s.seq, at), key, at, depth+1)
}

func (s *scanner) duplicate(n *node, key string, at position) {
	d := s.finds.error(DuplicateKey, ghostOf(n, s.seq, at), "Field %q is given twice in one object; remove one of them", key)
	d.tail = "/" + escape(key)
}

// opaque passes over a value that somebody else reads strictly: only broken
// syntax is reported.
func (s *scanner) opaque(key string) {
	s.space()
	start := s.at
	kept := s.finds
	s.finds = &findings{}
	s.skip()
	if s.fatal {
		kept.list = append(kept.list, s.finds.list[len(s.finds.list)-1])
	}
	s.finds = kept
	if _, taken := s.spans[key]; !taken && s.spans != nil {
		s.spans[key] = s.src[start:s.at]
	}
}

// skip passes over one value of any depth without building nodes.
func (s *scanner) skip() {
	var open []byte
	for !s.fatal {
		c := s.here()
		if c == '{' || c == '[' {
			end := c + 2 // the closing bracket, in ASCII
			s.at++
			if s.here() != end {
				open = append(open, end)
				if end == '}' {
					s.skipName()
				}
				continue
			}
			s.at++
		} else {
			s.value(nil, "", position{}, 1)
		}
		if s.fatal || !s.unwind(&open) {
			return
		}
	}
}

// unwind eats what follows a finished value. False: the outermost is done.
func (s *scanner) unwind(open *[]byte) bool {
	for len(*open) > 0 {
		end := (*open)[len(*open)-1]
		if s.closes(end, "value") {
			*open = (*open)[:len(*open)-1]
			continue
		}
		if end == '}' {
			s.skipName()
		}
		return true
	}
	return false
}

func (s *scanner) skipName() {
	if s.here() != '"' {
		s.broken("Expected a field name in double quotes")
		return
	}
	s.str(&node{kind: text, seq: s.seq})
	if !s.fatal && s.here() != ':' {
		s.broken("Expected a colon after the field name")
		return
	}
	s.at++
}

func (s *scanner) word(n *node) {
	for _, w := range []string{"true", "false", "null"} {
		if strings.HasPrefix(string(s.src[s.at:min(s.at+5, len(s.src))]), w) {
			n.kind, n.text = boolean, w
			if w == "null" {
				n.kind = null
			}
			s.at += len(w)
			return
		}
	}
	r, _ := utf8.DecodeRune(s.src[s.at:])
	s.broken("Unexpected %q where a value is expected; JSON values are text in double quotes, numbers, true, false, null, lists and objects", string(r))
}

// number reads by the grammar of RFC 8259 and keeps the text.
func (s *scanner) number(n *node) {
	end := s.at
	for end < len(s.src) && strings.IndexByte("+-.eE0123456789", s.src[end]) >= 0 {
		end++
	}
	written := string(s.src[s.at:end])
	if !isNumber(written) {
		s.broken("%q is not a JSON number", clip(written))
		return
	}
	s.at = end
	n.kind, n.text = number, written
	if absurd(written) {
		n.kind = bad
		s.finds.error(LimitExceeded, n, "A number has more than %d digits or an exponent beyond ±%d; write it as text", maxDigits, maxExponent)
	}
}

// isNumber checks the JSON grammar of a number.
func isNumber(w string) bool {
	w = strings.TrimPrefix(w, "-")
	whole := digits(w)
	if whole == 0 || whole > 1 && w[0] == '0' {
		return false
	}
	w = w[whole:]
	if strings.HasPrefix(w, ".") {
		fraction := digits(w[1:])
		if fraction == 0 {
			return false
		}
		w = w[1+fraction:]
	}
	if w == "" {
		return true
	}
	if w[0] != 'e' && w[0] != 'E' {
		return false
	}
	w = w[1:]
	if w != "" && (w[0] == '+' || w[0] == '-') {
		w = w[1:]
	}
	return w != "" && digits(w) == len(w)
}

func digits(w string) int {
	for i := range len(w) {
		if w[i] < '0' || w[i] > '9' {
			return i
		}
	}
	return len(w)
}

// absurd tells whether a number is beyond what arithmetic on it may cost.
func absurd(written string) bool {
	mantissa, exponent, found := strings.Cut(strings.ToLower(written), "e")
	count := 0
	for i := range len(mantissa) {
		if mantissa[i] >= '0' && mantissa[i] <= '9' {
			count++
		}
	}
	if count > maxDigits {
		return true
	}
	if !found {
		return false
	}
	e, err := strconv.Atoi(exponent)
	return err != nil || e > maxExponent || e < -maxExponent
}

// str reads a string into n.text; a refused one makes n bad.
func (s *scanner) str(n *node) {
	s.at++
	start := s.at
	for s.at < len(s.src) {
		c := s.src[s.at]
		if c == '"' {
			n.text, n.verbatim = string(s.src[start:s.at]), true
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
	s.at = start - 1
	s.broken("Text is not closed; a double quote is missing")
}

// escaped reads on from the first backslash.
func (s *scanner) escaped(n *node, start int) {
	var b strings.Builder
	b.Write(s.src[start:s.at])
	for s.at < len(s.src) {
		c := s.src[s.at]
		switch {
		case c == '"':
			s.at++
			n.text = b.String()
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

// escape reads one backslash escape.
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

// hex reads \uXXXX at a place.
func (s *scanner) hex(at int) (rune, bool) {
	if at+6 > len(s.src) || s.src[at] != '\\' || s.src[at+1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(s.src[at+2:at+6]), 16, 32)
	return rune(v), err == nil
}

// checkText refuses what no stored text may be.
func (s *scanner) checkText(n *node) {
	if reason := refuseText(n.text, s.limits.StringBytes); reason != "" {
		code := LimitExceeded
		if !utf8.ValidString(n.text) {
			code = Syntax
		}
		n.kind = bad
		s.finds.error(code, n, "%s", reason)
	}
}

// refuseText says why a text cannot be taken; "" when it can.
func refuseText(t string, limit int) string {
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

// clip shortens what a message quotes, and keeps it on one line.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '�'
		}
		return r
	}, s)
	if len(s) <= 60 {
		return s
	}
	cut := 57
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// keySet remembers the keys of one object: a list while there are few.
type keySet struct {
	few  []string
	many map[string]bool
}

// take adds a key and tells whether it is new.
func (k *keySet) take(key string) bool {
	if k.many == nil {
		if contains(k.few, key) {
			return false
		}
		k.few = append(k.few, key)
		if len(k.few) > 16 {
			k.many = make(map[string]bool, 64)
			for _, f := range k.few {
				k.many[f] = true
			}
		}
		return true
	}
	if k.many[key] {
		return false
	}
	k.many[key] = true
	return true
}
