package executor

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// TermNotes keeps the terms that ended in order beyond the end of the process, for when a
// full disk or an unavailable database does not let the store record it. It belongs to one
// node. Its methods are called with a lock held, one at a time.
type TermNotes interface {
	// Load returns what Save was given last, none where there is nothing.
	Load() ([]int64, error)
	// Save keeps the epochs of terms, durably; without any it forgets them.
	Save(epochs []int64) error
}

// reportTimeout is how long the store is waited for when the ends of terms are reported.
const reportTimeout = 2 * time.Second

// termEnds holds the terms of this process, and of those before it on this node, that ended
// in order and whose end the store does not know yet. A term whose end it never learns
// counts as a crash. It is safe for concurrent use.
type termEnds struct {
	store Store
	notes TermNotes
	log   *slog.Logger

	// mu guards ended and noted. It is held while the notes are saved, but not while the
	// store is called.
	mu sync.Mutex
	// ended are the epochs of those terms; mu guards it and noted.
	ended []int64 // epochs of those terms, in the order in which they ended
	noted []int64 // what the notes hold, so that they are written only when they change
}

// load adds what the process before this one could not report to the store. Notes that
// cannot be read are logged and passed over.
func (t *termEnds) load() {
	if t.notes == nil {
		return
	}
	epochs, err := t.notes.Load()
	if err != nil {
		t.log.Warn("the terms that ended in order could not be read; their runs in flight may count a crash", "error", err)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.noted = epochs
	for _, epoch := range epochs {
		t.add(epoch)
	}
}

// end notes that the term of an epoch ended without a crash; report passes it on.
func (t *termEnds) end(epoch int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(epoch)
}

// add adds an epoch once. mu is held.
func (t *termEnds) add(epoch int64) {
	if !slices.Contains(t.ended, epoch) {
		t.ended = append(t.ended, epoch)
	}
}

// report records the ends in the store, waiting for it at most reportTimeout in all. Those
// that it does not take are saved in the notes and reported later, by this process or by
// the next one on this node: until then the next term counts a crash, which is then taken
// back. Once all are reported the notes are cleared.
func (t *termEnds) report(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	for {
		t.mu.Lock()
		if len(t.ended) == 0 {
			t.save()
			t.mu.Unlock()
			return
		}
		epoch := t.ended[0]
		t.mu.Unlock()
		err := t.store.EndTerm(ctx, epoch)
		t.mu.Lock()
		if err != nil {
			t.log.Warn("the end of the term was not noted yet; runs in flight count a crash until then", "error", err)
			t.save()
			t.mu.Unlock()
			return
		}
		t.ended = slices.DeleteFunc(t.ended, func(e int64) bool { return e == epoch })
		t.mu.Unlock()
	}
}

// save brings the notes up to date, unless they are already, or there are none. mu is held.
func (t *termEnds) save() {
	if t.notes == nil || slices.Equal(t.ended, t.noted) {
		return
	}
	if err := t.notes.Save(t.ended); err != nil {
		t.log.Warn("the end of the term could not be noted apart from the database", "error", err)
		return
	}
	t.noted = slices.Clone(t.ended)
}

// endNow notes that the term of an epoch (0: none) ends by decision of this process, in the
// notes alone, so that it does not wait for the store.
func (t *termEnds) endNow(epoch int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if epoch != 0 {
		t.add(epoch)
	}
	t.save()
}
