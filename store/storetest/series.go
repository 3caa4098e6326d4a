package storetest

import (
	"errors"
	"fmt"
	"heddle/audit"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/executor/queue"
	"heddle/fault"
	"heddle/store"
	"slices"
	"testing"
)

// seriesTests hold that a name has one latest run, whoever starts, ends or deletes
// runs.
var seriesTests = map[string]func(*testing.T, *store.DB){
	"series: a name is taken once":                      testNameTaken,
	"series: a run and its successor, both or neither":  testSuccessor,
	"series: a run without a name begins one":           testSuccessorOfUnnamed,
	"series: lists keep their places":                   testNamedRuns,
	"series: a deleted run frees its name":              testDeleteNamed,
	"series: queued runs with and without a name apart": testQueuedNamed,
	"series: many begin together or none does":          testStartAll,
}

// named makes the insertion of the first run of a series.
func named(w workflows.Workflow, id, name string, n int) executor.Commit {
	c := newRun(w, id, n)
	c.Member = &executor.Member{Name: name}
	return c
}

// succeed makes the commit that ends a run and puts another in its place, in one
// transaction. number is the successor's; a run without a name goes by its id.
func succeed(c executor.Commit, w workflows.Workflow, id string, number, n int) executor.Commit {
	end, next := grow(c, machine.Cancelled, n), newRun(w, id, n)
	name := c.Row.RunID
	if c.Member != nil {
		name = c.Member.Name
	}
	next.Member = &executor.Member{Name: name, Number: number, After: c.Row.RunID}
	end.Member, end.With = nil, &next
	return end
}

// numbers lists series as "name number run".
func numbers(page executor.NamedPage) (list []string) {
	for _, r := range page.Runs {
		list = append(list, fmt.Sprintf("%s %d %s", r.Name, r.Number, r.RunID))
	}
	return list
}

// testNameTaken: a name is unique within its workflow, and one that is taken leaves
// neither run nor answer. A run without a name is found by its id, one with a name is
// not.
func testNameTaken(t *testing.T, db *store.DB) {
	w, other := create(t, db, revision("t1", "wf_1", "one", 1)), create(t, db, revision("t1", "wf_2", "two", 1))
	commit(t, db, named(w, "run_1", "a", 1), named(other, "run_2", "a", 1))
	// In a group: the name is taken, twice the same, one that must not keep its answer.
	kept := named(w, "run_5", "a", 1)
	kept.Answer = answer("t1", "key", 1)
	group := []executor.Commit{named(w, "run_3", "b", 1), named(w, "run_4", "b", 1), kept, newRun(w, "run_6", 1)}
	// One of the two new names wins; the run with an answer cannot be left out alone, so
	// the members of the group are written one by one.
	errs := db.Commit(ctx, 0, group)
	wantIs(t, errs[1], executor.ErrNameTaken)
	wantIs(t, errs[2], executor.ErrNameTaken)
	must(t, errors.Join(errs[0], errs[3]))
	found, err := db.Answer(ctx, "t1", "POST /x", "key")
	must(t, err)
	same(t, "the answer of a run that was not stored", found == nil, true)
	wantIs(t, db.Commit(ctx, 0, []executor.Commit{named(w, "run_7", "a", 1)})[0], executor.ErrNameTaken)
	for run, name := range map[string]string{"run_1": "a", "run_3": "b", "run_6": "run_6"} {
		got, err := db.Named(ctx, "t1", w.ID, name, executor.Latest)
		must(t, err)
		same(t, "run of "+name, got.RunID, run)
		same(t, "since", got.Since, at(1))
	}
	// A run with a name is not found by its id, and one that was refused not at all.
	for _, name := range []string{"run_1", "run_4", "run_5", "c"} {
		_, err := db.Named(ctx, "t1", w.ID, name, executor.Latest)
		wantFault(t, err, fault.NotFound, "run_not_found")
	}
	_, err = db.Named(ctx, "t2", w.ID, "a", executor.Latest)
	wantFault(t, err, fault.NotFound, "run_not_found")
	_, err = db.Named(ctx, "t1", other.ID, "run_6", executor.Latest)
	wantFault(t, err, fault.NotFound, "run_not_found")
}

