package schedules

import (
	"context"
	"sync"
	"time"
)

// MaxClockOff is by how much this process's clock may differ from the
// database's. Beyond it its due times are not to be trusted: an hour ahead is an
// hour's due times at once.
const MaxClockOff = 5 * time.Second

// clockEvery is how long a clock that was right is taken to be so.
const clockEvery = 5 * time.Second

// clockCheck compares this process's clock with the database's.
type clockCheck struct {
	read func(ctx context.Context) (time.Time, error)

	mu    sync.Mutex
	right time.Time // when it was found to be, by the monotonic clock
	off   bool
}

// clockRight reports whether due times may be judged by this process's clock. A
// database that does not answer leaves the verdict as it was.
func (s *Service) clockRight(ctx context.Context) bool {
	c := &s.clock
	if c.read == nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.off && !c.right.IsZero() && time.Since(c.right) < clockEvery {
		return true
	}
	asked, before := time.Now(), s.now()
	theirs, err := c.read(ctx)
	if err != nil {
		s.warn(ctx, "the database's clock could not be read", err)
		return !c.off
	}
	took := time.Since(asked)
	// The answer was made at some time between the two: within that it is right.
	off := theirs.Sub(before)
	if off > 0 {
		off = max(off-took, 0)
	}
	wrong := off.Abs() > MaxClockOff
	switch {
	case wrong && !c.off:
		s.log.Error("this server's clock is not the database's: its schedules wait until it is right", "behind_seconds", off.Seconds())
	case !wrong && c.off:
		s.log.Info("this server's clock is right again: its schedules go on")
	}
	if c.off = wrong; !wrong {
		c.right = time.Now()
	}
	return !wrong
}
