package executor_test

import (
	"context"
	"errors"
	"fmt"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// dies is a store that never learns of the end of a term, as if the process had died.
type dies struct{ executor.Store }

func (dies) EndTerm(context.Context, int64) error { return nil }

func crashing(c *executor.Config) { c.Store = dies{c.Store} }

// stuck is a runner whose attempts end when the test releases them, or when they are cut
// off.
type stuck struct {
	mu     sync.Mutex
	acting map[string]chan struct{}
	begun  chan string
}

func newStuck() *stuck {
	return &stuck{acting: make(map[string]chan struct{}), begun: make(chan string, 100)}
}

func (s *stuck) run(ctx context.Context, call executor.Call) (executor.Result, error) {
	over := make(chan struct{})
	s.mu.Lock()
	s.acting[call.RunID] = over
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.acting, call.RunID)
	}()
	s.begun <- call.RunID
	select {
	case <-over:
		return ok("")
	case <-ctx.Done():
		return executor.Result{}, ctx.Err()
	}
}

func (s *stuck) letGo(runID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.acting[runID])
}

func (s *stuck) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.acting)
}

// quickIsolation makes the isolation of suspects short, but for the window: that lasts
// until the test releases the run.
func quickIsolation(c *executor.Config) {
	c.Isolation = executor.Isolation{Window: time.Hour, Shared: time.Hour, Rest: time.Millisecond, MaxRest: time.Millisecond, Confirm: time.Millisecond}
}

// life is one process: it drives the stored runs until it is stopped.
func life(t *testing.T, before *stack, opts ...stackOption) (*stack, *stuck) {
	t.Helper()
	r := newStuck()
	opts = append(opts, quickIsolation)
	if before == nil {
		return newStack(t, r.run, opts...), r
	}
	before.stop()
	return stackOn(t, before.db, before.ids, r.run, opts...), r
}

func TestSuspectsAreRecoveredOneAtATime(t *testing.T) {
	s, r := life(t, nil, crashing)
	wf := s.workflow(oneRequest)
	a, b := s.start(wf, `{"n":1}`).RunID, s.start(wf, `{"n":2}`).RunID
	<-r.begun
	<-r.begun
	s, r = life(t, s, crashing)
	<-r.begun
	<-r.begun // the first crash: no run is a suspect
	s, r = life(t, s)
	first := <-r.begun
	later := s.start(wf, `{"n":3}`)
	if later.State != machine.Queued || r.count() != 1 {
		t.Fatalf("%d are in flight beside a suspect, and a new run is %s", r.count(), later.State)
	}
	r.letGo(first)
	second := <-r.begun
	if first == second || r.count() != 1 || first != a && first != b {
		t.Fatalf("%s and then %s, %d in flight", first, second, r.count())
	}
	r.letGo(second)
	if got := <-r.begun; got != later.RunID {
		t.Errorf("%s went on after the suspects, not %s", got, later.RunID)
	}
	r.letGo(later.RunID)
	for _, id := range []string{a, b, later.RunID} {
		s.waitState(id, machine.Completed)
	}
}

func TestARunThatKillsTwiceAloneIsQuarantined(t *testing.T) {
	s, r := life(t, nil, crashing)
	run := s.start(s.workflow(oneRequest), `{"n":1}`).RunID
	<-r.begun
	for range 3 { // not suspected; alone; alone again
		s, r = life(t, s, crashing)
		<-r.begun
	}
	s, r = life(t, s, crashing)
	rec := s.waitState(run, machine.Failed)
	if rec.Error == nil || rec.Error.Code != "run_quarantined" || !strings.Contains(rec.Error.Message, "4 times") || r.count() != 0 {
		t.Fatalf("%+v, %d in flight", rec.Error, r.count())
	}
	view, err := s.svc.Get(t.Context(), tenant, run)
	if err != nil || view.State != machine.Failed || view.Steps[0].Status != machine.StepCancelled {
		t.Fatalf("%+v, %v", view, err)
	}
	journal := s.journal(run)
	if journal[len(journal)-1].Kind != events.RunFailed || !strings.Contains(string(journal[len(journal)-1].Data), `"steps":["fetch"]`) {
		t.Errorf("the last event is %s %s", journal[len(journal)-1].Kind, journal[len(journal)-1].Data)
	}
	// An operator who removed the cause resumes it; its earlier crashes do not count.
	if _, err := s.svc.Resume(t.Context(), tenant, run, executor.ResumeRequest{}); err != nil {
		t.Fatal(err)
	}
	<-r.begun
	s, r = life(t, s)
	r.letGo(<-r.begun)
	s.waitState(run, machine.Completed)
}

