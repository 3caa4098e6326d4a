package versions

import (
	"encoding/json"
	"errors"
	"heddle/fault"
	"heddle/internal/exactjson"
	"sort"
)

// decode reads one JSON text into maps, lists and plain values, which nest no deeper
// than definitions, so that every function here may recurse. Numbers stay as written.
// Errors: fault.Unacceptable syntax, limit_exceeded.
func decode(raw json.RawMessage) (any, error) {
	var v any
	switch err := exactjson.Decode(raw, &v); {
	case errors.Is(err, exactjson.ErrTrailing):
		return nil, fault.New(fault.Unacceptable, "syntax", "There is more text after the end of the JSON value; remove it.")
	case err != nil:
		return nil, fault.Wrap(err, fault.Unacceptable, "syntax", "The text to compare is not JSON; correct it first.")
	case exactjson.DeeperThan(raw, exactjson.MaxDepth):
		return nil, fault.New(fault.Unacceptable, "limit_exceeded", "Lists and objects are nested more than %d deep; flatten them.", exactjson.MaxDepth)
	}
	return v, nil
}

// keysOfBoth returns the keys of both objects, each once, sorted.
func keysOfBoth(a, b map[string]any) []string {
	// Those of a, then those that only b has; sorted together below.
	keys := exactjson.Names(a)
	for key := range b {
		if _, ok := a[key]; !ok {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	return keys
}
