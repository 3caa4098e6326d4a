package executor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/idempotency"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const threeConditions = `
name: three
steps:
  - {id: a, type: condition, config: {expression: "input.n > 1"}}
  - {id: b, type: condition, config: {expression: "steps.a.output.result"}, depends_on: [a]}
  - {id: c, type: condition, config: {expression: "steps.b.output.result"}, depends_on: [b]}
`

const oneRequest = `
name: one
steps:
  - {id: fetch, type: http_request, config: {url: "http://x.test/{{ input.n }}"}, retry: {max_attempts: 3, delay_seconds: 0.01, backoff: fixed}}
`

func neverRun(context.Context, executor.Call) (executor.Result, error) {
	return executor.Result{}, errors.New("no step should run")
}

func TestRunOfConditionsIsDoneWhenStartReturns(t *testing.T) {
	s := newStack(t, neverRun)
	rec := s.start(s.workflow(threeConditions), `{"n":2}`)
	if rec.State != machine.Completed {
		t.Fatalf("state %s", rec.State)
	}
	evs := s.journal(rec.RunID)
	if len(evs) != 10 || evs[9].Kind != events.RunCompleted {
		t.Fatalf("journal %v", evs)
	}
	if got := s.run(rec.RunID); got.State != machine.Completed || string(got.Output) != string(rec.Output) || got.Hash == "" {
		t.Errorf("the stored row is %+v", got)
	}
}

func TestStepsRunAfterTheirStartIsDurable(t *testing.T) {
	var s *stack
	s = newStack(t, func(_ context.Context, call executor.Call) (executor.Result, error) {
		evs := s.journal(call.RunID)
		if count(evs, events.StepStarted) != 1 || count(evs, events.StepCompleted) != 0 {
			return executor.Result{}, fmt.Errorf("journal at the effect: %v", evs)
		}
		if want := `{"url":"http://x.test/7"}`; string(call.Config) != want {
			return executor.Result{}, fmt.Errorf("config %s", call.Config)
		}
		return ok("")
	})
	rec := s.start(s.workflow(oneRequest), `{"n":7}`)
	done := s.waitState(rec.RunID, machine.Completed)
	if string(done.Output) != `{"fetch":{"ok":true}}` {
		t.Errorf("output %s", done.Output)
	}
	view, err := s.svc.Get(t.Context(), tenant, rec.RunID)
	if err != nil || len(view.Steps) != 1 || view.Steps[0].Status != machine.StepCompleted {
		t.Errorf("view %+v, %v", view, err)
	}
}

func TestTransientFailuresAreRetriedWithTheSameKey(t *testing.T) {
	var mu sync.Mutex
	keys := map[string]int{}
	s := newStack(t, func(_ context.Context, call executor.Call) (executor.Result, error) {
		mu.Lock()
		defer mu.Unlock()
		keys[call.Key]++
		if call.Attempt < 3 {
			return executor.Result{}, transient("connection_failed")
		}
		return ok("")
	})
	rec := s.start(s.workflow(oneRequest), `{"n":1}`)
	s.waitState(rec.RunID, machine.Completed)
	if len(keys) != 1 {
		t.Errorf("keys %v", keys)
	}
	if n := count(s.journal(rec.RunID), events.StepRetrying); n != 2 {
		t.Errorf("%d retries journalled", n)
	}
}

func TestSlotsBoundRunsInActionAndQueueTheRestInOrder(t *testing.T) {
	started := make(chan string, 100)
	release := make(chan struct{})
	var inAction, most atomic.Int64
	s := newStack(t, func(ctx context.Context, call executor.Call) (executor.Result, error) {
		most.Store(max(most.Load(), inAction.Add(1)))
		defer inAction.Add(-1)
		started <- call.RunID
		select {
		case <-release:
		case <-ctx.Done():
		}
		return ok("")
	}, func(c *executor.Config) { c.MaxRuns = 2 })
	wf := s.workflow(oneRequest)
	var ids []string
	for range 6 {
		ids = append(ids, s.start(wf, `{"n":1}`).RunID)
	}
	order := []string{<-started, <-started}
	for i, id := range ids[2:] {
		if st := s.run(id).State; st != machine.Queued {
			t.Errorf("run %d is %s", i+2, st)
		}
	}
	for range 4 {
		release <- struct{}{}
		order = append(order, <-started)
	}
	close(release)
	for _, id := range ids {
		s.waitState(id, machine.Completed)
	}
	if most.Load() > 2 {
		t.Errorf("%d runs were in flight at once", most.Load())
	}
	for i, id := range order[2:] {
		if id != ids[i+2] {
			t.Errorf("run %d began out of order", i+2)
		}
	}
}

func TestParkedRunsWakeAndTakeNoSlot(t *testing.T) {
	s := newStack(t, neverRun, func(c *executor.Config) { c.MaxRuns = 1 })
	wf := s.workflow(`