// testSuccessor: the end of a run and its successor are written together or not at
// all, also where the run had ended before; of two successors one is stored.
func testSuccessor(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	first := named(w, "run_1", "a", 1)
	commit(t, db, first)
	next := succeed(first, w, "run_2", 1, 5)
	commit(t, db, next, newRun(w, "run_x", 1))
	got, err := db.Named(ctx, "t1", w.ID, "a", executor.Latest)
	must(t, err)
	same(t, "the name's run", []any{got.RunID, got.Number, got.Since}, []any{"run_2", 1, at(1)})
	old, err := db.Named(ctx, "t1", w.ID, "a", 0)
	must(t, err)
	same(t, "the one before", []any{old.RunID, old.State}, []any{"run_1", machine.Cancelled})

	// Who comes late writes neither; the others of the group are not touched.
	late := succeed(first, w, "run_3", 1, 6)
	late.With.Answer = answer("t1", "late", 1)
	stale := succeed(*next.With, w, "run_4", 2, 6)
	stale.With.Revision = 99
	errs := db.Commit(ctx, 0, []executor.Commit{late, stale, newRun(w, "run_y", 1)})
	wantIs(t, errs[0], executor.ErrFenced)
	wantIs(t, errs[1], executor.ErrStale)
	must(t, errs[2])
	for _, id := range []string{"run_3", "run_4"} {
		_, err := db.Run(ctx, "t1", id)
		wantFault(t, err, fault.NotFound, "run_not_found")
	}
	kept, err := db.Answer(ctx, "t1", "POST /x", "late")
	must(t, err)
	same(t, "answer of a restart that was not", kept == nil, true)
	row, err := db.Run(ctx, "t1", "run_2")
	must(t, err)
	same(t, "state of a run whose successor was refused", row.State, machine.Queued)

	// A finished run takes no event: only its place goes on.
	ended := grow(*next.With, machine.Completed, 7)
	ended.Member = nil
	commit(t, db, ended)
	again := succeed(ended, w, "run_5", 2, 8)
	again.With.Member.Name = "a"
	again.Row, again.Events = ended.Row, nil
	// Another node restarts the same run in the same moment.
	rival, next2 := again, *again.With
	next2.Row.RunID, next2.Events = "run_6", []events.Event{event("run_6", 1, events.StateChanged, 8)}
	rival.With = &next2
	errs = db.Commit(ctx, 0, []executor.Commit{again, rival}) // at once: one of them
	must(t, errs[0])
	wantIs(t, errs[1], executor.ErrFenced)
	got, err = db.Named(ctx, "t1", w.ID, "a", executor.Latest)
	must(t, err)
	same(t, "third", got.RunID, "run_5")
	wantIs(t, db.Commit(ctx, 0, []executor.Commit{again})[0], executor.ErrFenced)
}

// testSuccessorOfUnnamed: a run without a name begins a series when another follows
// it, under its id and as number 0.
func testSuccessorOfUnnamed(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	first := newRun(w, "run_1", 1)
	commit(t, db, first)
	commit(t, db, succeed(first, w, "run_2", 1, 5))
	got, err := db.Named(ctx, "t1", w.ID, "run_1", executor.Latest)
	must(t, err)
	same(t, "latest", []any{got.RunID, got.Name, got.Number}, []any{"run_2", "run_1", 1})
	old, err := db.Named(ctx, "t1", w.ID, "run_1", 0)
	must(t, err)
	same(t, "first", old.RunID, "run_1")
	_, err = db.Named(ctx, "t1", w.ID, "run_2", executor.Latest)
	wantFault(t, err, fault.NotFound, "run_not_found")
}

