package templates

import (
	"encoding/json"
	"fmt"
	"heddle/definitions/source"
	"heddle/internal/exactjson"
	"strconv"
)

// decode reads one JSON text into maps, lists and plain
// values; numbers stay as written (json.Number).
func decode(raw json.RawMessage) (any, error) {
	var v any
	if err := exactjson.Decode(raw, &v); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	return v, nil
}

// encode returns a decoded value in canonical form; one that exceeds the limits
// of a definition is an error.
func encode(v any) (json.RawMessage, error) {
	text := exactjson.Canonical(v)
	if err := source.ScanJSON(text, source.DefinitionLimits()); err != nil {
		return nil, err
	}
	return text, nil
}

// objectOf returns v as an object, nil where it is not one.
func objectOf(v any) map[string]any {
	object, _ := v.(map[string]any)
	return object
}

// memberPointer returns the JSON pointer (RFC 6901) of an object's member.
func memberPointer(pointer, key string) string {
	return pointer + "/" + exactjson.EscapeToken(key)
}

// elementPointer returns the JSON pointer of a list's element.
func elementPointer(pointer string, i int) string { return pointer + "/" + strconv.Itoa(i) }
