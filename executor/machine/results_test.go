package machine_test

import (
	"encoding/json"
	"fmt"
	"heddle/executor/machine"
	"testing"
)

// TestResultsOfManyIterations: results come out of order, some are missing and
// the run is taken from a snapshot again and again; they stand in order in the
// end, and again after the failed ones were redriven.
func TestResultsOfManyIterations(t *testing.T) {
	c := newCrowd(t, `
name: w
steps:
  - {id: each, type: loop, config: {items: "1500", concurrency: 9, collect: steps.call.output, tolerate_failures: 2,
     steps: [{id: call, type: http_request, config: {url: u}}]}}
`)
	open := make([]int, 9)
	for i := range open {
		open[i] = i
	}
	for n, next := 0, 9; len(open) > 0; n++ {
		at := (n * 5) % len(open)
		i := open[at]
		in := machine.StepEnded{Ref: machine.Ref{StepID: "call", Iteration: fmt.Sprintf("each[%d]", i)}, Attempt: 1, Output: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i))}
		if i == 3 || i == 700 || i == 1400 {
			in.Failure = &machine.Failure{Error: machine.Error{Code: "no", Message: "No."}}
		}
		c.finish(in)
		if open[at] = next; next >= 1500 || c.run.State.Terminal() {
			open = append(open[:at], open[at+1:]...)
		}
		next++
		if n%100 == 0 {
			c.reload()
		}
	}
	if c.run.State != machine.Failed {
		t.Fatalf("%s after three failures of which two are tolerated", c.run.State)
	}
	c.reload()
	c.finish(machine.Resume{Redrive: "each"})
	c.finish(machine.Begin{})
	for i := range 1500 {
		for attempt := 1; attempt <= 2; attempt++ {
			c.finish(machine.StepEnded{Ref: machine.Ref{StepID: "call", Iteration: fmt.Sprintf("each[%d]", i)}, Attempt: attempt, Output: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i))})
		}
	}
	var out struct {
		Each struct{ Results []struct{ N *int } }
	}
	if err := json.Unmarshal(c.run.Output, &out); err != nil || len(out.Each.Results) != 1500 {
		t.Fatalf("%s, %d results, %v", c.run.State, len(out.Each.Results), err)
	}
	for i, r := range out.Each.Results {
		if r.N == nil || *r.N != i {
			t.Fatalf("result %d is %v", i, r.N)
		}
	}
}

// reload takes the run from its snapshot, and fails the test unless the journal restores
// the same.
func (c *crowd) reload() {
	c.t.Helper()
	want := snapshot(c.t, c.run)
	plans := func(machine.VersionSpan) (*machine.Plan, error) { return c.plan, nil }
	same(c.t, "its journal", c.run, want, plans, c.header, nil, c.journal)
	run, err := machine.Restore(c.plan, c.header, want, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	c.run = run
}
