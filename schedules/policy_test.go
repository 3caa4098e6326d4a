package schedules_test

import (
	"fmt"
	"heddle/definitions/workflows"
	"heddle/executor/machine"
	"heddle/schedules"
	"heddle/store"
	"slices"
	"testing"
	"time"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func minutes(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

func wantLedger(t *testing.T, n *node, id string, want ...string) {
	t.Helper()
	if got := n.ledger(id); !slices.Equal(got, want) {
		t.Fatalf("ledger:\n%q\nwant\n%q", got, want)
	}
}

func TestOverlap(t *testing.T) {
	for overlap, want := range map[schedules.Overlap][]string{
		schedules.OverlapSkip:          {"12:01 fired", "12:02 skipped overlap", "12:03 late overlap", "12:04 skipped overlap"},
		schedules.OverlapQueue:         {"12:01 fired", "12:02 late overlap", "12:03 waiting overlap", "12:04 waiting overlap"},
		schedules.OverlapAllow:         {"12:01 fired", "12:02 fired", "12:03 fired", "12:04 fired"},
		schedules.OverlapCancelRunning: {"12:01 fired", "12:02 coalesced superseded", "12:03 late overlap", "12:04 waiting overlap"},
	} {
		eachStore(t, string(overlap), func(t *testing.T, db *store.DB) {
			want := slices.Clone(want)
			n := newNode(t, db, &clock{at: noon}, true)
			w := n.workflow(parked)
			s := n.create(w, schedules.Schedule{Expression: "* * * * *", Overlap: overlap})
			n.tick(minutes(1))
			n.tick(minutes(2))
			if overlap == schedules.OverlapSkip {
				n.finish(w)
			}
			n.tick(minutes(3))
			switch overlap {
			case schedules.OverlapSkip:
				want[2] = "12:03 fired"
			case schedules.OverlapQueue:
				n.finish(w)
				n.tick(minutes(3).Add(30 * time.Second))
			case schedules.OverlapCancelRunning:
				eventually(t, "the first run is cancelled and the latest slot runs", func() bool {
					n.tick(minutes(3).Add(30 * time.Second))
					return len(n.runs(w)) == 2
				})
			}
			n.tick(minutes(4))
			if lines := n.ledger(s.ID); overlap == schedules.OverlapCancelRunning && lines[2] == "12:03 fired" {
				want[2] = lines[2] // the first run ended before 12:03 came
			}
			wantLedger(t, n, s.ID, want...)
		})
	}
}

func TestQueueIsBounded(t *testing.T) {
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		n := newNode(t, db, &clock{at: noon}, false)
		s := n.create(n.workflow(parked), schedules.Schedule{Expression: "* * * * *", Overlap: schedules.OverlapQueue})
		for m := 1; m <= 103; m++ {
			n.tick(minutes(m))
		}
		lines := n.ledger(s.ID)
		if lines[0] != "12:01 fired" || lines[100] != "13:41 waiting overlap" || lines[101] != "13:42 skipped queue_full" {
			t.Errorf("%q", lines)
		}
	})
}

