// Package clock compares this process's clock with the database's, which all
// nodes share: due times and timers are rows, and a node whose clock is an hour
// ahead would find an hour of them due at once.
package clock

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// MaxOffset is how far the two clocks may differ. Beyond it due times of
// schedules are not judged here, and timers of runs go by the database's clock.
const MaxOffset = 5 * time.Second

// measurementLife is how long a clock that was right is taken to be so.
const measurementLife = 5 * time.Second

// readTimeout is how long a reading of the database's clock may take. One that took
// long says little.
const readTimeout = 4 * time.Second

// correctionTolerance is how far the correction may be wrong before it is set anew:
// measurements differ by the round trips they took, and time would jump with
// each of them.
const correctionTolerance = time.Second

// Watch measures how far the process's clock differs from the database's. It
// is safe for concurrent use; a nil Watch takes the process's clock to be right.
type Watch struct {
	now  func() time.Time
	read func(ctx context.Context) (time.Time, error)
	log  *slog.Logger

	measuring sync.Mutex                  // held while a measurement is made, so that there is one at a time
	last      atomic.Pointer[measurement] // nil: none succeeded yet
}

// measurement is what was found, and when by both of the process's clocks, so
// that a jump of the one that can be set shows at once.
type measurement struct {
	State
	correction time.Duration
	wall       time.Time // without a monotonic reading
	at         time.Time // with one
}

// jump returns by how much the process's clock was set since then.
func (m *measurement) jump(now time.Time) time.Duration {
	return now.Round(0).Sub(m.wall) - time.Since(m.at)
}

// State is what the last measurement found.
type State struct {
	// Offset is this process's clock minus the database's.
	Offset time.Duration
	// TooFar reports whether that is more than MaxOff either way.
	TooFar bool
}

// New returns a Watch over the process's clock and a reading of the database's.
// Nothing is measured before Right is called. log may be nil.
func New(now func() time.Time, read func(ctx context.Context) (time.Time, error), log *slog.Logger) *Watch {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Watch{now: now, read: read, log: log}
}

// Accurate reports whether due times may be judged by this process's clock. It
// measures unless a measurement of the last five seconds found the clock right
// and it was not set since; a clock that becomes wrong or right again is logged
// once. A database that does not answer leaves the verdict as it was.
func (w *Watch) Accurate(ctx context.Context) bool {
	if w == nil {
		return true
	}
	w.measuring.Lock()
	defer w.measuring.Unlock()
	last := w.last.Load()
	far := last != nil && last.TooFar
	if last != nil && !far && time.Since(last.at) < measurementLife && last.jump(w.now()).Abs() < correctionTolerance {
		return true
	}
	off, err := w.measure(ctx)
	if err != nil {
		if ctx.Err() == nil {
			w.log.Warn("the database's clock could not be read", "error", err)
		}
		return !far && (last == nil || last.jump(w.now()).Abs() <= MaxOffset)
	}
	now := State{Offset: off, TooFar: off.Abs() > MaxOffset}
	switch {
	case now.TooFar && !far:
		w.log.Error("this server's clock is not the database's: its schedules wait until it is right, and timers of runs go by the database's clock",
			"behind_seconds", -off.Seconds())
	case !now.TooFar && far:
		w.log.Info("this server's clock is right again: its schedules go on")
	}
	m := &measurement{State: now, wall: w.now().Round(0), at: time.Now()}
	if now.TooFar {
		m.correction = w.Correction()
		if (m.correction + off).Abs() > correctionTolerance {
			m.correction = -off
		}
	}
	w.last.Store(m)
	return !now.TooFar
}

// measure returns the process's clock minus the database's. The answer was made
// at some time between the question and its arrival: within that it is 0.
func (w *Watch) measure(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	asked, before := time.Now(), w.now()
	theirs, err := w.read(ctx)
	if err != nil {
		return 0, err
	}
	took := time.Since(asked)
	off := before.Sub(theirs)
	if off < 0 {
		off = min(off+took, 0)
	}
	return off, nil
}

// Correction returns what has to be added to the process's clock so that it shows the
// database's time: 0 unless the last measurement found it far off, or it was set by
// more than MaxOff since. It stays as it is while measurements agree with it to a
// second.
func (w *Watch) Correction() time.Duration {
	if w == nil {
		return 0
	}
	m := w.last.Load()
	if m == nil {
		return 0
	}
	if jump := m.jump(w.now()); jump.Abs() > MaxOffset {
		return m.correction - jump
	}
	return m.correction
}

// Now returns the time of the process's clock, corrected (see Correction).
func (w *Watch) Now() time.Time { return w.now().Add(w.Correction()) }

// State returns what the last measurement found; false: none succeeded yet.
func (w *Watch) State() (State, bool) {
	if w == nil {
		return State{}, false
	}
	m := w.last.Load()
	if m == nil {
		return State{}, false
	}
	return m.State, true
}
