package machine_test

import (
	"heddle/executor/machine"
	"testing"
	"time"
)

func TestFailUnseenFitsTheJournal(t *testing.T) {
	c := newCrowd(t, wide(3, "type: http_request, config: {url: u}"))
	evs := machine.FailUnloaded(c.run.RunID, c.run.State, c.run.Seq, c.run.StartedAt, epoch.Add(time.Second), &machine.Error{Code: "run_quarantined", Message: "m"})
	run, err := machine.Restore(c.plan, c.header, nil, append(c.journal, evs...))
	if err != nil || run.State != machine.Failed || run.Err.Code != "run_quarantined" || !run.CompletedAt.Equal(epoch.Add(time.Second)) {
		t.Fatalf("%v %+v", err, run)
	}
	again := mustApply(t, run, machine.Resume{})
	if again = mustApply(t, again.Run, machine.Begin{}); again.Run.InFlight() != 3 {
		t.Errorf("%d of 3 steps in flight after a resume", again.Run.InFlight())
	}
}
