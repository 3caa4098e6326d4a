package api

import (
	"context"
	"maps"
	"slices"
	"time"
)

// LastingOperations lists the operations whose every call to the database has a
// deadline of its own.
func LastingOperations() []string { return slices.Sorted(maps.Keys(lasting)) }

// HoldDefinitions takes all the memory that definitions may have, and lets
// requests wait for it so long.
func (h *Handler) HoldDefinitions(wait time.Duration) (leave func(), err error) {
	h.admission.wait = wait
	return h.admission.enter(context.Background(), definitionMemory)
}

// HoldLines takes all the memory that long lines of imports may have, and lets
// imports wait for it so long.
func (h *Handler) HoldLines(wait time.Duration) (leave func(), err error) {
	h.lines.wait = wait
	return h.lines.enter(context.Background(), importMemory)
}
