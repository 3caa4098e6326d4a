package templates

import (
	"errors"
	"heddle/fault"
	"maps"
	"slices"
)

func sortedNames(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

// messageOf is what an error says to the caller.
func messageOf(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Message
	}
	return err.Error()
}
