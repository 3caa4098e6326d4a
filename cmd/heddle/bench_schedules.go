package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/executor"
	"heddle/schedules"
	"sync"
	"time"
)

// schedules lets many schedules come due at one moment, and measures how much
// later their runs were durable and had begun: runs that need no slot, and runs
// whose step acts.
func (b *bench) schedules(ctx context.Context) error {
	for _, kind := range []struct {
		name       string
		definition json.RawMessage
	}{{"conditions", threeSteps()}, {"one step", chain(1)}} {
		stored, begun, err := b.dueAtOnce(ctx, kind.definition)
		if err != nil {
			return err
		}
		b.say("schedules  %-14s stored %s, begun %s   (%d due at once; later than due)", kind.name, stored.withMax(), begun.withMax(), len(stored))
	}
	return nil
}

// withMax prints the worst as well.
func (l latencies) withMax() string { return l.String() + "  max " + brief(l.at(100)) }

// lateMeter notes how late firings were durable.
type lateMeter struct {
	mu   sync.Mutex
	late latencies
	full chan struct{}
	want int
}

func (m *lateMeter) Settled(_ schedules.Slot, late time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.late = append(m.late, late); len(m.late) == m.want {
		close(m.full)
	}
}

func (b *bench) dueAtOnce(ctx context.Context, definition json.RawMessage) (stored, begun latencies, err error) {
	n := b.plan.Schedules
	meter, runner := &lateMeter{full: make(chan struct{}), want: n}, &stampRunner{}
	r, err := b.rig(ctx, definition, replaced{runner: runner, meter: meter})
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	due := time.Now().Add(1500*time.Millisecond + time.Duration(n)*8*time.Millisecond).Truncate(time.Second)
	for range n {
		_, err := r.stack.schedules.Create(ctx, schedules.CreateRequest{Workflow: r.workflow, Schedule: schedules.Schedule{
			TenantID: r.tenant, Expression: "@every 1h", StartsAt: due, EndsAt: due.Add(time.Second),
		}})
		if err != nil {
			return nil, nil, err
		}
	}
	if time.Now().After(due) {
		return nil, nil, errors.New("the schedules were not stored in time; take fewer")
	}
	select {
	case <-meter.full:
	case <-time.After(time.Until(due) + time.Minute):
		return nil, nil, fmt.Errorf("only %d of %d schedules fired within a minute", len(meter.late), n)
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	if err := r.awaitCompleted(ctx, n); err != nil {
		return nil, nil, err
	}
	begun, err = r.begunAfter(ctx, due, runner, meter.late)
	return meter.late, begun, err
}

// begunAfter tells how late each run began: when its step was performed, or
// with its firing where it began in the same transaction.
func (r *rig) begunAfter(ctx context.Context, due time.Time, runner *stampRunner, stored latencies) (latencies, error) {
	if len(runner.at) > 0 {
		var begun latencies
		for _, at := range runner.at {
			begun = append(begun, at.Sub(due))
		}
		return begun, nil
	}
	for q := (executor.RunQuery{TenantID: r.tenant, WorkflowID: r.workflow, Limit: 200}); ; {
		page, err := r.stack.executor.Runs(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, run := range page.Runs {
			if !run.StartedAt.Equal(run.CreatedAt) {
				return nil, fmt.Errorf("run %s was stored %s before it began", run.RunID, run.StartedAt.Sub(run.CreatedAt))
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return stored, nil
		}
	}
}
