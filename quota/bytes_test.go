package quota_test

import (
	"context"
	"errors"
	"fmt"
	"heddle/fault"
	"heddle/quota"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// cellar is a store of bytes with a quota before it. It is used within a bubble.
type cellar struct {
	t      *testing.T
	mu     sync.Mutex
	stored int64
	counts int
	takes  time.Duration // a count
	broken error
	limit  int64
	told   []error
	bytes  *quota.Bytes
}

func newCellar(t *testing.T, limit int64) *cellar {
	s := &cellar{t: t, limit: limit}
	s.bytes = quota.NewBytes(quota.BytesConfig{
		Limit: func(context.Context, string) (int64, error) { return s.limit, nil },
		Count: s.count, Now: time.Now,
		Uncounted: func(_ string, err error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.told = append(s.told, err)
		},
	})
	t.Cleanup(s.bytes.Close)
	return s
}

func (s *cellar) count(ctx context.Context, _ string) (int64, error) {
	s.mu.Lock()
	s.counts++
	n, err, takes := s.stored, s.broken, s.takes
	s.mu.Unlock()
	select {
	case <-time.After(takes):
		return n, err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// put stores n bytes, or is refused.
func (s *cellar) put(n int64) error {
	id := fmt.Sprint(time.Now().UnixNano(), n)
	if err := s.bytes.Reserve(s.t.Context(), "t", id, n); err != nil {
		return err
	}
	defer s.bytes.Release("t", id)
	s.change(n)
	s.bytes.Add("t", n)
	return nil
}

func (s *cellar) change(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stored += n
}

func (s *cellar) wantCounts(about string, n int) {
	s.t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts != n {
		s.t.Errorf("%s: counted %d times, want %d", about, s.counts, n)
	}
}

func wantRefused(t *testing.T, about string, err error, refused bool) {
	t.Helper()
	if (fault.CodeOf(err) == "quota_exceeded") != refused || !refused && err != nil {
		t.Errorf("%s: %v", about, err)
	}
}

// later lets time pass within a bubble.
func later(d time.Duration) { <-time.After(d) }

func TestBytesHoldTheirLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newCellar(t, 100)
		s.change(40)
		wantRefused(t, "fits", s.put(30), false)
		wantRefused(t, "beyond what was stored since", s.put(31), true)
		wantRefused(t, "fills it", s.put(30), false)
		err := s.put(1)
		wantRefused(t, "full", err, true)
		var f *fault.Error
		if !errors.As(err, &f) || f.Details["quota"] != "stored_bytes" || f.Details["limit"] != int64(100) || f.Details["used"] != int64(100) {
			t.Errorf("refused with %v", err)
		}
		s.change(-10)
		wantRefused(t, "another node deleted, just now", s.put(10), true)
		later(time.Second)
		wantRefused(t, "another node deleted", s.put(10), false)
		later(time.Millisecond)
		s.change(-10)
		s.bytes.Freed("t")
		wantRefused(t, "this node deleted", s.put(10), false)
		later(time.Second)
		s.change(50)
		s.limit = 200
		wantRefused(t, "another node stored, not counted yet", s.put(60), false)
		later(time.Minute)
		wantRefused(t, "another node stored", s.put(60), true)
		s.limit = 0
		wantRefused(t, "without a limit", s.put(1000), false)
		if s.bytes.Tracks() {
			t.Error("it still counts without a limit")
		}
	})
}

// A reservation counts until it is released, whatever is counted meanwhile, and
// not forever where it never is.
func TestHeldBytesCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newCellar(t, 100)
		hold := func(id string, n int64) error { return s.bytes.Reserve(t.Context(), "t", id, n) }
		wantRefused(t, "first", hold("a", 60), false)
		later(recountAge)
		wantRefused(t, "second", hold("b", 41), true)
		wantRefused(t, "in its place", hold("a", 90), false)
		s.bytes.Release("t", "a")
		s.bytes.Release("t", "a")
		wantRefused(t, "released", hold("b", 100), false)
		later(2 * time.Minute)
		wantRefused(t, "abandoned", hold("c", 100), false)
	})
}

