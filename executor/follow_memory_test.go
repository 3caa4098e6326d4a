package executor_test

import (
	"context"
	"encoding/json"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"sync/atomic"
	"testing"
)

// countedStore counts the reads of rows and journals, and may fail a commit after it was
// written.
type countedStore struct {
	executor.Store
	reads   atomic.Int64
	deceive atomic.Bool // the next commits are written and said not to be known
}

func (s *countedStore) Run(ctx context.Context, tenantID, runID string) (executor.Record, error) {
	s.reads.Add(1)
	return s.Store.Run(ctx, tenantID, runID)
}

func (s *countedStore) Events(ctx context.Context, runID string, after int64, limit int) ([]events.Event, error) {
	s.reads.Add(1)
	return s.Store.Events(ctx, runID, after, limit)
}

func (s *countedStore) Commit(ctx context.Context, epoch int64, group []executor.Commit) []error {
	errs := s.Store.Commit(ctx, epoch, group)
	if s.deceive.Swap(false) {
		for i := range errs {
			errs[i] = fault.New(fault.Unavailable, "outcome_unknown", "The answer was lost.")
		}
	}
	return errs
}

const waitsTwice = `
name: Waits
steps:
  - {id: one, type: wait, config: {signal: {name: go}}}
  - {id: two, type: wait, depends_on: [one], config: {signal: {name: go}}}
`

// last returns the seq of the last event that was received; 0: none was.
func (c *collect) last() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seqs) == 0 {
		return 0
	}
	return c.seqs[len(c.seqs)-1]
}

// followed starts a follower and returns what it has received so far, and its end.
func (s *stack) followed(runID string) (*collect, <-chan error) {
	c, end := &collect{}, make(chan error, 1)
	go func() { end <- s.svc.Follow(s.t.Context(), tenant, runID, 0, c) }()
	return c, end
}

func TestAFollowerOfARunThatIsDrivenHereReadsNothing(t *testing.T) {
	counted := &countedStore{}
	s := newStack(t, nil, func(c *executor.Config) { counted.Store, c.Store = c.Store, counted })
	rec := s.start(s.workflow(waitsTwice), `{}`)
	before := counted.reads.Load()
	row, err := s.svc.RunToFollow(t.Context(), tenant, rec.RunID)
	if err != nil || row.Seq != rec.Seq {
		t.Fatalf("row %+v, error %v", row, err)
	}
	c, end := s.followed(rec.RunID)
	s.eventually("followed", func() bool { return c.last() == rec.Seq })
	if n := counted.reads.Load() - before; n != 0 {
		t.Errorf("%d reads of a run that is in memory", n)
	}
	for _, id := range []string{"1", "2"} {
		if _, err := s.svc.Signal(t.Context(), tenant, rec.RunID, machine.Signal{Name: "go", RequestID: id, Payload: json.RawMessage(`1`)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-end; err != nil {
		t.Fatal(err)
	}
	journal, err := s.db.Events(t.Context(), rec.RunID, 0, 1000)
	if err != nil || int64(len(journal)) != c.last() {
		t.Errorf("the follower saw %d of %d events, %v", c.last(), len(journal), err)
	}
}

// A commit whose answer is lost is confirmed by reading it back; what followers get must
// not end before it.
func TestAFollowerSeesACommitWhoseAnswerWasLost(t *testing.T) {
	counted := &countedStore{}
	s := newStack(t, nil, func(c *executor.Config) { counted.Store, c.Store = c.Store, counted })
	rec := s.start(s.workflow(waitsTwice), `{}`)
	c, end := s.followed(rec.RunID)
	s.eventually("followed", func() bool { return c.last() == rec.Seq })
	counted.deceive.Store(true)
	for _, id := range []string{"1", "2"} {
		if _, err := s.svc.Signal(t.Context(), tenant, rec.RunID, machine.Signal{Name: "go", RequestID: id}); err != nil {
			t.Fatal(err)
		}
		row, err := s.db.Run(t.Context(), tenant, rec.RunID)
		if err != nil {
			t.Fatal(err)
		}
		s.eventually("the change is seen", func() bool { return c.last() >= row.Seq })
	}
	if err := <-end; err != nil {
		t.Fatal(err)
	}
}

func TestARunThatWasDeletedIsNotFollowed(t *testing.T) {
	s := newStack(t, nil)
	rec := s.start(s.workflow(waitsTwice), `{}`)
	if _, err := s.svc.Cancel(t.Context(), tenant, rec.RunID); err != nil {
		t.Fatal(err)
	}
	if err := s.svc.Delete(t.Context(), tenant, rec.RunID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.svc.Follow(t.Context(), tenant, rec.RunID, 0, &collect{}), fault.NotFound, "run_not_found")
}
