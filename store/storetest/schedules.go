package storetest

import (
	"encoding/json"
	"fmt"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/schedules"
	"heddle/store"
	"strings"
	"testing"
	"time"
)

// scheduleTests hold that a due time is written once, with its run or not at all.
var scheduleTests = map[string]func(*testing.T, *store.DB){
	"schedules are kept as they are":               testScheduleKept,
	"schedule list pages without gap or repeat":    testSchedulePages,
	"a firing is written once":                     testFiringOnce,
	"a firing whose run is refused leaves nothing": testFiringRefused,
	"a firing's kept answer is written once":       testFiringAnswer,
	"a firing whose run begins is fenced":          testFiringEpoch,
	"queues and open runs of schedules":            testScheduleQueues,
	"slots page without gap or repeat":             testSlotPages,
	"a deleted workflow ends its schedules":        testScheduleEnds,
}

// newSchedule makes a schedule that has every field set, to none of the defaults.
func newSchedule(w workflows.Workflow, id string, n int) schedules.Schedule {
	return schedules.Schedule{
		ID: id, TenantID: w.TenantID, WorkflowID: w.ID, Expression: "0 2 * * *", Timezone: "Pacific/Apia",
		Input: json.RawMessage(`{"n":9007199254740993}`), Version: "v1", Status: schedules.Active, PauseReason: "none",
		Overlap: schedules.OverlapQueue, CatchUp: schedules.CatchUp{Policy: schedules.CatchUpAll, Window: 90 * time.Second, Max: 7},
		Gap: schedules.Skip, Repeat: schedules.Last, Jitter: 1500 * time.Millisecond, StartsAt: at(1), EndsAt: at(1e9),
		CreatedAt: at(n), UpdatedAt: at(n), NextDue: at(n + 1000), LastRunAt: at(n), Revision: 1, Fence: 1,
	}
}

// keepSchedule stores a schedule and returns it.
func keepSchedule(t *testing.T, db *store.DB, s schedules.Schedule) schedules.Schedule {
	t.Helper()
	must(t, db.CreateSchedule(ctx, s, nil))
	return s
}

// testScheduleKept: a schedule comes back as it was stored and changed, its identity
// cannot be changed, and a change raises its fence. Its workflow must exist.
func testScheduleKept(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	s := keepSchedule(t, db, newSchedule(w, "sched_1", 5))
	got, err := db.Schedule(ctx, "t1", "sched_1")
	must(t, err)
	same(t, "schedule", got, s)
	_, err = db.Schedule(ctx, "t2", "sched_1")
	wantFault(t, err, fault.NotFound, "schedule_not_found")
	changed, err := db.ChangeSchedule(ctx, "t1", "sched_1", func(s schedules.Schedule) (schedules.Schedule, error) {
		// The id cannot be changed, whatever decide says.
		s.Expression, s.NextDue, s.Revision, s.ID = "@daily", at(9), 2, "other"
		return s, nil
	})
	must(t, err)
	same(t, "id and fence", fmt.Sprintf("%s %d", changed.ID, changed.Fence), "sched_1 2")
	got, err = db.Schedule(ctx, "t1", "sched_1")
	must(t, err)
	same(t, "changed", got, changed)
	due, err := db.DueSchedules(ctx, at(9).Add(2*time.Second), schedules.DueSchedule{}, 10)
	must(t, err)
	same(t, "due", due, []schedules.DueSchedule{{ID: "sched_1", At: changed.WakeAt()}})
	due, err = db.DueSchedules(ctx, at(9).Add(2*time.Second), due[0], 10)
	must(t, err)
	same(t, "due behind it", len(due), 0)
	wantFault(t, db.CreateSchedule(ctx, newSchedule(workflows.Workflow{ID: "wf_none", TenantID: "t1"}, "sched_2", 1), nil), fault.NotFound, "workflow_not_found")
	// A deletion that is refused leaves the schedule, one that is not hides it.
	refusal := fault.New(fault.Precondition, "precondition_failed", "no")
	wantIs(t, db.DeleteSchedule(ctx, "t1", "sched_1", func(schedules.Schedule) error { return refusal }), refusal)
	must(t, db.DeleteSchedule(ctx, "t1", "sched_1", func(schedules.Schedule) error { return nil }))
	_, err = db.Schedule(ctx, "t1", "sched_1")
	wantFault(t, err, fault.NotFound, "schedule_not_found")
}

