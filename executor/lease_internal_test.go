package executor

import (
	"heddle/events"
	"testing"
	"time"
)

// Whether the lease is held is judged by the process's own deadline, not by
// what its last request to the store has not answered yet.
func TestTheLeaseIsHeldUntilTheOwnDeadline(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	now := begun
	s := New(Config{Hub: events.NewHub(), Now: func() time.Time { return now }})
	defer s.Close()
	s.term.epoch.Store(7)
	if got := s.Load().Epoch; got != 0 {
		t.Errorf("before it drives runs: epoch %d", got)
	}
	s.term.current.Store(int32(leading))
	s.term.renewed.Store(&begun)
	for _, c := range []struct {
		after time.Duration
		want  int64
	}{{0, 7}, {leaseTimeout - time.Millisecond, 7}, {leaseTimeout, 0}, {time.Minute, 0}} {
		now = begun.Add(c.after)
		if got := s.Load().Epoch; got != c.want {
			t.Errorf("%v after the last renewal: epoch %d, want %d", c.after, got, c.want)
		}
	}
	now = begun.Add(2 * leaseTimeout)
	again := now
	s.term.renewed.Store(&again)
	if got := s.Load().Epoch; got != 7 {
		t.Errorf("renewed again: epoch %d", got)
	}
	s.term.current.Store(int32(standby))
	if got := s.Load().Epoch; got != 0 {
		t.Errorf("given up: epoch %d", got)
	}
}
