package steps

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// schemaSource is a config type that writes its own schema (any of several
// forms, say).
type schemaSource interface{ jsonSchema() map[string]any }

// schemaOf is the JSON Schema (2020-12) of the struct C. A field without
// omitempty is required. Tags: doc (description), enum (words with commas),
// default, pattern, minimum, maximum, minLength (as in JSON Schema).
func schemaOf[C any]() json.RawMessage {
	s := structSchema(reflect.TypeFor[C]())
	raw, err := json.Marshal(s)
	if err != nil {
		// Only a config type of ours that cannot be marshalled gets here; the
		// registry's tests compile every schema.
		return json.RawMessage("{}")
	}
	return raw
}

func typeSchema(t reflect.Type) map[string]any {
	if src, ok := reflect.TypeAssert[schemaSource](reflect.New(t)); ok {
		return src.jsonSchema()
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeSchema(t.Elem())
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": typeSchema(t.Elem())}
	case reflect.Slice:
		if t == reflect.TypeFor[json.RawMessage]() {
			return map[string]any{}
		}
		return map[string]any{"type": "array", "items": typeSchema(t.Elem())}
	case reflect.Struct:
		return structSchema(t)
	default:
		return map[string]any{}
	}
}

func structSchema(t reflect.Type) map[string]any {
	properties := make(map[string]any)
	required := []string{}
	for f := range t.Fields() {
		f := f
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		properties[name] = fieldSchema(f)
		if !strings.Contains(options, "omitempty") {
			required = append(required, name)
		}
	}
	s := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

func fieldSchema(f reflect.StructField) map[string]any {
	s := typeSchema(f.Type)
	if enum, ok := f.Tag.Lookup("enum"); ok {
		s["enum"] = strings.Split(enum, ",")
	}
	for tag, key := range map[string]string{"doc": "description", "pattern": "pattern"} {
		if v, ok := f.Tag.Lookup(tag); ok {
			s[key] = v
		}
	}
	for _, key := range []string{"minimum", "maximum", "minLength", "minItems"} {
		if n, err := strconv.ParseInt(f.Tag.Get(key), 10, 64); err == nil {
			s[key] = n
		}
	}
	if v, ok := f.Tag.Lookup("default"); ok {
		s["default"] = defaultValue(v)
	}
	return s
}

// defaultValue reads a default tag: JSON where it is JSON, else a string.
func defaultValue(tag string) any {
	var v any
	if json.Unmarshal([]byte(tag), &v) == nil {
		return v
	}
	return tag
}

// anyOf is the schema of a value of several forms.
func anyOf(description string, forms ...map[string]any) map[string]any {
	return map[string]any{"description": description, "anyOf": forms}
}
