package executor

import (
	"context"
	"sync"
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

// newCommitter starts writers that write groups of at most max members. One
// writer suits a store with one writing connection; more of them overlap one
// group's flush with the next one's preparation.
func newCommitter(store Store, epoch func() int64, writers, max int) *committer {
	c := &committer{store: store, epoch: epoch, max: max, pending: make(chan *member, 4*max)}
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

func (c *committer) write() {
	defer c.done.Done()
	for first := range c.pending {
		group := c.gather(first)
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

// gather takes what is pending without waiting for more.
func (c *committer) gather(first *member) []*member {
	group := []*member{first}
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
