package schedules_test

import (
	"heddle/executor/machine"
	"heddle/schedules"
	"heddle/store"
	"testing"
	"testing/synctest"
	"time"
)

// A run that needs no slot begins in its firing's transaction; its timers are
// set. One whose step acts is queued.
func TestRunsBeginWithTheirFiring(t *testing.T) {
	for name, test := range map[string]struct {
		definition string
		state      machine.State // once the firing is stored
		ends       bool
	}{
		"condition": {quick, machine.Completed, true},
		"signal":    {parked, machine.WaitingSignal, false},
		"timer":     {`{"name":"T","steps":[{"id":"a","type":"wait","config":{"seconds":5}}]}`, machine.WaitingTimer, true},
	} {
		eachStore(t, name, func(t *testing.T, db *store.DB) {
			n := newNode(t, db, &clock{at: noon}, true)
			w := n.workflow(test.definition)
			n.create(w, schedules.Schedule{Expression: "* * * * *"})
			n.tick(minutes(1))
			if r := n.runs(w)[0]; r.State != test.state || r.StartedAt.IsZero() {
				t.Errorf("the run is %s, begun at %s", r.State, r.StartedAt)
			}
			if test.ends {
				n.clock.set(minutes(2))
				eventually(t, "it ends", func() bool { return n.runs(w)[0].State.Terminal() })
			}
		})
	}
}

// A node that has lost its lease without knowing still fires, once, and leaves
// the beginning to the one that drives runs.
func TestAFencedNodeQueuesItsRuns(t *testing.T) {
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		c := &clock{at: noon}
		n := newNode(t, db, c, true)
		w := n.workflow(quick)
		s := n.create(w, schedules.Schedule{Expression: "* * * * *"})
		if _, err := db.AcquireLease(t.Context(), "another", time.Now().Add(time.Hour), time.Hour); err != nil {
			t.Fatal(err)
		}
		n.tick(minutes(1))
		wantLedger(t, n, s.ID, "12:01 fired")
		if runs := n.runs(w); len(runs) != 1 || runs[0].State != machine.Queued {
			t.Errorf("%+v", runs)
		}
	})
}

// A queue of short runs does not wait for the next poll: in a bubble, whose clock
// runs only while every goroutine waits, 30 runs take less than a poll each.
func TestAQueueOfShortRunsMovesOn(t *testing.T) { synctest.Test(t, queueOfShortRuns) }

func queueOfShortRuns(t *testing.T) {
	db := openSQLite(t)
	n := newNode(t, db, &clock{}, true)
	w := n.workflow(quick)
	n.serve()
	s := n.create(w, schedules.Schedule{Expression: "* * * * *"})
	now := time.Now().Truncate(time.Minute)
	began := time.Now()
	if _, _, err := n.svc.Backfill(t.Context(), schedules.BackfillRequest{TenantID: tenant, ScheduleID: s.ID, From: now.Add(-30 * time.Minute), To: now}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all 30 are done", func() bool { return len(n.runs(w)) >= 30 })
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("30 runs took %s", d)
	}
}
