package executor

import (
	"context"
	"heddle/definitions"
	"heddle/executor/machine"
	"heddle/executor/queue"
	"heddle/fault"
)

// restoreLimits counts the limited runs afresh from the store: first those that have begun,
// beyond the limit if need be, then the queued ones in their order, as far as the limits
// admit them. Queued ones that are not admitted are enqueued when their Begin is held back.
// It is called when a term begins, before any run is driven. Errors: those of
// LimitStore.LimitedRuns, and of an unavailable store; a run whose definition cannot be
// compiled is passed over.
func (dp *dispatcher) restoreLimits(ctx context.Context) error {
	open, err := dp.cfg.Store.LimitedRuns(ctx)
	if err != nil {
		return err
	}
	fresh := newLimits()
	for _, begun := range []bool{true, false} {
		for _, r := range open {
			if r.Begun != begun || !begun && r.Named && dp.cfg.HoldNamed {
				continue
			}
			c, err := dp.plans.get(ctx, r.WorkflowID, r.Version, r.Hash)
			if fault.KindOf(err) == fault.Unavailable {
				return err
			}
			if err != nil || c.plan.Definition().Concurrency == nil {
				continue // such a run cannot be driven, or has no limit any more
			}
			g, limit := group{r.TenantID, r.WorkflowID, r.Key}, c.plan.Definition().Concurrency.Limit
			if begun {
				fresh.addMember(r.RunID, g)
			} else {
				fresh.admit(r.RunID, g, limit)
			}
		}
	}
	// All at once, so that no other goroutine sees half of the groups.
	dp.limits.mu.Lock()
	defer dp.limits.mu.Unlock()
	dp.limits.groups, dp.limits.byRun, dp.limits.admitted = fresh.groups, fresh.byRun, nil
	return nil
}

// queueBehindLimit lets a run that is stored as queued wait for its workflow's limit, and
// cancels the runs that have to end for it (on_limit: cancel_oldest). Where there is room
// by now the run is left to the queue. The cancels are messages, so it does not wait.
func (dp *dispatcher) queueBehindLimit(runID string, g group, c *definitions.Concurrency) {
	held, giveUp := dp.limits.enqueue(runID, g, c)
	if !held {
		dp.unread(queue.Workflow{TenantID: g.tenantID, ID: g.workflowID})
	}
	for _, id := range giveUp {
		dp.registry.deliver(id, message{input: machine.Cancel{Reason: "A newer run took its place: the workflow's concurrency limit is reached.", By: bySystem}}, false)
	}
}

// leaveLimits takes a run out of its concurrency group, if it is in one, and wakes the
// dispatcher where others were admitted for it. It must be called once a run has ended, or
// was not stored after all.
func (dp *dispatcher) leaveLimits(runID string) {
	if dp.limits.remove(runID) {
		dp.wake()
	}
}
