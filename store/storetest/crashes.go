package storetest

import (
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/store"
	"testing"
)

// crashTests hold the accounts by which runs that kill the process are found.
var crashTests = map[string]func(*testing.T, *store.DB){
	"crashes are counted since the last step end": testCrashes,
	"crashes alone are counted apart":             testIsolation,
	"a term that ended in order counts nothing":   testOrderlyTerm,
}

// busyRun stores a run in flight whose newest events are of these kinds.
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

// end commits one more event of a kind to a run in flight.
func end(t *testing.T, db *store.DB, c executor.Commit, kind events.Kind) executor.Commit {
	t.Helper()
	c = grow(c, machine.Running, 2)
	c.Events[0].Kind = kind
	commit(t, db, c)
	return c
}

// testCrashes: a crash is counted for each run in flight, once per term, however often
// the term begins; a run that ended a step since, is not in flight any more, or was
// cleared begins at none. An old epoch is fenced.
func testCrashes(t *testing.T, db *store.DB) {
	crashes := func(epoch int64, want ...executor.Suspect) {
		t.Helper()
		got, err := db.BeginTerm(ctx, epoch)
		must(t, err)
		must(t, db.SetPhase(ctx, epoch, executor.PhaseOpen))
		if len(got)+len(want) > 0 {
			same(t, "suspects", got, want)
		}
	}
	crashes(1)
	// a has ended a step and is in another; b and c are in their first.
	stuck := busyRun(t, db, "run_a", events.StepCompleted, events.StepStarted)
	moves := busyRun(t, db, "run_b", events.StepStarted)
	rests := busyRun(t, db, "run_c", events.StepStarted)
	crashes(2)
	// One crash is known of each. b ends an attempt; an interruption of a ends none.
	moves = end(t, db, moves, events.StepRetrying)
	stuck = end(t, db, stuck, events.StepInterrupted)
	a := executor.Suspect{RunID: "run_a", TenantID: "t1", LastEnd: 2, Crashes: 2}
	crashes(3, a, executor.Suspect{RunID: "run_c", TenantID: "t1", Crashes: 2})
	crashes(3, a, executor.Suspect{RunID: "run_c", TenantID: "t1", Crashes: 2})
	// c waits now: it is not in flight any more.
	commit(t, db, grow(rests, machine.WaitingTimer, 3))
	a.Crashes = 3
	crashes(4, a, executor.Suspect{RunID: "run_b", TenantID: "t1", LastEnd: 3, Crashes: 2})
	// a is cleared by a resume, b by the end of an iteration.
	must(t, db.ClearCrashes(ctx, "run_a"))
	end(t, db, moves, events.IterationCompleted)
	end(t, db, stuck, events.StepStarted)
	crashes(5)
	_, err := db.BeginTerm(ctx, 4)
	wantIs(t, err, executor.ErrFenced)
}

// testIsolation: crashes of a run that was alone are counted apart, windows that it
// outlived too, and a term that ended in order after all takes back what was counted
// for it.
func testIsolation(t *testing.T, db *store.DB) {
	// after begins a term and says what is known of the one run.
	after := func(what string, epoch int64, crashes, alone, survived int) {
		t.Helper()
		got, err := db.BeginTerm(ctx, epoch)
		must(t, err)
		if crashes < 2 {
			same(t, what, len(got), 0)
			return
		}
		same(t, what, len(got), 1)
		same(t, what, []int{got[0].Crashes, got[0].Alone, got[0].Survived}, []int{crashes, alone, survived})
	}
	after("nothing yet", 1, 0, 0, 0)
	run := busyRun(t, db, "run_a", events.StepStarted)
	must(t, db.SetPhase(ctx, 1, executor.PhaseOpen))
	after("one crash", 2, 1, 0, 0)
	must(t, db.SetPhase(ctx, 2, executor.PhaseOpen))
	after("two", 3, 2, 0, 0)
	after("died before anything began", 4, 2, 0, 0)
	must(t, db.Isolate(ctx, "run_a"))
	after("died alone", 5, 3, 1, 0)
	must(t, db.Isolate(ctx, "run_a"))
	must(t, db.EndIsolation(ctx, "run_a", false))
	after("died without it", 6, 3, 0, 0)
	must(t, db.Isolate(ctx, "run_a"))
	must(t, db.EndTerm(ctx, 5)) // not this term
	after("died alone again", 7, 4, 1, 0)
	must(t, db.Isolate(ctx, "run_a"))
	must(t, db.EndIsolation(ctx, "run_a", true))
	must(t, db.SetPhase(ctx, 7, executor.PhaseOpen))
	after("outlived its window, and died with others", 8, 5, 0, 1)
	must(t, db.Isolate(ctx, "run_a"))
	must(t, db.EndTerm(ctx, 8))
	after("stopped in order while alone", 9, 5, 0, 1)
	must(t, db.Isolate(ctx, "run_a"))
	after("died alone", 10, 6, 1, 1)
	must(t, db.EndTerm(ctx, 9))
	must(t, db.EndTerm(ctx, 9)) // that was no crash after all
	after("the crash is taken back", 10, 5, 0, 1)
	must(t, db.SetPhase(ctx, 10, executor.PhaseRest))
	after("died while nothing was in flight", 11, 0, 0, 0)
	must(t, db.SetPhase(ctx, 11, executor.PhaseOpen))
	after("one crash", 12, 1, 0, 0)
	must(t, db.SetPhase(ctx, 12, executor.PhaseOpen))
	end(t, db, run, events.StepFailed)
	after("a step ended", 13, 1, 0, 0)
	wantIs(t, db.SetPhase(ctx, 12, executor.PhaseOpen), executor.ErrFenced)
}

// testOrderlyTerm: terms that end in order never make suspects.
func testOrderlyTerm(t *testing.T, db *store.DB) {
	_, err := db.BeginTerm(ctx, 1)
	must(t, err)
	busyRun(t, db, "run_a", events.StepStarted)
	for epoch := int64(1); epoch < 4; epoch++ {
		must(t, db.SetPhase(ctx, epoch, executor.PhaseOpen))
		must(t, db.EndTerm(ctx, epoch))
		got, err := db.BeginTerm(ctx, epoch+1)
		must(t, err)
		same(t, "suspects", len(got), 0)
	}
}
