package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"heddle/definitions/source"
	"heddle/internal/exactjson"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Bounds of filling in defaults.
const (
	// A default may hold objects that have defaults in turn, through a
	// reference to itself without an end.
	maxFilled = 1 << 20   // bytes that defaults may add
	maxFills  = 1_000_000 // members and schemas looked at
)

// errFill is the error of a Fill that met one of the bounds.
var errFill = errors.New("the defaults of the schema are too large, too deep or never end")

// defaults holds the subschemas that hold defaults, in their properties or
// further in: only there a value has to be looked into.
type defaults map[*jsonschema.Schema]bool

// newDefaults walks a schema once and returns its defaults; nil: it has none.
// Subschemas form a graph with cycles, so the walk keeps what it has seen,
// and then follows the edges back from every default.
func newDefaults(root *jsonschema.Schema) defaults {
	from := map[*jsonschema.Schema][]*jsonschema.Schema{}
	seen := map[*jsonschema.Schema]bool{root: true}
	var holders []*jsonschema.Schema
	for stack := []*jsonschema.Schema{root}; len(stack) > 0; {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if s.Default != nil {
			holders = append(holders, s)
		}
		for _, sub := range applied(s) {
			from[sub] = append(from[sub], s)
			if !seen[sub] {
				seen[sub] = true
				stack = append(stack, sub)
			}
		}
	}
	if len(holders) == 0 {
		return nil
	}
	d := defaults{}
	for len(holders) > 0 {
		s := holders[len(holders)-1]
		holders = holders[:len(holders)-1]
		if !d[s] {
			d[s] = true
			holders = append(holders, from[s]...)
		}
	}
	return d
}

// applied returns the subschemas whose defaults count whatever the value is:
// not those of anyOf, oneOf, not, if, then and else, which hold for some
// values only.
func applied(s *jsonschema.Schema) []*jsonschema.Schema {
	subs := slices.AppendSeq(slices.Clone(s.AllOf), maps.Values(s.Properties))
	subs = slices.AppendSeq(subs, maps.Values(s.PatternProperties))
	subs = append(append(subs, s.PrefixItems...), s.Ref, s.Items2020)
	for _, word := range []any{s.AdditionalProperties, s.Items, s.AdditionalItems} {
		switch sub := word.(type) {
		case *jsonschema.Schema:
			subs = append(subs, sub)
		case []*jsonschema.Schema:
			subs = append(subs, sub...)
		}
	}
	return slices.DeleteFunc(subs, func(sub *jsonschema.Schema) bool { return sub == nil })
}

// Fill returns the value with the defaults of the schema's properties put in
// where the value has no such member; one that is null is there. An absent
// value (nil) is the schema's own default, else the empty object. Objects
// that are there are filled at every depth, in lists too; an object that is
// absent and has no default itself stays absent. The rest of the value stays
// as it is written. Defaults are found through $ref and allOf, the one
// nearest to the property first.
//
// For example, with the schema
//
//	{"properties": {"retry": {"default": {}, "properties": {"limit": {"default": 3}}},
//	                "log": {"properties": {"level": {"default": "info"}}}}}
//
// the value {} becomes {"retry":{"limit":3}}, and {"log":{}} becomes
// {"log":{"level":"info"},"retry":{"limit":3}}: log itself has no default.
//
// The error says that the defaults have no end, or too much of it. The value
// need not fit the schema; where it does not, the check that follows says so.
// Calls wait for each other.
func (v *Checker) Fill(value json.RawMessage) (filled json.RawMessage, err error) {
	if v.defaults != nil {
		v.filling.Lock() // its patterns count what they cost
		defer v.filling.Unlock()
		v.first.meter.begin(value, false)
		defer func() {
			if r := recover(); r == any(errTooCostly) {
				filled, err = nil, errFill
			} else if r != nil {
				panic(r)
			}
		}()
	}
	f := &filler{holds: v.defaults}
	if len(value) == 0 {
		value = json.RawMessage("{}")
		if text, ok, err := f.of(v.first.schema); err != nil {
			return nil, err
		} else if ok {
			value = text
		}
	}
	if v.defaults == nil || !json.Valid(value) { // the check that follows says what is wrong
		return value, nil
	}
	return f.fill(v.first.schema, value, 0)
}

// filler is one Fill.
type filler struct {
	holds defaults
	work  int // members and schemas looked at so far
	added int // bytes of defaults put in so far
}

// reached returns a schema and those that hold for the same value through
// $ref and allOf, each once, the nearest first.
func reached(s *jsonschema.Schema) []*jsonschema.Schema {
	list := []*jsonschema.Schema{s}
	seen := map[*jsonschema.Schema]bool{s: true}
	for i := 0; i < len(list); i++ {
		// A schema can refer to itself through allOf; seen keeps that finite.
		for _, next := range append([]*jsonschema.Schema{list[i].Ref}, list[i].AllOf...) {
			if next != nil && !seen[next] {
				seen[next] = true
				list = append(list, next)
			}
		}
	}
	return list
}

// of returns a schema's default as JSON; ok is false where it has none. The
// error is errFill.
func (f *filler) of(s *jsonschema.Schema) (text json.RawMessage, ok bool, err error) {
	for _, r := range reached(s) {
		if f.work++; f.work > maxFills {
			return nil, false, errFill
		}
		if r.Default == nil {
			continue
		}
		// As the author wrote it, but for white space.
		text := exactjson.Canonical(*r.Default)
		if f.added += len(text); f.added > maxFilled {
			return nil, false, errFill
		}
		return text, true, nil
	}
	return nil, false, nil
}

