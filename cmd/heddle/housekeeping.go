package main

import (
	"context"
	"heddle/access"
	"heddle/bulk"
	"heddle/executor"
	"heddle/idempotency"
	"heddle/secrets"
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

// purgeJobs deletes bulk jobs once they ended longer than bulk.Kept ago, and what a crash left of
// some that were being accepted; see purge. Every node does this.
func purgeJobs(ctx context.Context, store bulk.WorkStore, now func() time.Time, log *slog.Logger) {
	purge(ctx, "bulk jobs", func() error { return store.PurgeBulkJobs(ctx, now().Add(-bulk.Kept), now().Add(-bulk.AcceptWithin)) }, log)
}

// saveEvery is the interval at which what was counted in memory is stored.
const saveEvery = time.Minute

// saveUses stores every saveEvery when secrets were last used, until ctx ends. Every node
// does this.
func saveUses(ctx context.Context, s *secrets.Service, log *slog.Logger) {
	repeat(ctx, saveEvery, func() error { return s.SaveUses(ctx) }, log, "when secrets were last used could not be stored")
}

// fillUses has the store read definitions of earlier versions for what they use, until that is
// done or ctx ends. Every node does this.
func fillUses(ctx context.Context, store interface{ FillUses(context.Context) error }, log *slog.Logger) {
	if err := store.FillUses(ctx); err != nil && ctx.Err() == nil {
		log.Warn("which steps use secrets and agents could not be read; the next start goes on", "error", err)
	}
}

// purge calls what deletes something old at once and every purgeEvery until ctx ends. A
// failure is logged and tried again at the next interval: what stays does no harm.
func purge(ctx context.Context, what string, remove func() error, log *slog.Logger) {
	repeat(ctx, purgeEvery, remove, log, "old "+what+" could not be removed")
}

// repeat calls do at once and at each interval until ctx ends, and logs failures.
func repeat(ctx context.Context, interval time.Duration, do func() error, log *slog.Logger, failed string) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		// An error while the process stops is that of the stop.
		if err := do(); err != nil && ctx.Err() == nil {
			log.Warn(failed, "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
