package executor

import (
	"context"
	"runtime"

	"golang.org/x/sync/semaphore"
)

// How much memory large values may take, in bytes, all runs together. What
// asks for more than all of it gets all of it.
const (
	// workBudgetSize is for what is read, redacted, stored or evaluated right now. Who
	// holds some of it waits for nothing but the store.
	workBudgetSize = 256 << 20
	// sendBudgetSize is for configs with contents of blobs, while their attempts last.
	// Who holds some of it may wait for workRoom, never the other way round.
	sendBudgetSize = 256 << 20
	// workFactor is how many copies of a value there are at worst while it is
	// worked on: as it came, as JSON, redacted, and what is not collected yet.
	workFactor = 4
	// collectAbove is what a tenancy must have held to collect its garbage.
	collectAbove = 64 << 20
)

// memoryBudget is memory that goroutines share, first come first served.
type memoryBudget struct {
	weight *semaphore.Weighted
	size   int64
}

func newMemoryBudget(size int64) *memoryBudget {
	return &memoryBudget{semaphore.NewWeighted(size), size}
}

// acquire waits for n bytes; done gives them back.
func (r *memoryBudget) acquire(ctx context.Context, n int64) (done func(), err error) {
	n = min(n, r.size)
	if err := r.weight.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return func() { r.weight.Release(n) }, nil
}

// reservation is what one attempt holds of a room.
type reservation struct {
	budget *memoryBudget
	held   int64
	done   func()
}

// resize makes the tenancy one of n bytes in all, if it is less. What it had it
// gives back first, so that nobody waits with room in hand.
func (t *reservation) resize(ctx context.Context, n int64) error {
	if n <= t.held {
		return nil
	}
	t.release()
	done, err := t.budget.acquire(ctx, n)
	if err != nil {
		return err
	}
	t.held, t.done = n, done
	return nil
}

// release gives the room back. After much of it the garbage is collected first,
// or the next one would begin beside what this one left.
func (t *reservation) release() {
	if t.done != nil {
		if t.held >= collectAbove {
			runtime.GC()
		}
		t.done()
	}
	t.held, t.done = 0, nil
}