func TestAStopInOrderRaisesNoSuspicion(t *testing.T) {
	s, r := life(t, nil)
	wf := s.workflow(oneRequest)
	s.start(wf, `{"n":1}`)
	s.start(wf, `{"n":2}`)
	for range 5 {
		<-r.begun
		<-r.begun // both, side by side
		s, r = life(t, s)
	}
	<-r.begun
	<-r.begun
}

// A run of which a step ends between the crashes makes progress, and is no suspect.
func TestAStepsEndClearsARun(t *testing.T) {
	s, r := life(t, nil, crashing)
	wf := s.workflow(`
name: chain
steps:
  - {id: a, type: http_request, config: {url: u}}
  - {id: b, type: http_request, depends_on: [a], config: {url: u}}
  - {id: c, type: http_request, depends_on: [b], config: {url: u}}
`)
	other := s.start(wf, `{"n":1}`).RunID // suspects come in the order of their ids
	s.start(wf, `{"n":2}`)
	<-r.begun
	<-r.begun
	s, r = life(t, s, crashing)
	<-r.begun
	<-r.begun
	r.letGo(other)
	if got := <-r.begun; got != other {
		t.Fatalf("%s went on", got)
	}
	_, r = life(t, s, crashing)
	if got := <-r.begun; got == other {
		t.Error("the run that gets on is a suspect")
	}
}

// While a suspect is isolated runs are steered, and what needs no attempt
// moves; attempts wait.
func TestOtherRunsAreSteeredWhileSuspectsAreIsolated(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, url string) {
		r := newStuck()
		s := stackOn(t, openDB(t, url), new(atomic.Int64), r.run, quickIsolation, crashing)
		wf := s.workflow(oneRequest)
		waits := s.workflow("name: w\nsteps: [{id: w, type: wait, config: {signal: {name: go}}}]\n")
		var busy []string
		for range 4 {
			busy = append(busy, s.start(wf, `{"n":1}`).RunID)
			<-r.begun
		}
		parked := s.start(waits, "{}").RunID
		s, r = life(t, s, crashing)
		for range busy {
			<-r.begun
		}
		s, r = life(t, s, crashing)
		first := <-r.begun
		ctx := t.Context()
		if err := s.svc.Ready(ctx); err != nil {
			t.Errorf("not ready: %v", err)
		}
		if out, err := s.svc.Signal(ctx, tenant, parked, signal("go", "k", "1")); err != nil || out.Duplicate {
			t.Errorf("a signal: %v", err)
		}
		s.waitState(parked, machine.Completed)
		if rec := s.start(s.workflow(threeConditions), `{"n":2}`); rec.State != machine.Completed {
			t.Errorf("a run of conditions is %s", rec.State)
		}
		if rec := s.start(wf, `{"n":1}`); rec.State != machine.Queued {
			t.Errorf("a run of a request is %s", rec.State)
		}
		// Two that wait to be isolated: one is cancelled, one paused.
		var rest []string
		for _, id := range busy {
			if id != first {
				rest = append(rest, id)
			}
		}
		if _, err := s.svc.Cancel(ctx, tenant, rest[0]); err != nil {
			t.Errorf("a cancel: %v", err)
		}
		s.waitState(rest[0], machine.Cancelled)
		if _, err := s.svc.Pause(ctx, tenant, rest[1]); err != nil {
			t.Errorf("a pause: %v", err)
		}
		s.waitState(rest[1], machine.Paused)
		if _, err := s.svc.Terminate(ctx, tenant, first); err != nil {
			t.Errorf("a terminate of the suspect: %v", err)
		}
		s.waitState(first, machine.Cancelled)
		if id := <-r.begun; id != rest[2] || r.count() != 1 {
			t.Errorf("%s is isolated next with %d in flight, want %s", id, r.count(), rest[2])
		}
		r.letGo(rest[2])
		r.letGo(<-r.begun)
		s.waitState(rest[2], machine.Completed)
		s.ended(rest[0])
		if _, err := s.svc.Resume(ctx, tenant, rest[1], executor.ResumeRequest{}); err != nil {
			t.Errorf("a resume: %v", err)
		}
		r.letGo(<-r.begun)
		s.waitState(rest[1], machine.Completed)
		for _, id := range busy {
			s.attemptsOnce(id, s.journal(id))
		}
	})
}

