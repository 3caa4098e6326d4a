package storetest

import (
	"fmt"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/store"
	"testing"
	"time"
)

// statsTests hold what is counted of runs.
var statsTests = map[string]func(*testing.T, *store.DB){
	"runs are counted when they start and end":  testStatsCounted,
	"short counts are purged, hours are kept":   testStatsPurged,
	"counts stay when runs are deleted":         testStatsDeleted,
	"counts of a refused group are not changed": testStatsRefused,
	"the oldest queued run is found":            testOldestQueued,
	"the health of workflows is known":          testHealth,
}

// ending makes the commit in which a run ends, with the event that says so.
func ending(c executor.Commit, kind events.Kind, state machine.State, n int) executor.Commit {
	next := grow(c, state, n)
	next.Events[0].Kind = kind
	return next
}

// started makes the insertion of a run that starts at once.
func started(c executor.Commit) executor.Commit {
	c.Row.State, c.Row.StartedAt = machine.Running, c.Row.CreatedAt
	return c
}

// hour is in milliseconds.
const hour = 3_600_000

// testStatsCounted: each start and each end counts in the hour in which it was, in its workflow's
// version and trigger and in the tenant's; a resumed run ends twice; a group counts as its members
// do one by one.
func testStatsCounted(t *testing.T, db *store.DB) {
	one, two := create(t, db, revision("t1", "wf_1", "one", 1)), create(t, db, revision("t1", "wf_2", "two", 1))
	other := create(t, db, revision("t2", "wf_3", "three", 1))
	a, b, c, d := started(newRun(one, "run_a", 0)), started(newRun(one, "run_b", 10)), started(newRun(two, "run_c", 20)), started(newRun(other, "run_d", 30))
	b.Row.Trigger = "schedule"
	commit(t, db, a, b, c, d)
	failed := ending(a, events.RunFailed, machine.Failed, 100)
	resumed := grow(failed, machine.Running, 200)
	resumed.Row.CompletedAt, resumed.Row.Version = time.Time{}, 2
	commit(t, db, failed)
	// The same group ends a run and what goes on, twice.
	commit(t, db, resumed, ending(resumed, events.RunCompleted, machine.Completed, hour), ending(b, events.RunCancelled, machine.Cancelled, hour), ending(d, events.RunCompleted, machine.Completed, 31))
	wrong, err := db.WrongStats(ctx)
	must(t, err)
	if wrong > 0 {
		t.Errorf("%d hours are not what the journals say", wrong)
	}
	first := at(0).Truncate(time.Hour)
	all := executor.StatsQuery{TenantID: "t1", From: first, To: first.Add(2 * time.Hour), Bucket: time.Hour}
	for name, test := range map[string]struct {
		change func(q *executor.StatsQuery)
		want   []executor.StatsRow
	}{
		"the tenant": {
			func(*executor.StatsQuery) {},
			[]executor.StatsRow{counted(first, 3, 0, 1, 0, 100), counted(first.Add(time.Hour), 0, 1, 0, 1, hour, hour-10)},
		},
		"a day": {
			func(q *executor.StatsQuery) {
				q.Bucket, q.From, q.To = 24*time.Hour, first.Truncate(24*time.Hour), first.Truncate(24*time.Hour).AddDate(0, 0, 2)
			},
			[]executor.StatsRow{counted(first.Truncate(24*time.Hour), 3, 1, 1, 1, 100, hour, hour-10)},
		},
		"a workflow": {
			func(q *executor.StatsQuery) { q.WorkflowIDs = []string{"wf_2"} },
			[]executor.StatsRow{counted(first, 1, 0, 0, 0)},
		},
		"no workflow": {func(q *executor.StatsQuery) { q.WorkflowIDs = []string{} }, []executor.StatsRow{}},
		"a version": {
			func(q *executor.StatsQuery) { q.WorkflowIDs, q.Version = []string{"wf_1"}, 2 },
			[]executor.StatsRow{counted(first.Add(time.Hour), 0, 1, 0, 0, hour)},
		},
		"a trigger": {
			func(q *executor.StatsQuery) { q.Trigger = "schedule" },
			[]executor.StatsRow{counted(first, 1, 0, 0, 0), counted(first.Add(time.Hour), 0, 0, 0, 1, hour-10)},
		},
		"by version": {
			func(q *executor.StatsQuery) { q.WorkflowIDs, q.By = []string{"wf_1"}, executor.StatsByVersion },
			[]executor.StatsRow{
				ofVersion(1, counted(first, 2, 0, 1, 0, 100)), ofVersion(1, counted(first.Add(time.Hour), 0, 0, 0, 1, hour-10)),
				ofVersion(2, counted(first.Add(time.Hour), 0, 1, 0, 0, hour)),
			},
		},
		"by workflow": {
			func(q *executor.StatsQuery) { q.By = executor.StatsByWorkflow },
			[]executor.StatsRow{
				ofWorkflow("wf_1", counted(first, 2, 0, 1, 0, 100)), ofWorkflow("wf_2", counted(first, 1, 0, 0, 0)),
				ofWorkflow("wf_1", counted(first.Add(time.Hour), 0, 1, 0, 1, hour, hour-10)),
			},
		},
		"five minutes": {
			func(q *executor.StatsQuery) {
				q.Bucket, q.From, q.To = 5*time.Minute, at(0).Truncate(5*time.Minute), at(0).Truncate(5*time.Minute).Add(5*time.Minute)
			},
			[]executor.StatsRow{counted(at(0).Truncate(5*time.Minute), 3, 0, 1, 0, 100)},
		},
		"before":         {func(q *executor.StatsQuery) { q.From, q.To = first.Add(-time.Hour), first }, []executor.StatsRow{}},
		"another tenant": {func(q *executor.StatsQuery) { q.TenantID = "t2" }, []executor.StatsRow{counted(first, 1, 1, 0, 0, 1)}},
	} {
		q := all
		test.change(&q)
		got, err := db.RunStats(ctx, q, 100)
		must(t, err)
		same(t, name, got, test.want)
	}
	limited, err := db.RunStats(ctx, all, 1)
	must(t, err)
	if len(limited) != 1 {
		t.Errorf("%d rows of one", len(limited))
	}
	open, err := db.OpenCounts(ctx, "t1", nil)
	must(t, err)
	same(t, "open runs", open, map[machine.State]int{machine.Running: 1})
	open, err = db.OpenCounts(ctx, "t1", []string{"wf_1"})
	must(t, err)
	same(t, "open runs of a workflow", open, map[machine.State]int{})
}

