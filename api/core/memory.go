package core

import (
	"context"
	"heddle/fault"
	"time"

	"golang.org/x/sync/semaphore"
)

// Definitions are read by as many requests at a time as memory allows: the
// bytes that their values may take together, and how long a request waits.
const (
	DefinitionMemory = 256 << 20
	DefinitionWait   = 3 * time.Second
)

// MemoryBudget bounds the memory of definitions that are being read, validated
// and answered. It is safe for concurrent use.
type MemoryBudget struct {
	memory *semaphore.Weighted
	size   int64
	Wait   time.Duration
}

// NewMemoryBudget returns a budget of size bytes, for which a request waits at most
// as long as wait.
func NewMemoryBudget(size int64, wait time.Duration) *MemoryBudget {
	return &MemoryBudget{memory: semaphore.NewWeighted(size), size: size, Wait: wait}
}

// Reserve waits until a definition of this weight in bytes may be read; one that
// is heavier than the whole budget is read alone. leave has to be called once. The
// error is fault.Unavailable server_busy after a wait of Wait.
func (a *MemoryBudget) Reserve(ctx context.Context, weight int64) (leave func(), err error) {
	weight = min(weight, a.size)
	waiting, cancel := context.WithTimeout(ctx, a.Wait)
	defer cancel()
	if err := a.memory.Acquire(waiting, weight); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fault.New(fault.Unavailable, "server_busy", "Too many large definitions are being read at once. Try again in a moment.")
	}
	return func() { a.Release(weight) }, nil
}

// Release returns bytes that were reserved.
func (a *MemoryBudget) Release(weight int64) { a.memory.Release(weight) }

// ReserveMemory is the request's source.Admit. What the request had reserved is
// released before it waits for more, so that no two requests wait for each other. The
// rest is released when the request is answered.
func (c *Call) ReserveMemory(weight int64) error {
	if c.releaseMemory != nil {
		c.releaseMemory()
		c.releaseMemory = nil
	}
	if weight == 0 {
		return nil
	}
	leave, err := c.server.Memory.Reserve(c.ClientCtx(), weight)
	if err == nil {
		c.releaseMemory = leave
	}
	return err
}

// ReserveAll takes all memory and does not queue for it, which would keep others from
// what they need to end.
func (a *MemoryBudget) ReserveAll() (leave func(), ok bool) {
	return func() { a.memory.Release(a.size) }, a.memory.TryAcquire(a.size)
}
