package main

import (
	"context"
	"heddle/idempotency"
	"log/slog"
	"time"
)

// purgeEvery is the interval at which expired answers are deleted.
const purgeEvery = time.Hour

// purgeAnswers deletes answers kept for a repeated Idempotency-Key once they are older
// than idempotency.TTL, at once and every purgeEvery until ctx ends. A failure is logged
// and tried again at the next interval: an old answer that stays does no harm. Every
// node does this.
func purgeAnswers(ctx context.Context, store idempotency.Store, now func() time.Time, log *slog.Logger) {
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
		// An error while the process stops is that of the stop.
		if err := store.PurgeAnswers(ctx, now().Add(-idempotency.TTL)); err != nil && ctx.Err() == nil {
			log.Warn("old answers could not be removed", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
