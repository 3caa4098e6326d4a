package templates

import (
	"errors"
	"heddle/fault"
	"maps"
	"slices"
)

// sortedNames returns the members of a set, sorted.
func sortedNames(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

// messageOf returns the message of a fault for its caller, or else the error's
// text.
func messageOf(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Message
	}
	return err.Error()
}
