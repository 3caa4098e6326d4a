package api

import (
	"context"
	"heddle/deadline"
	"heddle/fault"
	"time"
)

// TurnStore holds which turn a run has under way, for all nodes. An owner that
// does not renew its claim loses it after its time, by the store's clock.
type TurnStore interface {
	// ClaimTurn takes or renews the run's turn; false: it is another's.
	ClaimTurn(ctx context.Context, runID, owner string, ttl time.Duration) (bool, error)
	FreeTurn(ctx context.Context, runID, owner string) error
}

// How long a turn is claimed, and how often the claim is renewed: a node that
// dies blocks a conversation for no longer than the first.
const (
	turnClaim = 15 * time.Second
	turnRenew = 4 * time.Second
)

// takeTurn makes this request the one turn that the run has under way on any
// node, until end is called.
func (c *call) takeTurn(runID string) (end func(), err error) {
	if _, busy := c.h.turns.LoadOrStore(runID, true); busy {
		return nil, turnInProgress(runID)
	}
	turns := c.h.cfg.Turns
	if turns == nil {
		return func() { c.h.turns.Delete(runID) }, nil
	}
	owner := c.h.cfg.NewID("turn_")
	claimed, err := turns.ClaimTurn(c.ctx(), runID, owner, turnClaim)
	if err == nil && !claimed {
		err = turnInProgress(runID)
	}
	if err != nil {
		c.h.turns.Delete(runID)
		return nil, err
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(c.ctx()))
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		c.renewTurn(ctx, runID, owner)
	}()
	return func() {
		stop()
		<-renewed
		ctx, cancel := context.WithTimeout(deadline.With(context.WithoutCancel(ctx), turnRenew), turnRenew)
		defer cancel()
		if err := turns.FreeTurn(ctx, runID, owner); err != nil {
			c.h.log.Warn("the end of a turn was not stored; it ends by itself", "run_id", runID, "error", err)
		}
		c.h.turns.Delete(runID)
	}, nil
}

// renewTurn keeps a claim until ctx ends.
func (c *call) renewTurn(ctx context.Context, runID, owner string) {
	tick := time.NewTicker(turnRenew)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if _, err := c.h.cfg.Turns.ClaimTurn(deadline.With(ctx, turnRenew), runID, owner, turnClaim); err != nil && ctx.Err() == nil {
			c.h.log.Warn("a turn was not renewed", "run_id", runID, "error", err)
		}
	}
}

func turnInProgress(runID string) error {
	return fault.New(fault.Conflict, "turn_in_progress", "Another turn of run %s is under way; wait for its answer.", withoutPrefix(runID))
}