const recountAge = 31 * time.Second

// Of many at once exactly as many are let in as fit, whatever is counted
// meanwhile.
func TestBytesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newCellar(t, 1000)
		s.takes = 10 * time.Millisecond
		var all sync.WaitGroup
		var mu sync.Mutex
		let := 0
		for i := range 50 {
			all.Go(func() {
				for k := range 10 {
					id := fmt.Sprint(i, "/", k)
					if s.bytes.Reserve(t.Context(), "t", id, 10) != nil {
						continue
					}
					later(time.Duration(i) * time.Millisecond)
					s.change(10)
					s.bytes.Add("t", 10)
					s.bytes.Release("t", id)
					mu.Lock()
					let++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if let > 100 || s.stored > 1000 || let < 90 {
			t.Errorf("%d were let in, %d bytes are stored", let, s.stored)
		}
	})
}

// However often it is asked for, a count takes at most a twentieth of the time.
func TestBytesAreCountedSeldom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newCellar(t, 100)
		s.takes = 500 * time.Millisecond
		ask := func(n int64, seconds int) {
			t.Helper()
			for range seconds {
				_ = s.put(n)
				later(time.Second)
			}
		}
		ask(1, 29)
		s.wantCounts("far from the limit", 1)
		ask(1, 40)
		s.wantCounts("far from the limit, later", 3)
		s.limit = 1
		ask(50, 101)
		s.mu.Lock()
		defer s.mu.Unlock()
		if n := s.counts - 3; n < 9 || n > 11 {
			t.Errorf("refused for 100 s: counted %d times", n)
		}
	})
}

// Where no count is there in time, a request is let in, and Uncounted is called; what
// this node stores is held to the limit all the same.
func TestBytesThatCannotBeCounted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		takes  time.Duration
		broken error
	}{
		"slow":   {takes: time.Hour},
		"broken": {broken: errors.New("no database")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newCellar(t, 100)
				s.takes, s.broken = test.takes, test.broken
				s.change(1000)
				began := time.Now()
				wantRefused(t, "uncounted", s.put(60), false)
				if waited := time.Since(began); waited > 2*time.Second {
					t.Errorf("waited %s", waited)
				}
				began = time.Now()
				wantRefused(t, "beyond the limit since then", s.put(60), true)
				wantRefused(t, "uncounted, later", s.put(1), false)
				if waited := time.Since(began); waited > 0 {
					t.Errorf("later requests waited %s for the same count", waited)
				}
				s.mu.Lock()
				if len(s.told) != 1 || !errors.Is(s.told[0], test.broken) {
					t.Errorf("told %v", s.told)
				}
				s.takes, s.broken = 0, nil
				s.mu.Unlock()
				later(4 * time.Hour)
				wantRefused(t, "counted", s.put(1), true)
			})
		})
	}
	// Who goes away waits no longer.
	synctest.Test(t, func(t *testing.T) {
		s := newCellar(t, 100)
		s.takes = time.Hour
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		_ = s.bytes.Reserve(gone, "t", "a", 1)
		if time.Since(began) > 0 {
			t.Error("it waited for a caller who has gone")
		}
	})
}

// Without a limit nothing is counted, and nothing is kept.
func TestBytesWithoutALimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newCellar(t, 0)
		for range 3 {
			wantRefused(t, "any", s.put(1<<40), false)
		}
		s.wantCounts("without a limit", 0)
		var none *quota.Bytes
		wantRefused(t, "none", none.Reserve(t.Context(), "t", "x", 1), false)
		none.Add("t", 1)
		none.Release("t", "x")
		none.Freed("t")
		none.Close()
	})
}

// BenchmarkAddWithoutALimit is what a commit pays for the quota while no tenant
// has one.
func BenchmarkAddWithoutALimit(b *testing.B) {
	bytes := quota.NewBytes(quota.BytesConfig{Now: time.Now})
	defer bytes.Close()
	b.ReportAllocs()
	for b.Loop() {
		bytes.Add("t", 1)
	}
}
