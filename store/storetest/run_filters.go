package storetest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"heddle/audit"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/store"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// filteredRun is a run as its row has it, and what lists find it by elsewhere.
type filteredRun struct {
	executor.Record
	name string
}

// RunFilters holds pages of lists with random filters and orders against a plain reading
// of executor.RunQuery.
func RunFilters(t *testing.T, db *store.DB) {
	chance := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // the same runs each time
	runs := variedRuns(t, db, chance, 120)
	for range 120 {
		q := randomQuery(chance)
		want := selectedBy(runs, q)
		got := []string{}
		for first := true; first || q.Cursor != ""; first = false {
			p, err := db.Runs(ctx, q)
			must(t, err)
			if len(p.Runs) > q.Limit {
				t.Fatalf("%+v: a page has %d runs", q, len(p.Runs))
			}
			if first && p.Total >= 0 {
				same(t, fmt.Sprintf("%+v: total", q), p.Total, len(want))
			}
			got = append(got, runIDs(p)...)
			q.Cursor, q.WantTotal = p.Next, false
		}
		same(t, fmt.Sprintf("%+v", q), got, want)
	}
}

// variedRuns stores runs of three workflows that differ in all that lists filter by.
func variedRuns(t *testing.T, db *store.DB, chance *rand.Rand, n int) []filteredRun {
	one, two, three := revision("t1", "wf_1", "one", 1), revision("t1", "wf_2", "two", 1), revision("t1", "wf_3", "three", 1)
	one.Workflow.Tags, two.Workflow.Tags = []string{"red"}, []string{"red", "blue"}
	two.Origin = &workflows.Origin{
		TemplateID: "tpl_1", Version: 1, Name: "T", Parameters: json.RawMessage(`{}`), Definition: json.RawMessage(`{}`),
	}
	of := []workflows.Workflow{create(t, db, one), create(t, db, two), create(t, db, three)}
	starters := []audit.Actor{{}, {Type: audit.Key, ID: "key_1", Name: `"id":"key_2"`}, {Type: audit.User, ID: "user_1"}, {Type: audit.Schedule, ID: "sched_1"}}
	var runs []filteredRun
	for i := range n {
		c := newRun(of[chance.IntN(3)], fmt.Sprintf("run_%03d", i), i/3)
		r := &c.Row
		r.Version, r.State = 1+chance.IntN(3), machine.States[chance.IntN(len(machine.States))]
		r.Trigger = []string{"manual", "api", "schedule"}[chance.IntN(3)]
		r.StartedBy = starters[chance.IntN(len(starters))]
		if r.StartedBy.Type == audit.Schedule {
			r.ScheduleID, r.DueAt = r.StartedBy.ID, at(i)
		} else if chance.IntN(5) == 0 {
			r.ScheduleID = fmt.Sprint("sched_", chance.IntN(2)) // triggered by hand
		}
		if chance.IntN(3) == 0 {
			r.Labels = map[string]string{"team": fmt.Sprint("t", chance.IntN(2)), "run_0": fmt.Sprint(chance.IntN(3))}
		}
		timesOf(r, chance)
		if r.State == machine.Failed {
			r.Error = &machine.Error{Code: []string{"timeout", "http_error"}[chance.IntN(2)], Message: "M"}
		}
		run := filteredRun{Record: *r}
		if chance.IntN(4) == 0 {
			run.name = fmt.Sprintf("order-%02d", i)
			c.Member = &executor.Member{Name: run.name}
		}
		commit(t, db, c)
		runs = append(runs, run)
	}
	return runs
}

// timesOf sets a run's start and end: at once, later, or by a clock that was behind.
func timesOf(r *executor.Record, chance *rand.Rand) {
	switch chance.IntN(4) {
	case 0, 1:
		r.StartedAt = r.CreatedAt
	case 2:
		r.StartedAt = r.CreatedAt.Add(time.Duration(chance.IntN(50)) * time.Millisecond)
	}
	if !r.State.Terminal() {
		return
	}
	r.CompletedAt = r.StartedAt
	if r.StartedAt.IsZero() {
		r.CompletedAt = r.CreatedAt
	}
	if chance.IntN(2) == 0 {
		r.CompletedAt = r.CompletedAt.Add(time.Duration(chance.IntN(40)) * time.Millisecond)
	}
}

