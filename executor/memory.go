package executor

import (
	"context"
	"runtime"

	"golang.org/x/sync/semaphore"
)

// How much memory large values may take, in bytes, all runs together. What
// asks for more than all of it gets all of it.
const (
	// workBudgetSize is for what is read, redacted, stored or evaluated at the
	// moment. A goroutine that holds some of it waits for nothing but the store.
	workBudgetSize = 256 << 20
	// sendBudgetSize is for configs with contents of blobs, while their attempts
	// last. A goroutine that holds some of it may wait for the work budget, never
	// the other way round.
	sendBudgetSize = 256 << 20
	// workFactor is how many copies of a value there are at worst while it is worked
	// on: as received, as JSON, redacted, and not collected yet.
	workFactor = 4
	// collectAbove is how much a reservation must have held for its garbage to be
	// collected.
	collectAbove = 64 << 20
)

// memoryBudget is memory that goroutines share, first come first served.
type memoryBudget struct {
	weight *semaphore.Weighted
	size   int64
}

// newMemoryBudget makes a budget of size bytes.
func newMemoryBudget(size int64) *memoryBudget {
	return &memoryBudget{semaphore.NewWeighted(size), size}
}

// acquire waits for n bytes, or the whole budget where n is more; done releases
// them. The error is that of ctx.
func (r *memoryBudget) acquire(ctx context.Context, n int64) (done func(), err error) {
	n = min(n, r.size)
	if err := r.weight.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return func() { r.weight.Release(n) }, nil
}

// reservation is what one attempt holds of a budget. It belongs to one goroutine.
type reservation struct {
	budget *memoryBudget
	held   int64
	done   func()
}

// resize makes the reservation one of n bytes in all, if it is smaller. What it had
// is released first, so that no goroutine waits while it holds memory. The error is
// that of ctx; then nothing is held.
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

// release gives everything back. After much of it the garbage is collected first:
// otherwise the next reservation would be used beside what this one left. Ten
// responses of 60 MiB (TestBadDays) peak at 313 MiB resident with this, at 391
// without it and at 381 with GOMEMLIMIT=256MiB in its place.
func (t *reservation) release() {
	if t.done != nil {
		if t.held >= collectAbove {
			runtime.GC()
		}
		t.done()
	}
	t.held, t.done = 0, nil
}
