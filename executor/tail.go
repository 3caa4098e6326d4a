package executor

import (
	"context"
	"heddle/events"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// tail reads journals for those who follow runs. Many who follow one run wake at one
// moment and want the same page: they share one read. Reads have goroutines of their
// own, because a database call makes a stack large, and a follower's stays as it is
// for as long as the stream is open. It is safe for concurrent use.
type tail struct {
	store Store
	feed  *feed
	// reads bounds the calls under way: a thousand streams that open at once
	// would otherwise hold a thousand large stacks while they wait for a
	// connection.
	reads *semaphore.Weighted

	// mu guards reading.
	mu      sync.Mutex
	reading map[page]*read // the reads under way
}

// page is a part of a run's journal: the followPage events after a seq.
type page struct {
	runID string
	after int64
}

// read is one page being read. events and err are set before done is closed, and not
// changed afterwards; the events are shared by all who wait.
type read struct {
	done   chan struct{}
	events []events.Event
	err    error
}

// sharedReadTimeout bounds one shared read: it belongs to no caller.
const sharedReadTimeout = 30 * time.Second

// maxConcurrentReads is about what the stores' pools of connections for reading hold.
const maxConcurrentReads = 8

// newTail makes a tail over the store, and over what this node committed last.
func newTail(store Store, f *feed) *tail {
	return &tail{store: store, feed: f, reads: semaphore.NewWeighted(maxConcurrentReads), reading: make(map[page]*read)}
}

// events returns the page as the store has it at some moment after the call; empty: nothing
// is there yet. The events are shared and must not be changed. Errors: those of ctx and of
// the read.
func (t *tail) events(ctx context.Context, p page) ([]events.Event, error) {
	if known, ok := t.feed.after(p.runID, p.after); ok {
		return known, nil
	}
	r, joined := t.join(p)
	if err := r.wait(ctx); err != nil {
		return nil, err
	}
	if joined {
		return t.rereadIfEmpty(ctx, p, r)
	}
	return r.events, r.err
}

// rereadIfEmpty returns the events of a read that was joined: it may have begun
// before the events came that woke the caller. Where it has none, a read that began
// after the caller came decides.
func (t *tail) rereadIfEmpty(ctx context.Context, p page, r *read) ([]events.Event, error) {
	if r.err == nil && len(r.events) == 0 {
		r, _ = t.join(p)
		if err := r.wait(ctx); err != nil {
			return nil, err
		}
	}
	return r.events, r.err
}

// wait returns once the read has ended, or the error of ctx.
func (r *read) wait(ctx context.Context) error {
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// join returns the read of a page that is under way (true), or begins one (false).
func (t *tail) join(p page) (r *read, joined bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r, joined = t.reading[p]; joined {
		return r, true
	}
	r = &read{done: make(chan struct{})}
	t.reading[p] = r
	go t.read(p, r)
	return r, false
}

// read performs a read and publishes it. It belongs to no caller, so it has its own
// bound on time.
func (t *tail) read(p page, r *read) {
	ctx, cancel := context.WithTimeout(context.Background(), sharedReadTimeout)
	defer cancel()
	if t.reads.Acquire(ctx, 1) == nil {
		r.events, r.err = t.store.Events(ctx, p.runID, p.after, followPage)
		t.reads.Release(1)
	} else {
		r.err = ctx.Err()
	}
	t.mu.Lock()
	// Before done is closed: who comes after this begins a read of its own.
	delete(t.reading, p)
	t.mu.Unlock()
	close(r.done)
}

// row returns a run's row, of which input and output may be missing. A read of the store is
// bounded by ctx and its time for the database, and is not shared.
func (t *tail) row(ctx context.Context, tenantID, runID string) (row Record, err error) {
	if row, ok := t.feed.row(tenantID, runID); ok {
		return row, nil
	}
	if t.reads.Acquire(ctx, 1) != nil {
		return Record{}, ctx.Err()
	}
	defer t.reads.Release(1)
	onOwnStack(func() { row, err = t.store.Run(ctx, tenantID, runID) })
	return row, err
}

// onOwnStack calls f on a stack of its own, which is freed afterwards, and waits for it. A
// panic goes on in the caller. With it a thousand streams take 43 to 48 MiB, called directly
// 58 to 65, and 64 are promised (bench --case streams); in CPU time the two are the same.
func onOwnStack(f func()) {
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		f()
	}()
	if p := <-done; p != nil {
		panic(p)
	}
}

// RunToFollow returns the row of a run that the caller is about to follow. Its input and
// output may be missing. Errors: fault.NotFound run_not_found.
func (s *Follower) RunToFollow(ctx context.Context, tenantID, runID string) (Record, error) {
	return s.tail.row(ctx, tenantID, runID)
}