name: nap
steps: [{id: nap, type: wait, config: {seconds: 0.3}}]
`)
	var ids []string
	for range 20 {
		rec := s.start(wf, `null`)
		if rec.State != machine.WaitingTimer {
			t.Fatalf("state %s", rec.State)
		}
		ids = append(ids, rec.RunID)
	}
	for _, id := range ids {
		s.waitState(id, machine.Completed)
	}
}

func TestCancelStopsTheStepAndTheRun(t *testing.T) {
	begun := make(chan struct{})
	s := newStack(t, func(ctx context.Context, _ executor.Call) (executor.Result, error) {
		close(begun)
		<-ctx.Done()
		return executor.Result{}, ctx.Err()
	})
	rec := s.start(s.workflow(oneRequest), `{"n":1}`)
	<-begun
	if _, err := s.svc.Cancel(t.Context(), tenant, rec.RunID); err != nil {
		t.Fatal(err)
	}
	s.waitState(rec.RunID, machine.Cancelled)
	again, err := s.svc.Cancel(t.Context(), tenant, rec.RunID)
	if err != nil || again.State != machine.Cancelled {
		t.Errorf("a second cancel: %v, %v", again.State, err)
	}
	_, err = s.svc.Pause(t.Context(), tenant, rec.RunID)
	wantCode(t, err, fault.Conflict, "run_finished")
}

func TestCancelOfQueuedAndParkedRuns(t *testing.T) {
	hold := make(chan struct{})
	s := newStack(t, func(ctx context.Context, _ executor.Call) (executor.Result, error) {
		select {
		case <-hold:
		case <-ctx.Done():
		}
		return ok("")
	}, func(c *executor.Config) { c.MaxRuns = 1 })
	first := s.start(s.workflow(oneRequest), `{"n":1}`)
	queued := s.start(s.workflow(oneRequest), `{"n":1}`)
	parked := s.start(s.workflow(`{name: w, steps: [{id: w, type: wait, config: {seconds: 3600}}]}`), `null`)
	for _, id := range []string{queued.RunID, parked.RunID} {
		if _, err := s.svc.Cancel(t.Context(), tenant, id); err != nil {
			t.Fatal(err)
		}
		s.waitState(id, machine.Cancelled)
	}
	close(hold)
	s.waitState(first.RunID, machine.Completed)
}

func TestAStepCutOffRunsAgainWithTheSameKey(t *testing.T) {
	var keys []string
	begun := make(chan struct{}, 1)
	s := newStack(t, func(ctx context.Context, call executor.Call) (executor.Result, error) {
		keys = append(keys, call.Key)
		begun <- struct{}{}
		<-ctx.Done()
		return executor.Result{}, ctx.Err()
	}, func(c *executor.Config) { c.Drain = time.Millisecond })
	rec := s.start(s.workflow(oneRequest), `{"n":1}`)
	<-begun
	s.stop()
	if st := s.run(rec.RunID).State; st != machine.Running {
		t.Fatalf("state after the stop: %s", st)
	}
	next := stackOn(t, s.db, s.ids, func(_ context.Context, call executor.Call) (executor.Result, error) {
		keys = append(keys, call.Key)
		return ok("")
	})
	next.waitState(rec.RunID, machine.Completed)
	if len(keys) != 2 || keys[0] != keys[1] {
		t.Errorf("keys %v", keys)
	}
	evs := next.journal(rec.RunID)
	if count(evs, events.StepInterrupted) != 1 || count(evs, events.StepCompleted) != 1 {
		t.Errorf("journal %v", evs)
	}
}

func TestAStopLetsStepsInActionEndAndStartsNoMore(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	var calls atomic.Int64
	s := newStack(t, func(context.Context, executor.Call) (executor.Result, error) {
		if calls.Add(1) == 1 {
			close(begun)
			<-release
		}
		return ok("")
	}, func(c *executor.Config) { c.Drain = 5 * time.Second })
	rec := s.start(s.workflow(`
name: two
steps:
  - {id: a, type: http_request, config: {url: "http://x.test/"}}
  - {id: b, type: http_request, config: {url: "http://x.test/"}, depends_on: [a], on_interrupt: fail}
