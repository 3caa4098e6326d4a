package storetest

import (
	"fmt"
	"heddle/audit"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/schedules"
	"heddle/store"
	"slices"
	"strings"
	"testing"
	"time"
)

// scheduleListTests hold that lists of schedules and of their lines have what is asked for.
var scheduleListTests = map[string]func(*testing.T, *store.DB){
	"lists of schedules by filter and order": testScheduleFilters,
	"slots are found by their due times":     testSlotsByTime,
	"ledgers are counted by outcome":         testLedgerCounts,
	"who paused a schedule is kept":          testPausedBy,
}

// fire stores a line of a schedule, with a run that ends in a state unless that is "", and what
// is due next.
func fire(t *testing.T, db *store.DB, s schedules.Schedule, slot schedules.Slot, next int, run executor.Commit, ends events.Kind, state machine.State) {
	t.Helper()
	f := schedules.Firing{ScheduleID: s.ID, Fence: s.Fence, NextDue: at(next), Status: s.Status, Slots: []schedules.Slot{slot}}
	if slot.RunID != "" {
		f.Runs = []executor.Prepared{{Commit: started(run)}}
	}
	s.NextDue = f.NextDue
	f.WakeAt = s.WakeAt()
	must(t, db.Fire(ctx, []schedules.Firing{f})[0])
	if state != "" {
		commit(t, db, ending(started(run), ends, state, 1700))
	}
}

// testScheduleFilters: each filter in each order, over several pages, selects what it says.
func testScheduleFilters(t *testing.T, db *store.DB) {
	one, two := create(t, db, revision("t1", "wf_1", "one", 1)), create(t, db, revision("t1", "wf_2", "two", 1))
	made := make([]schedules.Schedule, 6)
	for i := range made {
		w := one
		if i == 2 || i == 3 {
			w = two
		}
		made[i] = newSchedule(w, fmt.Sprintf("sched_%d", i), i)
		switch i {
		case 3:
			made[i].Status = schedules.Paused
		case 4:
			made[i].Status = schedules.Ended
		}
		if made[i].NextDue = at(1); made[i].Status != schedules.Active {
			made[i].NextDue = time.Time{}
		}
		keepSchedule(t, db, made[i])
	}
	line := func(i int, outcome schedules.Outcome, reason, run string) schedules.Slot {
		return schedules.Slot{ScheduleID: made[i].ID, Due: at(1), Until: at(1), Count: 1, Origin: schedules.FromSchedule, Outcome: outcome, Reason: reason, RunID: run, At: at(2)}
	}
	fire(t, db, made[0], line(0, schedules.Fired, "", "run_0"), 500_000, newRun(one, "run_0", 1), events.RunCompleted, machine.Completed)
	fire(t, db, made[1], line(1, schedules.Late, "", "run_1"), 300_000, newRun(one, "run_1", 1), events.RunFailed, machine.Failed)
	fire(t, db, made[2], line(2, schedules.Skipped, "workflow_paused", ""), 400_000, executor.Commit{}, "", "")
	keepSchedule(t, db, newSchedule(create(t, db, revision("t2", "wf_3", "three", 1)), "sched_9", 9))

	for _, test := range []struct {
		want string
		q    schedules.Query
	}{
		{"543210", schedules.Query{}},
		{"512034", schedules.Query{Order: schedules.NextFirst}},
		{"5210", schedules.Query{Status: schedules.Active}},
		{"3", schedules.Query{Status: schedules.Paused, Order: schedules.NextFirst}},
		{"5410", schedules.Query{WorkflowID: "wf_1"}},
		{"510", schedules.Query{WorkflowID: "wf_1", Status: schedules.Active}},
		{"5104", schedules.Query{WorkflowID: "wf_1", Order: schedules.NextFirst}},
		{"23", schedules.Query{WorkflowIDs: []string{"wf_2"}, Order: schedules.NextFirst}},
		{"", schedules.Query{WorkflowID: "wf_1", WorkflowIDs: []string{"wf_2"}}},
		{"", schedules.Query{WorkflowID: "wf_3", Order: schedules.NextFirst}},
		{"21", schedules.Query{Health: schedules.Failing}},
		{"12", schedules.Query{Health: schedules.Failing, Order: schedules.NextFirst}},
		{"2", schedules.Query{Health: schedules.Failing, WorkflowID: "wf_2"}},
		{"51", schedules.Query{Health: schedules.Behind}},
		{"32", schedules.Query{Text: "NAME of Two"}},
		{"4", schedules.Query{Text: "sched_4"}},
		{"512034", schedules.Query{Text: "pacific", Order: schedules.NextFirst}},
		{"", schedules.Query{Text: "%"}},
		{"", schedules.Query{TenantID: "t3"}},
	} {
		if test.q.TenantID == "" {
			test.q.TenantID = "t1"
		}
		test.q.Now, test.q.Limit = at(200_000), 2
		var got strings.Builder
		for {
			p, err := db.Schedules(ctx, test.q)
			must(t, err)
			for _, s := range p.Schedules {
				got.WriteString(s.ID[len("sched_"):])
			}
			if test.q.Cursor = p.Next; p.Next == "" {
				break
			}
		}
		same(t, fmt.Sprintf("%+v", test.q), got.String(), test.want)
	}
	p, err := db.Schedules(ctx, schedules.Query{TenantID: "t1", Status: schedules.Active, Limit: 2, Offset: 1, WantTotal: true})
	must(t, err)
	same(t, "by offset", fmt.Sprint(p.Schedules[0].ID, p.Schedules[1].ID, p.Total, p.Next != ""), "sched_2sched_14 true")
	same(t, "overview", fmt.Sprint(p.Overviews[1].Workflow, p.Overviews[1].Last.Outcome, p.Overviews[1].Last.RunID, p.Runs["run_1"].State, p.Overviews[0].Last.Reason),
		"{wf_1 one Name of one}laterun_1failedworkflow_paused")
	_, err = db.Schedules(ctx, schedules.Query{TenantID: "t1", Health: schedules.Failing, Limit: 2, Offset: 1})
	wantFault(t, err, fault.Malformed, "invalid_request")
}

