package executor_test

import (
	"context"
	"fmt"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/internal/await"
	"testing"
)

// TestTimersFireWhileManyRunsWait: more runs are due than may wait for a slot, and
// none becomes free. Those that need no slot go on all the same, and when
// there are slots again all others do.
func TestTimersFireWhileManyRunsWait(t *testing.T) {
	r := newStuck()
	s := newStack(t, r.run, func(c *executor.Config) { c.MaxRuns = 1 })
	executor.SetMaxActive(s.svc, 20)
	holder := s.start(s.workflow(oneRequest), `{"n":1}`).RunID
	<-r.begun
	needy := s.workflow(`
name: needs a slot
steps:
  - {id: rest, type: wait, config: {seconds: 0.05}}
  - {id: call, type: http_request, depends_on: [rest], config: {url: u}}
`)
	var crowd []string
	for range 60 {
		crowd = append(crowd, s.start(needy, `{}`).RunID)
	}
	modest := s.start(s.workflow(`
name: needs none
steps:
  - {id: rest, type: wait, config: {seconds: 0.3}}
  - {id: done, type: condition, depends_on: [rest], config: {expression: "true"}}
`), `{}`).RunID
	s.waitState(modest, machine.Completed)
	if got := s.run(holder).State; got != machine.Running {
		t.Fatalf("the slot's holder is %s", got)
	}
	r.letGo(holder)
	for range crowd {
		r.letGo(<-r.begun)
	}
	for _, id := range crowd {
		s.waitState(id, machine.Completed)
	}
}

// TestTimersGoOffWhileVeryManyRunsAreInAction: the same, with a slot for each run.
func TestTimersGoOffWhileVeryManyRunsAreInAction(t *testing.T) {
	r := newStuck()
	s := newStack(t, r.run, func(c *executor.Config) { c.MaxRuns = 100 })
	executor.SetMaxActive(s.svc, 5)
	wf := s.workflow(oneRequest)
	for i := range 10 {
		s.start(wf, fmt.Sprintf(`{"n":%d}`, i))
		<-r.begun
	}
	late := s.start(s.workflow(`
name: late
timeout_seconds: 1
steps:
  - {id: rest, type: wait, config: {seconds: 0.05}}
`), `{}`).RunID
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience)
	defer cancel()
	if err := s.svc.Follow(ctx, tenant, late, 0, &collect{}); err != nil {
		t.Fatal(err)
	}
	s.waitState(late, machine.Completed)
}
