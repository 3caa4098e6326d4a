package executor_test

import (
	"context"
	"encoding/json"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/internal/await"
	"sync/atomic"
	"testing"
	"time"
)

// delaysBusyRuns is a store that answers BusyRuns only after something else happened,
// or after a while.
type delaysBusyRuns struct {
	executor.Store
	happened <-chan struct{}
}

func (w *delaysBusyRuns) BusyRuns(ctx context.Context, after string, limit int) ([]string, error) {
	select {
	case <-w.happened:
	case <-time.After(200 * time.Millisecond):
	}
	return w.Store.BusyRuns(ctx, after, limit)
}

// A run that begins while this process looks for the runs of a dead one is not
// one of those.
func TestARunThatBeginsDuringRecoveryIsNotInterrupted(t *testing.T) {
	first := newStack(t, neverRun)
	first.stop()
	wf := first.workflow(oneRequest)
	idle := executor.New(executor.Config{
		Store: first.db, Hub: events.NewHub(), Now: time.Now, NewID: func(prefix string) string { return prefix + "0000000000000000000000aa" },
		Attempts: executor.Attempts{Runner: runnerFunc(neverRun)},
		Node:     executor.Node{Holder: "idle"},
	})
	queued, err := idle.Start(t.Context(), executor.StartRequest{
		TenantID: tenant, Workflow: wf, Trigger: "manual", Input: json.RawMessage(`{"n":1}`),
	})
	if err != nil || queued.State != machine.Queued {
		t.Fatal(queued.State, err)
	}
	idle.Close()

	begun, release := make(chan struct{}, 10), make(chan struct{})
	var calls atomic.Int64
	s := stackOn(t, first.db, first.ids, func(ctx context.Context, _ executor.Call) (executor.Result, error) {
		calls.Add(1)
		begun <- struct{}{}
		select {
		case <-release:
		case <-ctx.Done():
		}
		return ok("")
	}, func(c *executor.Config) { c.Store = &delaysBusyRuns{c.Store, begun} })
	close(release)
	s.waitState(queued.RunID, machine.Completed)
	if n := count(s.journal(queued.RunID), events.StepInterrupted); n != 0 || calls.Load() != 1 {
		t.Errorf("%d interruptions, %d calls", n, calls.Load())
	}
}

// The time that steps get at a stop is not measured by a clock that may stand
// still or be set back.
func TestAStopEndsThoughTheClockStandsStill(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	fixed := time.Now()
	s := newStack(t, func(context.Context, executor.Call) (executor.Result, error) {
		close(begun)
		<-release
		return ok("")
	}, func(c *executor.Config) {
		c.Now = func() time.Time { return fixed }
		c.Drain = 10 * time.Millisecond
	})
	s.start(s.workflow(oneRequest), `{"n":1}`)
	<-begun
	stopped := make(chan struct{})
	go func() { s.stop(); close(stopped) }()
	await.Receive(t, "the stop ends", stopped)
}

func TestAStartAfterTheEndIsRefused(t *testing.T) {
	s := newStack(t, neverRun)
	wf := s.workflow(threeConditions)
	s.stop()
	_, err := s.svc.Start(t.Context(), executor.StartRequest{
		TenantID: tenant, Workflow: wf, Trigger: "manual", Input: json.RawMessage(`{"n":1}`),
	})
	wantCode(t, err, fault.Unavailable, "not_ready")
}

// vanished is a store whose run is deleted as soon as it was seen.
type vanished struct {
	executor.Store
	gone atomic.Bool
}

func (v *vanished) Run(ctx context.Context, tenantID, runID string) (executor.Record, error) {
	if v.gone.Load() {
		return executor.Record{}, fault.New(fault.NotFound, "run_not_found", "gone")
	}
	rec, err := v.Store.Run(ctx, tenantID, runID)
	v.gone.Store(true)
	return rec, err
}

func (v *vanished) Events(context.Context, string, int64, int) ([]events.Event, error) {
	return nil, nil
}

func TestFollowEndsWhenTheRunIsDeleted(t *testing.T) {
	v := &vanished{}
	s := newStack(t, neverRun, func(c *executor.Config) {
		v.Store = c.Store
		c.Store, c.Heartbeat = v, 5*time.Millisecond
	})
	rec := s.start(s.workflow(threeConditions), `{"n":2}`)
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience)
	defer cancel()
	if err := s.svc.Follow(ctx, tenant, rec.RunID, 1, &collect{}); err != nil {
		t.Error(err)
	}
}

// asks counts how often a node asks for the lease.
type asks struct {
	executor.Store
	n atomic.Int64
}

func (a *asks) AcquireLease(ctx context.Context, holder string, now time.Time, ttl time.Duration) (int64, error) {
	a.n.Add(1)
	return a.Store.AcquireLease(ctx, holder, now, ttl)
}

// A node whose clock is hours ahead takes the lease from no other node.
func TestANodeWhoseClockIsAheadStandsBy(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, url string) {
		ids := new(atomic.Int64)
		leader := stackOn(t, openDB(t, url), ids, neverRun)
		leader.eventually("the first leads", leader.svc.Leading)
		var ahead *asks
		standby := stackOn(t, openDB(t, url), ids, neverRun, func(c *executor.Config) {
			ahead = &asks{Store: c.Store}
			c.Store, c.Now = ahead, func() time.Time { return time.Now().Add(3 * time.Hour) }
		})
		standby.eventually("it asked for the lease", func() bool { return ahead.n.Load() >= 3 })
		if !leader.svc.Leading() || standby.svc.Leading() {
			t.Errorf("leading: %v, and the one whose clock is ahead %v", leader.svc.Leading(), standby.svc.Leading())
		}
	})
}

// repairs is a store that says when its counters are repaired, and waits for the release.
type repairs struct {
	executor.Store
	begun, release chan struct{}
}

func (r *repairs) RepairCounts(context.Context) (int, error) {
	close(r.begun)
	<-r.release
	return 3, nil
}

// The counters of runs are compared once in a term, and nothing waits for that.
func TestALeaderDoesNotWaitForCounters(t *testing.T) {
	r := &repairs{begun: make(chan struct{}), release: make(chan struct{})}
	s := newStack(t, neverRun, func(c *executor.Config) {
		r.Store = c.Store
		c.Store = r
	})
	defer close(r.release)
	await.Receive(t, "the counters are compared", r.begun)
	rec := s.start(s.workflow(threeConditions), `{"n":2}`)
	s.waitState(rec.RunID, machine.Completed)
}
