package bench

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

// schedules makes many schedules due at one moment, and measures how much later their
// runs were durable and had begun: once with runs that need no slot, once with runs
// whose step makes an attempt.
//
//	schedules  conditions     stored p50 … p99 … max …, begun p50 … p99 … max …
//
// The difference of the two kinds is the wait for a slot.
func (b *session) schedules(ctx context.Context) error {
	for _, kind := range []struct {
		name       string
		definition json.RawMessage
	}{{"conditions", threeSteps()}, {"one step", chain(1)}} {
		stored, begun, err := b.dueAtOnce(ctx, kind.definition)
		if err != nil {
			return err
		}
		b.printf("schedules  %-14s stored %s, begun %s   (%d due at once; later than due)", kind.name, stored.withMax(), begun.withMax(), len(stored))
	}
	return nil
}

// withMax formats the percentiles and the maximum.
func (l latencies) withMax() string { return l.String() + "  max " + millis(l.at(100)) }

// lateMeter is a schedules.Meter that records how late each firing was durable, and
// closes full at firing number want.
type lateMeter struct {
	mu   sync.Mutex // guards late until full is closed
	late latencies
	full chan struct{}
	want int
}

// SlotRecorded records one firing.
func (m *lateMeter) SlotRecorded(_ schedules.Slot, late time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.late = append(m.late, late); len(m.late) == m.want {
		close(m.full)
	}
}

// errStoredLate is returned where schedules could not be stored before they were due: they
// would fire late, and the figure would be that of the storing.
var errStoredLate = errors.New("the schedules were not stored in time; take fewer")

// dueAtOnce fires the plan's schedules once, all at the same due time, and returns how
// much later than due their runs were stored and had begun. A machine that is too slow to
// store them before that is given twice the time, up to 64 times as much; then it fails.
func (b *session) dueAtOnce(ctx context.Context, definition json.RawMessage) (stored, begun latencies, err error) {
	lead := 1500*time.Millisecond + time.Duration(b.plan.Schedules)*8*time.Millisecond
	for times := 1; times <= 64; times *= 2 {
		if stored, begun, err = b.dueAfter(ctx, definition, time.Duration(times)*lead); !errors.Is(err, errStoredLate) {
			break
		}
	}
	return stored, begun, err
}

// dueAfter is dueAtOnce with the time that storing may take. It fails with errStoredLate,
// and without the schedules, where that is too short.
func (b *session) dueAfter(ctx context.Context, definition json.RawMessage, lead time.Duration) (stored, begun latencies, err error) {
	n := b.plan.Schedules
	meter, runner := &lateMeter{full: make(chan struct{}), want: n}, &recordingRunner{}
	r, err := b.rig(ctx, definition, Parts{Runner: runner, Meter: meter})
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, r.Stop()) }()
	due := time.Now().Add(lead).Truncate(time.Second)
	made, err := r.schedulesDue(ctx, n, due)
	if time.Now().After(due) {
		// Or the next attempt's server would fire them. One that came too late may have been
		// refused, as it would never fire.
		for _, id := range made {
			if err := r.Schedules.Delete(ctx, r.tenant, id, nil); err != nil {
				return nil, nil, err
			}
		}
		return nil, nil, errStoredLate
	}
	if err != nil {
		return nil, nil, err
	}
	select {
	case <-meter.full:
	// A minute is far beyond any machine's delay: only a lost firing takes as long.
	case <-time.After(time.Until(due) + time.Minute):
		return nil, nil, fmt.Errorf("only %d of %d schedules fired within a minute", len(meter.late), n)
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	// The runs must have begun before their beginnings are looked up.
	if err := r.awaitCompleted(ctx, n); err != nil {
		return nil, nil, err
	}
	begun, err = r.begunAfter(ctx, due, runner, meter.late)
	return meter.late, begun, err
}

// schedulesDue stores n schedules that fire once, at due, as they end a second later. It
// returns the ids of those that were stored, also with an error.
func (r *rig) schedulesDue(ctx context.Context, n int, due time.Time) (made []string, err error) {
	for range n {
		s, err := r.Schedules.Create(ctx, schedules.CreateRequest{Workflow: r.workflow, Schedule: schedules.Schedule{
			TenantID: r.tenant, Expression: "@every 1h", StartsAt: due, EndsAt: due.Add(time.Second),
		}})
		if err != nil {
			return made, err
		}
		made = append(made, s.ID)
	}
	return made, nil
}

// begunAfter returns how late each run began: when its attempt began or, where no
// attempt was made, with its firing. For the latter it checks that each run began in the
// transaction that stored it.
func (r *rig) begunAfter(ctx context.Context, due time.Time, runner *recordingRunner, stored latencies) (latencies, error) {
	if len(runner.at) > 0 {
		var begun latencies
		for _, at := range runner.at {
			begun = append(begun, at.Sub(due))
		}
		return begun, nil
	}
	for q := (executor.RunQuery{TenantID: r.tenant, Workflows: []string{r.workflow}, Limit: 200}); ; {
		page, err := r.Executor.Runs(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, run := range page.Runs {
			// Such a run waited for a slot, and its firing does not say when it began.
			if !run.StartedAt.Equal(run.CreatedAt) {
				return nil, fmt.Errorf("run %s was stored %s before it began", run.RunID, run.StartedAt.Sub(run.CreatedAt))
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return stored, nil
		}
	}
}
