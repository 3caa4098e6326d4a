package executor

import (
	"context"
	"fmt"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/fault"
	"sync"
	"testing"
	"time"
)

func newTestService(t *testing.T, maxRuns int) *Service {
	t.Helper()
	s := New(Config{Hub: events.NewHub(), Now: time.Now, Admission: Admission{MaxRuns: maxRuns}})
	t.Cleanup(s.Close)
	return s
}

// The dispatcher may grant a slot to a run whose driver is just taking one.
func TestARunNeverHoldsTwoSlots(t *testing.T) {
	s := newTestService(t, 3)
	l := &activeRun{id: "r"}
	s.registry.track(l)
	if !s.dispatcher.slots.tryAcquire() {
		t.Fatal("no slot")
	}
	s.registry.deliver(l.id, message{input: machine.Tick{}}, true)
	if got := s.driver.admit(l, s.term.state(), []message{{input: machine.Signal{}}}); got != admitted {
		t.Fatalf("admission %v", got)
	}
	if n := s.dispatcher.slots.left(); n != 2 {
		t.Errorf("%d of 3 slots are free while one run has one", n)
	}
	s.driver.unload(l)
	if n := s.dispatcher.slots.left(); n != 3 {
		t.Errorf("%d of 3 slots are free at the end", n)
	}
}

// emptyQueue is a store whose queue is looked at, and found empty, just before
// each insertion is durable.
type emptyQueue struct {
	Store
	look func()
}

func (q *emptyQueue) Commit(_ context.Context, _ int64, group []Commit) []error {
	q.look()
	return make([]error, len(group))
}

func TestAQueuedRunIsLookedForAfterItsCommit(t *testing.T) {
	q := &emptyQueue{}
	s := New(Config{Store: q, Hub: events.NewHub(), Now: time.Now})
	defer s.Close()
	q.look = func() { s.dispatcher.backlog.observe()() }
	p, err := compilePlan([]byte(`{"name":"one","steps":[{"id":"a","type":"http_request","config":{"url":"http://x.test/"}}]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	created := machine.New(p.plan, machine.Header{RunID: "r", Input: []byte("null")}, time.Now())
	row, err := s.beginOrQueue(created, "", Target{}, StartRequest{})
	if err != nil || row.State != machine.Queued {
		t.Fatal(row.State, err)
	}
	if !s.dispatcher.backlog.mayExist() {
		t.Error("the run is queued and the queue counts as empty")
	}
}

// What one lease let a run decide is never written under another.
func TestMembersAreWrittenUnderTheirEpoch(t *testing.T) {
	store := &groupStore{hold: make(chan struct{})}
	c := newCommitter(store, 1, 16, func(int64, *Commit, error) {})
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			commit := Commit{}
			commit.Row.RunID = fmt.Sprint(i)
			commit.Expected = int64(i % 3)
			if err := c.submit(int64(i%3), commit); err != nil {
				t.Error(err)
			}
		})
	}
	close(store.hold)
	wg.Wait()
	c.close()
	seen := 0
	for i, g := range store.groups {
		for _, commit := range g {
			seen++
			if commit.Expected != store.epochs[i] {
				t.Errorf("decided under %d, written under %d", commit.Expected, store.epochs[i])
			}
		}
	}
	if seen != 30 {
		t.Errorf("%d written", seen)
	}
	if err := c.submit(1, Commit{}); fault.CodeOf(err) != "not_ready" {
		t.Errorf("after the end: %v", err)
	}
}

func TestALoadedRunOwesItsSnapshot(t *testing.T) {
	j := Journal{Events: make([]events.Event, snapshotEvents-1), Snapshot: make([]byte, 10)}
	debt := debtOf(j)
	if debt.events != snapshotEvents-1 || debt.last != 10 || debt.bytes != 64*(snapshotEvents-1) {
		t.Errorf("debt %+v", debt)
	}
}
