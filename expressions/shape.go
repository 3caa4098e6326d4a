package expressions

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/types"
)

// Shape is what a JSON Schema tells about a value, as far as expressions care:
// its type, the members of an object, the elements of a list. What a schema
// says in other words (anyOf, if, patterns) leaves the shape unknown, which
// fits everything. A Shape never changes; a nil one is unknown.
type Shape struct {
	kind   shapeKind
	fields map[string]*Shape
	closed bool   // an object that has no other members
	rest   *Shape // an open object's other members
	items  *Shape
	values []any // what it may be, where the schema lists that
	status bool  // it is that of a step

	lenient, strict types.Type
	weight          int // members of all depths, and one
}

type shapeKind uint8

const (
	shapeAny shapeKind = iota
	shapeNull
	shapeBool
	shapeInt
	shapeNumber
	shapeString
	shapeList
	shapeObject
)

// maxShape bounds how deep schemas are followed.
const maxShape = 16

// ParseShape reads a JSON Schema 2020-12. None, or one that cannot be read,
// gives an unknown shape; whether a schema is sound is not judged here.
func ParseShape(schema json.RawMessage) *Shape {
	var root any
	if len(schema) == 0 || json.Unmarshal(schema, &root) != nil {
		return newShape(Shape{})
	}
	p := &shapeParser{root: root, left: 10_000}
	return p.shape(root, 0)
}

type shapeParser struct {
	root any
	left int // subschemas that are still read
}

func (p *shapeParser) shape(v any, depth int) *Shape {
	schema, ok := v.(map[string]any)
	if p.left--; !ok || depth > maxShape || p.left < 0 {
		return newShape(Shape{})
	}
	if ref, ok := schema["$ref"].(string); ok {
		return p.shape(p.find(ref), depth+1)
	}
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
		if _, tuple := schema["prefixItems"]; !tuple {
			s.items = p.shape(schema["items"], depth+1)
		}
	default: // nothing to do for the others
	}
	return newShape(s)
}

// find resolves a reference inside the same document.
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
		v = m[strings.ReplaceAll(strings.ReplaceAll(word, "~1", "/"), "~0", "~")]
	}
	return v
}

func (p *shapeParser) object(s *Shape, schema map[string]any, depth int) {
	properties, _ := schema["properties"].(map[string]any)
	s.fields = make(map[string]*Shape, len(properties))
	for name, sub := range properties {
		s.fields[name] = p.shape(sub, depth+1)
	}
	if _, ok := schema["patternProperties"]; ok {
		return
	}
	s.closed = schema["additionalProperties"] == false || schema["unevaluatedProperties"] == false
	if sub, ok := schema["additionalProperties"].(map[string]any); ok {
		s.rest = p.shape(sub, depth+1)
	}
}

// kindOfSchema reads type, or infers it from const, enum or properties. Null
// beside one other type does not count: a value that may be null is checked as
// if it were there.
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

func unionKind(list []any, kind func(any) shapeKind) shapeKind {
	found := shapeNull
	for _, v := range list {
		k := kind(v)
		switch {
		case k == shapeNull || k == found:
		case found == shapeNull:
			found = k
		case found+k == shapeInt+shapeNumber:
			found = shapeNumber
		default:
			return shapeAny
		}
	}
	return found
}

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

// newShape finishes a shape: its types for the library's checker are made once.
func newShape(s Shape) *Shape {
	s.weight = 1 + s.rest.heavy() + s.items.heavy()
	for _, f := range s.fields {
		s.weight += f.heavy()
	}
	s.lenient = s.typed(false)
	s.strict = s.typed(true)
	return &s
}

// heavy is the weight of a shape; an unknown one weighs nothing.
func (s *Shape) heavy() int {
	if s == nil {
		return 0
	}
	return s.weight
}

// typed gives the library's type. In the lenient form, an object whose schema
// is open lets any member through.
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

func (s *Shape) typedObject(strict bool) types.Type {
	m := make(types.Map, len(s.fields)+1)
	for name, f := range s.fields {
		m[name] = f.of(strict)
	}
	if !s.closed && (!strict || len(s.fields) == 0 || s.rest != nil) {
		m[types.Extra] = s.rest.of(strict)
	}
	return m
}

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

// member gives the shape of a member, and whether the schema lacks it.
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

func (s *Shape) element() *Shape {
	if s == nil {
		return nil
	}
	return s.items
}

// size is the number of an object's own members.
func (s *Shape) size() int {
	if s == nil {
		return 0
	}
	return len(s.fields)
}

func (s *Shape) fieldNames() []string {
	if s == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.fields))
}

// allNames gathers the names of all members, of all depths.
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
