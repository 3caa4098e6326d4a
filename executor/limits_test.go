package executor_test

import (
	"context"
	"fmt"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// limited is a definition of one request whose runs are limited by input.k.
func limited(limit int, onLimit string) string {
	return fmt.Sprintf(`
name: limited
concurrency: {limit: %d, key: "{{ input.k }}", on_limit: %s}
steps:
  - {id: fetch, type: http_request, config: {url: "http://x.test/{{ input.k }}"}}
`, limit, onLimit)
}

// holder lets steps end when told, and counts those in flight by key.
type holder struct {
	mu      sync.Mutex
	now     map[string]int
	most    map[string]int
	release chan struct{}
	began   chan string
}

func newHolder() *holder {
	return &holder{now: map[string]int{}, most: map[string]int{}, release: make(chan struct{}), began: make(chan string, 1000)}
}

func (h *holder) run(ctx context.Context, call executor.Call) (executor.Result, error) {
	key := string(call.Config)
	h.mu.Lock()
	h.now[key]++
	h.most[key] = max(h.most[key], h.now[key])
	h.mu.Unlock()
	h.began <- call.RunID
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.now[key]--
	}()
	select {
	case <-h.release:
		return ok("")
	case <-ctx.Done():
		return executor.Result{}, ctx.Err()
	}
}

func TestRunsBeyondTheLimitQueueByKeyInOrder(t *testing.T) {
	h := newHolder()
	s := newStack(t, h.run)
	wf := s.workflow(limited(2, "queue"))
	var ids []string
	for range 5 {
		ids = append(ids, s.start(wf, `{"k":"a"}`).RunID)
	}
	other := s.start(wf, `{"k":"b"}`).RunID
	first := map[string]bool{}
	for range 3 {
		first[<-h.began] = true
	}
	if !first[ids[0]] || !first[ids[1]] || !first[other] {
		t.Errorf("began %v", first)
	}
	for _, id := range ids[2:] {
		if got := s.run(id).State; got != machine.Queued {
			t.Errorf("run %s is %s", id, got)
		}
	}
	// A queued one that is cancelled makes no room.
	if _, err := s.svc.Cancel(t.Context(), tenant, ids[2]); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		h.release <- struct{}{}
		if i < 2 {
			if id := <-h.began; id != ids[3+i] && id != ids[4] {
				t.Errorf("then began %s", id)
			}
		}
	}
	close(h.release)
	for _, id := range []string{ids[0], ids[1], ids[3], ids[4], other} {
		s.waitState(id, machine.Completed)
	}
	for key, n := range h.most {
		if n > 2 {
			t.Errorf("%d in flight for %s", n, key)
		}
	}
}

func TestStartsBeyondTheLimitAreRejectedExactlyUnderARace(t *testing.T) {
	h := newHolder()
	s := newStack(t, h.run, func(c *executor.Config) { c.MaxRuns = 2 })
	wf := s.workflow(limited(3, "reject"))
	var accepted, rejected atomic.Int64
	var wg sync.WaitGroup
	for range 24 {
		wg.Go(func() {
			_, err := s.svc.Start(t.Context(), executor.StartRequest{TenantID: tenant, Workflow: wf, Trigger: "api", Input: []byte(`{"k":1}`)})
			switch {
			case err == nil:
				accepted.Add(1)
			case fault.CodeOf(err) == "concurrency_limit":
				rejected.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if accepted.Load() != 3 || rejected.Load() != 21 {
		t.Errorf("%d accepted, %d rejected", accepted.Load(), rejected.Load())
	}
	if _, err := s.svc.Start(t.Context(), executor.StartRequest{TenantID: tenant, Workflow: wf, Trigger: "api", Input: []byte(`{"k":{"a":1}}`)}); err != nil {
		t.Errorf("another key: %v", err)
	}
	close(h.release)
	s.eventually("room again", func() bool {
		_, err := s.svc.Start(t.Context(), executor.StartRequest{TenantID: tenant, Workflow: wf, Trigger: "api", Input: []byte(`{"k":1}`)})
		return err == nil
	})
	if _, err := s.svc.Start(t.Context(), executor.StartRequest{TenantID: tenant, Workflow: wf, Trigger: "api", Input: []byte(`{"k":"` + strings.Repeat("x", 1001) + `"}`)}); fault.CodeOf(err) != "concurrency_key" {
		t.Errorf("with a long key: %v", err)
	}
}

func TestTheOldestRunIsCancelledAtTheLimit(t *testing.T) {
	h := newHolder()
	s := newStack(t, h.run, func(c *executor.Config) { c.MaxRuns = 1 })
	wf := s.workflow(limited(1, "cancel_oldest"))
	var ids []string
	for range 4 {
		ids = append(ids, s.start(wf, `{"k":"a"}`).RunID)
	}
	for _, id := range ids[:3] {
		s.waitState(id, machine.Cancelled)
	}
	close(h.release)
	s.waitState(ids[3], machine.Completed)
	for key, n := range h.most {
		if n > 1 {
			t.Errorf("%d in flight for %s", n, key)
		}
	}
}

func TestTheLimitHoldsAcrossARestart(t *testing.T) {
	h := newHolder()
	s := newStack(t, h.run)
	wf := s.workflow(limited(1, "queue"))
	first, second := s.start(wf, `{"k":"a"}`).RunID, s.start(wf, `{"k":"a"}`).RunID
	<-h.began
	s.stop()
	again := stackOn(t, s.db, s.ids, h.run)
	if id := <-h.began; id != first {
		t.Errorf("%s began, want %s", id, first)
	}
	third := again.start(wf, `{"k":"a"}`).RunID
	if a, b := again.run(second).State, again.run(third).State; a != machine.Queued || b != machine.Queued {
		t.Errorf("second %s, third %s", a, b)
	}
	close(h.release)
	for _, id := range []string{first, second, third} {
		again.waitState(id, machine.Completed)
	}
	if most := h.most[`{"url":"http://x.test/a"}`]; most != 1 {
		t.Errorf("%d at once", most)
	}
	if n := count(again.journal(second), events.StepStarted); n != 1 {
		t.Errorf("the second run started its step %d times", n)
	}
}

func TestAResumedRunCountsAgain(t *testing.T) {
	h := newHolder()
	s := newStack(t, h.run)
	wf := s.workflow(limited(1, "queue"))
	first := s.start(wf, `{"k":"a"}`).RunID
	<-h.began
	if _, err := s.svc.Cancel(t.Context(), tenant, first); err != nil {
		t.Fatal(err)
	}
	s.waitState(first, machine.Cancelled)
	second := s.start(wf, `{"k":"a"}`).RunID
	<-h.began
	if _, err := s.svc.Resume(t.Context(), tenant, first, executor.ResumeRequest{}); err != nil {
		t.Fatal(err)
	}
	third := s.start(wf, `{"k":"a"}`).RunID
	close(h.release)
	for _, id := range []string{first, second, third} {
		s.waitState(id, machine.Completed)
	}
	if most := h.most[`{"url":"http://x.test/a"}`]; most != 1 {
		t.Errorf("%d at once", most)
	}
}
