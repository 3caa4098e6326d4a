package storetest

import (
	"fmt"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/store"
	"slices"
	"testing"
)

// queueTests hold which runs the executor finds: queued, due, to recover, and counted
// against limits.
var queueTests = map[string]func(*testing.T, *store.DB){
	"queue of runs with a concurrency key": testLimited,
	"queue is fair between tenants":        testQueueFair,
	"queue takes every tenant in turn":     testQueueTurns,
	"due runs come earliest first":         testDue,
	"busy runs are found, the rest is not": testBusy,
	"open runs of a workflow":              testOpenRuns,
}

// testQueueFair: tenants take turns, each with its oldest run first, and runs that
// are not queued are not listed. A short list is the beginning of a longer one.
func testQueueFair(t *testing.T, db *store.DB) {
	a := create(t, db, revision("t1", "wf_1", "one", 1))
	b := create(t, db, revision("t2", "wf_2", "two", 1))
	for i := range 5 {
		commit(t, db, newRun(a, fmt.Sprintf("run_a%d", 9-i), i)) // by time, not by id
	}
	// The second tenant's are newer than all of the first's, and come second all the same.
	commit(t, db, newRun(b, "run_b0", 100), newRun(b, "run_b1", 101))
	// The oldest of all is not queued.
	running := newRun(b, "run_b2", 1)
	running.Row.State = machine.Running
	commit(t, db, running)
	got, err := db.Queued(ctx, 10)
	must(t, err)
	same(t, "queue", got, []string{"run_a9", "run_b0", "run_a8", "run_b1", "run_a7", "run_a6", "run_a5"})
	got, err = db.Queued(ctx, 3)
	must(t, err)
	same(t, "first three", got, []string{"run_a9", "run_b0", "run_a8"})
}

// testQueueTurns: with more tenants than the limit, the next call goes on behind the
// tenant that was listed last, so that all are served in turn.
func testQueueTurns(t *testing.T, db *store.DB) {
	empty, err := db.Queued(ctx, 3)
	must(t, err)
	same(t, "empty queue", len(empty), 0)
	for i := range 5 {
		w := create(t, db, revision(fmt.Sprintf("t%d", i), fmt.Sprintf("wf_%d", i), "one", 1))
		commit(t, db, newRun(w, fmt.Sprintf("run_%d", i), 1))
	}
	seen := map[string]bool{}
	// Three calls of two each serve all five tenants.
	for range 3 {
		got, err := db.Queued(ctx, 2)
		must(t, err)
		same(t, "length", len(got), 2)
		for _, id := range got {
			seen[id] = true
		}
	}
	same(t, "tenants served in three rounds of two", len(seen), 5)
}

// testDue: runs are due at their time and not before, earliest first, and a page goes
// on behind a run, also among those of the same time. 0 is never due.
func testDue(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	for i, wake := range []int{30, 10, 20, 0} {
		c := newRun(w, fmt.Sprintf("run_%d", i), 1)
		c.Row.State = machine.WaitingTimer
		if wake > 0 {
			c.Row.WakeAt = at(wake)
		}
		commit(t, db, c)
	}
	got, err := db.Due(ctx, executor.DueRun{}, at(20), 10)
	must(t, err)
	same(t, "due", got, []executor.DueRun{{RunID: "run_1", At: at(10)}, {RunID: "run_2", At: at(20)}})
	got, err = db.Due(ctx, executor.DueRun{}, at(20), 1)
	must(t, err)
	same(t, "one due", len(got), 1)
	got, err = db.Due(ctx, got[0], at(30), 2)
	must(t, err)
	same(t, "the next two", got, []executor.DueRun{{RunID: "run_2", At: at(20)}, {RunID: "run_0", At: at(30)}})
	// Runs of one time are told apart by their ids.
	twin := newRun(w, "run_9", 1)
	twin.Row.State, twin.Row.WakeAt = machine.WaitingTimer, at(20)
	commit(t, db, twin)
	got, err = db.Due(ctx, executor.DueRun{RunID: "run_2", At: at(20)}, at(20), 2)
	must(t, err)
	same(t, "of the same time", got, []executor.DueRun{{RunID: "run_9", At: at(20)}})
}

