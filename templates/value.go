package templates

import (
	"bytes"
	"encoding/json"
	"fmt"
	"heddle/definitions"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// decode reads JSON into maps, lists and plain values; numbers stay as
// written.
func decode(raw json.RawMessage) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	return v, nil
}

// encode writes what decode gives, in canonical form. What passes the limits
// of a definition is an error.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return definitions.Canonical(b.Bytes())
}

// objectOf gives v as an object, nil when it is none.
func objectOf(v any) map[string]any {
	object, _ := v.(map[string]any)
	return object
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// memberPointer is the JSON pointer of a member or an element.
func memberPointer(pointer, key string) string {
	return pointer + "/" + strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

func elementPointer(pointer string, i int) string { return pointer + "/" + strconv.Itoa(i) }
