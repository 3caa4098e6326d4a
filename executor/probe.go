package executor

import (
	"context"
	"heddle/fault"
	"sync"
	"time"
)

// How readiness is found out: a probe of the store that succeeded holds for probeEvery;
// Ready waits readyTimeout for one, and a probe that takes longer goes on and is joined by
// the next call. A probe ends after probeTimeout.
const (
	probeEvery   = time.Second
	readyTimeout = 1500 * time.Millisecond
	probeTimeout = 10 * time.Second
)

// storeProbe asks the store whether it answers and takes writes, one probe at a
// time. It is safe for concurrent use.
type storeProbe struct {
	mu          sync.Mutex    // guards the fields below
	succeededAt time.Time     // when the last probe that succeeded began
	running     chan struct{} // closed when the present probe has ended; nil: none is under way
	err         error         // of the last probe that ended
}

// result returns the outcome of a probe: nil at once if one that began at most probeEvery
// ago succeeded, otherwise that of the probe under way, or of a new one. It waits for
// readyTimeout at most. Errors: fault.Unavailable store_unavailable.
func (l *storeProbe) result(ctx context.Context, store Store) error {
	l.mu.Lock()
	if time.Since(l.succeededAt) < probeEvery {
		l.mu.Unlock()
		return nil
	}
	busy := l.running
	if busy == nil {
		busy = make(chan struct{})
		l.running = busy
		go l.probe(store) //nolint:gosec // a probe belongs to no caller: the next one joins it
	}
	l.mu.Unlock()
	enough := time.NewTimer(readyTimeout)
	defer enough.Stop()
	select {
	case <-busy:
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.err
	case <-enough.C:
	case <-ctx.Done():
	}
	return fault.New(fault.Unavailable, "store_unavailable", "The database has not answered for %s; try again shortly.", readyTimeout)
}

// probe asks the store once and publishes the outcome to all who wait for it. What counts
// is when it began: a success says nothing about later moments.
func (l *storeProbe) probe(store Store) {
	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
	defer cancel()
	began := time.Now()
	err := store.Ping(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.running)
	l.running, l.err = nil, nil
	if err != nil {
		l.err = fault.Wrap(err, fault.Unavailable, "store_unavailable", "The database does not answer or takes no writes; try again shortly.")
		return
	}
	l.succeededAt = began
}