// counted makes a row; durations are those of the runs that ended, in milliseconds.
func counted(at time.Time, started, completed, failed, cancelled int64, durations ...int64) executor.StatsRow {
	r := executor.StatsRow{At: at, Started: started, Completed: completed, Failed: failed, Cancelled: cancelled}
	for _, ms := range durations {
		r.TotalMS += ms
		r.LongestMS = max(r.LongestMS, ms)
		r.Durations[executor.DurationRange(ms)]++
	}
	return r
}

func ofVersion(n int, r executor.StatsRow) executor.StatsRow {
	r.Version = n
	return r
}

func ofWorkflow(id string, r executor.StatsRow) executor.StatsRow {
	r.WorkflowID = id
	return r
}

// testStatsPurged: five minutes go, also those of a second tenant, and hours stay.
func testStatsPurged(t *testing.T, db *store.DB) {
	one, other := create(t, db, revision("t1", "wf_1", "one", 1)), create(t, db, revision("t2", "wf_2", "two", 1))
	commit(t, db, started(newRun(one, "run_a", 0)), started(newRun(one, "run_b", hour)), started(newRun(other, "run_c", 0)))
	must(t, db.PurgeStats(ctx, at(hour).Truncate(5*time.Minute)))
	for _, test := range []struct {
		tenant string
		length time.Duration
		want   int64
	}{{"t1", 5 * time.Minute, 1}, {"t2", 5 * time.Minute, 0}, {"t1", time.Hour, 2}, {"t2", time.Hour, 1}} {
		from := at(0).Truncate(test.length)
		rows, err := db.RunStats(ctx, executor.StatsQuery{TenantID: test.tenant, From: from, To: from.Add(3 * time.Hour), Bucket: test.length}, 100)
		must(t, err)
		var n int64
		for _, r := range rows {
			n += r.Started
		}
		if n != test.want {
			t.Errorf("%s, buckets of %s: %d starts, want %d", test.tenant, test.length, n, test.want)
		}
	}
}

// testStatsDeleted: what happened has happened.
func testStatsDeleted(t *testing.T, db *store.DB) {
	c := started(newRun(create(t, db, revision("t1", "wf_1", "one", 1)), "run_a", 0))
	commit(t, db, c)
	commit(t, db, ending(c, events.RunCompleted, machine.Completed, 5))
	must(t, db.DeleteRun(ctx, "t1", "run_a"))
	rows, err := db.RunStats(ctx, executor.StatsQuery{TenantID: "t1", From: at(0).Truncate(time.Hour), To: at(0).Truncate(time.Hour).Add(time.Hour), Bucket: time.Hour}, 10)
	must(t, err)
	same(t, "rows", rows, []executor.StatsRow{counted(at(0).Truncate(time.Hour), 1, 1, 0, 0, 5)})
}

