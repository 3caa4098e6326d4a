package executor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/executor"
	"heddle/executor/machine"
	"strings"
	"sync/atomic"
	"testing"
)

// hanging is a runner of webhooks: those to the host "hangs" do not end before
// they are let go, or told to.
type hanging struct {
	letGo chan struct{}
	now   atomic.Int32
	most  atomic.Int32
	asked atomic.Int32 // for a place
}

func (h *hanging) NamesHost(typeName string) bool { return typeName == "webhook" }

func (h *hanging) HostOf(call executor.Call) string {
	var config struct{ URL string }
	_ = json.Unmarshal(call.Config, &config)
	h.asked.Add(1)
	return config.URL
}

func (h *hanging) Run(ctx context.Context, call executor.Call) (executor.Result, error) {
	if strings.Contains(string(call.Config), "http://hangs") {
		for n, most := h.now.Add(1), h.most.Load(); n > most && !h.most.CompareAndSwap(most, n); most = h.most.Load() {
		}
		defer h.now.Add(-1)
		select {
		case <-h.letGo:
		case <-ctx.Done():
			return executor.Result{}, transient("stopped")
		}
	}
	return ok("")
}

const hook = "name: Hook\nsteps:\n  - { id: a, type: webhook, config: { url: \"{{ input.url }}\", event: e } }\n"

// Runs that wait for a host where nothing ends leave the slots to others, keep their place,
// and end when the host answers again or when they are cancelled.
func TestAHostThatHangsHoldsUpNoOtherRun(t *testing.T) {
	h := &hanging{letGo: make(chan struct{})}
	s := newStack(t, nil, func(c *executor.Config) { c.Runner, c.MaxRuns = h, 4 })
	wf := s.workflow(hook)
	var stuck []string
	for range 100 {
		stuck = append(stuck, s.start(wf, `{"url":"http://hangs"}`).RunID)
	}
	s.eventually("the host is full", func() bool { return h.now.Load() == 2 })
	for range 20 {
		s.waitState(s.start(wf, `{"url":"http://answers"}`).RunID, machine.Completed)
	}
	s.eventually("all have begun", func() bool {
		for _, id := range stuck {
			if s.run(id).State != machine.Running {
				return false
			}
		}
		return true
	})
	for _, id := range stuck[10:20] {
		if _, err := s.svc.Cancel(t.Context(), tenant, id); err != nil {
			t.Fatal(err)
		}
		s.waitState(id, machine.Cancelled)
	}
	if n := h.most.Load(); n != 2 {
		t.Errorf("%d were in flight at the host at one time", n)
	}
	close(h.letGo)
	for i, id := range stuck {
		want := machine.Completed
		if i >= 10 && i < 20 {
			want = machine.Cancelled
		}
		s.waitState(id, want)
	}
	// All slots are back, and not one more.
	h.letGo = make(chan struct{})
	for i := range 4 {
		s.waitState(s.start(wf, fmt.Sprintf(`{"url":"http://hangs/%d"}`, i)).RunID, machine.Running)
	}
	if fifth := s.start(wf, `{"url":"http://hangs/5"}`); fifth.State != machine.Queued {
		t.Error("a fifth run has begun beside four slots")
	}
	close(h.letGo)
}

// A run lends its slot only while all its steps in flight wait.
func TestARunWithAStepInActionKeepsItsSlot(t *testing.T) {
	h := &hanging{letGo: make(chan struct{})}
	s := newStack(t, nil, func(c *executor.Config) { c.Runner, c.MaxRuns = h, 2 })
	both := s.workflow("name: Both\nsteps:\n" +
		"  - { id: a, type: webhook, config: { url: \"http://hangs\", event: e } }\n" +
		"  - { id: b, type: webhook, config: { url: \"http://hangs\", event: e } }\n" +
		"  - { id: c, type: webhook, config: { url: \"http://answers\", event: e }, depends_on: [a, b] }\n")
	first := s.start(both, "{}").RunID
	s.eventually("one is in flight, one waits", func() bool { return h.now.Load() == 1 && h.asked.Load() == 2 })
	second := s.start(both, "{}").RunID // both of its steps wait
	s.eventually("the second waits", func() bool { return h.asked.Load() == 4 })
	// First has a slot, second lent its own: one is left.
	elsewhere := s.workflow(hook)
	third := s.start(elsewhere, `{"url":"http://hangs/2"}`).RunID
	s.waitState(third, machine.Running)
	fourth := s.start(elsewhere, `{"url":"http://hangs/3"}`)
	if fourth.State != machine.Queued {
		t.Errorf("a third run with a step in flight has begun beside two slots")
	}
	s.eventually("the third run's step is in flight", func() bool { return h.most.Load() >= 2 })
	if n := h.most.Load(); n != 2 {
		t.Errorf("%d were in flight at one time", n)
	}
	close(h.letGo)
	for _, id := range []string{first, second, third, fourth.RunID} {
		s.waitState(id, machine.Completed)
	}
}
