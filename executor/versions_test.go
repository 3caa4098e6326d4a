package executor_test

import (
	"context"
	"errors"
	"fmt"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/internal/await"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// save stores a definition as the workflow's next version and makes it active.
func (s *stack) save(id, text string) {
	s.t.Helper()
	doc, problems := parser.Parse([]byte(text), source.YAML)
	if doc == nil || !validation.Valid(problems) {
		s.t.Fatalf("definition: %v", problems)
	}
	s.alter(id, func(w *workflows.Workflow) *workflows.NewVersion {
		w.LatestVersion++
		w.ActiveVersion = w.LatestVersion
		return &workflows.NewVersion{Number: w.LatestVersion, Definition: doc.Canonical, Hash: doc.Hash, CreatedAt: time.Now()}
	})
}

func (s *stack) alter(id string, by func(w *workflows.Workflow) *workflows.NewVersion) {
	s.t.Helper()
	_, err := s.db.Change(context.WithoutCancel(s.t.Context()), tenant, id, func(c workflows.Current) (workflows.Revision, error) {
		w := c.Workflow
		v := by(&w)
		return workflows.Revision{Workflow: w, Version: v}, nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stack) tryStart(workflow, input string) (executor.Record, error) {
	return s.svc.Start(s.t.Context(), executor.StartRequest{TenantID: tenant, Workflow: workflow, Trigger: "api", Input: []byte(input)})
}

// states are those of the runs, without what they are doing.
func (s *stack) queuedOf(ids []string) (n int) {
	for _, id := range ids {
		if s.run(id).State == machine.Queued {
			n++
		}
	}
	return n
}

// A queued run is admitted by the limit of the version that it is on, whatever
// version the run was on that made room.
func TestTheLimitIsThatOfARunsVersion(t *testing.T) {
	t.Parallel()
	t.Run("a lower limit", func(t *testing.T) { onBothStores(t, lowerLimit) })
	t.Run("a higher limit", func(t *testing.T) { onBothStores(t, higherLimit) })
}

func lowerLimit(t *testing.T, url string) {
	h := newHolder()
	s := stackOn(t, openDB(t, url), new(atomic.Int64), h.run)
	wf := s.workflow(limited(3, "queue"))
	var old, queued []string
	for range 3 {
		old = append(old, s.start(wf, `{"k":"a"}`).RunID)
		<-h.began
	}
	s.save(wf, limited(1, "queue"))
	for range 3 {
		queued = append(queued, s.start(wf, `{"k":"a"}`).RunID)
	}
	for _, id := range old {
		if n := s.queuedOf(queued); n != 3 {
			t.Fatalf("%d of the later version wait beside runs of the earlier one, want 3", n)
		}
		if _, err := s.svc.Terminate(t.Context(), tenant, id); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range queued {
		if got := <-h.began; got != id {
			t.Errorf("%s began, want %s", got, id)
		}
		if n := s.queuedOf(queued); n != len(queued)-1 {
			t.Errorf("%d wait, want %d", n, len(queued)-1)
		}
		queued = queued[1:]
		h.release <- struct{}{}
		s.waitState(id, machine.Completed)
	}
}

func higherLimit(t *testing.T, url string) {
	h := newHolder()
	s := stackOn(t, openDB(t, url), new(atomic.Int64), h.run)
	wf := s.workflow(limited(1, "queue"))
	first, second := s.start(wf, `{"k":"b"}`).RunID, s.start(wf, `{"k":"b"}`).RunID
	<-h.began
	s.save(wf, limited(3, "queue"))
	var later []string
	for range 4 {
		later = append(later, s.start(wf, `{"k":"b"}`).RunID)
	}
	began := map[string]bool{<-h.began: true, <-h.began: true}
	if !began[later[0]] || !began[later[1]] || s.queuedOf(append(later, second)) != 3 {
		t.Errorf("%v began beside a run of limit 1", began)
	}
	if _, err := s.svc.Terminate(t.Context(), tenant, first); err != nil {
		t.Fatal(err)
	}
	if id := <-h.began; id != later[2] || s.run(second).State != machine.Queued {
		t.Errorf("then began %s; the run of limit 1 is %s", id, s.run(second).State)
	}
	close(h.release)
	for _, id := range append(later, second) {
		s.waitState(id, machine.Completed)
	}
}

// A start is judged by the version that it will run: every refusal that rests
// on what was remembered is judged again by what is there, on every node.
func TestNoStartIsRefusedByAnOvertakenVersion(t *testing.T) {
	t.Parallel()
	text := "name: x\ninput: {type: object, required: [n]}\nsteps: [{id: a, type: wait, config: {signal: {name: go}}}]"
	lax := strings.Replace(text, "[n]", "[]", 1)
	status := func(to workflows.Status) func(s *stack, wf string) {
		return func(s *stack, wf string) {
			s.alter(wf, func(w *workflows.Workflow) *workflows.NewVersion { w.Status = to; return nil })
		}
	}
	for name, c := range map[string]struct {
		before string
		first  func(s *stack, wf string) // makes that starts are refused
		code   string
		then   func(s *stack, wf string) // makes that they are not
	}{
		"reject": {
			limited(1, "reject"), func(s *stack, wf string) { s.start(wf, `{"k":1}`) }, "concurrency_limit",
			func(s *stack, wf string) { s.save(wf, limited(5, "reject")) },
		},
		"reject to queue": {
			limited(1, "reject"), func(s *stack, wf string) { s.start(wf, `{"k":1}`) }, "concurrency_limit",
			func(s *stack, wf string) { s.save(wf, limited(1, "queue")) },
		},
		"input":  {text, func(*stack, string) {}, "invalid_input", func(s *stack, wf string) { s.save(wf, lax) }},
		"status": {text[:7] + text[strings.Index(text, "\nsteps"):], status(workflows.Paused), "workflow_not_runnable", status(workflows.Active)},
		"key": {
			limited(1, "queue") + "input: {type: object}\n", func(*stack, string) {}, "concurrency_key",
			func(s *stack, wf string) { s.save(wf, lax) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBothStores(t, func(t *testing.T, url string) {
				h := newHolder()
				defer close(h.release)
				p := newPair(t, url, h.run)
				for _, s := range []*stack{p.leader, p.standby} {
					wf := p.leader.workflow(c.before)
					input := `{"k":1}`
					if name == "key" {
						input = `{"k":"` + strings.Repeat("x", 1001) + `"}`
					}
					c.first(p.leader, wf)
					_, err := s.tryStart(wf, input)
					wantCode(t, err, fault.KindOf(err), c.code)
					_, err = s.svc.Prepare(t.Context(), executor.StartRequest{TenantID: tenant, Workflow: wf, Trigger: "manual", Input: []byte(input)}, 0)
					wantCode(t, err, fault.KindOf(err), c.code)
					c.then(p.leader, wf)
					if _, err := s.svc.Prepare(t.Context(), executor.StartRequest{TenantID: tenant, Workflow: wf, Trigger: "manual", Input: []byte(input)}, 0); err != nil {
						t.Errorf("prepared after the change: %v", err)
					}
					if _, err := s.tryStart(wf, input); err != nil {
						t.Errorf("after the change: %v", err)
					}
				}
			})
		})
	}
}

// No start is refused because the workflow is being saved, however often.
func TestStartsBesideSaves(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, url string) {
		p := newPair(t, url, func(context.Context, executor.Call) (executor.Result, error) { return ok("") }, func(c *executor.Config) { c.MaxRuns, c.OutcomeWait = 16, await.Patience })
		wf := p.leader.workflow(threeConditions)
		waits := "name: w\nsteps: [{id: a, type: wait, config: {signal: {name: go}}}]\n"
		waiting := p.leader.workflow(waits)
		var open []string
		for range 10 {
			open = append(open, p.leader.start(waiting, "{}").RunID)
		}
		done := make(chan struct{})
		var saving sync.WaitGroup
		var saves atomic.Int64
		for i := range 4 {
			saving.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-done:
						return
					default:
					}
					p.leader.save(wf, fmt.Sprintf("%s# %d\ndescription: d%d-%d\n", threeConditions, n, i, n))
					p.leader.save(waiting, fmt.Sprintf("%sdescription: d%d-%d\n", waits, i, n))
					saves.Add(2)
				}
			})
		}
		parallel(120, func(i int) {
			s := []*stack{p.leader, p.standby}[i%2]
			if _, err := s.tryStart(wf, `{"n":2}`); err != nil {
				t.Errorf("a start beside saves: %v", err)
			}
		})
		parallel(len(open), func(i int) {
			s := []*stack{p.leader, p.standby}[i%2]
			if _, err := s.svc.Restart(t.Context(), executor.RestartRequest{TenantID: tenant, RunID: open[i]}); err != nil {
				t.Errorf("a restart beside saves: %v", err)
			}
		})
		close(done)
		saving.Wait()
		t.Logf("%d saves beside 120 starts and %d restarts", saves.Load(), len(open))
	})
}