func TestCatchUp(t *testing.T) {
	base := schedules.Schedule{Expression: "*/10 * * * *"}
	for name, test := range map[string]struct {
		catch schedules.CatchUp
		over  schedules.Overlap
		want  []string
		next  []string // after the runs ended
	}{
		"none": {schedules.CatchUp{Policy: schedules.CatchUpNone}, "", []string{"12:10-14:00 skipped x12 catch_up_none"}, nil},
		"latest": {schedules.CatchUp{}, "", []string{
			"12:10-13:00 skipped x6 outside_window", "13:10-13:50 coalesced x5 later_due_time", "14:00 caught_up missed",
		}, nil},
		"all": {
			schedules.CatchUp{Policy: schedules.CatchUpAll, Window: 2 * time.Hour, Max: 3},
			"",
			[]string{
				"12:10-13:30 skipped x9 over_max", "13:40 caught_up missed", "13:50 waiting missed", "14:00 waiting missed",
			},
			[]string{"12:10-13:30 skipped x9 over_max", "13:40 caught_up missed", "13:50 caught_up missed", "14:00 waiting missed"},
		},
		"all at once": {schedules.CatchUp{Policy: schedules.CatchUpAll, Window: 25 * time.Minute}, schedules.OverlapAllow, []string{
			"12:10-13:30 skipped x9 outside_window", "13:40 caught_up missed", "13:50 caught_up missed", "14:00 caught_up missed",
		}, nil},
		"the latest replaces all": {schedules.CatchUp{Policy: schedules.CatchUpAll, Window: 25 * time.Minute}, schedules.OverlapCancelRunning, []string{
			"12:10-13:30 skipped x9 outside_window", "13:40-13:50 coalesced x2 later_due_time", "14:00 caught_up missed",
		}, nil},
	} {
		eachStore(t, name, func(t *testing.T, db *store.DB) {
			n := newNode(t, db, &clock{at: noon}, true)
			w := n.workflow(parked)
			s := base
			s.CatchUp, s.Overlap = test.catch, test.over
			s = n.create(w, s)
			n.tick(minutes(124))
			wantLedger(t, n, s.ID, test.want...)
			if test.next != nil {
				n.finish(w)
				n.tick(minutes(125))
				wantLedger(t, n, s.ID, test.next...)
			}
			got, err := n.svc.Get(t.Context(), tenant, s.ID)
			if err != nil || !got.NextDue.Equal(minutes(130)) {
				t.Errorf("next due at %s, %v", got.NextDue, err)
			}
		})
	}
}

// A due time within the last minute is on its own account.
func TestCatchUpBesideADueTimeOfNow(t *testing.T) {
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		n := newNode(t, db, &clock{at: noon}, false)
		w := n.workflow(quick)
		none := n.create(w, schedules.Schedule{Expression: "*/10 * * * *", CatchUp: schedules.CatchUp{Policy: schedules.CatchUpNone}})
		latest := n.create(w, schedules.Schedule{Expression: "*/10 * * * *"})
		n.tick(minutes(30).Add(20 * time.Second))
		wantLedger(t, n, none.ID, "12:10-12:20 skipped x2 catch_up_none", "12:30 late")
		wantLedger(t, n, latest.ID, "12:10-12:20 coalesced x2 later_due_time", "12:30 late")
	})
}

// Ten days without a process: 14,400 due times, the first run at once, and as
// many as the schedule allows after it.
func TestLongOutageOfAMinutelySchedule(t *testing.T) {
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		before := newNode(t, db, &clock{at: noon}, false)
		w := before.workflow(quick)
		var list []schedules.Schedule
		for _, policy := range []schedules.CatchUpPolicy{schedules.CatchUpLatest, schedules.CatchUpAll} {
			list = append(list, before.create(w, schedules.Schedule{Expression: "* * * * *", CatchUp: schedules.CatchUp{Policy: policy, Window: 31 * 24 * time.Hour, Max: 150}}))
		}
		n := newNode(t, db, &clock{at: noon.AddDate(0, 0, 10)}, true)
		began := time.Now()
		n.svc.Tick(t.Context())
		took := time.Since(began)
		if runs := n.runs(w); len(runs) != 2 || runs[0].State != machine.Completed || runs[1].State != machine.Completed {
			t.Errorf("after %s: %+v", took, runs)
		}
		t.Logf("14,400 due times each: two runs completed after %s", took.Round(time.Millisecond))
		for i, s := range list {
			total, waiting := 0, 0
			for _, slot := range n.slots(s.ID) {
				total += slot.Count
				if slot.Outcome == schedules.Waiting {
					waiting++
				}
			}
			if total != 14400 || waiting != []int{0, 149}[i] {
				t.Errorf("%s: %d due times in the ledger, %d waiting", s.CatchUp.Policy, total, waiting)
			}
		}
		for range 150 {
			n.svc.Tick(t.Context())
		}
		if got := len(n.runs(w)); got != 151 {
			t.Errorf("%d runs in the end, want 1 and 150", got)
		}
	})
}

func TestStatusOfTheWorkflow(t *testing.T) {
	for _, status := range []workflows.Status{workflows.Draft, workflows.Paused, workflows.Archived} {
		eachStore(t, string(status), func(t *testing.T, db *store.DB) {
			n := newNode(t, db, &clock{at: noon}, false)
			w := n.workflow(quick)
			s := n.create(w, schedules.Schedule{Expression: "* * * * *"})
			n.status(w, status)
			n.tick(minutes(3))
			n.status(w, workflows.Active)
			n.tick(minutes(4))
			wantLedger(t, n, s.ID, fmt.Sprintf("12:01-12:03 skipped x3 workflow_%s", status), "12:04 fired")
		})
	}
}