// testSlotsByTime: a line is found by any of the due times that it stands for, with its run.
func testSlotsByTime(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	s := keepSchedule(t, db, newSchedule(w, "sched_a", 1))
	f := schedules.Firing{ScheduleID: s.ID, Fence: 1, Status: schedules.Active}
	for _, l := range []schedules.Slot{
		{Due: at(10), Until: at(50), Count: 5, Origin: schedules.FromSchedule, Outcome: schedules.Skipped},
		{Due: at(45), Until: at(45), Count: 1, Origin: "trigger:x", Outcome: schedules.Fired},
		{Due: at(60), Until: at(60), Count: 1, Origin: schedules.FromSchedule, Outcome: schedules.Fired, RunID: "run_a"},
		{Due: at(70), Until: at(90), Count: 3, Origin: schedules.FromSchedule, Outcome: schedules.Coalesced},
	} {
		l.ScheduleID, l.At = s.ID, at(99)
		f.Slots = append(f.Slots, l)
	}
	f.Runs = []executor.Prepared{{Commit: started(newRun(w, "run_a", 60))}}
	must(t, db.Fire(ctx, []schedules.Firing{f})[0])
	for _, test := range []struct {
		want     string
		from, to int
	}{{"70 60 45 10", 1, 0}, {"70 60", 60, 0}, {"70", 85, 0}, {"70", 90, 91}, {"", 91, 0}, {"10", 20, 45}, {"45 10", 46, 60}, {"60", 51, 70}, {"45 10", 0, 60}} {
		q := schedules.SlotQuery{TenantID: "t1", ScheduleID: s.ID, Limit: 10, WantTotal: true}
		if test.from > 0 {
			q.From = at(test.from)
		}
		if test.to > 0 {
			q.To = at(test.to)
		}
		p, err := db.Slots(ctx, q)
		must(t, err)
		var got []string
		for _, l := range p.Slots {
			got = append(got, fmt.Sprint(l.Due.Sub(at(0)).Milliseconds()))
		}
		same(t, fmt.Sprintf("from %d to %d", test.from, test.to), strings.Join(got, " "), test.want)
		same(t, "total", p.Total, len(p.Slots))
		if run, ok := p.Runs["run_a"]; ok && run.State != machine.Running {
			t.Errorf("the run is %s", run.State)
		}
	}
}

