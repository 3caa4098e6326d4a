package clock_test

import (
	"bytes"
	"context"
	"errors"
	"heddle/clock"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// two are the process's clock, which is off by a settable amount, and the
// database's, which is right.
type two struct {
	off   atomic.Int64
	away  atomic.Bool
	slow  time.Duration
	asked atomic.Int64
}

func (c *two) now() time.Time { return time.Now().Add(time.Duration(c.off.Load())) }

func (c *two) read(context.Context) (time.Time, error) {
	c.asked.Add(1)
	if c.away.Load() {
		return time.Time{}, errors.New("away")
	}
	<-time.After(c.slow) // in a bubble
	at := time.Now()
	<-time.After(c.slow)
	return at, nil
}

func TestOffset(t *testing.T) {
	for _, off := range []time.Duration{0, 4 * time.Second, -4 * time.Second, 6 * time.Second, -6 * time.Second, time.Hour, -time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			c := &two{slow: 100 * time.Millisecond}
			c.off.Store(int64(off))
			w := clock.New(c.now, c.read, nil)
			if _, measured := w.State(); measured || w.Correction() != 0 {
				t.Error("measured before it was asked")
			}
			far := off.Abs() > clock.MaxOffset
			if w.Accurate(t.Context()) == far {
				t.Errorf("off by %v: right is %v", off, far)
			}
			s, measured := w.State()
			if !measured || s.TooFar != far || (s.Offset-off).Abs() > 200*time.Millisecond {
				t.Errorf("off by %v: %+v", off, s)
			}
			if d := time.Until(w.Now()); far && d.Abs() > time.Second || !far && d != off {
				t.Errorf("off by %v: corrected it is off by %v", off, d)
			}
		})
	}
}

// Each change is one line of the log, and measuring is seldom while all is well.
func TestAClockThatIsSetIsNoticedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, said := &two{}, &bytes.Buffer{}
		w := clock.New(c.now, c.read, slog.New(slog.NewTextHandler(said, nil)))
		for range 100 {
			if !w.Accurate(t.Context()) {
				t.Fatal("wrong from the beginning")
			}
			<-time.After(100 * time.Millisecond)
		}
		if n := c.asked.Load(); n > 3 {
			t.Errorf("asked %d times in 10 s", n)
		}
		c.off.Store(int64(time.Hour))
		if d := time.Until(w.Now()).Abs(); d > time.Second {
			t.Errorf("before the next measurement it is off by %v", d)
		}
		c.away.Store(true)
		if w.Accurate(t.Context()) {
			t.Error("right after it was set by an hour, with a database that does not answer")
		}
		c.away.Store(false)
		for range 3 {
			if w.Accurate(t.Context()) {
				t.Error("right after it was set by an hour")
			}
		}
		c.off.Store(0)
		if d := time.Until(w.Now()).Abs(); d > time.Second {
			t.Errorf("set back, it is off by %v", d)
		}
		if !w.Accurate(t.Context()) || w.Correction() != 0 {
			t.Error("wrong after it was set right")
		}
		log := said.String()
		if strings.Count(log, "is not the database's") != 1 || strings.Count(log, "right again") != 1 || !strings.Contains(log, "behind_seconds=-3600") {
			t.Error(log)
		}
	})
}

// Measurements of a slow network do not make time jump.
func TestTheCorrectionIsSteady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &two{}
		c.off.Store(int64(-time.Hour))
		w := clock.New(c.now, c.read, nil)
		w.Accurate(t.Context())
		first := w.Correction()
		for range 20 {
			c.slow = (c.slow + 170*time.Millisecond) % (400 * time.Millisecond)
			w.Accurate(t.Context())
			if w.Correction() != first {
				t.Fatalf("%v became %v", first, w.Correction())
			}
		}
	})
}

func TestNoWatchIsRight(t *testing.T) {
	var w *clock.Watch
	if _, measured := w.State(); measured || !w.Accurate(t.Context()) || w.Correction() != 0 {
		t.Error("a nil watch found something")
	}
}
