package templates

import (
	"errors"
	"maps"
	"slices"

	"heddle/fault"
)

func sortedNames(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

// messageOf is what an error says to the caller.
func messageOf(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Message
	}
	return err.Error()
}
