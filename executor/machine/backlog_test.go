package machine_test

import (
	"fmt"
	"heddle/events"
	"heddle/executor/machine"
	"testing"
)

// crowd is a run of which very many steps have begun, and its journal.
type crowd struct {
	t       *testing.T
	plan    *machine.Plan
	header  machine.Header
	run     *machine.Run
	journal []events.Event
	more    bool
}

func newCrowd(t *testing.T, source string) *crowd {
	t.Helper()
	c := &crowd{t: t, plan: compilePlan(t, source), header: header()}
	c.take(machine.New(c.plan, c.header, epoch))
	c.finish(machine.Begin{})
	return c
}

func (c *crowd) take(change machine.Change) {
	c.t.Helper()
	if len(change.Events) > 510 {
		c.t.Fatalf("one change has %d events", len(change.Events))
	}
	c.journal = append(c.journal, change.Events...)
	c.run, c.more = change.Run, change.More
}

func (c *crowd) apply(in machine.Input) { c.t.Helper(); c.take(mustApply(c.t, c.run, in)) }

// finish applies an input and goes on while there is more; it counts the
// changes.
func (c *crowd) finish(in machine.Input) (changes int) {
	c.t.Helper()
	c.apply(in)
	for changes = 1; c.more; changes++ {
		c.apply(machine.Continue{})
	}
	return changes
}

// crash forgets the run but for its journal.
func (c *crowd) crash() {
	c.t.Helper()
	run, err := machine.Restore(c.plan, c.header, nil, c.journal)
	if err != nil {
		c.t.Fatal(err)
	}
	if !run.State.NeedsRecovery() {
		c.t.Fatalf("a run that is %s would not be recovered", run.State)
	}
	c.run = run
}

func (c *crowd) count(kind events.Kind) (n int) {
	for _, ev := range c.journal {
		if ev.Kind == kind {
			n++
		}
	}
	return n
}

func TestRecoverGoesInPieces(t *testing.T) {
	c := newCrowd(t, wide(10_000, "type: http_request, config: {url: u}"))
	c.crash()
	if changes := c.finish(machine.Recover{}); changes < 40 {
		t.Errorf("%d changes for 10,000 interruptions and as many attempts", changes)
	}
	if n, m := c.count(events.StepInterrupted), c.count(events.StepStarted); n != 10_000 || m != 20_000 || c.run.InFlight() != 10_000 {
		t.Errorf("%d interrupted, %d started, %d in flight", n, m, c.run.InFlight())
	}
}

func TestRecoverThatIsCutOffBeginsAnew(t *testing.T) {
	c := newCrowd(t, wide(1500, "type: http_request, on_interrupt: fail, on_error: continue, config: {url: u}"))
	for range 3 {
		c.crash()
		c.apply(machine.Recover{})
		if !c.more {
			t.Fatal("1,500 interruptions in one change")
		}
	}
	c.crash()
	c.finish(machine.Recover{})
	if n, m := c.count(events.StepInterrupted), c.count(events.StepFailed); n != 1500 || m != 1500 || c.run.State != machine.Completed {
		t.Errorf("%d interrupted, %d failed, %s", n, m, c.run.State)
	}
}

// TestInputsAmidRecovery: what comes while a recovery is half done finds a run
// like any other.
func TestInputsAmidRecovery(t *testing.T) {
	for name, in := range map[string]machine.Input{
		"cancel": machine.Cancel{}, "pause": machine.Pause{}, "terminate": machine.Terminate{}, "tick": machine.Tick{},
		"held": machine.JournalOnly{Input: machine.Signal{Name: "go", RequestID: "k"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCrowd(t, wide(1200, "type: http_request, config: {url: u}"))
			c.crash()
			c.apply(machine.Recover{})
			c.finish(in)
			want := map[string]machine.State{"cancel": machine.Cancelled, "pause": machine.Paused, "terminate": machine.Cancelled}[name]
			if want == "" {
				want = machine.Running
			}
			if n := c.count(events.StepInterrupted); c.run.State != want || want == machine.Running && (n != 1200 || c.run.InFlight() != 1200) {
				t.Errorf("%s with %d interrupted and %d in flight", c.run.State, n, c.run.InFlight())
			}
		})
	}
}

func TestOpenConditionsAreEvaluatedInPieces(t *testing.T) {
	c := newCrowd(t, wide(1200, "type: wait, config: {condition: 'signals.go != nil'}"))
	c.apply(machine.Signal{Name: "go", RequestID: "k", Payload: []byte("true")})
	if !c.more {
		t.Fatalf("%d conditions came true in one change", c.count(events.StepCompleted))
	}
	c.crash()
	c.finish(machine.Recover{})
	if n := c.count(events.StepCompleted); n != 1200 || c.run.State != machine.Completed {
		t.Errorf("%d of 1,200 waits are over, the run is %s", n, c.run.State)
	}
}

func TestKeptSignalsAreTakenInPieces(t *testing.T) {
	c := newCrowd(t, wide(1200, "type: wait, config: {signal: {name: go}}"))
	c.finish(machine.Pause{})
	for i := range 1200 {
		c.finish(machine.Signal{Name: "go", RequestID: fmt.Sprint(i)})
	}
	c.finish(machine.Resume{})
	c.apply(machine.Begin{})
	if !c.more {
		t.Fatalf("%d signals were taken in one change", c.count(events.InputResolved))
	}
	c.crash()
	c.finish(machine.Recover{})
	if n := c.count(events.InputResolved); n != 1200 || c.run.State != machine.Completed {
		t.Errorf("%d of 1,200 signals were taken, the run is %s", n, c.run.State)
	}
}
