package exactjson

import (
	"encoding/json"
	"fmt"
)

// Equal reports whether two decoded values are the same JSON: numbers are equal only
// where they are written the same. Their canonical forms are equal exactly then.
func Equal(a, b any) bool { return equal(a, b, func(x, y json.Number) bool { return x == y }) }

// EqualByValue reports whether two decoded values are equal, with numbers compared by
// value: 1.0 is 1 and 1e2 is 100, as JSON Schema and RFC 6902 (section 4.6) define
// it. Numbers that ParseDecimal refuses are equal where they are written the same.
func EqualByValue(a, b any) bool { return equal(a, b, sameNumber) }

// equal compares two values, with numbers as same does.
func equal(a, b any, same func(x, y json.Number) bool) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, x := range a {
			if y, ok := b[name]; !ok || !equal(x, y, same) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equal(a[i], b[i], same) {
				return false
			}
		}
		return true
	case json.Number:
		b, ok := b.(json.Number)
		return ok && same(a, b)
	}
	// Text, truth values and null; a decoded value has no other type.
	return a == b
}

// sameNumber reports whether two numbers have the same value.
func sameNumber(a, b json.Number) bool {
	if a == b {
		return true
	}
	x, okX := ParseDecimal(string(a))
	y, okY := ParseDecimal(string(b))
	return okX && okY && x.Compare(y) == 0
}

// ValueKey returns a text that two decoded values share exactly if EqualByValue holds of
// them, so that a value is found in a long list by a map. It costs in proportion to the
// value.
func ValueKey(v any) string { return string(Append(nil, withDecimals(v))) }

// withDecimals returns a copy of a decoded value in which each number is a list that all
// ways to write it share.
func withDecimals(v any) any {
	switch v := v.(type) {
	case map[string]any:
		object := make(map[string]any, len(v))
		for name, member := range v {
			object[name] = withDecimals(member)
		}
		return object
	case []any:
		list := make([]any, len(v))
		for n, element := range v {
			list[n] = withDecimals(element)
		}
		// A marker, so that no list is taken for a number.
		return append(list, "list")
	case json.Number:
		if d, ok := ParseDecimal(string(v)); ok {
			return []any{fmt.Sprint(d)}
		}
	}
	return v
}
