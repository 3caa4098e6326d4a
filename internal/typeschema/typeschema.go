// Package typeschema writes the JSON Schemas (draft 2020-12) of Go types, from
// their fields, their json tags and tags that say what a Go type cannot. The
// configs of step types and the OpenAPI
// document are made with it, each with hooks for what is special about its
// types (docs/adr/0013).
//
// The rules: a field without a json name, and one that is not exported, is left
// out; a field without omitempty or omitzero is required; a struct takes no
// other fields; an embedded struct's fields are its owner's. These tags of a
// field go into its schema:
//
//	doc                          description
//	enum                         the allowed texts, with commas between them; of a list: of its items
//	default                      JSON where it is JSON, else a text
//	pattern                      as in JSON Schema
//	minimum, maximum             whole numbers, as in JSON Schema
//	minLength, minItems          likewise
//	required                     of an embedded struct: those of its optional fields that must be there here
//
// It knows nothing of any of the types.
package typeschema

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// Object is a JSON object of a schema under construction. Those that a
// Generator returns are the caller's to change, but for its Components.
type Object = map[string]any

// Generator makes schemas. The zero value writes structs where they are used;
// types that contain themselves need Refs. It is not safe for concurrent use.
type Generator struct {
	// Refs begins every reference to a component, such as "#/$defs/"; "": there
	// are no components.
	Refs string
	// Components holds, by name, the schemas of the structs that were met. It
	// may be nil before the first.
	Components Object
	// Name names the component of a struct; nil: its Go name.
	Name func(t reflect.Type) string
	// Nullable: a pointer may be null, unless its field may be left out instead.
	Nullable bool

	// Type returns the schema of a type that the rules do not fit, or nil; may be
	// nil itself.
	Type func(t reflect.Type) Object
	// Field returns the schema of a field before its tags are added, given the
	// one of its type; may be nil.
	Field func(f reflect.StructField, s Object) Object
	// Struct completes the schema of a struct in place; may be nil.
	Struct func(t reflect.Type, s Object)
}

// Of returns the schema of a type: a reference where it is a component. Kinds
// that JSON Schema has no word for (interfaces, json.RawMessage, channels) take
// any value.
func (g *Generator) Of(t reflect.Type) Object {
	if g.Type != nil {
		if s := g.Type(t); s != nil {
			return s
		}
	}
	if t == reflect.TypeFor[json.RawMessage]() {
		return Object{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		s := g.Of(t.Elem())
		if !g.Nullable {
			return s
		}
		return orNull(s)
	case reflect.Struct:
		if g.Refs == "" {
			return g.Object(t)
		}
		return g.reference(t)
	case reflect.Slice:
		return Object{"type": "array", "items": g.Of(t.Elem())}
	case reflect.Map:
		return Object{"type": "object", "additionalProperties": g.Of(t.Elem())}
	case reflect.String:
		return Object{"type": "string"}
	case reflect.Bool:
		return Object{"type": "boolean"}
	case reflect.Float64:
		return Object{"type": "number"}
	case reflect.Int, reflect.Int64:
		return Object{"type": "integer"}
	default:
		return Object{}
	}
}

// orNull returns the schema of what s describes, or null. s may be changed.
func orNull(s Object) Object {
	if kind, ok := s["type"].(string); ok {
		s["type"] = []string{kind, "null"}
		return s
	}
	return Object{"anyOf": []any{s, Object{"type": "null"}}}
}

// reference makes a component of a struct, when it is new, and points at it.
func (g *Generator) reference(t reflect.Type) Object {
	name := t.Name()
	if g.Name != nil {
		name = g.Name(t)
	}
	if g.Components == nil {
		g.Components = Object{}
	}
	if _, known := g.Components[name]; !known {
		g.Components[name] = nil // it is known before its fields, which may lead back to it
		g.Components[name] = g.Object(t)
	}
	return Object{"$ref": g.Refs + name}
}

// Object returns the schema of the struct t itself, never a reference.
func (g *Generator) Object(t reflect.Type) Object {
	properties, required := Object{}, []string{}
	g.fields(t, properties, &required)
	s := Object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	if g.Struct != nil {
		g.Struct(t, s)
	}
	return s
}

// fields adds the fields of t to properties, and the names of those that must
// be there to required, in the order of the struct.
func (g *Generator) fields(t reflect.Type, properties Object, required *[]string) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous:
			g.fields(f.Type, properties, required)
			*required = append(*required, strings.Fields(f.Tag.Get("required"))...)
			continue
		case !f.IsExported() || name == "" || name == "-":
			continue
		}
		optional := strings.Contains(options, "omit")
		if optional && f.Type.Kind() == reflect.Pointer {
			f.Type = f.Type.Elem() // left out rather than null
		}
		properties[name] = g.field(f)
		if !optional {
			*required = append(*required, name)
		}
	}
}

func (g *Generator) field(f reflect.StructField) Object {
	s := g.Of(f.Type)
	if g.Field != nil {
		s = g.Field(f, s)
	}
	if enum := f.Tag.Get("enum"); enum != "" {
		of := s
		if items, ok := s["items"].(Object); ok {
			of = items
		}
		of["enum"] = strings.Split(enum, ",")
	}
	if doc := f.Tag.Get("doc"); doc != "" {
		s["description"] = doc
	}
	if pattern := f.Tag.Get("pattern"); pattern != "" {
		s["pattern"] = pattern
	}
	for _, key := range []string{"minimum", "maximum", "minLength", "minItems"} {
		if n, err := strconv.ParseInt(f.Tag.Get(key), 10, 64); err == nil {
			s[key] = n
		}
	}
	if text, ok := f.Tag.Lookup("default"); ok {
		s["default"] = defaultValue(text)
	}
	return s
}

// defaultValue reads a default tag: JSON where it is JSON, else a text.
func defaultValue(tag string) any {
	var v any
	if json.Unmarshal([]byte(tag), &v) == nil {
		return v
	}
	return tag
}
