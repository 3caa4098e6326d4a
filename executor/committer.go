package executor

import (
	"context"
	"sync"
	"time"
)

// committer joins the changes of many runs into group commits. A submission returns after
// its own group is durable. While one group is being written the next one gathers, so
// groups grow with the load, and the only run in the system waits for no other. The order
// of submissions of one run is that of its driver, which has one of them under way at a
// time. Tenants take turns in a group, and where several commit, groups are small, so that
// one which commits very much does not make the others wait. It is safe for concurrent use.
type committer struct {
	store   Store
	max     int           // members of a group at most
	pending chan struct{} // one for each member in turns; has room for four groups
	turns   memberTurns
	settled settledFunc
	done    sync.WaitGroup

	// closing is held for reading while a member is handed in or a write goes apart, and
	// for writing while closed changes, so that nothing is sent to pending after it was
	// closed.
	closing sync.RWMutex // guards closed
	closed  bool
}

// member is one submission. answer, of capacity 1, receives nil or its error once its group
// is written or refused.
type member struct {
	epoch  int64
	commit Commit
	answer chan error
}

// settledFunc is called by the writers with each commit that was written (nil) or not, with
// the epoch of its group, before its submitter is answered. It may be called concurrently,
// for one run in the order of its commits.
type settledFunc func(epoch int64, c *Commit, err error)

// newCommitter starts writers that write groups of at most largest members. One
// writer suits a store with one writing connection; more of them overlap one
// group's flush with the next one's preparation.
func newCommitter(store Store, writers, largest int, settled settledFunc) *committer {
	c := &committer{store: store, max: largest, pending: make(chan struct{}, 4*largest), turns: newMemberTurns(), settled: settled}
	for range writers {
		c.done.Add(1)
		go c.write()
	}
	return c
}

// submit waits until the commit's group is durable (nil) or refused. epoch is the one under
// which the commit was decided; 0: any. The errors are those of Store.Commit, and not_ready
// after close. It takes no context: a commit that was handed in is written whether or not
// its caller waits.
func (c *committer) submit(epoch int64, commit Commit) error {
	m := &member{epoch: epoch, commit: commit, answer: make(chan error, 1)}
	if !c.handIn(m) {
		return notReady("This node is stopping; try again shortly.")
	}
	return <-m.answer
}

// handIn queues a member for the next group, and reports false after close. It blocks while
// four groups are pending; close waits for it then.
func (c *committer) handIn(m *member) bool {
	c.closing.RLock()
	defer c.closing.RUnlock()
	if !c.closed {
		c.turns.add(m)
		c.pending <- struct{}{}
	}
	return !c.closed
}

// apart runs a write that goes past the groups, in the caller's goroutine; close waits for
// it. After close the error is not_ready and write is not called.
func (c *committer) apart(write func() error) error {
	c.closing.RLock()
	defer c.closing.RUnlock()
	if c.closed {
		return notReady("This node is stopping; try again shortly.")
	}
	return write()
}

// close ends the writers once everything submitted is answered. What comes later is
// refused. It may be called more than once.
func (c *committer) close() {
	c.closing.Lock()
	first := !c.closed
	c.closed = true
	c.closing.Unlock()
	if first {
		close(c.pending)
	}
	c.done.Wait()
}

// linger is how long a group waits at most for members that are likely on their way:
// those whose last change has just been answered.
const linger = time.Millisecond

// write is the loop of one writer; it ends when pending is closed and empty. A group is
// awaited until it has three quarters of the size of the last one, or linger is over. The
// members of different epochs are written apart, because the store checks one epoch for
// each call.
func (c *committer) write() {
	defer c.done.Done()
	var commits []Commit
	expected := 0
	for range c.pending {
		group := c.gather(c.turns.next(), expected)
		// Members whose last change has just been answered are likely to come back with the
		// next.
		expected = len(group) * 3 / 4
		for len(group) > 0 {
			var same []*member
			same, group = sameEpoch(group)
			commits = c.writeGroup(same, commits)
		}
	}
}

// writeGroup writes members of one epoch and answers each. It gives the store no deadline:
// the outcome of a write that was given up would have to be confirmed. The commits are
// handed over in room, which is returned for the next group, and holds nothing then.
func (c *committer) writeGroup(group []*member, room []Commit) []Commit {
	commits := room[:0]
	for _, m := range group {
		commits = append(commits, m.commit)
	}
	// The epochs of a group are equal, see sameEpoch.
	errs := c.store.Commit(context.Background(), group[0].epoch, commits)
	for i, m := range group {
		c.settled(m.epoch, &m.commit, errs[i])
		m.answer <- errs[i]
	}
	clear(commits)
	return commits
}

// sameEpoch splits off the members that have the first one's epoch; the order stays in both
// parts. Members of another epoch exist only around a change of the lease, so the usual
// result is group itself and nil.
func sameEpoch(group []*member) (same, rest []*member) {
	for i, m := range group {
		if m.epoch != group[0].epoch {
			same = append(same, group[:i]...)
			for _, m := range group[i:] {
				if m.epoch == group[0].epoch {
					same = append(same, m)
				} else {
					rest = append(rest, m)
				}
			}
			return same, rest
		}
	}
	return group, nil
}

// gather takes what is pending, and lingers while fewer members than expected have come.
// Without it the first caller to come back after a large group would pay for a flush of its
// own and let all others wait for it. It also returns when pending is closed.
func (c *committer) gather(first *member, expected int) []*member {
	limit := c.turns.limit(c.max)
	group := c.pendingNow([]*member{first}, limit)
	if expected = min(expected, limit); len(group) >= expected {
		return group
	}
	timeout := time.NewTimer(linger)
	defer timeout.Stop()
	for len(group) < expected {
		select {
		case _, open := <-c.pending:
			if !open {
				return group
			}
			group = c.pendingNow(append(group, c.turns.next()), limit)
		case <-timeout.C:
			return group
		}
	}
	return group
}

// pendingNow adds what is pending, up to limit members in all, without waiting for more.
func (c *committer) pendingNow(group []*member, limit int) []*member {
	for len(group) < limit {
		select {
		case _, open := <-c.pending:
			if !open {
				return group
			}
			group = append(group, c.turns.next())
		default:
			return group
		}
	}
	return group
}
