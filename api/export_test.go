package api

import (
	"maps"
	"slices"
)

// LastingOperations lists the operations whose every call to the database has a
// deadline of its own.
func LastingOperations() []string { return slices.Sorted(maps.Keys(lasting)) }