`), `null`)
	<-begun
	stopped := make(chan struct{})
	go func() { s.stop(); close(stopped) }()
	s.eventually("not ready", func() bool { return s.svc.Ready(t.Context()) != nil })
	close(release)
	<-stopped
	if n := calls.Load(); n != 1 {
		t.Errorf("%d steps ran", n)
	}
	if evs := s.journal(rec.RunID); count(evs, events.StepCompleted) != 1 || count(evs, events.StepStarted) != 1 {
		t.Errorf("journal after the stop: %v", evs)
	}
	next := stackOn(t, s.db, s.ids, func(context.Context, executor.Call) (executor.Result, error) { return ok("") })
	next.waitState(rec.RunID, machine.Completed)
}

func TestSignalsAreKeptWhileNoSlotIsFree(t *testing.T) {
	hold := make(chan struct{})
	s := newStack(t, func(ctx context.Context, call executor.Call) (executor.Result, error) {
		if call.StepID == "fetch" {
			select {
			case <-hold:
			case <-ctx.Done():
			}
		}
		return ok("")
	}, func(c *executor.Config) { c.MaxRuns = 1 })
	parked := s.start(s.workflow(`
name: approval
steps:
  - {id: ask, type: wait, config: {signal: {name: approve}}}
  - {id: after, type: http_request, config: {url: "http://x.test/"}, depends_on: [ask]}
`), `null`)
	busy := s.start(s.workflow(oneRequest), `{"n":1}`)
	s.waitState(parked.RunID, machine.WaitingSignal)
	s.waitState(busy.RunID, machine.Running) // it may have been queued while the node began to lead
	out, err := s.svc.Signal(t.Context(), tenant, parked.RunID, machine.Signal{Name: "approve", RequestID: "r1", Payload: json.RawMessage(`true`)})
	if err != nil || out.Duplicate {
		t.Fatal(out, err)
	}
	if got := s.run(parked.RunID); got.State != machine.WaitingSignal || got.WakeAt.IsZero() {
		t.Errorf("without a slot the run is %s, due %v", got.State, got.WakeAt)
	}
	again, err := s.svc.Signal(t.Context(), tenant, parked.RunID, machine.Signal{Name: "approve", RequestID: "r1", Payload: json.RawMessage(`true`)})
	if err != nil || !again.Duplicate {
		t.Errorf("the second delivery: %+v, %v", again, err)
	}
	close(hold)
	s.waitState(parked.RunID, machine.Completed)
	s.waitState(busy.RunID, machine.Completed)
}

func TestOneKeyMakesOneRun(t *testing.T) {
	s := newStack(t, neverRun)
	wf := s.workflow(threeConditions)
	var wg sync.WaitGroup
	var made, taken atomic.Int64
	for range 100 {
		wg.Go(func() {
			_, err := s.svc.Start(context.Background(), executor.StartRequest{
				TenantID: tenant, Workflow: wf, Trigger: "manual", Input: json.RawMessage(`{"n":2}`),
				Keep: func(r executor.Record) *idempotency.Answer {
					return &idempotency.Answer{
						TenantID: tenant, Scope: "POST /x", Key: "k", Status: 202, Response: []byte(r.RunID), CreatedAt: time.Now(),
					}
				},
			})
			switch {
			case err == nil:
				made.Add(1)
			case fault.CodeOf(err) == "idempotency_key_taken":
				taken.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 || taken.Load() != 99 {
		t.Errorf("%d made, %d taken", made.Load(), taken.Load())
	}
	page, err := s.svc.Runs(t.Context(), executor.RunQuery{TenantID: tenant, Limit: 10})
	if err != nil || len(page.Runs) != 1 {
		t.Errorf("%d runs, %v", len(page.Runs), err)
	}
}

func TestStartRefusals(t *testing.T) {
	s := newStack(t, neverRun)
	wf := s.workflow(`
name: strict
input: {type: object, properties: {n: {type: integer}}, required: [n]}
steps: [{id: a, type: condition, config: {expression: "input.n > 1"}}]
`)
	start := func(workflow, version, input string) error {
		_, err := s.svc.Start(t.Context(), executor.StartRequest{
			TenantID: tenant, Workflow: workflow, Version: version, Trigger: "manual", Input: json.RawMessage(input),
		})
		return err
	}
	wantCode(t, start("nothing", "", `{"n":1}`), fault.NotFound, "workflow_not_found")
	wantCode(t, start(wf, "9", `{"n":1}`), fault.NotFound, "version_not_found")
	wantCode(t, start(wf, "", `{"n":"x"}`), fault.Unacceptable, "invalid_input")
	wantCode(t, start(wf, "", `null`), fault.Unacceptable, "invalid_input")
	if err := start(wf, "v1", `{"n":5}`); err != nil {
		t.Error(err)
	}
}

func TestLongLoopsAreDrivenInPieces(t *testing.T) {
	s := newStack(t, neverRun)
	rec := s.start(s.workflow(`
