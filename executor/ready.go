package executor

import (
	"context"
	"heddle/fault"
	"sync"
	"time"
)

// How readiness is found out: a look at the store that succeeded holds for
// lookEvery; Ready waits readyWithin for one, and a look that takes longer goes
// on and is joined by the next call.
const (
	lookEvery   = time.Second
	readyWithin = 1500 * time.Millisecond
	lookFor     = 10 * time.Second
)

// storeLook looks whether the store answers and takes writes, one look at a
// time. It is safe for concurrent use.
type storeLook struct {
	mu   sync.Mutex
	good time.Time     // when a look succeeded last
	busy chan struct{} // closed when the look under way has ended; nil: none is
	err  error         // of the last look that ended
}

// wait returns the outcome of a look that began at most lookEvery ago.
func (l *storeLook) wait(ctx context.Context, store Store) error {
	l.mu.Lock()
	if time.Since(l.good) < lookEvery {
		l.mu.Unlock()
		return nil
	}
	busy := l.busy
	if busy == nil {
		busy = make(chan struct{})
		l.busy = busy
		go l.look(store)
	}
	l.mu.Unlock()
	enough := time.NewTimer(readyWithin)
	defer enough.Stop()
	select {
	case <-busy:
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.err
	case <-enough.C:
	case <-ctx.Done():
	}
	return fault.New(fault.Unavailable, "store_unavailable", "The database has not answered for %s; try again shortly.", readyWithin)
}

func (l *storeLook) look(store Store) {
	ctx, cancel := context.WithTimeout(context.Background(), lookFor)
	defer cancel()
	began := time.Now()
	err := store.Ping(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.busy)
	l.busy, l.err = nil, nil
	if err != nil {
		l.err = fault.Wrap(err, fault.Unavailable, "store_unavailable", "The database does not answer or takes no writes; try again shortly.")
		return
	}
	l.good = began
}
