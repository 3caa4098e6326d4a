package source

import (
	"heddle/internal/exactjson"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// scanner reads JSON (RFC 8259) into nodes, strictly, and continues after
// whatever it can continue after: a refused string, number or repeated key. At
// broken syntax it stops, since everything behind it would be reported for
// nothing. Each byte is looked at once; recursion is bounded by limits.Depth.
type scanner struct {
	src    []byte
	at     int   // offset of the next byte
	seq    int32 // of the next node; the number of values so far
	limits Limits
	finds  *Diagnostics      // replaced while an opaque member is passed over
	fatal  bool              // broken syntax, or too many values: every method returns at once
	spans  map[string][]byte // the texts of the opaque members; nil: not wanted
	full   bool              // too many values, reported once

	text string // src, of which the texts of nodes are parts
	// The items and members so far of the lists and objects that are open, the innermost
	// last: those from base on are its own. keys is beside kids, "" for items.
	kids []*Node
	keys []string
	base int
	slabs
}

// ScanNodes reads one JSON value that fills the text, after a byte order mark if
// there is one. It returns nil when the syntax is broken or the text holds too
// many values; otherwise the tree, in which refused values are Bad. Problems are
// added to finds. limits.Bytes is the caller's to check.
func ScanNodes(src []byte, limits Limits, finds *Diagnostics) *Node {
	return ScanEnvelope(src, limits, finds, nil)
}

// ScanEnvelope is ScanNodes that also puts the texts of the opaque members into
// spans, by key and as parts of src; of a repeated one the first. Opaque members
// are not in the tree.
func ScanEnvelope(src []byte, limits Limits, finds *Diagnostics, spans map[string][]byte) *Node {
	s := &scanner{src: src, text: string(src), limits: limits, finds: finds, spans: spans}
	if strings.HasPrefix(string(src[:min(3, len(src))]), "\ufeff") {
		s.at = 3
	}
	n := s.value(nil, "", Position{}, 1)
	s.space()
	if !s.fatal && s.at < len(s.src) {
		s.broken("Unexpected text after the end of the JSON value; remove it")
	}
	if s.fatal {
		return nil
	}
	return n
}

// broken reports a syntax error at the current offset and stops the scan. Only
// the first counts.
func (s *scanner) broken(format string, args ...any) {
	if s.fatal {
		return
	}
	s.fatal = true
	d := s.finds.Error(Syntax, &Node{Seq: s.seq}, format, args...)
	d.Pos = &Position{offset: int32(s.at)}
}

// space passes over the white space of JSON.
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

// here returns the next byte after white space, 0 at the end of the text.
func (s *scanner) here() byte {
	s.space()
	if s.at >= len(s.src) {
		return 0
	}
	return s.src[s.at]
}

// value reads one value and adds it to parent, under key if that is an object; a
// nil parent makes it a root. depth counts the lists and objects that the value
// would be the innermost of, from 1. The node is returned even where the scan
// stops in it.
func (s *scanner) value(parent *Node, key string, keyPos Position, depth int) *Node {
	c := s.here()
	n := s.node()
	n.Seq, n.Pos, n.keyPos = s.seq, Position{offset: int32(s.at)}, keyPos
	s.seq++
	switch {
	case parent == nil:
	case parent.Synthetic:
		parent.add(key, n)
	default:
		n.Parent, n.index = parent, int32(len(s.kids)-s.base)
		s.kids, s.keys = append(s.kids, n), append(s.keys, key)
	}
	// Every further value would be refused alike, so the scan stops here.
	if int(s.seq) > s.limits.Values && !s.full {
		s.full = true
		s.finds.Error(LimitExceeded, n, "There are more than %d values; split the workflow or shorten its configs", s.limits.Values)
		s.fatal = true
		return n
	}
	switch {
	case c == '{' || c == '[':
		s.nested(n, c, depth)
	case c == '"':
		n.Kind = String
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

// nested reads a list or object. One that is too deep is passed over without
// nodes and without recursion, and stays Bad, so that hostile nesting costs no
// stack.
func (s *scanner) nested(n *Node, c byte, depth int) {
	if depth > s.limits.Depth {
		s.finds.Error(LimitExceeded, n, "Lists and objects are nested more than %d deep; flatten this value", s.limits.Depth)
		s.skip()
		return
	}
	s.at++
	around := s.base
	s.base = len(s.kids)
	if c == '{' {
		n.Kind = Object
		s.members(n, depth)
		n.Keys = s.names(s.keys[s.base:])
	} else {
		n.Kind = Array
		s.items(n, depth)
	}
	n.Kids = s.list(s.kids[s.base:])
	s.kids, s.keys, s.base = s.kids[:s.base], s.keys[:s.base], around
}

// items reads the items of a list, behind its opening bracket.
func (s *scanner) items(n *Node, depth int) {
	// An empty list; a comma before the bracket is a mistake that closes
	// reports.
	if s.here() == ']' {
		s.at++
		return
	}
	for !s.fatal {
		s.value(n, "", Position{}, depth+1)
		if s.fatal || s.closes(']', "list") {
			return
		}
	}
}

// closes reads what follows an item: a comma, for which it returns false, or the
// closing bracket. It returns true as well after anything else, which stops the
// scan.
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

// members reads the members of an object, behind its opening brace.
func (s *scanner) members(n *Node, depth int) {
	if s.here() == '}' {
		s.at++
		return
	}
	seen := keySet{}
	for !s.fatal {
		if s.here() != '"' {
			s.noName()
			return
		}
		at := Position{offset: int32(s.at)}
		key, ok := s.plain()
		if !ok {
			// The key is read as a node of its own, because a string that is refused
			// needs a place to be reported at.
			name := NewSynthetic(n, s.seq, at)
			name.Kind = String
			s.str(name)
			key, ok = name.Text, name.Kind == String
		}
		if s.fatal {
			return
		}
		if s.here() != ':' {
			s.broken("Expected a colon after the field name %q", key)
			return
		}
		s.at++
		s.member(n, key, ok, &seen, at, depth)
		if s.fatal || s.closes('}', "object") {
			return
		}
	}
}

// member reads the value of one key, of which ok reports that its text was
// accepted. The value of a repeated or refused key is read and left out of the
// tree: the first one counts for later checks.
func (s *scanner) member(n *Node, key string, ok bool, seen *keySet, at Position, depth int) {
	// Of the top-level object alone, and not of one that hangs outside of the
	// tree.
	if depth == 1 && slices.Contains(s.limits.Opaque, key) && n.Parent == nil {
		if !seen.take(s.keys[s.base:], key) {
			s.duplicate(n, key, at)
		}
		seen.add(key) // it is not in the tree
		s.opaque(key)
		return
	}
	if ok && seen.take(s.keys[s.base:], key) {
		s.value(n, key, at, depth+1)
		return
	}
	if ok {
		s.duplicate(n, key, at)
	}
	s.value(NewSynthetic(n, s.seq, at), key, at, depth+1)
}

// duplicate reports a repeated key at its second place; the pointer names the
// member although it is outside of the tree.
func (s *scanner) duplicate(n *Node, key string, at Position) {
	d := s.finds.Error(DuplicateKey, NewSynthetic(n, s.seq, at), "Field %q is given twice in one object; remove one of them", key)
	d.tail = "/" + exactjson.EscapeToken(key)
}

// foreignJSON are words and marks that other languages have where JSON has a
// value, and what to write. The first prefix that matches is used.
var foreignJSON = []struct{ word, say string }{
	{"//", "JSON has no comments; remove it"},
	{"/*", "JSON has no comments; remove it"},
	{"#", "JSON has no comments; remove it"},
	{"'", "Text stands in double quotes in JSON, not in single ones"},
	{"`", "Text stands in double quotes in JSON"},
	{"True", "Write true, in small letters"},
	{"TRUE", "Write true, in small letters"},
	{"False", "Write false, in small letters"},
	{"FALSE", "Write false, in small letters"},
	{"None", "Write null"},
	{"undefined", "Write null, or leave the field out"},
	{"NULL", "Write null, in small letters"},
	{"Null", "Write null, in small letters"},
	{"nil", "Write null"},
	{"NaN", "JSON has no NaN; write null"},
	{"Infinity", "JSON has no infinity; write null"},
	{"{{", "A template stands in a text, in double quotes"},
	{",", "A comma is too many, or a value is missing before it"},
}

// yamlBegins matches a text that begins like YAML: a document marker, a field or
// a list item.
var yamlBegins = regexp.MustCompile(`^(---|[A-Za-z_][\w -]*:(\s|$)|- )`)

// noName reports what stands where a field name is expected, and stops the scan.
func (s *scanner) noName() {
	switch s.here() {
	case '\'':
		s.broken("A field name stands in double quotes in JSON, not in single ones")
	case '/', '#':
		s.broken("JSON has no comments; remove it")
	case '}', ',':
		s.broken("A comma is too many here; remove it")
	default:
		s.broken("Expected a field name in double quotes")
	}
}

// word reads true, false or null into n; anything else stops the scan with advice
// on what was probably meant.
func (s *scanner) word(n *Node) {
	for _, w := range []string{"true", "false", "null"} {
		if strings.HasPrefix(string(s.src[s.at:min(s.at+5, len(s.src))]), w) {
			n.Kind, n.Text = Boolean, w
			if w == "null" {
				n.Kind = Null
			}
			s.at += len(w)
			return
		}
	}
	for _, w := range foreignJSON {
		if strings.HasPrefix(string(s.src[s.at:min(s.at+10, len(s.src))]), w.word) {
			s.broken("%s", w.say)
			return
		}
	}
	// A text of YAML fails at its first character, which explains nothing.
	r, _ := utf8.DecodeRune(s.src[s.at:])
	if s.seq <= 1 && yamlBegins.Match(s.src[s.at:min(s.at+200, len(s.src))]) {
		s.broken("The text is not JSON but YAML; send it as YAML (Content-Type: application/yaml, or a file named .yaml)")
		return
	}
	s.broken("Unexpected %q where a value is expected; JSON values are text in double quotes, numbers, true, false, null, lists and objects", string(r))
}