func TestDatesPauseAndJitter(t *testing.T) {
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		n := newNode(t, db, &clock{at: noon}, false)
		w := n.workflow(quick)
		dated := n.create(w, schedules.Schedule{Expression: "* * * * *", Overlap: schedules.OverlapAllow, StartsAt: minutes(2), EndsAt: minutes(3)})
		shaken := n.create(w, schedules.Schedule{Expression: "*/30 * * * *", Jitter: 10 * time.Minute})
		pausing := n.create(w, schedules.Schedule{Expression: "* * * * *", Overlap: schedules.OverlapAllow})
		n.tick(minutes(1))
		paused, reason := schedules.Paused, "moving house"
		if _, err := n.svc.Update(t.Context(), tenant, pausing.ID, schedules.Patch{Status: &paused, PauseReason: &reason}, nil); err != nil {
			t.Fatal(err)
		}
		for m := 2; m <= 5; m++ {
			n.tick(minutes(m))
		}
		active := schedules.Active
		resumed, err := n.svc.Update(t.Context(), tenant, pausing.ID, schedules.Patch{Status: &active}, nil)
		if err != nil || resumed.PauseReason != "" || !resumed.NextDue.Equal(minutes(6)) {
			t.Fatalf("%+v, %v", resumed, err)
		}
		n.tick(minutes(6))
		wantLedger(t, n, pausing.ID, "12:01 fired", "12:06 fired")
		wantLedger(t, n, dated.ID, "12:02 fired", "12:03 fired")
		if got, _ := n.svc.Get(t.Context(), tenant, dated.ID); got.Status != schedules.Ended {
			t.Errorf("status %s after the last date", got.Status)
		}
		delay := shaken.Delay()
		if delay <= 0 || delay > 10*time.Minute || delay != shaken.Delay() {
			t.Fatalf("delay %s", delay)
		}
		n.tick(minutes(30).Add(delay - 1e6))
		wantLedger(t, n, shaken.ID)
		n.tick(minutes(30).Add(delay))
		wantLedger(t, n, shaken.ID, "12:30 fired")
	})
}

func TestClockSteps(t *testing.T) {
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		n := newNode(t, db, &clock{at: noon}, false)
		s := n.create(n.workflow(quick), schedules.Schedule{Expression: "*/20 * * * *", CatchUp: schedules.CatchUp{Policy: schedules.CatchUpAll}, Overlap: schedules.OverlapAllow})
		for _, m := range []int{20, 40, 100, 41, 60, 80, 100, 119, 120} { // an hour forward, back again
			n.tick(minutes(m))
		}
		wantLedger(t, n, s.ID, "12:20 fired", "12:40 fired", "13:00 caught_up missed", "13:20 caught_up missed", "13:40 fired", "14:00 fired")
	})
}

func TestTriggerAndBackfill(t *testing.T) {
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		n := newNode(t, db, &clock{at: noon}, true)
		w := n.workflow(parked)
		s := n.create(w, schedules.Schedule{Expression: "*/30 * * * *"})
		n.tick(minutes(30))
		if _, err := n.svc.Trigger(t.Context(), tenant, s.ID, noTrace, nil); err != nil {
			t.Fatal(err)
		}
		if got := len(n.runs(w)); got != 2 {
			t.Fatalf("%d runs; a trigger ignores overlap", got)
		}
		_, slots, err := n.svc.Backfill(t.Context(), schedules.BackfillRequest{TenantID: tenant, ScheduleID: s.ID, From: minutes(-90), To: minutes(0)})
		if err != nil || slots != 3 {
			t.Fatalf("%d slots, %v", slots, err)
		}
		for want := 3; want <= 5; want++ {
			if got := len(n.runs(w)); got != want {
				t.Fatalf("%d runs, want %d", got, want)
			}
			n.finish(w)
			n.tick(minutes(31))
		}
		_, _, err = n.svc.Backfill(t.Context(), schedules.BackfillRequest{TenantID: tenant, ScheduleID: s.ID, From: minutes(-9000), To: minutes(0)})
		wantCode(t, err, "backfill_too_large")
		_, slots, err = n.svc.Backfill(t.Context(), schedules.BackfillRequest{TenantID: tenant, ScheduleID: s.ID, From: minutes(-90), To: minutes(0), Overlap: schedules.OverlapAllow})
		if err != nil || slots != 3 || len(n.runs(w)) != 8 {
			t.Fatalf("%d slots, %d runs, %v", slots, len(n.runs(w)), err)
		}
	})
}