// testLedgerCounts: due times are counted by quarters of an hour, lines of several by themselves,
// also one that begins before the span, and of more lines than are read the latest.
func testLedgerCounts(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	a, b := keepSchedule(t, db, newSchedule(w, "sched_a", 1)), keepSchedule(t, db, newSchedule(w, "sched_b", 1))
	const quarter = 900_000
	// at(-800_000) is a whole quarter of an hour.
	q := func(quarters, ms int) time.Time { return at(-800_000 + quarters*quarter + ms) }
	for _, s := range []schedules.Schedule{a, b} {
		f := schedules.Firing{ScheduleID: s.ID, Fence: 1, Status: schedules.Active}
		for _, l := range []schedules.Slot{
			{Due: q(0, 5), Until: q(3, 1), Count: 40, Outcome: schedules.Skipped},
			{Due: q(4, 0), Until: q(4, 0), Count: 1, Outcome: schedules.Fired},
			{Due: q(4, 899_999), Until: q(4, 899_999), Count: 1, Outcome: schedules.Fired},
			{Due: q(5, 0), Until: q(5, 0), Count: 1, Outcome: schedules.Fired},
			{Due: q(5, 1), Until: q(5, 1), Count: 1, Outcome: schedules.Late},
			{Due: q(9, 0), Until: q(9, 0), Count: 1, Outcome: schedules.Late},
		} {
			l.ScheduleID, l.Origin, l.At = s.ID, schedules.FromSchedule, q(10, 0)
			f.Slots = append(f.Slots, l)
		}
		must(t, db.Fire(ctx, []schedules.Firing{f})[0])
	}
	text := func(c schedules.LedgerCounts) string {
		list := []string{}
		for _, n := range c.Counts {
			line := fmt.Sprintf("%d %s %d", n.At.Sub(q(0, 0)).Milliseconds(), n.Outcome, n.Count)
			if !n.Until.IsZero() {
				line += fmt.Sprint("to ", n.Until.Sub(q(0, 0)).Milliseconds())
			}
			list = append(list, line)
		}
		slices.Sort(list)
		return fmt.Sprint(list, c.Cut)
	}
	got, err := db.LedgerCounts(ctx, []schedules.LedgerSpan{{ScheduleID: "sched_a", From: q(2, 0), To: q(9, 0)}, {ScheduleID: "sched_b", From: q(4, 1), To: q(10, 0)}, {ScheduleID: "none", From: q(0, 0), To: q(9, 0)}}, 4)
	must(t, err)
	same(t, "a", text(got["sched_a"]), "[3600000 fired 2 4500000 fired 1 4500000 late 1 5 skipped 40to 2700001] false")
	same(t, "b", text(got["sched_b"]), "[3600000 fired 1 4500000 fired 1 4500000 late 1 8100000 late 1] false")
	got, err = db.LedgerCounts(ctx, []schedules.LedgerSpan{{ScheduleID: "sched_a", From: q(0, 0), To: q(10, 0)}}, 2)
	must(t, err)
	same(t, "cut", text(got["sched_a"]), "[4500000 fired 1 4500000 late 1 8100000 late 1] true")
	same(t, "the first that was counted", got["sched_a"].First, q(5, 0))
}

// testPausedBy: who paused a schedule, and when, comes back.
func testPausedBy(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	s := newSchedule(w, "sched_a", 1)
	s.Status, s.NextDue, s.PausedAt = schedules.Paused, time.Time{}, at(7)
	s.PausedBy = audit.Actor{Type: audit.User, ID: "user_1", Name: "Ann"}
	keepSchedule(t, db, s)
	got, err := db.Schedule(ctx, "t1", s.ID)
	must(t, err)
	same(t, "schedule", got, s)
}