// testSchedulePages: pages follow each other without a gap or a repeat, whatever the
// filter, also by offset; schedules of one millisecond are ordered by id.
func testSchedulePages(t *testing.T, db *store.DB) {
	one, two := create(t, db, revision("t1", "wf_1", "one", 1)), create(t, db, revision("t1", "wf_2", "two", 1))
	for i := range 9 {
		w := one
		// Three of nine are another workflow's; two of each millisecond.
		if i%3 == 0 {
			w = two
		}
		keepSchedule(t, db, newSchedule(w, fmt.Sprintf("sched_%d", i), i/2))
	}
	for want, q := range map[string]schedules.Query{
		"876543210": {TenantID: "t1"}, "630": {TenantID: "t1", WorkflowID: "wf_2"}, "875421": {TenantID: "t1", WorkflowIDs: []string{"wf_1"}}, "": {TenantID: "t2"},
	} {
		var got strings.Builder
		for q.Limit = 2; ; {
			p, err := db.Schedules(ctx, q)
			must(t, err)
			for _, s := range p.Schedules {
				got.WriteString(s.ID[len("sched_"):])
			}
			if q.Cursor = p.Next; p.Next == "" {
				break
			}
		}
		same(t, "schedules", got.String(), want)
	}
	p, err := db.Schedules(ctx, schedules.Query{TenantID: "t1", WorkflowID: "wf_1", Limit: 2, Offset: 3, WantTotal: true})
	must(t, err)
	same(t, "the second page", fmt.Sprint(p.Schedules[0].ID, p.Schedules[1].ID, p.Total, p.Next != ""), "sched_4sched_26 true")
	p, err = db.Schedules(ctx, schedules.Query{TenantID: "t2", Limit: 2, WantTotal: true})
	must(t, err)
	same(t, "nothing", fmt.Sprint(len(p.Schedules), p.Total), "0 0")
	_, err = db.Schedules(ctx, schedules.Query{TenantID: "t1", Limit: 2, Cursor: "x"})
	wantFault(t, err, fault.Malformed, "invalid_request")
}

// firing is one due time with its run.
func firing(s schedules.Schedule, run executor.Commit, due int) schedules.Firing {
	return schedules.Firing{
		ScheduleID: s.ID, Fence: s.Fence, NextDue: at(due + 1000), WakeAt: at(due + 1000), Status: schedules.Active, LastRunAt: at(due),
		Slots: []schedules.Slot{{
			ScheduleID: s.ID, Due: at(due), Until: at(due), Count: 1, Origin: schedules.FromSchedule,
			Outcome: schedules.Fired, RunID: run.Row.RunID, At: at(due),
		}},
		Runs: []executor.Prepared{{Commit: run}},
	}
}

// testFiringOnce: of two firings that were decided on one fence, one is written, in
// whatever order the groups name their schedules.
func testFiringOnce(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	a, b := keepSchedule(t, db, newSchedule(w, "sched_a", 1)), keepSchedule(t, db, newSchedule(w, "sched_b", 1))
	for i, err := range db.Fire(ctx, []schedules.Firing{firing(b, newRun(w, "run_b", 1), 2000), firing(a, newRun(w, "run_a", 1), 2000)}) {
		if err != nil {
			t.Fatal(i, err)
		}
	}
	// The same due times again, decided on the fences of before.
	errs := db.Fire(ctx, []schedules.Firing{firing(a, newRun(w, "run_c", 1), 2000), firing(b, newRun(w, "run_d", 1), 2000)})
	wantIs(t, errs[0], schedules.ErrConflict)
	wantIs(t, errs[1], schedules.ErrConflict)
	p, err := db.Runs(ctx, executor.RunQuery{TenantID: "t1", Limit: 10})
	must(t, err)
	same(t, "runs", runIDs(p), []string{"run_b", "run_a"})
	got, err := db.Schedule(ctx, "t1", "sched_a")
	must(t, err)
	if got.Fence != 2 || !got.NextDue.Equal(at(3000)) || !got.LastRunAt.Equal(at(2000)) {
		t.Errorf("%+v", got)
	}
}

