package parser

import (
	"fmt"
	"heddle/definitions"
	"reflect"
	"strconv"
	"strings"

	regexp "heddle/internal/lazyregexp"
)

// rule is what a field's `rule` tag says beside its Go type (see the package
// comment for its words). Decoding checks it and Schema publishes it, so the two
// cannot differ.
type rule struct {
	name       string // of the field, as in JSON
	required   bool
	expression bool     // a bare expression, not a template
	object     bool     // raw JSON that must be an object
	minimum    *float64 // nil: no bound
	maximum    *float64 // nil: no bound
	minLength  int      // 0: no bound; items of a list, characters of a text
	maxLength  int      // 0: no bound but the general one; items of a list, characters of a text
	pattern    *regexp.Regexp
	patternSay string   // what messages say of the pattern, after "must be"
	enum       []string // empty: any text
	forms      []string // raw JSON: the forms that the schema allows; validation checks them
}

// field is one member of a Go struct that decodes an object.
type field struct {
	name string       // as in JSON
	doc  string       // the tag doc, which becomes the schema's description
	goes reflect.Type // its Go type
	at   int          // its index in the struct
	rule rule
}

// shape is what a Go struct accepts. Structs have at most two dozen fields, so
// they are searched in order.
type shape struct {
	fields []field  // in the order of the struct, without those that JSON does not name
	names  []string // of fields
}

// shapes caches the fields of structs, so that tags are read once per parse.
type shapes map[reflect.Type]*shape

// of returns the shape of a struct type, made at the first call. A tag that
// readRule does not know panics: it is a mistake in this repository.
func (s shapes) of(t reflect.Type) *shape {
	if known, ok := s[t]; ok {
		return known
	}
	made := &shape{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		// Decoded configs and the like are not fields of the text.
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

// field returns the field of a name in JSON, nil when the struct has none. It is not to
// be changed.
func (s *shape) field(name string) *field {
	for i := range s.fields {
		if s.fields[i].name == name {
			return &s.fields[i]
		}
	}
	return nil
}

// readRule reads a tag such as `rule:"required,len=1..200"`. It panics on an
// unknown word.
func readRule(tag string) rule {
	var r rule
	if tag == "" {
		return r
	}
	// No word of a tag holds a comma, not even a pattern, which is named and
	// not written.
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

// named returns the pattern of a name, and what messages say of it. It panics on
// an unknown name.
func named(name string) (*regexp.Regexp, string) {
	switch name {
	case "id":
		return definitions.IDPattern, "a letter or _ first, then letters, digits, _ and -, at most 64 in all"
	case "identifier":
		return identifierPattern, "a letter or _ first, then letters, digits and _, at most 64 in all"
	}
	panic("definitions: unknown pattern " + name)
}

// atoi returns a number of a tag, 0 where none is written.
func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// bound returns a bound of a tag, nil where none is written.
func bound(s string) *float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil
	}
	return &f
}