func TestRefusedSchedules(t *testing.T) {
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		n := newNode(t, db, &clock{at: noon}, false)
		w := n.workflow(strict)
		for name, test := range map[string]struct {
			s    schedules.Schedule
			code string
		}{
			"input":    {schedules.Schedule{Expression: "0 2 * * *"}, "invalid_input"},
			"version":  {schedules.Schedule{Expression: "0 2 * * *", Version: "9", Input: []byte(`{"n":1}`)}, "invalid_version"},
			"cron":     {schedules.Schedule{Expression: "0 2 * *", Input: []byte(`{"n":1}`)}, "invalid_cron"},
			"zone":     {schedules.Schedule{Expression: "0 2 * * *", Timezone: "Mars", Input: []byte(`{"n":1}`)}, "invalid_timezone"},
			"overlap":  {schedules.Schedule{Expression: "0 2 * * *", Overlap: "x", Input: []byte(`{"n":1}`)}, "invalid_schedule"},
			"catch-up": {schedules.Schedule{Expression: "0 2 * * *", CatchUp: schedules.CatchUp{Max: 1001}, Input: []byte(`{"n":1}`)}, "invalid_schedule"},
			"dates":    {schedules.Schedule{Expression: "0 2 * * *", StartsAt: minutes(2), EndsAt: minutes(1), Input: []byte(`{"n":1}`)}, "invalid_schedule"},
			"over":     {schedules.Schedule{Expression: "0 2 * * *", EndsAt: minutes(-1), Input: []byte(`{"n":1}`)}, "invalid_schedule"},
			"no slot":  {schedules.Schedule{Expression: "0 2 * * *", EndsAt: minutes(5), Input: []byte(`{"n":1}`)}, "invalid_schedule"},
			"dst":      {schedules.Schedule{Expression: "0 2 * * *", Gap: "x", Input: []byte(`{"n":1}`)}, "invalid_schedule"},
			"jitter":   {schedules.Schedule{Expression: "0 2 * * *", Jitter: -1, Input: []byte(`{"n":1}`)}, "invalid_schedule"},
			"status":   {schedules.Schedule{Expression: "0 2 * * *", Status: "ended", Input: []byte(`{"n":1}`)}, "invalid_schedule"},
		} {
			test.s.TenantID = tenant
			_, err := n.svc.Create(t.Context(), schedules.CreateRequest{Schedule: test.s, Workflow: w})
			t.Run(name, func(t *testing.T) { wantCode(t, err, test.code) })
		}
	})
}

// What the workflow refuses when it is due is recorded, and not tried again.
func TestRefusedRunIsSkipped(t *testing.T) {
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		n := newNode(t, db, &clock{at: noon}, false)
		w := n.workflow(quick)
		s := n.create(w, schedules.Schedule{Expression: "* * * * *"})
		n.publish(w, 2, strict)
		n.tick(minutes(1))
		wantLedger(t, n, s.ID, "12:01 skipped invalid_input")
	})
}

func TestDeletedWorkflowEndsItsSchedules(t *testing.T) {
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		n := newNode(t, db, &clock{at: noon}, false)
		w := n.workflow(quick)
		s := n.create(w, schedules.Schedule{Expression: "* * * * *"})
		if err := n.db.DeleteWorkflow(t.Context(), tenant, w, func(workflows.Workflow, bool) error { return nil }); err != nil {
			t.Fatal(err)
		}
		n.tick(minutes(3))
		if _, err := n.svc.Get(t.Context(), tenant, s.ID); err == nil || len(n.runs(w)) != 0 {
			t.Errorf("%v, %d runs", err, len(n.runs(w)))
		}
	})
}