// testFiringRefused: a firing whose run is refused leaves schedule and ledger as they
// were; the other firing of its group is written.
func testFiringRefused(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	a, b := keepSchedule(t, db, newSchedule(w, "sched_a", 1)), keepSchedule(t, db, newSchedule(w, "sched_b", 1))
	// The run was prepared on a revision that the workflow does not have.
	stale := newRun(w, "run_a", 1)
	stale.Revision = 7
	errs := db.Fire(ctx, []schedules.Firing{firing(a, stale, 2000), firing(b, newRun(w, "run_b", 1), 2000)})
	wantIs(t, errs[0], executor.ErrStale)
	must(t, errs[1])
	got, err := db.Schedule(ctx, "t1", "sched_a")
	must(t, err)
	same(t, "the schedule", got, a)
	page, err := db.Slots(ctx, schedules.SlotQuery{TenantID: "t1", ScheduleID: "sched_a", Limit: 5})
	must(t, err)
	same(t, "lines", len(page.Slots), 0)
}

// A run that begins in the firing's transaction belongs to the node that
// drives runs.
func testFiringEpoch(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	a, b := keepSchedule(t, db, newSchedule(w, "sched_a", 1)), keepSchedule(t, db, newSchedule(w, "sched_b", 1))
	old, err := db.AcquireLease(ctx, "a", at(0), time.Second)
	must(t, err)
	current, err := db.AcquireLease(ctx, "b", at(1001), time.Second)
	must(t, err)
	// Both are written in one transaction, so the one is fenced with the other.
	begun, queued := firing(a, newRun(w, "run_a", 1), 2000), firing(b, newRun(w, "run_b", 1), 2000)
	begun.Runs[0].Epoch = old
	for _, err := range db.Fire(ctx, []schedules.Firing{begun, queued}) {
		wantIs(t, err, executor.ErrFenced)
	}
	got, err := db.Schedule(ctx, "t1", "sched_a")
	must(t, err)
	same(t, "the schedule", got, a)
	begun.Runs[0].Epoch = current
	for _, err := range db.Fire(ctx, []schedules.Firing{begun, queued}) {
		must(t, err)
	}
}

// testFiringAnswer: a firing whose kept answer exists already starts no run.
func testFiringAnswer(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	s := keepSchedule(t, db, newSchedule(w, "sched_a", 1))
	f := firing(s, newRun(w, "run_a", 1), 2000)
	f.Keep = answer("t1", "k", 1)
	must(t, db.Fire(ctx, []schedules.Firing{f})[0])
	s.Fence = 2
	f = firing(s, newRun(w, "run_b", 1), 3000)
	f.Keep = answer("t1", "k", 1)
	wantIs(t, db.Fire(ctx, []schedules.Firing{f})[0], executor.ErrDuplicateKey)
	_, err := db.Run(ctx, "t1", "run_b")
	wantFault(t, err, fault.NotFound, "run_not_found")
}

