package expressions

import (
	"encoding/json"
	"fmt"
	"time"
)

// listOf returns the elements of a list of any of the types that the library
// makes; false for what is not a list. Only a []any is not copied: do not
// change the result.
func listOf(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case []int:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = x
		}
		return out, true
	}
	return nil, false
}

// objectOf returns the members of an object; false for what is not one. Groups
// that groupBy made have their keys printed, which copies; do not change the
// result.
func objectOf(v any) (map[string]any, bool) {
	switch v := v.(type) {
	case map[string]any:
		return v, true
	// The key of a group is any scalar, but the name of a member is a string.
	case map[any][]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[keyText(k)] = x
		}
		return out, true
	}
	return nil, false
}

// keyText prints the key of a group as the name of a member.
func keyText(k any) string {
	switch k := k.(type) {
	case nil:
		return "null"
	case string:
		return k
	case float64:
		// As JSON writes the number.
		raw, _ := json.Marshal(k)
		return string(raw)
	}
	return fmt.Sprint(k)
}

// kindOf names a value's kind in words, with an article, for messages. It never
// shows the value.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case int, uint8:
		return "a whole number"
	case float64, json.Number:
		return "a number"
	case string:
		return "a string"
	case []any, []int:
		return "a list"
	case map[string]any, map[any][]any:
		return "an object"
	case time.Time:
		return "a time"
	case time.Duration:
		return "a duration"
	}
	// Nothing else is left that the library's machine has as a value.
	return "a function"
}

// text prints a value as templates, string() and join() do: strings as they
// are, null as nothing, numbers as JSON writes them, objects and lists as JSON,
// times as RFC 3339. The errors are those of encode.
func text(v any) (string, *Error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case time.Time:
		return v.Format(time.RFC3339Nano), nil
	case time.Duration:
		return v.String(), nil
	}
	raw, err := encode(v)
	return string(raw), err
}
