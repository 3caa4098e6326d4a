package core

import (
	"context"
	"heddle/fault"
	"time"

	"golang.org/x/sync/semaphore"
)

// DefinitionMemory is how many bytes the values of all definitions that are being read may take
// together at this process; DefinitionWait is how long a request waits for its part of them.
const (
	DefinitionMemory = 256 << 20
	DefinitionWait   = 3 * time.Second
)

// MemoryBudget bounds the memory of definitions that are being read, validated and answered. It
// is an estimate by weight, not a measurement. It is safe for concurrent use.
type MemoryBudget struct {
	memory *semaphore.Weighted
	size   int64
	Wait   time.Duration // how long Reserve waits; set before the first use
}

// NewMemoryBudget returns a budget of size bytes, for which a request waits at most as long as
// wait.
func NewMemoryBudget(size int64, wait time.Duration) *MemoryBudget {
	return &MemoryBudget{memory: semaphore.NewWeighted(size), size: size, Wait: wait}
}

// Reserve waits until a definition of this weight in bytes may be read; one that is heavier than
// the whole budget is read alone. Those that wait are served in their order. leave has to be
// called once. The error is fault.Unavailable server_busy after a wait of Wait, or that of ctx
// when it ended first.
func (a *MemoryBudget) Reserve(ctx context.Context, weight int64) (leave func(), err error) {
	// Otherwise it would wait in vain.
	weight = min(weight, a.size)
	waiting, cancel := context.WithTimeout(ctx, a.Wait)
	defer cancel()
	if err := a.memory.Acquire(waiting, weight); err != nil {
		// The client is gone, or its request's time is over.
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fault.New(fault.Unavailable, "server_busy", "Too many large definitions are being read at once. Try again in a moment.")
	}
	return func() { a.Release(weight) }, nil
}

// Release returns bytes that were reserved, where the func of Reserve was not kept.
func (a *MemoryBudget) Release(weight int64) { a.memory.Release(weight) }

// ReserveMemory reserves memory for a definition of this weight in bytes; 0 releases what is
// reserved. It is the request's source.Admit. What the request had reserved is released before it
// waits for more, so that no two requests wait for each other. The rest is released when the
// request is answered. Errors: those of MemoryBudget.Reserve.
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

// ReserveAll takes the whole budget if nothing of it is in use; ok reports whether it did, and
// leave returns it. It does not queue for it, which would keep others from what they need to end.
func (a *MemoryBudget) ReserveAll() (leave func(), ok bool) {
	return func() { a.memory.Release(a.size) }, a.memory.TryAcquire(a.size)
}