// testScheduleQueues: a queue has its turn when no run of its lane is open, backfills
// apart from the schedule's own. A run to be cancelled is listed until it has ended.
func testScheduleQueues(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	s := keepSchedule(t, db, newSchedule(w, "sched_a", 1))
	run := newRun(w, "run_a", 1)
	f := firing(s, run, 2000)
	waiting := f.Slots[0]
	waiting.Due, waiting.Until, waiting.Outcome, waiting.RunID, waiting.Reason = at(3000), at(3000), schedules.Waiting, "", "overlap"
	// The same due time once more, of a backfill: another line, and another lane.
	filled := waiting
	filled.Origin = "backfill:1"
	f.Slots = append(f.Slots, waiting, filled)
	f.Cancel = nil
	must(t, db.Fire(ctx, []schedules.Firing{f})[0])
	// Unknown ids are left out. Waiting slots of backfills are apart from the schedule's.
	states, err := db.States(ctx, []string{"sched_none", "sched_a"})
	must(t, err)
	if len(states) != 1 || states[0].WaitingCount != 1 || len(states[0].Backfill) != 1 || states[0].WorkflowStatus != workflows.Active {
		t.Fatalf("%+v", states)
	}
	same(t, "live", states[0].Tracked, []schedules.TrackedRun{{RunID: "run_a", Open: true}})
	unsettled, err := db.SchedulesToAdvance(ctx, "", 10)
	must(t, err)
	same(t, "the backfill has its turn", unsettled, []string{"sched_a"})
	s.Fence = 2
	// The run is to be cancelled, and the backfill is done: nothing has its turn until the
	// run has ended.
	doom := schedules.Firing{ScheduleID: s.ID, Fence: 2, NextDue: s.NextDue, WakeAt: s.WakeAt(), Status: s.Status, Cancel: []string{"run_a"}}
	filled.Outcome, filled.Reason = schedules.Skipped, "test"
	doom.Slots = []schedules.Slot{filled}
	behind, err := db.SchedulesToAdvance(ctx, "sched_a", 10)
	must(t, err)
	same(t, "behind it", len(behind), 0)
	must(t, db.Fire(ctx, []schedules.Firing{doom})[0])
	orders, err := db.CancelRequests(ctx, schedules.CancelRequest{}, 10)
	must(t, err)
	same(t, "to be cancelled", orders, []schedules.CancelRequest{{TenantID: "t1", RunID: "run_a", ScheduleID: "sched_a"}})
	orders, err = db.CancelRequests(ctx, orders[0], 10)
	must(t, err)
	same(t, "to be cancelled behind it", len(orders), 0)
	unsettled, err = db.SchedulesToAdvance(ctx, "", 10)
	must(t, err)
	same(t, "no run's turn", len(unsettled), 0)
	commit(t, db, grow(run, machine.Cancelled, 9))
	unsettled, err = db.SchedulesToAdvance(ctx, "", 10)
	must(t, err)
	same(t, "the next one's turn", unsettled, []string{"sched_a"})
	orders, err = db.CancelRequests(ctx, schedules.CancelRequest{}, 10)
	must(t, err)
	same(t, "orders", len(orders), 0)
}

// testSlotPages: pages of the ledger follow each other without a gap or a repeat, with
// and without a filter by outcome.
func testSlotPages(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	s := keepSchedule(t, db, newSchedule(w, "sched_a", 1))
	f := schedules.Firing{ScheduleID: s.ID, Fence: 1, Status: schedules.Ended}
	// Two lines of each due time, told apart by their origin.
	for i := range 7 {
		f.Slots = append(f.Slots, schedules.Slot{
			ScheduleID: s.ID, Due: at(i / 2), Until: at(i), Count: i + 1,
			Origin: fmt.Sprint("trigger:", i), Outcome: []schedules.Outcome{schedules.Skipped, schedules.Late}[i%2], At: at(i),
		})
	}
	must(t, db.Fire(ctx, []schedules.Firing{f})[0])
	for want, q := range map[string]schedules.SlotQuery{"7654321": {}, "642": {Outcome: schedules.Late}} {
		var got strings.Builder
		q.TenantID, q.ScheduleID, q.Limit = "t1", s.ID, 2
		for {
			p, err := db.Slots(ctx, q)
			must(t, err)
			for _, slot := range p.Slots {
				fmt.Fprint(&got, slot.Count)
			}
			if q.Cursor = p.Next; p.Next == "" {
				break
			}
		}
		same(t, "slots", got.String(), want)
	}
	p, err := db.Slots(ctx, schedules.SlotQuery{TenantID: "t1", ScheduleID: s.ID, Outcome: schedules.Skipped, Limit: 2, Offset: 1, WantTotal: true})
	must(t, err)
	same(t, "the second page", fmt.Sprint(p.Slots[0].Count, p.Slots[1].Count, p.Total, p.Next != ""), "5 3 4 true")
}

// testScheduleEnds: a deleted workflow takes its schedules with it: none is due, and
// none fires.
func testScheduleEnds(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	s := keepSchedule(t, db, newSchedule(w, "sched_a", 1))
	must(t, db.DeleteWorkflow(ctx, "t1", "wf_1", func(workflows.Workflow, bool) error { return nil }))
	_, err := db.Schedule(ctx, "t1", s.ID)
	wantFault(t, err, fault.NotFound, "schedule_not_found")
	// However far the time: the schedule does not wake any more.
	due, err := db.DueSchedules(ctx, at(1e9), schedules.DueSchedule{}, 10)
	must(t, err)
	same(t, "due", len(due), 0)
	run := newRun(w, "run_a", 1)
	wantIs(t, db.Fire(ctx, []schedules.Firing{firing(s, run, 2000)})[0], schedules.ErrConflict)
}
