package executor_test

import (
	"heddle/clock"
	"heddle/executor"
	"heddle/executor/machine"
	"sync/atomic"
	"testing"
	"time"
)

// A node whose clock is hours ahead ends no wait early, and what it stores has
// the database's time.
func TestTimersGoByTheDatabasesClockWhereTheNodesIsWrong(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, url string) {
		first := stackOn(t, openDB(t, url), new(atomic.Int64), neverRun)
		long := first.start(first.workflow(`
name: long
steps:
  - {id: rest, type: wait, config: {seconds: 3600}}
`), `{}`).RunID
		first.waitState(long, machine.WaitingTimer)
		first.stop()

		db := openDB(t, url)
		ahead := func() time.Time { return time.Now().Add(3 * time.Hour) }
		watch := clock.New(ahead, db.Clock, nil)
		if watch.Accurate(t.Context()) {
			t.Fatal("three hours ahead is right")
		}
		s := stackOn(t, db, first.ids, neverRun, func(c *executor.Config) { c.Now, c.Clock = ahead, watch })
		short := s.start(s.workflow(`
name: short
steps:
  - {id: rest, type: wait, config: {seconds: 0.05}}
`), `{}`).RunID
		s.waitState(short, machine.Completed) // so timers go off here
		if got := s.run(long).State; got != machine.WaitingTimer {
			t.Errorf("the wait of an hour is over: %s", got)
		}
		for what, at := range map[string]time.Time{"started": s.run(short).StartedAt, "ended": s.run(short).CompletedAt} {
			if off := time.Until(at); off > time.Hour {
				t.Errorf("%s in %v", what, off)
			}
		}
	})
}