// testNamedRuns: a series stays at the place of its first run while the list is
// walked and it goes on; with a filter by state its latest run's place and state
// count.
func testNamedRuns(t *testing.T, db *store.DB) {
	w, other := create(t, db, revision("t1", "wf_1", "one", 1)), create(t, db, revision("t1", "wf_2", "two", 1))
	commit(t, db, named(other, "run_0", "a", 1))
	var all []executor.Commit
	// The fourth has no name, and stands in the list by itself.
	for i := range 6 {
		c := newRun(w, fmt.Sprintf("run_%d", i+1), i/2) // two of each millisecond
		if i != 3 {
			c.Member = &executor.Member{Name: fmt.Sprintf("n%d", i+1)}
		}
		all = append(all, c)
	}
	commit(t, db, all...)
	q := executor.NamedQuery{TenantID: "t1", WorkflowID: w.ID, Limit: 2}
	var seen []string
	for n := 0; ; n++ {
		page, err := db.NamedRuns(ctx, q)
		must(t, err)
		seen = append(seen, numbers(page)...)
		if n == 0 { // rows that come meanwhile, and one that goes on
			commit(t, db, succeed(all[1], w, "run_8", 1, 50), named(w, "run_9", "late", 60))
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	same(t, "walk", seen, []string{"n6 0 run_6", "n5 0 run_5", "run_4 0 run_4", "n3 0 run_3", "n2 1 run_8", "n1 0 run_1"})
	// The latest runs alone have a state that counts: run_2 has ended, but its series has
	// not.
	page, err := db.NamedRuns(ctx, executor.NamedQuery{TenantID: "t1", WorkflowID: w.ID, Limit: 10, States: []machine.State{machine.Queued, machine.Running}})
	must(t, err)
	same(t, "queued ones", numbers(page), []string{"late 0 run_9", "n2 1 run_8", "n6 0 run_6", "n5 0 run_5", "run_4 0 run_4", "n3 0 run_3", "n1 0 run_1"})
	same(t, "since", page.Runs[1].Since, at(0))
	page, err = db.NamedRuns(ctx, executor.NamedQuery{TenantID: "t1", WorkflowID: w.ID, Limit: 10, States: []machine.State{machine.Cancelled}})
	must(t, err)
	same(t, "one that was succeeded", len(page.Runs), 0)
	_, err = db.NamedRuns(ctx, executor.NamedQuery{TenantID: "t1", WorkflowID: w.ID, Limit: 10, Cursor: "x"})
	wantFault(t, err, fault.Malformed, "invalid_request")
}

// testDeleteNamed: after a deletion the name stands for the run before, and is free
// once none is left.
func testDeleteNamed(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	first := named(w, "run_1", "a", 1)
	commit(t, db, first)
	next := succeed(first, w, "run_2", 1, 5)
	commit(t, db, next)
	commit(t, db, grow(*next.With, machine.Failed, 6))
	must(t, db.DeleteRun(ctx, "t1", "run_1"))
	page, err := db.NamedRuns(ctx, executor.NamedQuery{TenantID: "t1", WorkflowID: w.ID, Limit: 10})
	must(t, err)
	same(t, "without the first", numbers(page), []string{"a 1 run_2"})
	// The name is not free while a run of the series is left.
	wantIs(t, db.Commit(ctx, 0, []executor.Commit{named(w, "run_3", "a", 7)})[0], executor.ErrNameTaken)
	must(t, db.DeleteRun(ctx, "t1", "run_2"))
	again := named(w, "run_4", "a", 8)
	commit(t, db, again)
	last := succeed(again, w, "run_5", 1, 9)
	commit(t, db, last)
	commit(t, db, grow(*last.With, machine.Failed, 10))
	must(t, db.DeleteRun(ctx, "t1", "run_5"))
	got, err := db.Named(ctx, "t1", w.ID, "a", executor.Latest)
	must(t, err)
	same(t, "the one before the deleted", got.RunID, "run_4")
}

// testQueuedNamed: queued runs are listed apart by whether they have a name, those with
// one of a single tenant only.
func testQueuedNamed(t *testing.T, db *store.DB) {
	w, other := create(t, db, revision("t1", "wf_1", "one", 1)), create(t, db, revision("t2", "wf_2", "two", 1))
	commit(t, db, newRun(w, "run_1", 1), named(w, "run_3", "b", 3), named(w, "run_2", "a", 2), named(other, "run_4", "a", 4))
	unnamed, err := db.QueuedRuns(ctx, queue.Workflow{TenantID: "t1", ID: w.ID}, true, 10)
	must(t, err)
	same(t, "without a name", len(unnamed), 1)
	same(t, "the one without a name", unnamed[0].ID, "run_1")
	got, err := db.QueuedNamed(ctx, "t1", 10)
	must(t, err)
	same(t, "with one", got, []string{"run_2", "run_3"})
}

// testStartAll: a batch is written whole or, whichever member is refused, not at all,
// with its audit entries. Only a taken name leaves its member out and the rest in.
func testStartAll(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	other := create(t, db, revision("t1", "wf_2", "two", 1))
	commit(t, db, named(w, "run_0", "b", 1), newRun(other, "run_9", 1))
	batch := func(change func(c *executor.Commit)) []executor.Commit {
		list := []executor.Commit{named(w, "run_1", "a", 1), named(w, "run_2", "b", 1), named(w, "run_3", "c", 1), named(w, "run_4", "d", 1)}
		for i := range list {
			list[i].Audit = []audit.Entry{{ID: fmt.Sprint("aud_", i), TenantID: "t1", Actor: "ci", Action: "run.start", Object: "run:x", At: at(1)}}
		}
		change(&list[2])
		return list
	}
	want := func(names ...string) {
		t.Helper()
		got, err := db.NamesTaken(ctx, w.ID, []string{"a", "b", "c", "d", "e"})
		must(t, err)
		slices.Sort(got)
		same(t, "names", got, names)
		open, err := db.OpenRuns(ctx, "t1", w.ID)
		must(t, err)
		same(t, "runs", len(open), len(names))
		same(t, "lines", len(trail(t, db, "run:x")), len(names)-1)
	}
	// One in the middle is refused, and with it all.
	for _, c := range []struct {
		change func(c *executor.Commit)
		is     error
	}{
		{func(c *executor.Commit) { c.Revision = 7 }, executor.ErrStale},
		{func(c *executor.Commit) { c.Status = workflows.Archived }, executor.ErrStale},
		{func(c *executor.Commit) { c.Row.RunID, c.Events[0].RunID = "run_9", "run_9" }, nil},
		{func(c *executor.Commit) { c.Row.WorkflowID = "wf_9" }, nil},
		{func(c *executor.Commit) { c.Row.Seq++ }, nil},
	} {
		switch _, err := db.StartAll(ctx, 0, batch(c.change)); {
		case err == nil:
			t.Fatal("nothing was refused")
		case c.is != nil:
			wantIs(t, err, c.is)
		}
		want("b")
	}
	// The lease has another epoch.
	_, err := db.StartAll(ctx, 99, batch(func(*executor.Commit) {}))
	wantIs(t, err, executor.ErrFenced)
	want("b")
	taken, err := db.StartAll(ctx, 0, batch(func(*executor.Commit) {}))
	must(t, err)
	same(t, "taken", taken, []bool{false, true, false, false})
	want("a", "b", "c", "d")
	// All are left out.
	taken, err = db.StartAll(ctx, 0, []executor.Commit{named(w, "run_5", "a", 1), named(w, "run_6", "d", 1)})
	must(t, err)
	same(t, "taken", taken, []bool{true, true})
	want("a", "b", "c", "d")
}
