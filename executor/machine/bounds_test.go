package machine_test

import (
	"fmt"
	"heddle/events"
	"heddle/executor/machine"
	"strings"
	"testing"
)

// wide is a list of n steps that all start at once.
func wide(n int, step string) string {
	var s strings.Builder
	s.WriteString("name: wide\nsteps:\n")
	for i := range n {
		fmt.Fprintf(&s, "  - {id: s%d, %s}\n", i, step)
	}
	return s.String()
}

// drain goes on while there is More, and checks that no change is too big.
func drain(t *testing.T, c machine.Change) (run *machine.Run, changes int) {
	t.Helper()
	for changes = 1; ; changes++ {
		if len(c.Events) > 600 {
			t.Fatalf("one change has %d events", len(c.Events))
		}
		if !c.More {
			return c.Run, changes
		}
		c = mustApply(t, c.Run, machine.Continue{})
	}
}

func TestWorkIsBounded(t *testing.T) {
	plan := compilePlan(t, wide(3000, "type: wait, config: {seconds: 60}"))
	run, changes := drain(t, mustApply(t, machine.New(plan, header(), epoch).Run, machine.Begin{}))
	if run.State != machine.WaitingTimer || changes < 10 {
		t.Fatalf("%s after %d changes", run.State, changes)
	}
	run, changes = drain(t, mustApply(t, run, machine.Cancel{}))
	if run.State != machine.Cancelled || changes < 6 {
		t.Fatalf("%s after %d changes", run.State, changes)
	}
}

// TestRestoreWithMoreToDo: whatever a crash cut off between two changes goes
// on from the journal.
func TestRestoreWithMoreToDo(t *testing.T) {
	plan, h := compilePlan(t, wide(1200, "type: http_request, config: {url: u}")), header()
	c := machine.New(plan, h, epoch)
	journal := c.Events
	c = mustApply(t, c.Run, machine.Begin{})
	journal = append(journal, c.Events...)
	if !c.More || c.Run.State != machine.Running {
		t.Fatalf("more %v, %s", c.More, c.Run.State)
	}
	restored, err := machine.Restore(plan, h, nil, journal)
	if err != nil {
		t.Fatal(err)
	}
	run, _ := drain(t, mustApply(t, restored, machine.Continue{}))
	if run.InFlight() != 1200 {
		t.Errorf("%d in flight after Continue", run.InFlight())
	}
	run, _ = drain(t, mustApply(t, restored, machine.Recover{}))
	if run.InFlight() != 1200 {
		t.Errorf("%d in flight after Recover", run.InFlight())
	}
}

// TestCorruptJournals: a journal that does not fit is an error, never a panic
// and never a run.
func TestCorruptJournals(t *testing.T) {
	plan, h := compilePlan(t, `
name: w
steps:
  - {id: a, type: http_request, config: {url: u}}
  - {id: each, type: loop, depends_on: [a], config: {items: "2", steps: [{id: one, type: wait, config: {signal: {name: go}}}]}}
`), header()
	c := machine.New(plan, h, epoch)
	journal := c.Events
	for _, in := range []machine.Input{machine.Begin{}, ended2("a"), machine.Signal{Name: "go", RequestID: "k"}} {
		c = mustApply(t, c.Run, in)
		journal = append(journal, c.Events...)
	}
	snap := snapshot(t, c.Run)
	changed := func(i int, change func(*events.Event)) []events.Event {
		evs := append([]events.Event(nil), journal...)
		change(&evs[i])
		return evs
	}
	other := compilePlan(t, "name: o\nsteps: [{id: x, type: http_request, config: {url: u}}]")
	for name, try := range map[string]struct {
		plan *machine.Plan
		snap []byte
		evs  []events.Event
	}{
		"nothing":              {plan, nil, nil},
		"a gap":                {plan, nil, append(append([]events.Event(nil), journal[:3]...), journal[4:]...)},
		"no beginning":         {plan, nil, journal[1:]},
		"another plan":         {other, nil, journal},
		"snapshot, other":      {other, snap, nil},
		"snapshot, broken":     {plan, snap[:len(snap)/2], nil},
		"snapshot, format":     {plan, []byte(`{"format":99}`), nil},
		"an unknown step":      {plan, nil, changed(3, func(ev *events.Event) { ev.StepID = "nobody" })},
		"an unknown iteration": {plan, nil, changed(7, func(ev *events.Event) { ev.Iteration = "each[7].x[" })},
		"a first other event":  {plan, nil, changed(0, func(ev *events.Event) { ev.Kind = events.StepStarted; ev.StepID = "a" })},
		"data that is no JSON": {plan, nil, changed(4, func(ev *events.Event) { ev.Data = []byte("{") })},
		"an undo of nothing":   {plan, nil, changed(3, func(ev *events.Event) { ev.Kind = events.CompensationStarted })},
	} {
		if r, err := machine.Restore(try.plan, h, try.snap, try.evs); err == nil {
			t.Errorf("%s: restored to %s at %d", name, r.State, r.Seq)
		}
	}
}

// TestBrokenDefinitions: what validation would refuse is an error here too.
func TestBrokenDefinitions(t *testing.T) {
	for name, source := range map[string]string{
		"cycle":            "steps: [{id: a, type: http_request, depends_on: [b], config: {}}, {id: b, type: http_request, depends_on: [a], config: {}}]",
		"unknown":          "steps: [{id: a, type: http_request, depends_on: [b], config: {}}]",
		"twice":            "steps: [{id: a, type: http_request, config: {}}, {id: a, type: http_request, config: {}}]",
		"expression":       "steps: [{id: a, type: http_request, if: \"1 +\", config: {}}]",
		"fallback cycle":   "steps: [{id: a, type: http_request, on_error: fallback, fallback_step: b, config: {}}, {id: b, type: http_request, on_error: fallback, fallback_step: a, config: {}}]",
		"two owners":       "steps: [{id: a, type: http_request, on_error: fallback, fallback_step: c, config: {}}, {id: b, type: http_request, on_error: fallback, fallback_step: c, config: {}}, {id: c, type: http_request, config: {}}]",
		"no items":         "steps: [{id: a, type: loop, config: {steps: [{id: b, type: http_request, config: {}}]}}]",
		"waits for none":   "steps: [{id: a, type: wait, config: {}}]",
		"other list":       "steps: [{id: a, type: http_request, config: {}}, {id: l, type: loop, config: {items: \"1\", steps: [{id: b, type: http_request, depends_on: [a], config: {}}]}}]",
		"bad tolerance":    "steps: [{id: l, type: loop, config: {items: \"1\", tolerate_failures: many, steps: [{id: b, type: http_request, config: {}}]}}]",
		"bad branch":       "steps: [{id: a, type: condition, config: {expression: \"true\", then: [nobody]}}]",
		"bad wait schema":  "steps: [{id: a, type: wait, config: {signal: {name: x, schema: {type: 7}}}}]",
		"bad config":       "steps: [{id: a, type: http_request, config: {url: \"{{ 1 + }}\"}}]",
		"bad output":       "output: \"{{ ( }}\"\nsteps: [{id: a, type: http_request, config: {}}]",
		"bad loop program": "steps: [{id: l, type: loop, config: {while: \"(\", steps: [{id: b, type: http_request, config: {}}]}}]",
	} {
		if _, err := compileSource("name: w\n" + source); err == nil {
			t.Errorf("%s: compiled", name)
		}
	}
}
