package executor_test

import (
	"context"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// moody is a store that refuses commits with an event of a kind, or is unavailable, or
// answers that the lease is another's.
type moody struct {
	executor.Store
	refuse events.Kind
	away   atomic.Bool
	taken  atomic.Bool
	asked  atomic.Int64 // commits that were refused
}

func (m *moody) Commit(ctx context.Context, epoch int64, group []executor.Commit) []error {
	errs := make([]error, len(group))
	for i, c := range group {
		switch {
		case m.away.Load():
			errs[i] = fault.New(fault.Unavailable, "store_unavailable", "away")
		case m.refuse != "" && slices.ContainsFunc(c.Events, func(e events.Event) bool { return e.Kind == m.refuse }):
			errs[i] = fault.New(fault.Internal, "internal", "The database refused a statement.")
		default:
			errs[i] = m.Store.Commit(ctx, epoch, group[i:i+1])[0]
			continue
		}
		m.asked.Add(1)
	}
	return errs
}

func (m *moody) AcquireLease(ctx context.Context, holder string, now time.Time, ttl time.Duration) (int64, error) {
	if m.taken.Load() {
		return 0, executor.ErrLeaseHeld
	}
	return m.Store.AcquireLease(ctx, holder, now, ttl)
}

func TestARunWhoseJournalIsRefusedIsFailed(t *testing.T) {
	m := &moody{refuse: events.StepCompleted}
	s := newStack(t, func(context.Context, executor.Call) (executor.Result, error) { return ok("") },
		func(c *executor.Config) { m.Store, c.Store = c.Store, m })
	bad := s.start(s.workflow(oneRequest), `{"n":1}`).RunID
	rec := s.waitState(bad, machine.Failed)
	if rec.Error == nil || rec.Error.Code != "journal_failed" || m.asked.Load() != 5 {
		t.Errorf("%+v after %d refusals", rec.Error, m.asked.Load())
	}
	journal := s.journal(bad)
	if last := journal[len(journal)-1]; last.Kind != events.RunFailed || last.Seq != rec.Seq {
		t.Errorf("the journal ends with %+v, the row with %d", last, rec.Seq)
	}
	s.eventually("its slot is free again", func() bool { return s.svc.FreeSlots() == 10 })
}

// TestResultsOutliveALostLease: a step's output that came while the store was unavailable
// is journalled when the same term goes on; the step is not performed again.
func TestResultsOutliveALostLease(t *testing.T) {
	m, release := &moody{}, make(chan struct{})
	var ends, cut, calls atomic.Int64
	s := newStack(t, func(ctx context.Context, call executor.Call) (executor.Result, error) {
		if calls.Add(1); call.StepID == "cut" && calls.Load() <= 2 {
			<-ctx.Done()
			cut.Add(1)
			return executor.Result{}, ctx.Err()
		}
		<-release
		if call.StepID == "ends" {
			ends.Add(1)
		}
		return ok("")
	}, func(c *executor.Config) { m.Store, c.Store = c.Store, m })
	run := s.start(s.workflow(`
name: two
steps:
  - {id: ends, type: http_request, config: {url: u}}
  - {id: cut, type: http_request, config: {url: u}}
`), `{}`).RunID
	s.eventually("both are in flight", func() bool { return calls.Load() == 2 })
	m.away.Store(true)
	m.taken.Store(true)
	close(release)
	s.eventually("a commit failed and the lease is lost", func() bool { return m.asked.Load() > 0 && cut.Load() == 1 })
	m.away.Store(false)
	m.taken.Store(false)
	s.waitState(run, machine.Completed)
	evs := s.journal(run)
	if n := count(evs, events.StepInterrupted); n != 1 || ends.Load() != 1 || calls.Load() != 3 {
		t.Errorf("%d interrupted, %d calls, of which %d of the step that had ended; want the other one alone again", n, calls.Load(), ends.Load())
	}
}
