package executor

import "sync"

// slots counts the runs that have a step in action. Taking beyond the limit is
// possible where a run must not be held back (recovery, signals): the count
// then goes below zero and later runs wait until it is paid back.
type slots struct {
	mu        sync.Mutex
	free      int
	suspended bool   // none is given out, except by force
	onRelease func() // called after each release, outside the lock
}

func (s *slots) tryAcquire() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.suspended || s.free <= 0 {
		return false
	}
	s.free--
	return true
}

func (s *slots) acquireBeyondLimit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free--
}

func (s *slots) release() {
	s.mu.Lock()
	s.free++
	s.mu.Unlock()
	s.onRelease()
}

// releaseQuietly is release without the call of freed, for a slot that was
// taken on trial.
func (s *slots) releaseQuietly() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free++
}

// suspend stops the giving out of slots, or lets it go on.
func (s *slots) suspend(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.suspended = on
}
