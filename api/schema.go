package api

import (
	"heddle/fault"
	"heddle/internal/typeschema"
	"reflect"
	"strings"
	"time"
)

// dict is a JSON object of the document under construction.
type dict = map[string]any

// schemas turns the Go types of requests and answers into JSON Schemas, one
// component per struct.
type schemas struct {
	typeschema.Generator
	examples map[string]example // by operation
}

func newSchemas() *schemas {
	s := &schemas{examples: readExamples()}
	s.Generator = typeschema.Generator{
		Refs: "#/components/schemas/", Components: dict{}, Nullable: true,
		Name: componentName, Type: specialSchema, Field: s.field, Struct: openEnded,
	}
	return s
}

// componentName is the Go name in upper camel case, by which generators of typed
// clients name their types.
func componentName(t reflect.Type) string {
	if t == reflect.TypeFor[fault.Issue]() {
		return "Diagnostic"
	}
	return strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
}

// specialSchema returns the schema of a type whose JSON is not that of its Go
// kind; nil for all others.
func specialSchema(t reflect.Type) dict {
	switch t {
	case reflect.TypeFor[timestamp](), reflect.TypeFor[time.Time]():
		return dict{"type": "string", "format": "date-time"}
	case reflect.TypeFor[anyObject]():
		return dict{"type": "object"}
	case reflect.TypeFor[versionRef]():
		// Alternatives rather than a list of types, of which generators of typed
		// clients make nothing that compiles.
		return dict{"oneOf": []any{dict{"type": "integer", "minimum": 1}, dict{"type": "string"}}, "description": "A number from 1, such as 3 or \"v3\", or a label; the active version without it."}
	case reflect.TypeFor[clearableTime]():
		return dict{"type": []string{"string", "null"}, "format": "date-time", "description": "RFC 3339; null clears."}
	case reflect.TypeFor[labelText]():
		return dict{"type": []string{"string", "null"}}
	case reflect.TypeFor[parsedDefinition]():
		return dict{"description": "A workflow definition, as /schemas/definition.json describes it."}
	}
	if t.Kind() == reflect.Map {
		return dict{"type": "object"}
	}
	return nil
}

// openEnded lets an error's details hold more than its fields.
func openEnded(t reflect.Type, s dict) {
	if t == reflect.TypeFor[problemBody]() {
		delete(s, "additionalProperties")
	}
}

// field applies the tags that only this document has: kind (the JSON type, or
// patch for a JSON Patch) and words (the states of a dialect).
func (s *schemas) field(f reflect.StructField, schema dict) dict {
	switch kind := f.Tag.Get("kind"); kind {
	case "":
	case "patch":
		schema = dict{"type": "array", "items": s.Of(reflect.TypeFor[patchOperation]())}
	default:
		schema["type"] = kind
	}
	if dialect := f.Tag.Get("words"); dialect != "" {
		of := schema
		if items, ok := schema["items"].(dict); ok {
			of = items
		}
		of["enum"] = vocabulary(dialectNamed(dialect))
	}
	return schema
}
