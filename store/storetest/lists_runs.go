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
		return q.WorkflowID != "" && r.WorkflowID != q.WorkflowID || q.WorkflowIDs != nil && !slices.Contains(q.WorkflowIDs, r.WorkflowID) ||
			len(q.States) > 0 && !slices.Contains(q.States, r.State) || q.Trigger != "" && r.Trigger != q.Trigger ||
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
	for _, workflow := range []string{"", "wf_1"} {
		for _, visible := range [][]string{nil, {"wf_2"}, {"wf_1", "wf_2", "wf_3"}} {
			for _, states := range [][]machine.State{nil, {machine.Failed}, {machine.Queued, machine.Completed, machine.Running}} {
				for _, trigger := range []string{"", "api", "webhook"} {
					for _, after := range []time.Time{{}, at(8), at(100_000)} {
						for _, before := range []time.Time{{}, at(30)} {
							all = append(all, executor.RunQuery{
								TenantID: "t1", WorkflowID: workflow, WorkflowIDs: visible, States: states, Trigger: trigger,
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
