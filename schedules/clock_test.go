package schedules_test

import (
	"heddle/ids"
	"heddle/schedules"
	"heddle/store"
	"testing"
	"time"

	clocks "heddle/clock"
)

// Schedules of a node whose clock is far from the database's wait until it is
// right: one that is ahead does not fire what is not due yet.
func TestSchedulesWaitWhileTheClockIsWrong(t *testing.T) {
	t.Parallel()
	eachStore(t, "", func(t *testing.T, db *store.DB) {
		c := &clock{}
		n := newNode(t, db, c, false)
		n.svc = schedules.New(schedules.Config{Store: db, Runs: n.exec, Now: c.now, NewID: ids.New(time.Now).New, Clock: clocks.New(c.now, db.Clock, nil)})
		w := n.workflow(quick)
		s := n.create(w, schedules.Schedule{Expression: "* * * * *"})
		for _, off := range []time.Duration{time.Hour, 10 * time.Second, -time.Hour} {
			n.tick(time.Now().Add(off))
			if got := n.ledger(s.ID); len(got) > 0 {
				t.Errorf("with a clock that is off by %v: %v", off, got)
			}
		}
		c.set(time.Time{}) // the real one
		stored, err := db.Schedule(t.Context(), tenant, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		if wait := time.Until(stored.NextDue); wait > time.Minute {
			t.Errorf("the next due time is %v away", wait)
		}
		ahead, err := db.Clock(t.Context())
		if d := time.Until(ahead).Abs(); err != nil || d > time.Minute {
			t.Errorf("the database's clock is off by %v, %v", d, err)
		}
	})
}
