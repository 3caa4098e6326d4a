package api

import (
	"slices"
	"time"
)

// LastingOperations lists the operations whose every call to the database has a
// deadline of its own.
func LastingOperations() []string {
	var ids []string
	for _, r := range routesAlone() {
		if r.LongRunning {
			ids = append(ids, r.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// HoldDefinitions takes all the memory that definitions may have; ok is false
// while any of it is in use.
func (h *Handler) HoldDefinitions() (leave func(), ok bool) { return h.Memory.ReserveAll() }

// HoldLines is HoldDefinitions for the long lines of imports.
func (h *Handler) HoldLines() (leave func(), ok bool) { return h.lines.ReserveAll() }

// WaitForMemory sets how long requests wait for memory. No request may be in flight.
func (h *Handler) WaitForMemory(wait time.Duration) { h.Memory.Wait, h.lines.Wait = wait, wait }
