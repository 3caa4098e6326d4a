package turns

import (
	"context"
	"heddle/api/core"
	"heddle/deadline"
	"heddle/fault"
	"log/slog"
	"time"
)

// Store holds which turn a run has in progress, for all nodes. An owner that does not renew its
// claim loses it after its time, by the store's clock. It is called concurrently.
type Store interface {
	// ClaimTurn takes or renews the run's turn for ttl; false: another owner has it.
	ClaimTurn(ctx context.Context, runID, owner string, ttl time.Duration) (bool, error)
	// FreeTurn ends the claim of owner, if it has it.
	FreeTurn(ctx context.Context, runID, owner string) error
}

// How long a turn is claimed, and how often the claim is renewed: a node that dies blocks a
// conversation for no longer than the first. Two renewals may fail before the claim is lost.
const (
	turnClaim = 15 * time.Second
	turnRenew = 4 * time.Second
)

// takeTurn makes this request the one turn that the run has in progress on any node, until end is
// called, which has to happen once. The error is fault.Conflict turn_in_progress, or the store's.
// The order is: the process's map, then the store's claim, then renewals in the background; end
// goes back the same way, and frees the map last, so that no request of this process meets a
// claim of its own.
func (h *handlers) takeTurn(c *core.Call, runID string) (end func(), err error) {
	if _, busy := h.open.LoadOrStore(runID, true); busy {
		return nil, turnInProgress(runID)
	}
	store := h.Store
	if store == nil {
		return func() { h.open.Delete(runID) }, nil
	}
	owner := h.NewID("turn_")
	claimed, err := store.ClaimTurn(c.Ctx(), runID, owner, turnClaim)
	if err == nil && !claimed {
		err = turnInProgress(runID)
	}
	if err != nil {
		h.open.Delete(runID)
		return nil, err
	}
	// The claim outlives the client's connection: what the turn has begun ends as a turn.
	ctx, stop := context.WithCancel(context.WithoutCancel(c.Ctx()))
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		h.renewTurn(ctx, c.Log(), runID, owner)
	}()
	return func() {
		stop()
		// A renewal that is under way would take the turn again after it was freed.
		<-renewed
		ctx, cancel := context.WithTimeout(deadline.WithBudget(context.WithoutCancel(ctx), turnRenew), turnRenew)
		defer cancel()
		if err := store.FreeTurn(ctx, runID, owner); err != nil {
			c.Log().Warn("the end of a turn was not stored; it ends by itself", "run_id", runID, "error", err)
		}
		h.open.Delete(runID)
	}, nil
}

// renewTurn renews a claim every turnRenew until ctx ends, or another owner has it: to go on would
// take the run's turn again once that owner is done. The failure is logged, and the turn goes on
// to its end: what it does to the run is done at its beginning.
func (h *handlers) renewTurn(ctx context.Context, log *slog.Logger, runID, owner string) {
	tick := time.NewTicker(turnRenew)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		switch claimed, err := h.Store.ClaimTurn(deadline.WithBudget(ctx, turnRenew), runID, owner, turnClaim); {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Warn("a turn was not renewed", "run_id", runID, "error", err)
		case !claimed:
			log.Warn("a turn was lost to another, because it could not be renewed in time", "run_id", runID)
			return
		}
	}
}

// turnInProgress refuses a second turn of a run: fault.Conflict turn_in_progress.
func turnInProgress(runID string) error {
	return fault.New(fault.Conflict, "turn_in_progress", "Another turn of run %s is under way; wait for its answer.", withoutPrefix(runID))
}
