package executor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/store/storetest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const oneWait = `{name: w, steps: [{id: w, type: wait, config: {signal: {name: go}}}]}`

func (s *stack) startNamed(workflow, name string) (executor.Record, error) {
	return s.svc.Start(context.Background(), executor.StartRequest{TenantID: tenant, Workflow: workflow, Trigger: "api", Name: name, Input: json.RawMessage(`{"n":1}`)})
}

func (s *stack) mustNamed(workflow, name string) executor.Record {
	s.t.Helper()
	rec, err := s.startNamed(workflow, name)
	if err != nil {
		s.t.Fatal(err)
	}
	return rec
}

func (s *stack) restart(workflow, name string) (executor.NamedRun, error) {
	return s.svc.RestartNamed(context.Background(), executor.RestartNamedRequest{TenantID: tenant, WorkflowID: workflow, Name: name})
}

func (s *stack) latest(workflow, name string) executor.NamedRun {
	s.t.Helper()
	r, err := s.svc.Named(s.t.Context(), tenant, workflow, name, executor.Latest)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func TestANameIsTakenOnceUnderARace(t *testing.T) {
	s := newStack(t, neverRun, quick)
	wf := s.workflow(oneWait)
	for i := range rounds(50) {
		name := fmt.Sprint("n", i)
		var won atomic.Int64
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				_, err := s.startNamed(wf, name)
				switch {
				case err == nil:
					won.Add(1)
				case fault.CodeOf(err) != "run_name_taken":
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d of five starts of %s succeeded", won.Load(), name)
		}
	}
	// A refused start leaves nothing behind that is driven.
	open, err := s.store.OpenRuns(t.Context(), tenant, wf)
	if err != nil || len(open) != rounds(50) {
		t.Errorf("%d open runs, %v", len(open), err)
	}
}

func TestARestartEndsWhatRunsAndFollowsIt(t *testing.T) {
	begun, stopped := make(chan string, 10), make(chan struct{}, 10)
	s := newStack(t, func(ctx context.Context, call executor.Call) (executor.Result, error) {
		begun <- call.RunID
		<-ctx.Done()
		stopped <- struct{}{}
		return executor.Result{}, ctx.Err()
	}, func(c *executor.Config) { c.MaxRuns = 1 })
	wf := s.workflow(oneRequest)
	first := s.mustNamed(wf, "a")
	if id := <-begun; id != first.RunID {
		t.Fatal(id)
	}
	next, err := s.restart(wf, "a")
	if err != nil || next.Number != 1 || next.Name != "a" || next.State != machine.Queued || string(next.Input) != `{"n":1}` || !next.Since.Equal(first.CreatedAt) {
		t.Fatalf("%+v %v", next, err)
	}
	<-stopped // at once, and its slot is free for the next
	if id := <-begun; id != next.RunID {
		t.Fatal(id)
	}
	if old := s.run(first.RunID); old.State != machine.Cancelled || old.Error.Code != "terminated" {
		t.Errorf("%s %+v", old.State, old.Error)
	}
	s.ended(first.RunID)
	if got := s.latest(wf, "a"); got.RunID != next.RunID || got.Number != 1 {
		t.Errorf("%+v", got)
	}
	// A finished one is followed as well, and a run without a name.
	if _, err := s.svc.Terminate(t.Context(), tenant, next.RunID); err != nil {
		t.Fatal(err)
	}
	third, err := s.restart(wf, "a")
	if err != nil || third.Number != 2 || s.latest(wf, "a").RunID != third.RunID {
		t.Fatalf("%+v %v", third, err)
	}
	plain := s.start(wf, `{"n":2}`)
	after, err := s.restart(wf, plain.RunID)
	if err != nil || after.Number != 1 || after.Name != plain.RunID || s.latest(wf, plain.RunID).RunID != after.RunID {
		t.Fatalf("%+v %v", after, err)
	}
	if _, err := s.restart(wf, "unknown"); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
}

// change raises a workflow's revision and sets its status.
func (s *stack) change(workflow string, to workflows.Status) {
	s.t.Helper()
	if _, err := s.db.Change(context.Background(), tenant, workflow, func(c workflows.Current) (workflows.Revision, error) {
		c.Workflow.Status = to
		c.Workflow.Revision++
		return workflows.Revision{Workflow: c.Workflow}, nil
	}); err != nil {
		s.t.Error(err)
	}
}

func TestARestartThatIsRefusedEndsNothing(t *testing.T) {
	s := newStack(t, neverRun, quick)
	wf := s.workflow(oneWait)
	first := s.mustNamed(wf, "a")
	s.waitState(first.RunID, machine.WaitingSignal)
	s.change(wf, workflows.Paused)
	_, err := s.restart(wf, "a")
	wantCode(t, err, fault.Conflict, "workflow_not_runnable")
	if got := s.latest(wf, "a"); got.RunID != first.RunID || got.State != machine.WaitingSignal {
		t.Errorf("%s is %s", got.RunID, got.State)
	}
}

func TestRestartsUnderARace(t *testing.T) {
	s := newStack(t, neverRun, quick)
	wf := s.workflow(oneWait)
	for i := range rounds(10) {
		name := fmt.Sprint("n", i)
		s.mustNamed(wf, name)
		var mu sync.Mutex
		var numbers []int
		parallel(6, func(i int) {
			if i == 0 { // the workflow changes meanwhile
				s.change(wf, workflows.Active)
				return
			}
			next, err := s.restart(wf, name)
			mu.Lock()
			defer mu.Unlock()
			if numbers = append(numbers, next.Number); err != nil {
				t.Error(err)
			}
		})
		slices.Sort(numbers)
		if !slices.Equal(numbers, []int{1, 2, 3, 4, 5}) || s.latest(wf, name).Number != 5 {
			t.Fatalf("numbers %v", numbers)
		}
		for n := range 5 {
			old, err := s.svc.Named(t.Context(), tenant, wf, name, n)
			if err != nil || old.State != machine.Cancelled {
				t.Fatalf("run %d is %s, %v", n, old.State, err)
			}
		}
	}
}

// A signal is for the run that it was sent to: the next one waits for its own.
func TestASignalAgainstARestart(t *testing.T) {
	s := newStack(t, neverRun, quick)
	wf := s.workflow(oneWait)
	parallel(rounds(100), func(i int) {
		name := fmt.Sprint("n", i)
		first := s.mustNamed(wf, name)
		var next executor.NamedRun
		both(func() {
			_, err := s.svc.Deliver(context.Background(), tenant, first.RunID, machine.Signal{Name: "go"})
			if err != nil && fault.CodeOf(err) != "run_finished" {
				t.Error(err)
			}
		}, func() {
			var err error
			if next, err = s.restart(wf, name); err != nil {
				t.Error(err)
			}
		})
		s.waitState(next.RunID, machine.WaitingSignal)
		if n := count(s.journal(next.RunID), events.SignalReceived); n != 0 {
			t.Errorf("the next run got %d signals", n)
		}
	})
}

func TestHeldRunsBeginByAdvanceAlone(t *testing.T) {
	s := newStack(t, func(context.Context, executor.Call) (executor.Result, error) { return ok("") },
		quick, func(c *executor.Config) { c.HoldNamed = true })
	wf, limited := s.workflow(oneRequest), s.workflow(`{name: l, concurrency: {limit: 1}, steps: [{id: w, type: wait, config: {signal: {name: go}}}]}`)
	var ids []string
	for i := range 4 {
		ids = append(ids, s.mustNamed(wf, fmt.Sprint("n", i)).RunID)
	}
	s.mustNamed(limited, "l")
	s.waitState(s.start(wf, `{"n":1}`).RunID, machine.Completed) // the others go on
	s.waitState(s.start(limited, `null`).RunID, machine.WaitingSignal)
	for _, id := range ids {
		if got := s.run(id); got.State != machine.Queued {
			t.Fatalf("%s is %s", id, got.State)
		}
	}
	advance := func(want, runs, steps int) {
		t.Helper()
		if n, err := s.svc.Advance(t.Context(), tenant, runs, steps); n != want || err != nil {
			t.Fatalf("advanced %d, want %d; %v", n, want, err)
		}
	}
	advance(1, 1, 0)
	advance(1, 10, 1)
	for i, want := range []machine.State{machine.Completed, machine.Completed, machine.Queued, machine.Queued} {
		if got := s.run(ids[i]); got.State != want {
			t.Errorf("run %d is %s, want %s", i, got.State, want)
		}
	}
	if n, err := s.svc.Advance(t.Context(), "ten_other", 10, 0); n != 0 || err != nil {
		t.Error(n, err)
	}
	if _, err := s.svc.Pause(t.Context(), tenant, ids[2]); err != nil {
		t.Fatal(err)
	}
	advance(1, 10, 0) // neither the paused one nor the one beyond its workflow's limit
	if _, err := s.svc.Unpause(t.Context(), tenant, ids[2]); err != nil {
		t.Fatal(err)
	}
	if got := s.run(ids[2]); got.State != machine.Queued {
		t.Errorf("unpaused: %s", got.State)
	}
	advance(1, 10, 0)
	advance(0, 10, 0)
	s.waitState(ids[2], machine.Completed)
}

func TestUnpauseTouchesPausedRunsAlone(t *testing.T) {
	s := newStack(t, neverRun, quick)
	wf := s.workflow(oneWait)
	open, over := s.start(wf, `null`), s.start(wf, `null`)
	if _, err := s.svc.Terminate(t.Context(), tenant, over.RunID); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]machine.State{open.RunID: machine.WaitingSignal, over.RunID: machine.Cancelled} {
		seq := s.run(id).Seq
		got, err := s.svc.Unpause(t.Context(), tenant, id)
		if err != nil || got.State != want || got.Seq != seq {
			t.Errorf("%s at %d, %v", got.State, got.Seq, err)
		}
	}
	if _, err := s.svc.Pause(t.Context(), tenant, open.RunID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.svc.Deliver(t.Context(), tenant, open.RunID, machine.Signal{Name: "go"}); err != nil {
		t.Fatal(err)
	}
	if got := s.run(open.RunID); got.State != machine.Paused {
		t.Errorf("a signal made a paused run %s", got.State)
	}
	if _, err := s.svc.Unpause(t.Context(), tenant, open.RunID); err != nil {
		t.Fatal(err)
	}
	s.waitState(open.RunID, machine.Completed)
}

func TestAStandbyRestartsAsTheLeaderDoes(t *testing.T) {
	onBothStores(t, func(t *testing.T, url string) {
		stopped := make(chan struct{}, 10)
		p := newPair(t, url, func(ctx context.Context, _ executor.Call) (executor.Result, error) {
			<-ctx.Done()
			stopped <- struct{}{}
			return executor.Result{}, ctx.Err()
		}, quick)
		wf := p.leader.workflow(oneRequest)
		first, err := p.standby.startNamed(wf, "a")
		if err != nil {
			t.Fatal(err)
		}
		p.leader.waitState(first.RunID, machine.Running)
		if _, err := p.leader.startNamed(wf, "a"); fault.CodeOf(err) != "run_name_taken" {
			t.Error(err)
		}
		next, err := p.standby.restart(wf, "a")
		if err != nil || next.Number != 1 {
			t.Fatalf("%+v %v", next, err)
		}
		<-stopped
		p.leader.ended(first.RunID)
		p.leader.waitState(next.RunID, machine.Running)
		if row := p.leader.latest(wf, "a"); row.RunID != next.RunID || row.Output != nil || string(row.Input) != `{"n":1}` {
			t.Errorf("%+v", row)
		}
		if _, err := p.leader.svc.Terminate(t.Context(), tenant, next.RunID); err != nil {
			t.Fatal(err)
		}
		if third, err := p.standby.restart(wf, "a"); err != nil || third.Number != 2 {
			t.Fatalf("%+v %v", third, err)
		}
	})
}

// While no node drives runs a restart is not kept: the caller asks again, and
// two would count.
func TestARestartIsNotKeptForLater(t *testing.T) {
	db := openDB(t, storetest.SQLite(t))
	if _, err := db.AcquireLease(t.Context(), "a node that hangs", time.Now(), time.Hour); err != nil {
		t.Fatal(err)
	}
	s := stackOn(t, db, new(atomic.Int64), neverRun, quick, func(c *executor.Config) { c.OutcomeWait = 50 * time.Millisecond })
	wf := s.workflow(oneWait)
	first := s.mustNamed(wf, "a")
	_, err := s.restart(wf, "a")
	wantCode(t, err, fault.Unavailable, "not_ready")
	if left, err := db.Untaken(t.Context(), "", 10); err != nil || len(left) != 0 {
		t.Errorf("%d inputs are left, %v", len(left), err)
	}
	if got := s.latest(wf, "a"); got.RunID != first.RunID || got.State != machine.Queued {
		t.Errorf("%s is %s", got.RunID, got.State)
	}
}

// What is in the journal was delivered, whatever the answer on the way was; what
// is not there may be sent again.
func TestADeliveryIsLookedForInTheJournal(t *testing.T) {
	s := newStack(t, neverRun, quick, func(c *executor.Config) { c.OutcomeWait = 50 * time.Millisecond })
	wf := s.workflow(oneWait)
	first, second := s.start(wf, `null`).RunID, s.start(wf, `null`).RunID
	if _, err := s.svc.Signal(t.Context(), tenant, first, signal("other", "k", `1`)); err != nil {
		t.Fatal(err)
	}
	s.stop()
	out, err := s.svc.Deliver(t.Context(), tenant, first, signal("other", "k", `1`))
	if err != nil || out.Row.RunID != first {
		t.Errorf("%+v %v", out.Row, err)
	}
	_, err = s.svc.Deliver(t.Context(), tenant, second, signal("other", "k", `1`))
	wantCode(t, err, fault.Unavailable, "not_ready")
}
