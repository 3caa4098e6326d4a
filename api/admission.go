package api

import (
	"context"
	"heddle/definitions"
	"heddle/fault"
	"time"

	"golang.org/x/sync/semaphore"
)

// Definitions are read by as many requests at a time as memory allows: the
// bytes that their values may take together, and how long a request waits.
const (
	definitionMemory = 256 << 20
	definitionWait   = 3 * time.Second
)

// memoryBudget bounds the memory of definitions that are being read, validated
// and answered. It is safe for concurrent use.
type memoryBudget struct {
	memory *semaphore.Weighted
	size   int64
	wait   time.Duration
}

func newMemoryBudget(size int64, wait time.Duration) *memoryBudget {
	return &memoryBudget{memory: semaphore.NewWeighted(size), size: size, wait: wait}
}

// reserve waits until a definition of this weight in bytes may be read; one that
// is heavier than all memory is read alone. leave has to be called. The error is
// fault.Unavailable server_busy when the wait was in vain.
func (a *memoryBudget) reserve(ctx context.Context, weight int64) (leave func(), err error) {
	weight = min(weight, a.size)
	waiting, cancel := context.WithTimeout(ctx, a.wait)
	defer cancel()
	if err := a.memory.Acquire(waiting, weight); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fault.New(fault.Unavailable, "server_busy", "Too many large definitions are being read at once. Try again in a moment.")
	}
	return func() { a.memory.Release(weight) }, nil
}

// reserveForDefinition holds the memory that a definition may take until the request is
// answered.
func (c *call) reserveForDefinition(text []byte, format definitions.Format) error {
	return c.reserveMemory(definitions.Weight(text, format))
}

// reserveMemory is the request's definitions.Admit. What was held is given back before
// more is waited for: no two requests wait for what the other one holds. The
// rest is given back when the request is answered.
func (c *call) reserveMemory(weight int64) error {
	if c.releaseMemory != nil {
		c.releaseMemory()
		c.releaseMemory = nil
	}
	if weight == 0 {
		return nil
	}
	leave, err := c.h.admission.reserve(c.clientCtx(), weight)
	if err == nil {
		c.releaseMemory = leave
	}
	return err
}
