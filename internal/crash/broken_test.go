package crash

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// These three show that the crash tests can fail: their journals and counters are
// broken on purpose, and the checker must notice.

// TestCrashCheckerCatchesAJournalThatLies: the binary acknowledges commits a
// while before it writes them.
func TestCrashCheckerCatchesAJournalThatLies(t *testing.T) {
	t.Parallel()
	database := filepath.Join(t.TempDir(), "heddle.db")
	w, _ := scenario{database: "sqlite://" + database, env: []string{"HEDDLE_TEST_BREAK=write_behind"}, kills: 6, patience: 10 * time.Second}.play(t)
	noticed(t, w, "run_not_found", "was acknowledged and is gone", "starts in the journal", "invalid_last_event_id")
}

// TestCrashCheckerCatchesAJournalThatForgets: after each crash the last step's
// end, and what came after it, is gone from the journal of every open run.
func TestCrashCheckerCatchesAJournalThatForgets(t *testing.T) {
	t.Parallel()
	database := filepath.Join(t.TempDir(), "heddle.db")
	forget := func() error { return forgetLastEnds(t.Context(), database) }
	w, _ := scenario{database: "sqlite://" + database, kills: 10, after: forget, patience: 10 * time.Second}.play(t)
	noticed(t, w, "ran again after its end was in the journal", "completed twice", "invalid_last_event_id", "frame")
}

// TestCrashCheckerCatchesCountersThatLie: after each crash each counter of runs is wrong,
// and there is one of a workflow that is not there: a busy machine may have no other yet.
func TestCrashCheckerCatchesCountersThatLie(t *testing.T) {
	t.Parallel()
	database := filepath.Join(t.TempDir(), "heddle.db")
	miscount := func() error {
		db, err := sql.Open("sqlite", "file:"+database) // the store's driver
		if err != nil {
			return err
		}
		_, err = db.ExecContext(t.Context(), `UPDATE run_counts SET n = n + 1;
			INSERT INTO run_counts (tenant_id, workflow_id, state, trigger_kind, shard, n) VALUES ('none', 'none', 'completed', 'manual', 0, 1) ON CONFLICT DO NOTHING`)
		return errors.Join(err, db.Close())
	}
	w, _ := scenario{database: "sqlite://" + database, kills: 3, after: miscount}.play(t)
	noticed(t, w, "counters of runs were not the rows")
}

// TestCrashCheckerCatchesHoursThatLie: after each crash every hour has one start too many,
// and there is one of a tenant that is not there.
func TestCrashCheckerCatchesHoursThatLie(t *testing.T) {
	t.Parallel()
	database := filepath.Join(t.TempDir(), "heddle.db")
	miscount := func() error {
		db, err := sql.Open("sqlite", "file:"+database) // the store's driver
		if err != nil {
			return err
		}
		_, err = db.ExecContext(t.Context(), `UPDATE run_stats SET started = started + 1;
			INSERT INTO run_stats (tenant_id, workflow_id, span, period, version, trigger_kind, shard, started, completed, failed, cancelled, total_ms, longest_ms)
			VALUES ('none', 'none', 3600000, 0, 1, 'manual', 0, 1, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING`)
		return errors.Join(err, db.Close())
	}
	w, _ := scenario{database: "sqlite://" + database, kills: 3, after: miscount}.play(t)
	noticed(t, w, "hours of runs were not counted as they happened")
}

// noticed wants at least one of the faults among those that were found.
func noticed(t *testing.T, w *world, faults ...string) {
	t.Helper()
	for _, found := range w.faults {
		for _, want := range faults {
			if strings.Contains(found, want) {
				t.Logf("%d faults were noticed, for instance: %s", len(w.faults), found)
				return
			}
		}
	}
	t.Fatalf("a broken journal was not noticed: %q", w.faults)
}

func forgetLastEnds(ctx context.Context, database string) error {
	db, err := sql.Open("sqlite", "file:"+database) // the store's driver
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `
		CREATE TEMP TABLE ends AS
			SELECT run_id, max(run_events.seq) AS seq FROM run_events JOIN runs ON runs.id = run_id
			WHERE kind = 'step_completed' AND state NOT IN ('completed', 'failed', 'cancelled') GROUP BY run_id;
		DELETE FROM run_events WHERE EXISTS (SELECT 1 FROM ends WHERE ends.run_id = run_events.run_id AND run_events.seq >= ends.seq);
		UPDATE runs SET state = 'running', seq = (SELECT ends.seq - 1 FROM ends WHERE ends.run_id = runs.id) WHERE id IN (SELECT run_id FROM ends);`)
	return errors.Join(err, db.Close())
}
