package main

import (
	"context"
	"heddle/access"
	"heddle/executor"
	"heddle/idempotency"
	"log/slog"
	"time"
)

// purgeEvery is the interval at which what has expired is deleted.
const purgeEvery = time.Hour

// purgeAnswers deletes answers kept for a repeated Idempotency-Key once they are older
// than idempotency.TTL; see purge. Every node does this.
func purgeAnswers(ctx context.Context, store idempotency.Store, now func() time.Time, log *slog.Logger) {
	purge(ctx, "answers", func() error { return store.PurgeAnswers(ctx, now().Add(-idempotency.TTL)) }, log)
}

// purgeStats deletes the counts of short periods once they are older than
// executor.StatsShortKept; see purge. Every node does this.
func purgeStats(ctx context.Context, store executor.StatsStore, now func() time.Time, log *slog.Logger) {
	purge(ctx, "counts of runs", func() error { return store.PurgeStats(ctx, now().Add(-executor.StatsShortKept)) }, log)
}

// purgeSessions deletes the sessions that have ended; see purge. Every node does this.
func purgeSessions(ctx context.Context, store access.SessionStore, now func() time.Time, log *slog.Logger) {
	purge(ctx, "sessions", func() error { return store.PurgeSessions(ctx, now()) }, log)
}

// purge calls what deletes something old at once and every purgeEvery until ctx ends. A
// failure is logged and tried again at the next interval: what stays does no harm.
func purge(ctx context.Context, what string, remove func() error, log *slog.Logger) {
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
		// An error while the process stops is that of the stop.
		if err := remove(); err != nil && ctx.Err() == nil {
			log.Warn("old "+what+" could not be removed", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
