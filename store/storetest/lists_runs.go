package storetest

import (
	"cmp"
	"fmt"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/store"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// someRuns stores runs of two workflows, in all states and by two triggers: some
// started when they were created, some later, in another order, some by a clock that
// was behind, some not at all.
func someRuns(t *testing.T, db *store.DB, n int) []executor.Record {
	one := create(t, db, revision("t1", "wf_1", "one", 1))
	two := create(t, db, revision("t1", "wf_2", "two", 1))
	chance := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same runs each time
	var runs []executor.Record
	for i := range n {
		c := newRun([]workflows.Workflow{one, two}[chance.IntN(2)], fmt.Sprintf("run_%03d", i), i/3)
		c.Row.State = machine.States[chance.IntN(len(machine.States))]
		c.Row.Trigger = []string{"manual", "api"}[chance.IntN(2)]
		switch chance.IntN(4) {
		case 0:
			c.Row.StartedAt = c.Row.CreatedAt
		case 1:
			c.Row.StartedAt = c.Row.CreatedAt.Add(time.Duration(chance.IntN(2*n)) * time.Millisecond)
		case 2:
			c.Row.StartedAt = c.Row.CreatedAt.Add(-time.Millisecond)
		}
		commit(t, db, c)
		runs = append(runs, c.Row)
	}
	return runs
}

// selected returns the ids of the runs that a query lists, in its order: the plain
// reading of executor.RunQuery.
func selected(runs []executor.Record, q executor.RunQuery) []string {
	byStart := !q.StartedAfter.IsZero() || !q.StartedBefore.IsZero()
	list := slices.DeleteFunc(slices.Clone(runs), func(r executor.Record) bool {
		return q.Workflows != nil && !slices.Contains(q.Workflows, r.WorkflowID) || q.WorkflowIDs != nil && !slices.Contains(q.WorkflowIDs, r.WorkflowID) ||
			len(q.States) > 0 && !slices.Contains(q.States, r.State) || len(q.Triggers) > 0 && !slices.Contains(q.Triggers, r.Trigger) ||
			byStart && r.StartedAt.IsZero() || !q.StartedAfter.IsZero() && !r.StartedAt.After(q.StartedAfter) ||
			!q.StartedBefore.IsZero() && !r.StartedAt.Before(q.StartedBefore)
	})
	key := func(r executor.Record) int64 {
		if byStart {
			return r.StartedAt.UnixMilli()
		}
		return r.CreatedAt.UnixMilli()
	}
	slices.SortFunc(list, func(a, b executor.Record) int {
		return cmp.Or(cmp.Compare(key(b), key(a)), cmp.Compare(b.RunID, a.RunID))
	})
	ids := []string{}
	for _, r := range list {
		ids = append(ids, r.RunID)
	}
	return ids
}

// testRunFilterCombinations: with any combination of filters the pages hold exactly
// what the filters select, in order, and the total is their number.
func testRunFilterCombinations(t *testing.T, db *store.DB) {
	runs := someRuns(t, db, 60)
	for _, q := range combinations() {
		want := selected(runs, q)
		got := []string{}
		for first := true; first || q.Cursor != ""; first = false {
			p, err := db.Runs(ctx, q)
			must(t, err)
			if first {
				same(t, fmt.Sprintf("%+v: total", q), p.Total, len(want))
			}
			got = append(got, runIDs(p)...)
			q.Cursor, q.WantTotal = p.Next, false
		}
		same(t, fmt.Sprintf("%+v", q), got, want)
	}
}

// combinations returns queries of the tenant t1 with each combination of filters.
func combinations() []executor.RunQuery {
	var all []executor.RunQuery
	for _, workflows := range [][]string{nil, {"wf_1"}} {
		for _, visible := range [][]string{nil, {"wf_2"}, {"wf_1", "wf_2", "wf_3"}} {
			for _, states := range [][]machine.State{nil, {machine.Failed}, {machine.Queued, machine.Completed, machine.Running}} {
				for _, triggers := range [][]string{nil, {"api"}, {"webhook"}, {"manual", "api"}} {
					for _, after := range []time.Time{{}, at(8), at(100_000)} {
						for _, before := range []time.Time{{}, at(30)} {
							all = append(all, executor.RunQuery{
								TenantID: "t1", Workflows: workflows, WorkflowIDs: visible, States: states, Triggers: triggers,
								StartedAfter: after, StartedBefore: before, Limit: 7, WantTotal: true,
							})
						}
					}
				}
			}
		}
	}
	return all
}

// testRunPagesByStart: with a bound of the start, pages follow the starts, and a cursor
// of the list by creation is not one of theirs.
func testRunPagesByStart(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	a, b, c := newRun(w, "run_a", 1), newRun(w, "run_b", 2), newRun(w, "run_c", 3)
	a.Row.StartedAt, b.Row.StartedAt, c.Row.StartedAt = at(9), at(2), at(5)
	commit(t, db, a, b, c)
	q := executor.RunQuery{TenantID: "t1", StartedAfter: at(1), Limit: 1}
	for _, want := range []string{"run_a", "run_c", "run_b"} {
		p, err := db.Runs(ctx, q)
		must(t, err)
		same(t, "page", runIDs(p), []string{want})
		q.Cursor = p.Next
	}
	same(t, "next", q.Cursor, "")
}

// testRunRowDetails: a row has what its start gave it and what its commits say, and the
// details of a page what other rows have.
func testRunRowDetails(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	c := newRun(w, "run_1", 1)
	c.Row.ScheduleID, c.Row.DueAt, c.Row.Labels = "sched_1", at(7), map[string]string{"a": "1", "b": "ü \"x\""}
	c.Row.Steps = &machine.StepCounts{Total: 3, Pending: 2, Running: 1}
	c.Member = &executor.Member{Name: "order-1"}
	older := newRun(w, "run_0", 0)
	commit(t, db, c, older)
	next := grow(c, machine.WaitingSignal, 2)
	next.Member = nil
	next.Row.Steps = &machine.StepCounts{Total: 3, Pending: 1, Waiting: 1, Completed: 1}
	next.Row.Waiting = &executor.Waiting{Kind: "signal", Signal: "go", Prompt: "Go?", TimeoutAt: at(99), Count: 2}
	want := next.Row
	// An update leaves what the insertion wrote.
	next.Row.ScheduleID, next.Row.DueAt, next.Row.Labels = "", time.Time{}, nil
	commit(t, db, next)
	got, err := db.Run(ctx, "t1", "run_1")
	must(t, err)
	same(t, "row", got, want)
	list, ahead, err := db.RunDetails(ctx, "t1", []executor.Record{got, older.Row}, 10)
	must(t, err)
	same(t, "details", list, []executor.RunDetails{
		{WorkflowID: "wf_1", Slug: "one", WorkflowName: "Name of one", Name: "order-1"}, {WorkflowID: "wf_1", Slug: "one", WorkflowName: "Name of one"},
	})
	same(t, "ahead", ahead, map[string]int{"run_0": 0})
	// The labels go with the run.
	next = grow(next, machine.Completed, 3)
	commit(t, db, next)
	must(t, db.DeleteRun(ctx, "t1", "run_1"))
	p, err := db.Runs(ctx, executor.RunQuery{TenantID: "t1", Text: "1", Limit: 5})
	must(t, err)
	same(t, "labelled", runIDs(p), []string{})
}