// testStatsRefused: a member that loses counts nothing, the others of its group do.
func testStatsRefused(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	c := started(newRun(w, "run_a", 0))
	commit(t, db, c)
	done := ending(c, events.RunCompleted, machine.Completed, 5)
	late := done
	late.Expected, late.Row.Seq = 7, 8
	late.Events = []events.Event{event("run_a", 8, events.RunCompleted, 5)}
	errs := db.Commit(ctx, 0, []executor.Commit{late, started(newRun(w, "run_b", 0))})
	wantIs(t, errs[0], executor.ErrFenced)
	must(t, errs[1])
	wrong, err := db.WrongStats(ctx)
	must(t, err)
	if wrong > 0 {
		t.Errorf("%d hours are not what the journals say", wrong)
	}
}

// testOldestQueued: of those that are queued, and of the workflows that are asked for.
func testOldestQueued(t *testing.T, db *store.DB) {
	one, two := create(t, db, revision("t1", "wf_1", "one", 1)), create(t, db, revision("t1", "wf_2", "two", 1))
	late := newRun(one, "run_b", 20)
	late.Row.Trigger = "api"
	commit(t, db, started(newRun(one, "run_a", 10)), late, newRun(one, "run_c", 30), newRun(two, "run_d", 15))
	for _, test := range []struct {
		tenant    string
		workflows []string
		want      time.Time
	}{{"t1", nil, at(15)}, {"t1", []string{"wf_1"}, at(20)}, {"t1", []string{}, time.Time{}}, {"t2", nil, time.Time{}}} {
		got, err := db.OldestQueued(ctx, test.tenant, test.workflows)
		must(t, err)
		same(t, "the oldest", got, test.want)
	}
}

// testHealth: the last end and those before it, the newest first and at most twenty, what is open,
// and how many failed since an hour.
func testHealth(t *testing.T, db *store.DB) {
	one, two := create(t, db, revision("t1", "wf_1", "one", 1)), create(t, db, revision("t1", "wf_2", "two", 1))
	create(t, db, revision("t1", "wf_3", "three", 1))
	var starts, ends []executor.Commit
	for i := range 23 {
		c := started(newRun(one, fmt.Sprintf("run_%02d", i), i))
		starts = append(starts, c)
		switch i {
		case 0:
			ends = append(ends, ending(c, events.RunFailed, machine.Failed, 100))
		case 21:
			ends = append(ends, ending(c, events.RunCancelled, machine.Cancelled, hour+i))
		case 22:
			ends = append(ends, ending(c, events.RunFailed, machine.Failed, hour+i))
		default:
			ends = append(ends, ending(c, events.RunCompleted, machine.Completed, hour+i))
		}
	}
	commit(t, db, starts...)
	commit(t, db, ends[:10]...)
	commit(t, db, ends[10:]...)
	commit(t, db, newRun(two, "run_open", 5))
	got, err := db.Health(ctx, "t1", []string{"wf_1", "wf_2", "wf_3"}, at(hour).Truncate(time.Hour))
	must(t, err)
	recent := []machine.State{machine.Failed, machine.Cancelled}
	for len(recent) < 20 {
		recent = append(recent, machine.Completed)
	}
	want := map[string]executor.Health{
		"wf_1": {Last: &executor.LastRun{RunID: "run_22", State: machine.Failed, EndedAt: at(hour + 22)}, Recent: recent, Failed: 1},
		"wf_2": {Open: 1},
	}
	for id, h := range got {
		if h.Open == 0 && h.Failed == 0 && h.Last == nil && h.Recent == nil {
			delete(got, id) // a counter of zero
		}
	}
	same(t, "health", got, want)
	must(t, db.DeleteRun(ctx, "t1", "run_22"))
	got, err = db.Health(ctx, "t1", []string{"wf_1"}, at(0))
	must(t, err)
	if h := got["wf_1"]; h.Last != nil || len(h.Recent) != 20 || h.Failed != 1 {
		t.Errorf("after the deletion of the last run: %+v", h)
	}
	got, err = db.Health(ctx, "t2", []string{"wf_1"}, at(0))
	must(t, err)
	if h := got["wf_1"]; h.Last != nil || h.Open != 0 || h.Failed != 0 {
		t.Errorf("another tenant sees %+v", h)
	}
}
