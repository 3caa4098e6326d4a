package executor_test

import (
	"context"
	"heddle/executor"
	"heddle/executor/machine"
	"sync"
	"testing"
)

// watched is a store that remembers what was committed.
type watched struct {
	executor.Store
	mu      sync.Mutex
	commits []executor.Commit
}

func (w *watched) Commit(ctx context.Context, epoch int64, group []executor.Commit) []error {
	w.mu.Lock()
	w.commits = append(w.commits, group...)
	w.mu.Unlock()
	return w.Store.Commit(ctx, epoch, group)
}

func TestARestartIsOneTransaction(t *testing.T) {
	w, r := &watched{}, newStuck()
	s := newStack(t, r.run, func(c *executor.Config) { w.Store, c.Store = c.Store, w })
	old := s.start(s.workflow(oneRequest), `{"n":1}`)
	<-r.begun
	next, err := s.svc.Restart(t.Context(), executor.RestartRequest{TenantID: tenant, RunID: old.RunID})
	if err != nil || string(next.Input) != `{"n":1}` || next.RunID == old.RunID {
		t.Fatal(next, err)
	}
	if got := s.run(old.RunID); got.State != machine.Cancelled {
		t.Errorf("the old run is %s", got.State)
	}
	together := 0
	w.mu.Lock()
	for _, c := range w.commits {
		switch {
		case c.With != nil && c.With.Row.RunID == next.RunID:
			together++
			if c.Row.RunID != old.RunID || c.Row.State != machine.Cancelled {
				t.Errorf("the new run came with %s of %s", c.Row.State, c.Row.RunID)
			}
		case c.Row.RunID == next.RunID && c.Expected == 0:
			t.Error("the new run was stored by itself")
		}
	}
	w.mu.Unlock()
	if together != 1 {
		t.Errorf("the new run was stored %d times with the end of the old one", together)
	}
	if got := <-r.begun; got != next.RunID {
		t.Errorf("%s began", got)
	}
	r.letGo(next.RunID)
	s.waitState(next.RunID, machine.Completed)
	again, err := s.svc.Restart(t.Context(), executor.RestartRequest{TenantID: tenant, RunID: next.RunID})
	if err != nil {
		t.Fatal(err)
	}
	r.letGo(<-r.begun)
	s.waitState(again.RunID, machine.Completed)
}
