package executor

import (
	"context"
	"errors"
	"heddle/events"
	"sync"
	"testing"
	"time"
)

// slowStore answers reads of a journal when the test lets it.
type slowStore struct {
	Store
	mu     sync.Mutex
	rows   []events.Event
	began  chan struct{}
	answer chan struct{}
}

func (s *slowStore) Events(context.Context, string, int64, int) ([]events.Event, error) {
	s.mu.Lock()
	rows := s.rows // as they are when the read begins
	s.mu.Unlock()
	s.began <- struct{}{}
	<-s.answer
	return rows, nil
}

// TestASharedReadMissesNothing: who is woken by an event and joins a read that
// began before it reads once more, together with all others.
func TestASharedReadMissesNothing(t *testing.T) {
	s := &slowStore{began: make(chan struct{}), answer: make(chan struct{})}
	tail := newTail(s, newFeed(&term{}, time.Now))
	first := make(chan int, 1)
	go func() {
		evs, _ := tail.events(t.Context(), page{"run_1", 3})
		first <- len(evs)
	}()
	<-s.began
	s.mu.Lock()
	s.rows = []events.Event{{Seq: 4}}
	s.mu.Unlock()
	const late = 20
	got := make(chan int, late)
	var joined sync.WaitGroup
	for range late {
		r, shared := tail.join(page{"run_1", 3})
		if !shared {
			t.Fatal("the read under way is not shared")
		}
		joined.Add(1)
		go func() {
			joined.Done()
			<-r.done
			evs, err := tail.rereadIfEmpty(t.Context(), page{"run_1", 3}, r)
			if err != nil {
				t.Error(err)
			}
			got <- len(evs)
		}()
	}
	joined.Wait()
	s.answer <- struct{}{}
	if n := <-first; n != 0 {
		t.Errorf("the first read has %d events", n)
	}
	<-s.began
	s.answer <- struct{}{}
	for left := late; left > 0; {
		select {
		case n := <-got:
			if left--; n != 1 {
				t.Fatalf("a late reader got %d events", n)
			}
		case <-s.began: // one that came after the second read had ended
			s.answer <- struct{}{}
		}
	}
}

func TestAPanicOnAnotherStackReachesTheCaller(t *testing.T) {
	boom := errors.New("boom")
	defer func() {
		if p := recover(); p != boom { //nolint:errorlint // the same value is wanted
			t.Errorf("recovered %v", p)
		}
	}()
	onOwnStack(func() { panic(boom) })
}
