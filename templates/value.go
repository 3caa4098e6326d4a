package templates

import (
	"bytes"
	"encoding/json"
	"fmt"
	"heddle/definitions/source"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// decode reads the first JSON value of a text into maps, lists and plain
// values; numbers stay as written (json.Number).
func decode(raw json.RawMessage) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	return v, nil
}

// encode returns a decoded value in canonical form; one that exceeds the limits
// of a definition is an error.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return source.Canonical(b.Bytes())
}

// objectOf returns v as an object, nil where it is not one.
func objectOf(v any) map[string]any {
	object, _ := v.(map[string]any)
	return object
}

// sortedKeys returns an object's keys, sorted by their bytes.
func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// memberPointer returns the JSON pointer (RFC 6901) of an object's member.
func memberPointer(pointer, key string) string {
	return pointer + "/" + strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

// elementPointer returns the JSON pointer of a list's element.
func elementPointer(pointer string, i int) string { return pointer + "/" + strconv.Itoa(i) }