// fill returns the value with what a schema says of its members or items; the
// given slice where nothing changes. What is neither an object nor a list has
// nothing to fill.
func (f *filler) fill(s *jsonschema.Schema, value json.RawMessage, depth int) (json.RawMessage, error) {
	value = bytes.TrimSpace(value)
	if !f.holds[s] || len(value) == 0 || value[0] != '{' && value[0] != '[' {
		return value, nil
	}
	if depth > source.MaxDepth {
		return nil, errFill
	}
	m := split(value)
	for _, r := range reached(s) {
		if f.work += 1 + len(m.values); f.work > maxFills {
			return nil, errFill
		}
		if !f.holds[r] {
			continue
		}
		var err error
		if value[0] == '{' {
			err = f.members(r, m, depth)
		} else {
			err = f.elements(r, m, depth)
		}
		if err != nil {
			return nil, err
		}
	}
	return m.join(value), nil
}

// members fills an object by what one schema says of its properties, in the
// order of their names, so that the result is the same each time. Members
// that pattern properties or additionalProperties describe are filled, never
// added.
func (f *filler) members(s *jsonschema.Schema, m *parts, depth int) error {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		sub := s.Properties[name]
		if !f.holds[sub] {
			continue
		}
		if f.work++; f.work > maxFills {
			return errFill
		}
		at, there := m.at[name]
		if !there {
			text, ok, err := f.of(sub)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			at = m.add(name, text)
		}
		if err := f.part(sub, m, at, depth); err != nil {
			return err
		}
	}
	rest, _ := s.AdditionalProperties.(*jsonschema.Schema)
	if len(s.PatternProperties) == 0 && (rest == nil || !f.holds[rest]) {
		return nil
	}
	patterns := slices.SortedFunc(maps.Keys(s.PatternProperties), func(a, b jsonschema.Regexp) int {
		return strings.Compare(a.String(), b.String())
	})
	if f.work += len(patterns) * len(m.names); f.work > maxFills {
		return errFill
	}
	// Members that were just added are looked at as well: a default may match
	// a pattern.
	for at, name := range m.names {
		_, known := s.Properties[name]
		for _, pattern := range patterns {
			if !pattern.MatchString(name) {
				continue
			}
			known = true
			if err := f.part(s.PatternProperties[pattern], m, at, depth); err != nil {
				return err
			}
		}
		if !known && rest != nil {
			if err := f.part(rest, m, at, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// elements fills the items of a list; none is ever added.
func (f *filler) elements(s *jsonschema.Schema, m *parts, depth int) error {
	first, rest := s.PrefixItems, s.Items2020
	switch items := s.Items.(type) { // drafts before 2020-12
	case *jsonschema.Schema:
		rest = items
	case []*jsonschema.Schema:
		first = items
		rest, _ = s.AdditionalItems.(*jsonschema.Schema)
	}
	for at := range m.values {
		sub := rest
		if at < len(first) {
			sub = first[at]
		}
		if sub == nil {
			continue
		}
		if err := f.part(sub, m, at, depth); err != nil {
			return err
		}
	}
	return nil
}

// part fills one member or item in place.
func (f *filler) part(s *jsonschema.Schema, m *parts, at, depth int) error {
	filled, err := f.fill(s, m.values[at], depth+1)
	// Equal bytes are no change, so that a value without gaps comes back as
	// it was written.
	if err == nil && !bytes.Equal(filled, m.values[at]) {
		m.values[at], m.changed = filled, true
	}
	return err
}

// parts are the members of an object, or the items of a list, as written.
type parts struct {
	names   []string // of an object, beside values; nil for a list
	values  []json.RawMessage
	at      map[string]int // of an object: index by name, of a repeated one the last; nil for a list
	changed bool           // a value was filled or a member added
}

// split cuts an object or a list, which must be valid JSON, into its parts.
func split(value json.RawMessage) *parts {
	m := &parts{}
	if value[0] == '{' {
		m.at = map[string]int{}
	}
	for p := exactjson.PartsOf(value); p.Next(); {
		if m.at != nil {
			name := exactjson.Unquote(p.Name)
			m.at[name] = len(m.values)
			m.names = append(m.names, name)
		}
		m.values = append(m.values, p.Value())
	}
	return m
}

// add appends a member to an object and returns its index.
func (m *parts) add(name string, value json.RawMessage) int {
	m.at[name] = len(m.values)
	m.names = append(m.names, name)
	m.values = append(m.values, value)
	m.changed = true
	return m.at[name]
}

// join returns the object or list of the parts: the given value, which they
// were cut from, where nothing changed.
func (m *parts) join(value json.RawMessage) json.RawMessage {
	if !m.changed {
		return value
	}
	out := []byte{value[0]}
	for i, part := range m.values {
		if i > 0 {
			out = append(out, ',')
		}
		if m.at != nil {
			out = append(exactjson.AppendString(out, m.names[i]), ':')
		}
		out = append(out, part...)
	}
	return append(out, value[0]+2) // '{' and '}', '[' and ']' are two apart
}
