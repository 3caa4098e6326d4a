package turns

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// claims is a store of turns of which another owner takes one after the first
// renewal.
type claims struct{ renewals atomic.Int64 }

func (c *claims) ClaimTurn(context.Context, string, string, time.Duration) (bool, error) {
	return c.renewals.Add(1) == 1, nil
}

func (*claims) FreeTurn(context.Context, string, string) error { return nil }

// A turn that another owner has by now is not renewed: its claim would come back
// once that owner is done.
func TestALostClaimIsNotRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &claims{}
		h := &handlers{}
		h.Store = store
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		h.renewTurn(ctx, slog.New(slog.DiscardHandler), "run_1", "turn_1")
		if n := store.renewals.Load(); n != 2 {
			t.Errorf("%d renewals, want none after the second", n)
		}
	})
}
