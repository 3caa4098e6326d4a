package machine_test

import (
	"fmt"
	"heddle/executor/machine"
	"sync"
	"testing"
)

// TestScopesAreReadWhileTheRunGoesOn: performers render configs at any time, while the run
// has long moved on. Run with -race.
func TestScopesAreReadWhileTheRunGoesOn(t *testing.T) {
	plan := compilePlan(t, `
name: w
steps:
  - {id: a, type: http_request, config: {url: u}}
  - id: each
    type: loop
    depends_on: [a]
    config:
      items: "steps.a.output"
      concurrency: 4
      collect: "item"
      steps:
        - {id: one, type: http_request, config: {url: "{{ item }} {{ steps.a.output }}"}}
`)
	c := mustApply(t, machine.New(plan, header(), epoch).Run, machine.Begin{})
	c = mustApply(t, c.Run, machine.StepEnded{Ref: machine.Ref{StepID: "a"}, Attempt: 1, Output: []byte(`[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]`)})
	// As after a restart: the items are not evaluated yet, and whoever needs
	// them first does it.
	c.Run = restored(t, plan, c.Run)
	var readers sync.WaitGroup
	render := func(x machine.Execute, want string) {
		readers.Go(func() {
			got, err := x.Config.Render(x.Scope)
			if err != nil || string(got) != want {
				t.Errorf("%v: %s, %v; want %s", x.Ref, got, err, want)
			}
		})
	}
	done := 0
	for queue := []int{0, 1, 2, 3}; len(queue) > 0; queue = queue[1:] {
		c = mustApply(t, c.Run, machine.StepEnded{Ref: machine.Ref{StepID: "one", Iteration: fmt.Sprintf("each[%d]", queue[0])}, Attempt: 1})
		done++
		for _, e := range c.Effects {
			x, ok := e.(machine.Execute)
			if !ok {
				continue
			}
			next := done + 3
			queue = append(queue, next)
			for range 3 {
				render(x, fmt.Sprintf(`{"url":"%d [0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]"}`, next))
			}
		}
	}
	readers.Wait()
	if c.Run.State != machine.Completed || done != 20 {
		t.Errorf("%s after %d", c.Run.State, done)
	}
}

func restored(t *testing.T, plan *machine.Plan, run *machine.Run) *machine.Run {
	t.Helper()
	r, err := machine.Restore(plan, run.Header, snapshot(t, run), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
