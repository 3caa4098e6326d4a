package expressions

import (
	"encoding/json"
	"heddle/internal/exactjson"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/types"
)

// Shape is what a JSON Schema says about a value, as far as expressions care: its
// type, the members of an object, the elements of a list. What a schema says in
// other words (anyOf, if, patterns) leaves the shape unknown, and everything fits
// an unknown one. A Shape never changes once newShape has returned it, and may be
// shared; a nil *Shape is unknown.
type Shape struct {
	kind   shapeKind
	fields map[string]*Shape // an object's listed members
	closed bool              // an object that has no other members
	rest   *Shape            // the schema of an open object's other members; nil: any
	items  *Shape            // a list's elements; nil: any
	values []any             // all that it may be, as decoded JSON; empty: the schema lists none
	status bool              // it is the status of a step

	// lenient and strict are the types for the library's checker; see typed.
	lenient, strict types.Type
	loose           bool   // strict differs from lenient
	step            *Shape // of a step with this output; nil: not computed, see stepShape
	weight          int    // members of all depths, and one
}

// shapeKind is the type of a value in the terms of JSON Schema.
type shapeKind uint8

const (
	shapeAny shapeKind = iota // unknown, or several types
	shapeNull
	shapeBool
	shapeInt
	shapeNumber
	shapeString
	shapeList
	shapeObject
)

// maxShape is how many levels of a schema are followed, references included; what
// is deeper is unknown. It ends schemas that refer to themselves.
const maxShape = 16

// ParseShape reads a JSON Schema 2020-12. A missing one, one that cannot be read,
// and what is beyond 16 levels or 10,000 subschemas is an unknown shape; whether a
// schema is sound is not judged here. The result is never nil.
func ParseShape(schema json.RawMessage) *Shape {
	s := readShape(schema)
	s.step = newStepShape(s)
	return s
}

// readShape is ParseShape without the shape of a step with that output.
func readShape(schema json.RawMessage) *Shape {
	var root any
	if len(schema) == 0 || json.Unmarshal(schema, &root) != nil {
		return newShape(Shape{})
	}
	// Without a bound, references could make a short schema a shape without
	// end.
	p := &shapeParser{root: root, left: 10_000}
	return p.shape(root, 0)
}

// shapeParser reads one schema document.
type shapeParser struct {
	// root is the whole document, for references.
	root any
	left int // subschemas that are still read
}

// shape reads a subschema. A $ref replaces all that stands beside it.
func (p *shapeParser) shape(v any, depth int) *Shape {
	schema, ok := v.(map[string]any)
	if p.left--; !ok || depth > maxShape || p.left < 0 {
		return newShape(Shape{})
	}
	if ref, ok := schema["$ref"].(string); ok {
		return p.shape(p.find(ref), depth+1)
	}
	// Such a value may be of several shapes; the alternatives are not joined.
	for _, word := range []string{"anyOf", "oneOf", "allOf", "if", "$dynamicRef"} {
		if _, ok := schema[word]; ok {
			return newShape(Shape{})
		}
	}
	s := Shape{kind: kindOfSchema(schema)}
	if list, ok := schema["enum"].([]any); ok {
		s.values = list
	} else if v, ok := schema["const"]; ok {
		s.values = []any{v}
	}
	switch s.kind {
	case shapeObject:
		p.object(&s, schema, depth)
	case shapeList:
		// Elements with a place of their own may differ from all others.
		if _, tuple := schema["prefixItems"]; !tuple {
			s.items = p.shape(schema["items"], depth+1)
		}
	default: // nothing to do for the others
	}
	return newShape(s)
}

// find resolves a reference inside the same document: # and a JSON Pointer (RFC
// 6901). It returns nil for any other, and for one that leads nowhere.
func (p *shapeParser) find(ref string) any {
	at, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil
	}
	v := p.root
	for _, word := range strings.Split(at, "/")[1:] {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[exactjson.UnescapeToken(word)]
	}
	return v
}

// object reads what a schema says about members. With patternProperties the object
// stays open, since other members are described there.
func (p *shapeParser) object(s *Shape, schema map[string]any, depth int) {
	properties, _ := schema["properties"].(map[string]any)
	s.fields = make(map[string]*Shape, len(properties))
	for name, sub := range properties {
		s.fields[name] = p.shape(sub, depth+1)
	}
	if _, ok := schema["patternProperties"]; ok {
		return
	}
	// Every other value leaves the object open.
	s.closed = schema["additionalProperties"] == false || schema["unevaluatedProperties"] == false
	if sub, ok := schema["additionalProperties"].(map[string]any); ok {
		s.rest = p.shape(sub, depth+1)
	}
}

// kindOfSchema reads type, or infers it from const, enum or properties. Null beside
// one other type does not count: a value that may be null is checked as if it were
// not.
func kindOfSchema(schema map[string]any) shapeKind {
	switch t := schema["type"].(type) {
	case string:
		return kindNamed(t)
	case []any:
		return unionKind(t, func(v any) shapeKind {
			name, _ := v.(string)
			return kindNamed(name)
		})
	}
	if v, ok := schema["const"]; ok {
		return kindOfConstant(v)
	}
	if list, ok := schema["enum"].([]any); ok {
		return unionKind(list, kindOfConstant)
	}
	if _, ok := schema["properties"]; ok {
		return shapeObject
	}
	return shapeAny
}

