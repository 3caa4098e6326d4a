package machine_test

import (
	"heddle/executor/machine"
	"heddle/fault"
	"testing"
)

// Of two equal resumes that name the run's last event one is taken, also where the run failed
// again meanwhile; its event holds the key.
func TestAResumeAtAnEventIsTakenOnce(t *testing.T) {
	plan := compilePlan(t, "name: Fails\nsteps:\n  - {id: a, type: condition, config: {expression: '1 % 0 == 0'}}\n")
	c := mustApply(t, machine.New(plan, header(), epoch).Run, machine.Begin{})
	if c.Run.State != machine.Failed {
		t.Fatalf("the run is %s", c.Run.State)
	}
	in := machine.Resume{After: c.Run.Seq, Key: "job_1/7"}
	c = mustApply(t, c.Run, in)
	d, err := machine.ReadDetail(c.Events[0])
	if err != nil || d.AnswerKey != "job_1/7" || d.State != machine.Queued {
		t.Errorf("the event is %s (%v)", c.Events[0].Data, err)
	}
	if c = mustApply(t, c.Run, machine.Begin{}); c.Run.State != machine.Failed {
		t.Fatalf("the run is %s", c.Run.State)
	}
	if _, err := machine.Apply(c.Run, in, epoch); fault.CodeOf(err) != "run_moved" {
		t.Errorf("the second one: %v", err)
	}
}