// randomQuery returns a query with some of the filters.
func randomQuery(chance *rand.Rand) executor.RunQuery {
	q := executor.RunQuery{TenantID: "t1", Limit: 1 + chance.IntN(9), WantTotal: true}
	q.Order = []executor.RunOrder{executor.NewestFirst, executor.OldestFirst, executor.EndedFirst, executor.LongestFirst}[chance.IntN(4)]
	filters := []func(){
		func() { q.Workflows = []string{"wf_1"} },
		func() { q.Workflows = []string{"wf_1", "wf_2"} },
		func() { q.WorkflowIDs = []string{"wf_2", "wf_3"} },
		func() { q.States = []machine.State{machine.Failed, machine.Running, machine.Completed} },
		func() { q.Triggers = []string{"api"} },
		func() { q.Triggers = []string{"manual", "schedule"} },
		func() { q.Tag = []string{"red", "blue", "none"}[chance.IntN(3)] },
		func() { q.TemplateID = "tpl_1" },
		func() { q.Workflows, q.Version = []string{"wf_2"}, 2 },
		func() { q.ScheduleID = "sched_1" },
		func() { q.StarterID = []string{"key_1", "user_1", "sched_1", "key_2"}[chance.IntN(4)] },
		func() { q.ErrorCode = []string{"timeout", "none"}[chance.IntN(2)] },
		func() { q.Labels = map[string]string{"team": "t1"} },
		func() { q.Labels = map[string]string{"team": "t1", "run_0": "1"} },
		func() {
			q.Text = []string{"run_0", "order-1", "order-", "t0", "run_007", "none", "run_"}[chance.IntN(7)]
		},
		func() { q.CreatedAfter = at(10) },
		func() { q.CreatedBefore = at(30) },
		func() { q.EndedAfter = at(5 + chance.IntN(60)) },
		func() { q.EndedBefore = at(10 + chance.IntN(60)) },
		func() { q.MinDuration = time.Duration(1+chance.IntN(50)) * time.Millisecond },
		func() { q.MaxDuration = time.Duration(1+chance.IntN(20)) * time.Millisecond },
	}
	for range chance.IntN(4) {
		filters[chance.IntN(len(filters))]()
	}
	return q
}

// selectedBy returns the ids of the runs that a query lists, in its order.
func selectedBy(runs []filteredRun, q executor.RunQuery) []string {
	tags := map[string][]string{"wf_1": {"red"}, "wf_2": {"red", "blue"}}
	in := func(list []string, id string) bool { return list == nil || slices.Contains(list, id) }
	equal := func(want, got string) bool { return want == "" || want == got }
	between := func(after, before, got time.Time) bool {
		return (after.IsZero() || got.After(after)) && (before.IsZero() || !got.IsZero() && got.Before(before))
	}
	var list []filteredRun
	for _, r := range runs {
		lasted, timed := r.CompletedAt.Sub(r.StartedAt), !r.StartedAt.IsZero() && !r.CompletedAt.IsZero()
		labelled := q.Text == "" || strings.HasPrefix(r.RunID, q.Text) || strings.HasPrefix(r.name, q.Text) || slices.Contains(slices.Collect(maps.Values(r.Labels)), q.Text)
		for key, value := range q.Labels {
			labelled = labelled && r.Labels[key] == value
		}
		code := ""
		if r.Error != nil {
			code = r.Error.Code
		}
		if in(q.Workflows, r.WorkflowID) && in(q.WorkflowIDs, r.WorkflowID) && in(q.Triggers, r.Trigger) && (q.States == nil || slices.Contains(q.States, r.State)) &&
			(q.Tag == "" || slices.Contains(tags[r.WorkflowID], q.Tag)) && (q.TemplateID == "" || r.WorkflowID == "wf_2") && (q.Version == 0 || r.Version == q.Version) &&
			equal(q.ScheduleID, r.ScheduleID) && equal(q.StarterID, r.StartedBy.ID) && equal(q.ErrorCode, code) && labelled &&
			between(q.CreatedAfter, q.CreatedBefore, r.CreatedAt) && between(q.EndedAfter, q.EndedBefore, r.CompletedAt) &&
			(q.MinDuration == 0 || timed && lasted >= q.MinDuration) && (q.MaxDuration == 0 || timed && lasted <= q.MaxDuration) &&
			(q.Order != executor.EndedFirst || !r.CompletedAt.IsZero()) && (q.Order != executor.LongestFirst || timed) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b filteredRun) int { return compareRuns(a.Record, b.Record, q.Order) })
	ids := []string{}
	for _, r := range list {
		ids = append(ids, r.RunID)
	}
	return ids
}

// compareRuns orders runs as a list does: those that ended as they began come last in a
// list by duration, the newest of them first.
func compareRuns(a, b executor.Record, order executor.RunOrder) int {
	created := cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.RunID, a.RunID))
	instant := func(r executor.Record) int {
		if r.StartedAt.Equal(r.CreatedAt) && r.CompletedAt.Equal(r.CreatedAt) {
			return 1
		}
		return 0
	}
	switch order {
	case executor.OldestFirst:
		return -created
	case executor.EndedFirst:
		return cmp.Or(b.CompletedAt.Compare(a.CompletedAt), cmp.Compare(b.RunID, a.RunID))
	case executor.LongestFirst:
		if instant(a)+instant(b) > 0 {
			return cmp.Or(instant(a)-instant(b), created)
		}
		return cmp.Or(cmp.Compare(b.CompletedAt.Sub(b.StartedAt), a.CompletedAt.Sub(a.StartedAt)), cmp.Compare(b.RunID, a.RunID))
	default:
		return created
	}
}
