package storetest

import (
	"testing"

	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/store"
)

var crashTests = map[string]func(*testing.T, *store.DB){
	"crashes are counted since the last step end": testCrashes,
	"crashes alone are counted apart":             testIsolation,
	"a term that ended in order counts nothing":   testOrderlyTerm,
}

// busyRun stores a run in action whose newest events are of these kinds.
func busyRun(t *testing.T, db *store.DB, id string, kinds ...events.Kind) executor.Commit {
	t.Helper()
	w := revision("t1", "wf_"+id, "w"+id, 1)
	c := newRun(create(t, db, w), id, 1)
	c.Row.State = machine.Running
	commit(t, db, c)
	for _, kind := range kinds {
		c = end(t, db, c, kind)
	}
	return c
}

func end(t *testing.T, db *store.DB, c executor.Commit, kind events.Kind) executor.Commit {
	t.Helper()
	c = grow(c, machine.Running, 2)
	c.Events[0].Kind = kind
	commit(t, db, c)
	return c
}

func testCrashes(t *testing.T, db *store.DB) {
	crashes := func(epoch int64, want ...executor.Suspect) {
		t.Helper()
		got, err := db.Crashes(ctx, epoch, 2)
		must(t, err)
		if len(got)+len(want) > 0 {
			same(t, "suspects", got, want)
		}
	}
	crashes(1)
	stuck := busyRun(t, db, "run_a", events.StepCompleted, events.StepStarted)
	moves := busyRun(t, db, "run_b", events.StepStarted)
	rests := busyRun(t, db, "run_c", events.StepStarted)
	crashes(2)
	moves = end(t, db, moves, events.StepRetrying)
	stuck = end(t, db, stuck, events.StepInterrupted)
	crashes(3, executor.Suspect{RunID: "run_a", TenantID: "t1", Crashes: 2}, executor.Suspect{RunID: "run_c", TenantID: "t1", Crashes: 2})
	crashes(3, executor.Suspect{RunID: "run_a", TenantID: "t1", Crashes: 2}, executor.Suspect{RunID: "run_c", TenantID: "t1", Crashes: 2})
	commit(t, db, grow(rests, machine.WaitingTimer, 3))
	crashes(4, executor.Suspect{RunID: "run_a", TenantID: "t1", Crashes: 3}, executor.Suspect{RunID: "run_b", TenantID: "t1", Crashes: 2})
	must(t, db.Forgive(ctx, "run_a"))
	end(t, db, moves, events.CompensationFailed)
	end(t, db, stuck, events.StepStarted)
	crashes(5)
	_, err := db.Crashes(ctx, 4, 2)
	wantIs(t, err, executor.ErrFenced)
}

func testIsolation(t *testing.T, db *store.DB) {
	alone := func(epoch int64) int {
		t.Helper()
		got, err := db.Crashes(ctx, epoch, 1)
		must(t, err)
		if len(got) == 0 {
			return 0
		}
		return got[0].Alone
	}
	alone(1)
	run := busyRun(t, db, "run_a", events.StepStarted)
	same(t, "not isolated", alone(2), 0)
	must(t, db.Isolate(ctx, "run_a", true))
	same(t, "died alone", alone(3), 1)
	same(t, "died with others", alone(4), 1)
	must(t, db.Isolate(ctx, "run_a", true))
	must(t, db.Isolate(ctx, "run_a", false))
	same(t, "came through", alone(5), 1)
	must(t, db.Isolate(ctx, "run_a", true))
	must(t, db.EndTerm(ctx, 4)) // not this term
	same(t, "died alone again", alone(6), 2)
	must(t, db.Isolate(ctx, "run_a", true))
	must(t, db.EndTerm(ctx, 6))
	same(t, "stopped in order while alone", alone(7), 2)
	end(t, db, run, events.StepFailed)
	same(t, "a step ended", alone(8), 0)
}

func testOrderlyTerm(t *testing.T, db *store.DB) {
	_, err := db.Crashes(ctx, 1, 1)
	must(t, err)
	busyRun(t, db, "run_a", events.StepStarted)
	for epoch := int64(1); epoch < 4; epoch++ {
		must(t, db.EndTerm(ctx, epoch))
		got, err := db.Crashes(ctx, epoch+1, 1)
		must(t, err)
		same(t, "suspects", len(got), 0)
	}
}
