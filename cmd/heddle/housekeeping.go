package main

import (
	"context"
	"heddle/idempotency"
	"log/slog"
	"time"
)

// purgeEvery is how often kept answers are looked through for old ones.
const purgeEvery = time.Hour

// purgeAnswers removes answers that were kept for longer than promised, until
// ctx ends.
func purgeAnswers(ctx context.Context, store idempotency.Store, now func() time.Time, log *slog.Logger) {
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
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