// saved is a store in which the workflow is saved between every look at it and
// the commit that rests on it.
type saved struct {
	executor.Store
	save func()
	seen atomic.Int64
}

func (s *saved) Target(ctx context.Context, tenantID, workflow, version string) (executor.Target, error) {
	target, err := s.Store.Target(ctx, tenantID, workflow, version)
	s.seen.Add(1)
	s.save()
	return target, err
}

// A start ends though a client saves each time between its decision and its
// commit; it runs the version that was active when it was decided. A change of
// the status is never passed over.
func TestAStartOutlastsEverySave(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, url string) {
		var between *saved
		s := stackOn(t, openDB(t, url), new(atomic.Int64), neverRun, func(c *executor.Config) {
			between = &saved{Store: c.Store, save: func() {}}
			c.Store = between
		})
		wf := s.workflow(threeConditions)
		n := 0
		between.save = func() { n++; s.save(wf, fmt.Sprintf("%sdescription: d%d\n", threeConditions, n)) }
		rec, err := s.tryStart(wf, `{"n":2}`)
		if err != nil || rec.Version != n || between.seen.Load() > 10 {
			t.Errorf("%v; version %d after %d saves and %d looks", err, rec.Version, n, between.seen.Load())
		}
		between.save = func() {
			s.alter(wf, func(w *workflows.Workflow) *workflows.NewVersion { w.Status = workflows.Paused; return nil })
		}
		s.alter(wf, func(w *workflows.Workflow) *workflows.NewVersion { w.Name = "y"; return nil })
		if _, err = s.tryStart(wf, `{"n":2}`); fault.CodeOf(err) != "workflow_not_runnable" {
			t.Errorf("of a workflow that was paused: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		active := true
		between.save = func() {
			active = !active
			s.alter(wf, func(w *workflows.Workflow) *workflows.NewVersion {
				w.Status = map[bool]workflows.Status{true: workflows.Active, false: workflows.Draft}[active]
				return nil
			})
			if n++; n%50 == 0 {
				cancel()
			}
		}
		s.alter(wf, func(w *workflows.Workflow) *workflows.NewVersion { w.Status = workflows.Active; return nil })
		_, err = s.svc.Start(ctx, executor.StartRequest{TenantID: tenant, Workflow: wf, Trigger: "api", Input: []byte(`{"n":2}`)})
		if err == nil || errors.Is(err, executor.ErrStale) {
			t.Errorf("a start whose caller left: %v", err)
		}
	})
}
