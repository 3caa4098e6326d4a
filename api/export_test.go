package api

import (
	"maps"
	"slices"
	"time"
)

// LastingOperations lists the operations whose every call to the database has a
// deadline of its own.
func LastingOperations() []string { return slices.Sorted(maps.Keys(longRunning)) }

// HoldDefinitions takes all the memory that definitions may have; ok is false
// while any of it is in use.
func (h *Handler) HoldDefinitions() (leave func(), ok bool) { return h.admission.all() }

// HoldLines is HoldDefinitions for the long lines of imports.
func (h *Handler) HoldLines() (leave func(), ok bool) { return h.lines.all() }

// all takes all memory and does not queue for it, which would keep others from
// what they need to end.
func (a *memoryBudget) all() (leave func(), ok bool) {
	return func() { a.memory.Release(a.size) }, a.memory.TryAcquire(a.size)
}

// WaitForMemory sets how long requests wait for memory. No request may be in flight.
func (h *Handler) WaitForMemory(wait time.Duration) { h.admission.wait, h.lines.wait = wait, wait }
