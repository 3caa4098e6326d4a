package api

import (
	"encoding/json"
	"heddle/fault"
	"reflect"
	"strings"
	"time"
)

// dict is a JSON object of the document under construction.
type dict = map[string]any

// schemas turns the Go types of requests and answers into JSON Schemas, one
// component per struct.
type schemas struct {
	components dict
	examples   map[string]example // by operation
}

// of gives the schema of a type.
func (s *schemas) of(t reflect.Type) dict {
	switch t {
	case reflect.TypeFor[timestamp](), reflect.TypeFor[time.Time]():
		return dict{"type": "string", "format": "date-time"}
	case reflect.TypeFor[json.RawMessage]():
		return dict{}
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
	switch t.Kind() {
	case reflect.Pointer:
		return nullable(s.of(t.Elem()))
	case reflect.Struct:
		return s.reference(t)
	case reflect.Slice:
		return dict{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return dict{"type": "object"}
	case reflect.Interface:
		return dict{}
	case reflect.Bool:
		return dict{"type": "boolean"}
	case reflect.Float64:
		return dict{"type": "number"}
	case reflect.Int, reflect.Int64:
		return dict{"type": "integer"}
	}
	return dict{"type": "string"}
}

func nullable(schema dict) dict {
	if kind, ok := schema["type"].(string); ok {
		schema["type"] = []string{kind, "null"}
		return schema
	}
	return dict{"anyOf": []any{schema, dict{"type": "null"}}}
}

// reference makes a component of a struct and points at it.
func (s *schemas) reference(t reflect.Type) dict {
	name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
	if t == reflect.TypeFor[fault.Issue]() {
		name = "Diagnostic"
	}
	if _, known := s.components[name]; !known {
		s.components[name] = dict{} // stands while its fields are looked at
		s.components[name] = s.object(t)
	}
	return dict{"$ref": "#/components/schemas/" + name}
}

// object describes a struct; nothing beside its fields is sent or taken, but
// for an error's details.
func (s *schemas) object(t reflect.Type) dict {
	properties, required := dict{}, []string{}
	s.fields(t, properties, &required)
	schema := dict{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	if t != reflect.TypeFor[problemBody]() {
		schema["additionalProperties"] = false
	}
	return schema
}

func (s *schemas) fields(t reflect.Type, properties dict, required *[]string) {
	for f := range t.Fields() {
		f := f
		if f.Anonymous {
			s.fields(f.Type, properties, required)
			continue
		}
		if !f.IsExported() {
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		kind := f.Type
		optional := strings.Contains(options, "omit")
		if optional && kind.Kind() == reflect.Pointer {
			kind = kind.Elem() // left out rather than null
		}
		properties[name] = s.annotated(kind, f.Tag)
		if !optional {
			*required = append(*required, name)
		}
	}
}

// annotated adds what a field's tags say: doc, enum, kind, words (the states of
// a dialect).
func (s *schemas) annotated(t reflect.Type, tag reflect.StructTag) dict {
	schema := s.of(t)
	switch kind := tag.Get("kind"); kind {
	case "":
	case "patch":
		schema = dict{"type": "array", "items": s.of(reflect.TypeFor[patchOperation]())}
	default:
		schema["type"] = kind
	}
	enum := strings.Split(tag.Get("enum"), ",")
	if dialect := tag.Get("words"); dialect != "" {
		enum = vocabulary(dialectNamed(dialect))
	}
	if enum[0] != "" {
		on := schema
		if items, ok := schema["items"].(dict); ok {
			on = items
		}
		on["enum"] = enum
	}
	if doc := tag.Get("doc"); doc != "" {
		schema["description"] = doc
	}
	return schema
}
