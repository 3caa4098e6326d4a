package quota_test

import (
	"context"
	"fmt"
	"heddle/fault"
	"heddle/quota"
	"sync"
	"testing"
	"time"
)

// shop is a store of things with a gate before it.
type shop struct {
	mu     sync.Mutex
	stored int
	counts int
	now    time.Time
	limit  int
	gate   *quota.Gate
}

func newShop(limit int) *shop {
	s := &shop{now: time.Unix(1_900_000_000, 0), limit: limit}
	s.gate = &quota.Gate{
		Name:  "things",
		Limit: func(context.Context, string) (int, error) { return s.limit, nil },
		Count: func(_ context.Context, _ string, most int) (int, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.counts++
			return min(s.stored, most), nil
		},
		Now: func() time.Time { return s.now },
	}
	return s
}

// add stores one; with broken it is held and then not stored.
func (s *shop) add(id string, broken bool) error {
	if err := s.gate.Reserve(context.Background(), "t", id); err != nil {
		return err
	}
	defer s.gate.Release("t", id)
	if !broken {
		s.mu.Lock()
		s.stored++
		s.mu.Unlock()
	}
	return nil
}

func TestAGateHoldsItsLimit(t *testing.T) {
	t.Parallel()
	s := newShop(3)
	want := func(about string, err error, full bool) {
		t.Helper()
		if (fault.CodeOf(err) == "quota_exceeded") != full || !full && err != nil {
			t.Errorf("%s: %v", about, err)
		}
	}
	want("broken", s.add("x", true), false)
	for i := range 3 {
		want("up to the limit", s.add(fmt.Sprint(i), false), false)
	}
	want("beyond", s.add("4", false), true)
	s.stored--
	want("one less", s.add("5", false), false)
	want("full again", s.add("6", false), true)
	s.limit = 4
	want("a higher limit", s.add("7", false), false)
	s.limit = 0
	want("no limit", s.add("8", false), false)
	s.limit, s.stored = 2, 0
	want("held and forgotten", s.gate.Reserve(context.Background(), "t", "a"), false)
	want("held and forgotten", s.gate.Reserve(context.Background(), "t", "b"), false)
	want("both are held", s.add("9", false), true)
	s.now = s.now.Add(10 * time.Second)
	want("no more", s.add("10", false), false)
	var none *quota.Gate
	want("no gate", none.Reserve(context.Background(), "t", "x"), false)
	none.Release("t", "x")
}

// Of many at once exactly the limit is let in, and far from it hardly anything
// is counted.
func TestAGateAtOnce(t *testing.T) {
	t.Parallel()
	s := newShop(50)
	var wg sync.WaitGroup
	var mu sync.Mutex
	let := 0
	for i := range 200 {
		wg.Go(func() {
			if s.add(fmt.Sprint(i), false) == nil {
				mu.Lock()
				defer mu.Unlock()
				let++
			}
		})
	}
	wg.Wait()
	if let != 50 || s.stored != 50 {
		t.Errorf("%d were let in, %d are stored", let, s.stored)
	}
	far := newShop(1_000_000)
	for i := range 1000 {
		if err := far.add(fmt.Sprint(i), false); err != nil {
			t.Fatal(err)
		}
	}
	if far.counts != 1 {
		t.Errorf("counted %d times", far.counts)
	}
}
