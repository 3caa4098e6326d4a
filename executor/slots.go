package executor

import "sync"

// slots counts the runs that have an attempt in flight. Taking one beyond the limit is
// possible where a run must not be held back (recovery, an attempt whose host has room):
// the count then goes below zero, and later runs wait until it is positive again. It is
// safe for concurrent use.
type slots struct {
	// mu guards free and suspended.
	mu        sync.Mutex
	free      int
	suspended bool   // suspects are being isolated: none is taken, except beyond the limit
	onRelease func() // called after each release, outside the lock
}

// tryAcquire takes a slot, and reports false where none is free or slots are suspended. It
// never waits.
func (s *slots) tryAcquire() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.suspended || s.free <= 0 {
		return false
	}
	s.free--
	return true
}

// acquireBeyondLimit takes a slot whether one is free or not, also while slots are
// suspended.
func (s *slots) acquireBeyondLimit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free--
}

// release returns a slot and calls onRelease, so that the dispatcher looks for the next
// run.
func (s *slots) release() {
	s.mu.Lock()
	s.free++
	s.mu.Unlock()
	s.onRelease()
}

// releaseQuietly is release without the call of onRelease, for a slot that the dispatcher
// took and found no run for: it would otherwise wake itself endlessly.
func (s *slots) releaseQuietly() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free++
}

// suspend stops tryAcquire from taking slots, or lets it do so again. Slots that are taken
// stay with their runs. Nothing is woken.
func (s *slots) suspend(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.suspended = on
}

// left returns how many slots are free. Below zero it is the number of those that are
// taken beyond the limit.
func (s *slots) left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.free
}
