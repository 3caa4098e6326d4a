package steps

import (
	"encoding/json"
	"heddle/internal/typeschema"
	"reflect"
)

// schemaSource is a config type that writes its own schema, because its values have
// several forms. The method needs no receiver's value.
type schemaSource interface{ jsonSchema() map[string]any }

// schemaOf returns the JSON Schema (2020-12) of the config C, written from its fields
// and their tags (see typeschema). Structs inside are written where they are used.
func schemaOf[C any]() json.RawMessage {
	g := typeschema.Generator{Type: func(t reflect.Type) typeschema.Object {
		if own, ok := reflect.TypeAssert[schemaSource](reflect.New(t)); ok {
			return own.jsonSchema()
		}
		return nil
	}}
	raw, err := json.Marshal(g.Of(reflect.TypeFor[C]()))
	if err != nil {
		// Only a config type that cannot be marshalled leads here, and the
		// registry's tests compile every schema.
		return json.RawMessage("{}")
	}
	return raw
}

// anyOf returns the schema of a value of several forms.
func anyOf(description string, forms ...map[string]any) map[string]any {
	return map[string]any{"description": description, "anyOf": forms}
}
