package executor

import (
	"context"
	"sync"
	"time"
)

// committer joins the changes of many runs into group commits. A submission
// returns after its own group is durable. While one group is being written the
// next one gathers, so the groups grow with the load and a lone run waits for
// nobody.
type committer struct {
	store   Store
	epoch   func() int64
	max     int // members of a group
	pending chan *member
	done    sync.WaitGroup
}

type member struct {
	commit Commit
	answer chan error
}

// newCommitter starts writers that write groups of at most largest members. One
// writer suits a store with one writing connection; more of them overlap one
// group's flush with the next one's preparation.
func newCommitter(store Store, epoch func() int64, writers, largest int) *committer {
	c := &committer{store: store, epoch: epoch, max: largest, pending: make(chan *member, 4*largest)}
	for range writers {
		c.done.Add(1)
		go c.write()
	}
	return c
}

// submit waits until the commit's group is durable or refused.
func (c *committer) submit(commit Commit) error {
	m := &member{commit: commit, answer: make(chan error, 1)}
	c.pending <- m
	return <-m.answer
}

// close ends the writers once everything submitted is answered. Nothing may be
// submitted afterwards.
func (c *committer) close() {
	close(c.pending)
	c.done.Wait()
}

// linger is how long a group waits at the most for members that are likely on
// their way: those whose last change has just been answered.
const linger = time.Millisecond

func (c *committer) write() {
	defer c.done.Done()
	expected := 0
	for first := range c.pending {
		group := c.gather(first, expected)
		expected = len(group) * 3 / 4
		commits := make([]Commit, len(group))
		for i, m := range group {
			commits[i] = m.commit
		}
		errs := c.store.Commit(context.Background(), c.epoch(), commits)
		for i, m := range group {
			m.answer <- errs[i]
		}
	}
}

// gather takes what is pending, and lingers while fewer members than expected
// have come. Without it the first caller to come back after a large group
// would pay for a flush of its own and let all others wait for it.
func (c *committer) gather(first *member, expected int) []*member {
	group := c.pendingNow([]*member{first})
	if len(group) >= expected {
		return group
	}
	timeout := time.NewTimer(linger)
	defer timeout.Stop()
	for len(group) < expected {
		select {
		case m, open := <-c.pending:
			if !open {
				return group
			}
			group = c.pendingNow(append(group, m))
		case <-timeout.C:
			return group
		}
	}
	return group
}

// pendingNow adds what is pending without waiting for more.
func (c *committer) pendingNow(group []*member) []*member {
	for len(group) < c.max {
		select {
		case m, open := <-c.pending:
			if !open {
				return group
			}
			group = append(group, m)
		default:
			return group
		}
	}
	return group
}