// statesOf stores one run per state and returns the ids of those that match.
func statesOf(t *testing.T, db *store.DB, match func(machine.State) bool) []string {
	t.Helper()
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	var want []string
	for i, s := range machine.States {
		c := newRun(w, fmt.Sprintf("run_%02d", i), 1)
		c.Row.State = s
		commit(t, db, c)
		if match(s) {
			want = append(want, c.Row.RunID)
		}
	}
	return want
}

// testBusy: recovery finds the runs whose state needs it, and no others; the states in
// the SQL are the machine's.
func testBusy(t *testing.T, db *store.DB) {
	want := statesOf(t, db, machine.State.NeedsRecovery)
	got, err := db.BusyRuns(ctx, "", 2)
	must(t, err)
	same(t, "first two", got, want[:2])
	got, err = db.BusyRuns(ctx, want[1], 100)
	must(t, err)
	same(t, "the rest", got, want[2:])
}

// testOpenRuns: the open runs of a workflow are those in a state that is not final.
func testOpenRuns(t *testing.T, db *store.DB) {
	want := statesOf(t, db, func(s machine.State) bool { return !s.Terminal() })
	other := create(t, db, revision("t1", "wf_2", "two", 1))
	commit(t, db, newRun(other, "run_other", 1))
	got, err := db.OpenRuns(ctx, "t1", "wf_1")
	must(t, err)
	slices.Sort(got)
	same(t, "open", got, want)
	got, err = db.OpenRuns(ctx, "t2", "wf_1")
	must(t, err)
	same(t, "another tenant's", len(got), 0)
}

// testLimited: the open runs with a concurrency key are listed oldest first, and
// counted by version, those that have begun apart from those that wait.
func testLimited(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	other := create(t, db, revision("t1", "wf_2", "two", 1))
	member := func(w workflows.Workflow, id, key string, n int) executor.Commit {
		c := newRun(w, id, n)
		c.Row.ConcurrencyKey = key
		commit(t, db, c)
		return c
	}
	member(w, "run_3", "=a", 3)
	// One that has begun counts though it waits; one that has ended does not, nor does one
	// without a key. Groups of different workflows have nothing to do with each other.
	begun := member(w, "run_1", "=a", 1)
	commit(t, db, grow(begun, machine.WaitingTimer, 4))
	ended := member(w, "run_2", "=a", 2)
	commit(t, db, grow(ended, machine.Failed, 4))
	member(w, "run_4", "=b", 4)
	member(w, "run_5", "", 5)
	named := newRun(other, "run_6", 6)
	named.Row.ConcurrencyKey, named.Member = "=a", &executor.Member{Name: "a"}
	commit(t, db, named)
	got, err := db.LimitedRuns(ctx)
	must(t, err)
	limited := func(w workflows.Workflow, id, key string, begun bool) executor.LimitedRun {
		return executor.LimitedRun{RunID: id, WorkflowID: w.ID, Version: 1, Hash: "sha256:" + w.Slug, Key: key, Begun: begun}
	}
	last := limited(other, "run_6", "=a", false)
	last.Named = true
	same(t, "open runs with a key", got, []executor.LimitedRun{
		limited(w, "run_1", "=a", true), limited(w, "run_3", "=a", false), limited(w, "run_4", "=b", false), last,
	})
	// A version is listed at the place of its oldest run.
	later := newRun(w, "run_7", 7)
	later.Row.ConcurrencyKey, later.Row.Version, later.Row.Hash = "=a", 2, "sha256:later"
	commit(t, db, later)
	member(w, "run_8", "=a", 8)
	open, err := db.OpenByVersion(ctx, w.ID, "=a")
	must(t, err)
	same(t, "open runs of one key", open, []executor.OpenCount{
		{Version: 1, Hash: "sha256:one", Begun: true, Count: 1},
		{Version: 1, Hash: "sha256:one", Count: 2},
		{Version: 2, Hash: "sha256:later", Count: 1},
	})
}
