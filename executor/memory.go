package executor

import (
	"context"
	"runtime"

	"golang.org/x/sync/semaphore"
)

// How much memory large values may take, in bytes, all runs together. A request for more
// than all of a budget waits for all of it.
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

// memoryBudget is memory that goroutines share, first come first served. It counts only;
// nothing is allocated. It is safe for concurrent use.
type memoryBudget struct {
	weight *semaphore.Weighted
	size   int64
}

// newMemoryBudget makes a budget of size bytes.
func newMemoryBudget(size int64) *memoryBudget {
	return &memoryBudget{semaphore.NewWeighted(size), size}
}

// acquire waits for n bytes, or the whole budget where n is more; done releases them and is
// called once. The error is that of ctx, and then nothing is held.
func (r *memoryBudget) acquire(ctx context.Context, n int64) (done func(), err error) {
	n = min(n, r.size)
	if err := r.weight.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return func() { r.weight.Release(n) }, nil
}

// reservation is what one attempt holds of a budget, in bytes. The zero value with a budget
// holds nothing. It belongs to one goroutine.
type reservation struct {
	budget *memoryBudget
	held   int64
	done   func()
}

// resize makes the reservation one of n bytes in all; a larger one stays as it is. What it
// had is released first, so that no goroutine waits while it holds memory of the same
// budget: two could wait for each other. The error is that of ctx; then nothing is held.
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

// release returns everything to the budget; a second call has no effect. After much of it
// the garbage is collected first: otherwise the next reservation would be used beside what
// this one left. Ten responses of 60 MiB (TestBadDays) peak at 313 MiB resident with this,
// at 391 without it and at 381 with GOMEMLIMIT=256MiB in its place.
func (t *reservation) release() {
	if t.done != nil {
		if t.held >= collectAbove {
			runtime.GC()
		}
		t.done()
	}
	t.held, t.done = 0, nil
}
