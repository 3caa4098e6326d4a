package storetest

import (
	"fmt"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/executor/queue"
	"heddle/store"
	"slices"
	"strings"
	"testing"
)

// queueTests hold which runs the executor finds: queued, due, to recover, and counted
// against limits.
var queueTests = map[string]func(*testing.T, *store.DB){
	"queue of runs with a concurrency key": testLimited,
	"queue of a workflow":                  testQueueOf,
	"workflows that have a queue":          testQueuedWorkflows,
	"due runs come earliest first":         testDue,
	"busy runs are found, the rest is not": testBusy,
	"open runs of a workflow":              testOpenRuns,
}

// testQueueOf: a workflow's queue has its oldest run first, and neither runs that are not
// queued nor those of others.
func testQueueOf(t *testing.T, db *store.DB) {
	a := create(t, db, revision("t1", "wf_1", "one", 1))
	b := create(t, db, revision("t1", "wf_2", "two", 1))
	for i := range 5 {
		commit(t, db, newRun(a, fmt.Sprintf("run_a%d", 9-i), i)) // by time, not by id
	}
	commit(t, db, newRun(b, "run_b0", 2))
	// The oldest of all is not queued.
	running := newRun(a, "run_a0", 0)
	running.Row.State = machine.Running
	commit(t, db, running)
	w := queue.Workflow{TenantID: "t1", ID: "wf_1"}
	got, err := db.QueuedRuns(ctx, w, false, 3)
	must(t, err)
	same(t, "first three", got, []queue.Run{
		{ID: "run_a9", Workflow: w, Class: queue.Queued, CreatedAt: at(0)},
		{ID: "run_a8", Workflow: w, Class: queue.Queued, CreatedAt: at(1)},
		{ID: "run_a7", Workflow: w, Class: queue.Queued, CreatedAt: at(2)},
	})
	got, err = db.QueuedRuns(ctx, queue.Workflow{TenantID: "t2", ID: "wf_1"}, false, 3)
	must(t, err)
	same(t, "another tenant's", len(got), 0)
	for limit, want := range []int{0, 1, 2, 3, 3} {
		n, err := db.QueuedAhead(ctx, newRun(a, "run_a6", 3).Row, limit)
		must(t, err)
		same(t, fmt.Sprintf("ahead, up to %d", limit), n, want)
	}
}

// testQueuedWorkflows: the workflows of all tenants that have queued runs are listed in
// pages, each with the first and the last of them.
func testQueuedWorkflows(t *testing.T, db *store.DB) {
	empty, err := db.QueuedWorkflows(ctx, queue.Workflow{}, 3)
	must(t, err)
	same(t, "empty queue", len(empty), 0)
	var want []executor.QueuedWorkflow
	for _, name := range []string{"t1/wf_1", "t1/wf_3", "t2/wf_2", "t2/wf_4", "t3/wf_0"} {
		tenant, id, _ := strings.Cut(name, "/")
		w := create(t, db, revision(tenant, id, "one-"+id, 1))
		first, last := "run_"+id+"_9", "run_"+id+"_1" // by time, not by id
		done := newRun(w, "run_"+id+"_0", 0)
		done.Row.State = machine.Running
		commit(t, db, done, newRun(w, last, 3), newRun(w, "run_"+id+"_5", 2), newRun(w, first, 1))
		want = append(want, executor.QueuedWorkflow{Workflow: queue.Workflow{TenantID: tenant, ID: id}, First: first, Last: last})
	}
	other := newRun(create(t, db, revision("t2", "wf_9", "three", 1)), "run_other", 1)
	other.Row.State = machine.Paused
	commit(t, db, other)
	got, err := db.QueuedWorkflows(ctx, queue.Workflow{}, 3)
	must(t, err)
	same(t, "the first page", got, want[:3])
	got, err = db.QueuedWorkflows(ctx, got[2].Workflow, 3)
	must(t, err)
	same(t, "the second page", got, want[3:])
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
		return executor.LimitedRun{RunID: id, TenantID: "t1", WorkflowID: w.ID, Version: 1, Hash: "sha256:" + w.Slug, Key: key, Begun: begun}
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