// unionKind returns the one kind that all elements of a list have, null aside.
// Integers and numbers together are numbers; any other mixture is unknown. Only
// nulls, or nothing, is null.
func unionKind(list []any, kind func(any) shapeKind) shapeKind {
	// Null is where nothing was found yet, and does not count besides.
	found := shapeNull
	for _, v := range list {
		k := kind(v)
		switch {
		case k == shapeNull || k == found:
		case found == shapeNull:
			found = k
		case found == shapeInt && k == shapeNumber, found == shapeNumber && k == shapeInt:
			found = shapeNumber
		default:
			return shapeAny
		}
	}
	return found
}

// kindNamed returns the kind that type names in a schema; unknown for any other
// word.
func kindNamed(name string) shapeKind {
	switch name {
	case "null":
		return shapeNull
	case "boolean":
		return shapeBool
	case "integer":
		return shapeInt
	case "number":
		return shapeNumber
	case "string":
		return shapeString
	case "array":
		return shapeList
	case "object":
		return shapeObject
	}
	return shapeAny
}

// kindOfConstant returns the kind of a decoded JSON value; lists and objects are
// unknown. A number is never taken for an integer: 1 may be written as 1.0.
func kindOfConstant(v any) shapeKind {
	switch v.(type) {
	case nil:
		return shapeNull
	case bool:
		return shapeBool
	case float64:
		return shapeNumber
	case string:
		return shapeString
	}
	return shapeAny
}

// newShape completes a shape whose parts are complete: the weight and the types for
// the library's checker are computed once, and not at each check.
func newShape(s Shape) *Shape {
	// A part that is used twice counts twice: the checker visits it twice.
	s.weight = 1 + s.rest.heavy() + s.items.heavy()
	for _, f := range s.fields {
		s.weight += f.heavy()
	}
	s.lenient = s.typed(false)
	s.strict = s.lenient
	s.loose = s.hasLooseParts()
	if s.loose {
		s.strict = s.typed(true)
	}
	return &s
}

// hasLooseParts reports whether the strict type differs from the lenient one: an object
// somewhere in it lists members and has any other besides.
func (s *Shape) hasLooseParts() bool {
	if s.kind == shapeObject && !s.closed && len(s.fields) > 0 && s.rest == nil || s.rest.isLoose() || s.items.isLoose() {
		return true
	}
	for _, f := range s.fields {
		if f.isLoose() {
			return true
		}
	}
	return false
}

// isLoose returns loose; false for a nil shape.
func (s *Shape) isLoose() bool { return s != nil && s.loose }

// heavy returns the weight of a shape; an unknown one weighs nothing.
func (s *Shape) heavy() int {
	if s == nil {
		return 0
	}
	return s.weight
}

// typed builds the library's type. In the lenient form, an object whose schema is
// open has any member; in the strict form, only those that the schema lists or
// describes.
func (s *Shape) typed(strict bool) types.Type {
	switch s.kind {
	case shapeBool:
		return types.Bool
	case shapeInt:
		return types.Int
	case shapeNumber:
		return types.Float64
	case shapeString:
		return types.String
	case shapeList:
		return types.Array(s.items.of(strict))
	case shapeObject:
		return s.typedObject(strict)
	default: // nothing to do for the others
	}
	return types.Any
}

// typedObject is typed for objects. An object of which no member is listed stays
// open in the strict form too: its schema says nothing about members.
func (s *Shape) typedObject(strict bool) types.Type {
	m := make(types.Map, len(s.fields)+1)
	for name, f := range s.fields {
		m[name] = f.of(strict)
	}
	// Extra is the library's word for all other members.
	if !s.closed && (!strict || len(s.fields) == 0 || s.rest != nil) {
		m[types.Extra] = s.rest.of(strict)
	}
	return m
}

// of returns the type that newShape stored; any for a nil shape.
func (s *Shape) of(strict bool) types.Type {
	switch {
	case s == nil:
		return types.Any
	case strict:
		return s.strict
	}
	return s.lenient
}

// lack says how a member is missing from an object's schema.
type lack uint8

const (
	lackNothing lack = iota
	lackListed       // the schema is open and does not list it
	lackAllowed      // the schema is closed
)

// member returns the shape of an object's member, and whether the schema lacks it.
// A shape that is not an object's lacks nothing.
func (s *Shape) member(name string) (*Shape, lack) {
	if s == nil || s.kind != shapeObject {
		return nil, lackNothing
	}
	if f, ok := s.fields[name]; ok {
		return f, lackNothing
	}
	switch {
	case s.closed:
		return nil, lackAllowed
	case s.rest != nil || len(s.fields) == 0:
		return s.rest, lackNothing
	}
	return nil, lackListed
}

// element returns the shape of a list's elements; nil where nothing is known of
// them.
func (s *Shape) element() *Shape {
	if s == nil {
		return nil
	}
	return s.items
}

// size returns the number of an object's own listed members.
func (s *Shape) size() int {
	if s == nil {
		return 0
	}
	return len(s.fields)
}

// fieldNames returns the sorted names of an object's listed members.
func (s *Shape) fieldNames() []string {
	if s == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.fields))
}

// allNames adds the names of all members, at all depths, to into. It stops
// descending once into has more than 1,000.
func (s *Shape) allNames(into map[string]bool) {
	if s == nil || len(into) > 1_000 {
		return
	}
	for name, f := range s.fields {
		into[name] = true
		f.allNames(into)
	}
	s.rest.allNames(into)
	s.items.allNames(into)
}
