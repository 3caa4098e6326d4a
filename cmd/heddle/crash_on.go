//go:build crashpoints

package main

import (
	"context"
	"heddle/events"
	"heddle/executor"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// executorConfig adds to the binary of the crash tests what the product does not
// have. HEDDLE_TEST_CRASH=point:n kills the process at the n-th passing of a named
// point, HEDDLE_TEST_POISON=step kills it whenever an attempt of a step of that id
// begins, and HEDDLE_TEST_BREAK=write_behind breaks the journal, to show that the
// crash tests notice.
func executorConfig(c executor.Config) executor.Config {
	if point, times, ok := strings.Cut(os.Getenv("HEDDLE_TEST_CRASH"), ":"); ok {
		c.Crash = crashAt(point, times)
	}
	if step := os.Getenv("HEDDLE_TEST_POISON"); step != "" {
		c.Runner = poisoned{c.Runner, step}
	}
	if os.Getenv("HEDDLE_TEST_BREAK") == "write_behind" {
		c.Store = newWriteBehind(c.Store)
	}
	return c
}

// crashAt returns the function that the executor calls at each named point. It
// panics if times is not a number: the test is wrong then.
func crashAt(point, times string) func(string) {
	left := new(atomic.Int64)
	n, err := strconv.ParseInt(times, 10, 64)
	if err != nil {
		panic("HEDDLE_TEST_CRASH wants point:n")
	}
	left.Store(n)
	return func(at string) {
		if at == point && left.Add(-1) == 0 {
			die()
		}
	}
}

// die kills the process as kill -9 does. It does not return.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // nothing more happens here
}

// poisoned is an executor.Runner that kills the process at attempts of one step.
type poisoned struct {
	executor.Runner
	step string
}

// Run kills the process where the attempt is one of the step.
func (p poisoned) Run(ctx context.Context, call executor.Call) (executor.Result, error) {
	if call.StepID == p.step {
		die()
	}
	return p.Runner.Run(ctx, call)
}

// writeBehind is a Store that reports a commit as durable and writes it a little later,
// so that a crash loses commits that were acknowledged. Reads wait until what was
// acknowledged is written, so that nothing but a crash shows the defect.
type writeBehind struct {
	executor.Store
	queue chan func() // writes and flushes, in order
}

// newWriteBehind returns a writeBehind over s and starts the goroutine that writes,
// which lives as long as the process.
func newWriteBehind(s executor.Store) *writeBehind {
	w := &writeBehind{Store: s, queue: make(chan func(), 1<<16)}
	go func() {
		for write := range w.queue {
			write()
		}
	}()
	return w
}

// Commit reports every member of the group as committed before any is.
func (s *writeBehind) Commit(ctx context.Context, epoch int64, group []executor.Commit) []error {
	s.queue <- func() {
		time.Sleep(5 * time.Millisecond)
		s.Store.Commit(context.WithoutCancel(ctx), epoch, group)
	}
	return make([]error, len(group))
}

// flush returns once every commit acknowledged so far is written.
func (s *writeBehind) flush() {
	done := make(chan struct{})
	s.queue <- func() { close(done) }
	<-done
}

// Journal reads a run's journal after the writes.
func (s *writeBehind) Journal(ctx context.Context, runID string) (executor.Journal, error) {
	s.flush()
	return s.Store.Journal(ctx, runID)
}

// Events reads a run's events after the writes.
func (s *writeBehind) Events(ctx context.Context, runID string, after int64, limit int) ([]events.Event, error) {
	s.flush()
	return s.Store.Events(ctx, runID, after, limit)
}

// Run reads a run's record after the writes.
func (s *writeBehind) Run(ctx context.Context, tenantID, runID string) (executor.Record, error) {
	s.flush()
	return s.Store.Run(ctx, tenantID, runID)
}