name: loop
steps:
  - {id: each, type: loop, config: {items: "input.n", steps: [{id: c, type: condition, config: {expression: "index >= 0"}}]}}
`), `{"n":3000}`)
	done := s.waitState(rec.RunID, machine.Completed)
	if evs := s.journal(rec.RunID); count(evs, events.IterationCompleted) != 3000 {
		t.Errorf("%d iterations, run %+v", count(evs, events.IterationCompleted), done)
	}
}

// collect gathers what Follow delivers.
type collect struct {
	mu   sync.Mutex
	seqs []int64
	idle int
}

func (c *collect) Events(batch []events.Event) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range batch {
		c.seqs = append(c.seqs, e.Seq)
	}
	return nil
}

func (c *collect) Idle() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle++
	return nil
}

func TestFollowResumesAtEveryPosition(t *testing.T) {
	s := newStack(t, func(context.Context, executor.Call) (executor.Result, error) { return ok("") },
		func(c *executor.Config) { c.Heartbeat = 20 * time.Millisecond })
	rec := s.start(s.workflow(`
name: follow
steps:
  - {id: nap, type: wait, config: {seconds: 0.1}}
  - {id: fetch, type: http_request, config: {url: "http://x.test/"}, depends_on: [nap]}
`), `null`)
	var live collect
	if err := s.svc.Follow(t.Context(), tenant, rec.RunID, 0, &live); err != nil {
		t.Fatal(err)
	}
	if live.idle == 0 {
		t.Error("no heartbeat while the run waited")
	}
	last := s.run(rec.RunID).Seq
	for after := range last {
		var c collect
		if err := s.svc.Follow(t.Context(), tenant, rec.RunID, after, &c); err != nil {
			t.Fatal(err)
		}
		if int64(len(c.seqs)) != last-after || c.seqs[0] != after+1 {
			t.Errorf("after %d: %v", after, c.seqs)
		}
	}
	if err := s.svc.Follow(t.Context(), tenant, rec.RunID, last, &live); !errors.Is(err, executor.ErrFinished) {
		t.Errorf("at the end: %v", err)
	}
	wantCode(t, s.svc.Follow(t.Context(), tenant, rec.RunID, last+1, &live), fault.Malformed, "invalid_last_event_id")
}

// flaky is a store whose commits fail while it is down.
type flaky struct {
	executor.Store
	down atomic.Bool
}

func (f *flaky) Commit(ctx context.Context, epoch int64, group []executor.Commit) []error {
	if !f.down.Load() {
		return f.Store.Commit(ctx, epoch, group)
	}
	errs := make([]error, len(group))
	for i := range errs {
		errs[i] = fault.New(fault.Unavailable, "store_unavailable", "down")
	}
	return errs
}

func TestRunsContinueAfterTheStoreWasUnavailable(t *testing.T) {
	var calls atomic.Int64
	begun, release := make(chan struct{}, 1), make(chan struct{})
	var f *flaky
	s := newStack(t, func(context.Context, executor.Call) (executor.Result, error) {
		calls.Add(1)
		begun <- struct{}{}
		<-release
		return ok("")
	}, func(c *executor.Config) { f = &flaky{Store: c.Store}; c.Store = f })
	wf := s.workflow(oneRequest)
	rec := s.start(wf, `{"n":1}`)
	<-begun
	f.down.Store(true)
	close(release)
	_, err := s.svc.Start(t.Context(), executor.StartRequest{TenantID: tenant, Workflow: wf, Trigger: "manual", Input: json.RawMessage(`{"n":1}`)})
	wantCode(t, err, fault.Unavailable, "store_unavailable")
	f.down.Store(false)
	s.waitState(rec.RunID, machine.Completed)
	if calls.Load() != 1 {
		t.Errorf("the step ran %d times", calls.Load())
	}
}

func TestAPanickingStepFailsAlone(t *testing.T) {
	s := newStack(t, func(context.Context, executor.Call) (executor.Result, error) { panic("a step's defect") })
	rec := s.start(s.workflow(oneRequest), `{"n":1}`)
	done := s.waitState(rec.RunID, machine.Failed)
	if done.Error == nil || done.Error.Code != "step_defect" {
		t.Errorf("error %+v", done.Error)
	}
}
