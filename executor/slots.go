package executor

import "sync"

// slots counts the runs that have an attempt in flight. Taking one beyond the limit
// is possible where a run must not be held back (recovery, signals): the count then
// goes below zero, and later runs wait until it is positive again. It is safe for
// concurrent use.
type slots struct {
	mu        sync.Mutex
	free      int
	suspended bool   // none is taken, except beyond the limit
	onRelease func() // called after each release, outside the lock
}

// tryAcquire takes a slot, and reports false where none is free or slots are
// suspended.
func (s *slots) tryAcquire() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.suspended || s.free <= 0 {
		return false
	}
	s.free--
	return true
}

// acquireBeyondLimit takes a slot whether one is free or not.
func (s *slots) acquireBeyondLimit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free--
}

// release gives a slot back and calls onRelease.
func (s *slots) release() {
	s.mu.Lock()
	s.free++
	s.mu.Unlock()
	s.onRelease()
}

// releaseQuietly is release without the call of onRelease, for a slot that was taken
// and not used.
func (s *slots) releaseQuietly() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free++
}

// suspend stops tryAcquire from taking slots, or lets it do so again.
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
