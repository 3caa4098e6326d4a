package executor

import (
	"context"
	"errors"
	"fmt"
	"heddle/internal/await"
	"slices"
	"sync"
	"testing"
)

// groupStore records the groups that it is given and refuses one run.
type groupStore struct {
	Store
	mu     sync.Mutex
	groups [][]Commit
	epochs []int64
	hold   chan struct{}
}

var errBad = errors.New("bad member")

func (g *groupStore) Commit(_ context.Context, epoch int64, group []Commit) []error {
	<-g.hold
	g.mu.Lock()
	defer g.mu.Unlock()
	g.groups, g.epochs = append(g.groups, slices.Clone(group)), append(g.epochs, epoch)
	errs := make([]error, len(group))
	for i, c := range group {
		if c.Row.RunID == "bad" {
			errs[i] = errBad
		}
	}
	return errs
}

func TestCommitterAnswersEachMemberAfterItsGroup(t *testing.T) {
	store := &groupStore{hold: make(chan struct{})}
	c := newCommitter(store, 1, 16, func(int64, *Commit, error) {})
	var wg sync.WaitGroup
	results := make([]error, 100)
	for i := range results {
		wg.Go(func() {
			id := fmt.Sprint(i)
			if i == 42 {
				id = "bad"
			}
			commit := Commit{}
			commit.Row.RunID = id
			results[i] = c.submit(7, commit)
		})
	}
	close(store.hold)
	wg.Wait()
	c.close()
	seen := 0
	for _, g := range store.groups {
		if len(g) > 16 {
			t.Errorf("a group has %d members, the limit is 16", len(g))
		}
		seen += len(g)
	}
	if seen != len(results) {
		t.Errorf("%d members written, want %d", seen, len(results))
	}
	for i, err := range results {
		if want := i == 42; errors.Is(err, errBad) != want {
			t.Errorf("member %d: %v", i, err)
		}
	}
}

// What one tenant commits, however much, makes another one's commit wait for the group under
// way and no longer.
func TestTenantsTakeTurnsInGroups(t *testing.T) {
	store := &groupStore{hold: make(chan struct{})}
	c := newCommitter(store, 1, 64, func(int64, *Commit, error) {})
	var wg sync.WaitGroup
	submit := func(tenant, id string) {
		wg.Go(func() {
			commit := Commit{}
			commit.Row.TenantID, commit.Row.RunID = tenant, id
			if err := c.submit(7, commit); err != nil {
				t.Error(err)
			}
		})
	}
	submit("loud", "first")
	// The first group takes what comes within a moment; the writer then waits for the store.
	await.True(t, "the first group is taken", func() bool { return len(c.pending) == 0 })
	for i := range 200 {
		submit("loud", fmt.Sprint(i))
	}
	await.True(t, "all are handed in", func() bool {
		c.turns.mu.Lock()
		defer c.turns.mu.Unlock()
		return len(c.turns.members["loud"]) == len(c.pending) && len(c.pending) >= 200-64
	})
	submit("quiet", "other")
	await.True(t, "the other is handed in", func() bool {
		c.turns.mu.Lock()
		defer c.turns.mu.Unlock()
		return len(c.turns.members["quiet"]) == 1
	})
	close(store.hold)
	wg.Wait()
	c.close()
	at, largest := -1, 0
	for i, g := range store.groups {
		for _, commit := range g {
			if commit.Row.TenantID == "quiet" {
				at = i
			}
		}
		if at >= 0 {
			largest = max(largest, len(g))
		}
	}
	if at < 0 || at > 1 {
		t.Errorf("the other tenant's commit is in group %d of %d", at, len(store.groups))
	}
	if largest > sharedGroup {
		t.Errorf("a group of %d members beside another tenant's", largest)
	}
}

func TestSlotsNeverExceedTheLimit(t *testing.T) {
	wakes := 0
	s := &slots{free: 3, onRelease: func() { wakes++ }}
	taken := 0
	for range 5 {
		if s.tryAcquire() {
			taken++
		}
	}
	if taken != 3 {
		t.Fatalf("took %d of 3", taken)
	}
	s.acquireBeyondLimit()
	s.release()
	if s.tryAcquire() {
		t.Error("a slot was free although one is owed")
	}
	s.release()
	if !s.tryAcquire() || wakes != 2 {
		t.Errorf("no slot after the debt was paid, or %d wake-ups instead of 2", wakes)
	}
}

func TestBacklogForgetsOnlyWhatItSaw(t *testing.T) {
	var b backlog
	b.mark()
	foundEmpty := b.observe()
	b.mark()
	foundEmpty()
	if !b.mayExist() {
		t.Error("a run queued while the queue was read is forgotten")
	}
	b.observe()()
	if b.mayExist() {
		t.Error("an empty queue is not remembered")
	}
}
