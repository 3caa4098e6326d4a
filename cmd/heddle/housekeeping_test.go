package main

import (
	"context"
	"heddle/access"
	"heddle/idempotency"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// purged is a store that records the times up to which answers are purged.
type purged struct {
	idempotency.Store
	before []time.Time
}

func (p *purged) PurgeAnswers(_ context.Context, before time.Time) error {
	p.before = append(p.before, before)
	return nil
}

func TestKeptAnswersArePurgedAfterSevenDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &purged{}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Hour+time.Minute)
		defer cancel()
		begun := time.Now()
		purgeAnswers(ctx, store, time.Now, slog.New(slog.DiscardHandler))
		if len(store.before) != 4 {
			t.Fatalf("purged %d times in three hours", len(store.before))
		}
		for i, before := range store.before {
			if want := begun.Add(time.Duration(i)*time.Hour - 7*24*time.Hour); !before.Equal(want) {
				t.Errorf("purge %d keeps answers from %v on, want %v", i, before, want)
			}
		}
	})
}

// ending is a store that records the times up to which sessions are purged.
type ending struct {
	access.SessionStore
	before []time.Time
}

func (e *ending) PurgeSessions(_ context.Context, before time.Time) error {
	e.before = append(e.before, before)
	return nil
}

func TestSessionsThatHaveEndedArePurged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &ending{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour+time.Minute)
		defer cancel()
		begun := time.Now()
		purgeSessions(ctx, store, time.Now, slog.New(slog.DiscardHandler))
		if len(store.before) != 2 || !store.before[0].Equal(begun) || !store.before[1].Equal(begun.Add(time.Hour)) {
			t.Errorf("purged up to %v", store.before)
		}
	})
}
