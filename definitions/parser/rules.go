package parser

import (
	"fmt"
	"heddle/definitions"
	"reflect"
	"strconv"
	"strings"

	regexp "heddle/internal/lazyregexp"
)

// rule is what a field's `rule` tag says beside its Go type. Decoding checks
// it and Schema publishes it, so the two cannot differ.
type rule struct {
	name       string // of the field
	required   bool
	expression bool // a bare expression
	object     bool // raw JSON that must be an object
	minimum    *float64
	maximum    *float64
	minLength  int
	maxLength  int // 0: no bound but the general one; items of a list, characters of a text
	pattern    *regexp.Regexp
	patternSay string
	enum       []string
	forms      []string // raw JSON: the forms that the schema allows; validation checks them
}

// field is one member of a Go struct that decodes an object.
type field struct {
	name string
	doc  string
	goes reflect.Type
	at   int
	rule rule
}

// shape is what a Go struct accepts.
type shape struct {
	fields []field
	names  []string
}

// shapes reads struct tags once per parse.
type shapes map[reflect.Type]*shape

func (s shapes) of(t reflect.Type) *shape {
	if known, ok := s[t]; ok {
		return known
	}
	made := &shape{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || name == "" {
			continue
		}
		r := readRule(f.Tag.Get("rule"))
		r.name = name
		made.fields = append(made.fields, field{name: name, doc: f.Tag.Get("doc"), goes: f.Type, at: i, rule: r})
		made.names = append(made.names, name)
	}
	s[t] = made
	return made
}

func (s *shape) field(name string) (field, bool) {
	for _, f := range s.fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

// readRule reads a tag such as `rule:"required,len=1..200"`.
func readRule(tag string) rule {
	var r rule
	if tag == "" {
		return r
	}
	for part := range strings.SplitSeq(tag, ",") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "required":
			r.required = true
		case "expression":
			r.expression = true
		case "object":
			r.object = true
		case "forms":
			r.forms = strings.Split(value, "|")
		case "enum":
			r.enum = strings.Split(value, "|")
		case "len":
			low, high, _ := strings.Cut(value, "..")
			r.minLength, r.maxLength = atoi(low), atoi(high)
		case "range":
			low, high, _ := strings.Cut(value, "..")
			r.minimum, r.maximum = bound(low), bound(high)
		case "pattern":
			r.pattern, r.patternSay = named(value)
		default:
			panic(fmt.Sprintf("definitions: unknown rule %q", part))
		}
	}
	return r
}

// The patterns that rules refer to.
var (
	identifierPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)
)

// named finds a pattern, and what messages say of it.
func named(name string) (*regexp.Regexp, string) {
	switch name {
	case "id":
		return definitions.IDPattern, "a letter or _ first, then letters, digits, _ and -, at most 64 in all"
	case "identifier":
		return identifierPattern, "a letter or _ first, then letters, digits and _, at most 64 in all"
	}
	panic("definitions: unknown pattern " + name)
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func bound(s string) *float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil
	}
	return &f
}