// away is a store that cannot be told of a term's end for a while, as when it is
// unavailable.
type away struct {
	executor.Store
	gone  atomic.Bool
	notes *frozen
}

func (a *away) EndTerm(ctx context.Context, epoch int64) error {
	if a.gone.Load() {
		return errors.New("the store is unavailable")
	}
	return a.Store.EndTerm(ctx, epoch)
}

// A process that lost its lease or stopped while the store was unavailable did not crash:
// it says so as soon as it can, and what was counted is taken back.
func TestAnUnavailableStoreIsNotACrash(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, url string) {
		db, ids, r := openDB(t, url), new(atomic.Int64), newStuck()
		a := &away{Store: db}
		s := stackOn(t, db, ids, r.run, quickIsolation, func(c *executor.Config) { c.Store = a })
		run := s.start(s.workflow(oneRequest), `{"n":1}`).RunID
		<-r.begun
		for range 3 {
			a.gone.Store(true)
			if err := db.ReleaseLease(t.Context(), fmt.Sprint("node-", 1)); err != nil {
				t.Fatal(err)
			}
			if _, err := db.AcquireLease(t.Context(), "another", time.Now(), time.Hour); err != nil {
				t.Fatal(err)
			}
			s.eventually("the lease is lost", func() bool { return !s.svc.Leading() })
			if err := db.ReleaseLease(t.Context(), "another"); err != nil {
				t.Fatal(err)
			}
			a.gone.Store(false)
			if id := <-r.begun; id != run {
				t.Fatal(id)
			}
		}
		suspects, err := db.BeginTerm(t.Context(), 1000)
		if err != nil || len(suspects) > 0 {
			t.Errorf("suspects %+v, %v", suspects, err)
		}
	})
}

// notes keeps terms in memory; like a file it outlives the modelled process.
type notes struct {
	mu     sync.Mutex
	epochs []int64
}

func (n *notes) Load() ([]int64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.epochs), nil
}

func (n *notes) Save(epochs []int64) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.epochs = slices.Clone(epochs)
	return nil
}

// A process that is stopped while the store is unavailable, or has to end before its stop
// is through, did not crash either: the next one on this node says so.
func TestAStopWhileTheStoreIsUnavailableIsNotACrash(t *testing.T) {
	t.Parallel()
	for how, end := range map[string]func(*stack, *away){
		"stopped": func(s *stack, _ *away) { s.stop() },
		"ends before the stop is through": func(s *stack, a *away) {
			s.svc.NoteOrderlyExit()
			a.notes.frozen = true
			s.stop()
		},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			onBothStores(t, func(t *testing.T, url string) {
				ids, r, kept := new(atomic.Int64), newStuck(), &notes{}
				run := ""
				for range 4 {
					a := &away{Store: openDB(t, url), notes: &frozen{notes: kept}}
					s := stackOn(t, openDB(t, url), ids, r.run, quickIsolation, func(c *executor.Config) { c.Store, c.Terms = a, a.notes })
					if run == "" {
						run = s.start(s.workflow(oneRequest), `{"n":1}`).RunID
					}
					if id := <-r.begun; id != run {
						t.Fatal(id)
					}
					a.gone.Store(true)
					end(s, a)
				}
				db := openDB(t, url)
				for _, epoch := range kept.epochs {
					if err := db.EndTerm(t.Context(), epoch); err != nil {
						t.Fatal(err)
					}
				}
				suspects, err := db.BeginTerm(t.Context(), 1000)
				if err != nil || len(suspects) > 0 {
					t.Errorf("suspects %+v, %v", suspects, err)
				}
			})
		})
	}
}

// frozen is the notes of a process that has ended: writing them fails.
type frozen struct {
	*notes
	frozen bool
}

func (f *frozen) Save(epochs []int64) error {
	if f.frozen {
		return errors.New("the process is over")
	}
	return f.notes.Save(epochs)
}
