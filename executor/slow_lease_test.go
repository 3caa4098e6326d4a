package executor_test

import (
	"context"
	"heddle/executor"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slowLease is a store that is far away: the lease takes six seconds to take
// and two and a half to renew.
type slowLease struct {
	executor.Store
	asked, ended atomic.Int64
}

func (s *slowLease) AcquireLease(ctx context.Context, holder string, now time.Time, ttl time.Duration) (int64, error) {
	d := 2500 * time.Millisecond
	if s.asked.Add(1) == 1 {
		d = 6 * time.Second
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	return s.Store.AcquireLease(ctx, holder, now, ttl)
}

func (s *slowLease) EndTerm(ctx context.Context, epoch int64) error {
	s.ended.Add(1)
	return s.Store.EndTerm(ctx, epoch)
}

// In a bubble, whose clock moves only while all of its goroutines wait.
func TestALeaseIsKeptOverASlowConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowLease{}
		s := newStack(t, neverRun, func(c *executor.Config) { slow.Store = c.Store; c.Store = slow })
		<-time.After(time.Minute)
		if slow.ended.Load() != 0 || !s.svc.Leading() || slow.asked.Load() < 10 {
			t.Errorf("%d terms ended, %d renewals", slow.ended.Load(), slow.asked.Load())
		}
	})
}
