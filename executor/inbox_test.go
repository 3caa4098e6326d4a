package executor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/internal/await"
	"heddle/store"
	"heddle/store/storetest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// onBothStores runs a test on SQLite and on PostgreSQL, where there is one.
func onBothStores(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, storetest.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, storetest.Postgres(t)) })
}

// pair is a node that drives runs and one that stands by, on one database.
type pair struct{ leader, standby *stack }

func newPair(t *testing.T, url string, run runnerFunc, opts ...stackOption) pair {
	t.Helper()
	ids := new(atomic.Int64)
	opts = append(opts, tellEachOther())
	p := pair{leader: stackOn(t, openDB(t, url), ids, run, opts...)}
	p.leader.eventually("the first leads", p.leader.svc.Leading)
	p.standby = stackOn(t, openDB(t, url), ids, neverRun, opts...)
	return p
}

// telling passes on what is committed, as PostgreSQL does, so that a test on
// SQLite need not wait for the next look.
type telling struct {
	executor.Store
	ears *sync.Map
}

func tellEachOther() stackOption {
	ears := new(sync.Map)
	return func(c *executor.Config) {
		if db, real := c.Store.(*store.DB); real && !db.Tells() {
			c.Store = telling{db, ears}
		}
	}
}

func (s telling) tell() {
	s.ears.Range(func(_, heard any) bool {
		heard.(func(executor.Notice))(executor.Notice{Work: true}) //nolint:forcetypeassert // the map's only type
		return true
	})
}

func (s telling) Post(ctx context.Context, p executor.Posted) (string, error) {
	defer s.tell()
	return s.Store.Post(ctx, p)
}

func (s telling) Commit(ctx context.Context, epoch int64, group []executor.Commit) []error {
	defer s.tell()
	return s.Store.Commit(ctx, epoch, group)
}

func (s telling) Settle(ctx context.Context, epoch int64, list []executor.Taken) error {
	defer s.tell()
	return s.Store.Settle(ctx, epoch, list)
}

func (s telling) Listen(ctx context.Context, heard func(executor.Notice)) error {
	key := new(int)
	s.ears.Store(key, heard)
	defer s.ears.Delete(key)
	<-ctx.Done()
	return nil
}

const asksTwice = `
name: asks
steps:
  - {id: first, type: wait, config: {signal: {name: go, schema: {type: integer}}}}
  - {id: second, type: wait, depends_on: [first], config: {signal: {name: go}}}
`

func signal(name, id, payload string) machine.Signal {
	return machine.Signal{Name: name, RequestID: id, Payload: json.RawMessage(payload)}
}

// answered is what a caller is told: the state, or the code of the refusal.
func answered(row executor.Record, duplicate bool, err error) string {
	if err != nil {
		return fault.CodeOf(err)
	}
	return fmt.Sprint(row.State, " ", duplicate)
}

// steering is one request of every kind, in an order that meets every answer.
func (s *stack) steering(id string) []string {
	ctx, svc := s.t.Context(), s.svc
	deliver := func(name, request, payload string) string {
		out, err := svc.Signal(ctx, tenant, id, signal(name, request, payload))
		return answered(out.Row, out.Duplicate, err)
	}
	steer := func(deed func(context.Context, string, string) (executor.Record, error)) string {
		row, err := deed(ctx, tenant, id)
		return answered(row, false, err)
	}
	resume := func(req executor.ResumeRequest) string {
		row, err := svc.Resume(ctx, tenant, id, req)
		return answered(row, false, err)
	}
	return []string{
		deliver("go", "k", `"no number"`), deliver("go", "k", `1`), deliver("go", "k", `1`), deliver("other", "", `null`),
		resume(executor.ResumeRequest{}), steer(svc.Pause), steer(svc.Pause), resume(executor.ResumeRequest{}),
		steer(svc.Cancel), steer(svc.Cancel), steer(svc.Pause), deliver("go", "late", `1`), deliver("go", "k", `1`),
		resume(executor.ResumeRequest{FromStep: "nowhere"}), resume(executor.ResumeRequest{Version: "9"}), resume(executor.ResumeRequest{FromStep: "first"}),
		steer(svc.Terminate), steer(svc.Terminate),
	}
}

func TestAStandbyAnswersAsTheLeaderDoes(t *testing.T) {
	onBothStores(t, func(t *testing.T, url string) {
		p := newPair(t, url, neverRun)
		wf := p.leader.workflow(asksTwice)
		direct := p.leader.steering(p.leader.start(wf, `null`).RunID)
		started := p.standby.start(wf, `null`)
		p.standby.waitState(started.RunID, machine.WaitingSignal)
		posted := p.standby.steering(started.RunID)
		for i := range direct {
			if direct[i] != posted[i] {
				t.Errorf("answer %d: the leader says %q, a standby %q", i, direct[i], posted[i])
			}
		}
		p.leader.journal(started.RunID) // its seq is dense
	})
}

// Signals without a request id are new each time, and those with one are one,
// whichever node they come to.
func TestSignalsThroughSeveralNodesAreTakenOnce(t *testing.T) {
	const signals = 40
	onBothStores(t, func(t *testing.T, url string) {
		p := newPair(t, url, neverRun)
		id := p.leader.start(p.leader.workflow(`{name: w, steps: [{id: w, type: wait, config: {signal: {name: never}}}]}`), `null`).RunID
		var first atomic.Int64
		parallel(2*signals, func(i int) {
			node := p.standby
			if i%4 == 0 {
				node = p.leader
			}
			key := ""
			if i%2 == 1 {
				key = fmt.Sprint("key", i%8)
			}
			out, err := node.svc.Signal(context.Background(), tenant, id, signal("go", key, fmt.Sprint(i)))
			if err != nil {
				t.Error(err)
			}
			if key != "" && !out.Duplicate {
				first.Add(1)
			}
		})
		if n := count(p.leader.journal(id), events.SignalReceived); n != signals+4 || first.Load() != 4 {
			t.Errorf("%d signals in the journal, want %d; %d of 4 keys were new", n, signals+4, first.Load())
		}
		left, err := p.leader.db.Untaken(t.Context(), "", 10)
		if err != nil || len(left) > 0 {
			t.Errorf("left in the inbox: %v, %v", left, err)
		}
	})
}

// leaderless is a store whose lease is always another's.
type leaderless struct{ executor.Store }

func (leaderless) AcquireLease(context.Context, string, time.Time, time.Duration) (int64, error) {
	return 0, executor.ErrLeaseHeld
}

// What was answered while no node drives runs is durable: the next one that
// does takes it, once.
func TestWhatAStandbyAcceptedIsTakenByTheNextLeader(t *testing.T) {
	onBothStores(t, func(t *testing.T, url string) {
		db, ids := openDB(t, url), new(atomic.Int64)
		first := stackOn(t, db, ids, neverRun)
		wf := first.workflow(asksTwice)
		asked, ended, paused := first.start(wf, `null`).RunID, first.start(wf, `null`).RunID, first.start(wf, `null`).RunID
		first.stop()
		alone := stackOn(t, db, ids, neverRun, func(c *executor.Config) { c.Store, c.OutcomeWait = leaderless{db}, 20*time.Millisecond })
		ctx := t.Context()
		out, err := alone.svc.Signal(ctx, tenant, asked, signal("go", "k", `7`))
		if err != nil || out.Duplicate || out.Row.State != machine.WaitingSignal {
			t.Fatalf("a signal: %v, %v", out, err)
		}
		row, err := alone.svc.Cancel(ctx, tenant, ended)
		if err != nil || row.State != machine.WaitingSignal {
			t.Fatalf("a cancel: %v, %v", row.State, err)
		}
		if _, err := alone.svc.Pause(ctx, tenant, paused); err != nil {
			t.Fatalf("a pause: %v", err)
		}
		_, err = alone.svc.Signal(ctx, tenant, asked, signal("go", "wrong", `"text"`))
		wantCode(t, err, fault.Unacceptable, "invalid_payload")
		_, err = alone.svc.Terminate(ctx, tenant, paused)
		wantCode(t, err, fault.Unavailable, "steering_pending")
		wantCode(t, alone.svc.CancelOpen(ctx, tenant, wf), fault.Unavailable, "steering_pending")

		next := stackOn(t, db, ids, neverRun)
		for _, id := range []string{asked, ended, paused} {
			next.waitState(id, machine.Cancelled)
			next.ended(id)
		}
		evs := next.journal(asked)
		if count(evs, events.SignalReceived) != 1 || count(evs, events.InputResolved) != 1 {
			t.Errorf("the signal was not taken once: %v", evs)
		}
	})
}

// Of deliveries of one request id one is new, also while no node drives runs; one that is
// refused leaves its id free.
func TestARequestIDIsNewOnceWithoutALeader(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, url string) {
		db, ids := openDB(t, url), new(atomic.Int64)
		first := stackOn(t, db, ids, neverRun)
		wf := first.workflow(asksTwice)
		id, other := first.start(wf, `null`).RunID, first.start(wf, `null`).RunID
		first.stop()
		without := func(c *executor.Config) { c.Store, c.OutcomeWait = leaderless{db}, 20*time.Millisecond }
		nodes := []*stack{stackOn(t, db, ids, neverRun, without), stackOn(t, openDB(t, url), ids, neverRun, without)}
		deliver := func(i int, run, key, payload string) (fresh bool, err error) {
			out, err := nodes[i%2].svc.Signal(context.WithoutCancel(t.Context()), tenant, run, signal("go", key, payload))
			return err == nil && !out.Duplicate, err
		}
		var fresh atomic.Int64
		parallel(24, func(i int) {
			is, err := deliver(i, id, fmt.Sprint("k", i%3), fmt.Sprint(i))
			if err != nil {
				t.Errorf("a signal: %v", err)
			}
			if is {
				fresh.Add(1)
			}
		})
		for i := range 3 {
			if is, err := deliver(i, id, fmt.Sprint("k", i), "7"); is || err != nil {
				t.Errorf("later: new %v, %v", is, err)
			}
		}
		if is, err := deliver(0, other, "k0", "7"); !is || err != nil {
			t.Errorf("another run's: new %v, %v", is, err)
		}
		if fresh.Load() != 3 {
			t.Errorf("%d deliveries of 3 request ids were new", fresh.Load())
		}
		_, err := deliver(0, id, "wrong", `"text"`)
		wantCode(t, err, fault.Unacceptable, "invalid_payload")
		if is, err := deliver(1, id, "wrong", "8"); !is || err != nil {
			t.Errorf("mended: new %v, %v", is, err)
		}
		next := stackOn(t, db, ids, neverRun)
		next.waitState(id, machine.Completed)
		if n := count(next.journal(id), events.InputResolved); n != 2 {
			t.Errorf("%d signals were consumed, want 2", n)
		}
		next.eventually("all is taken", func() bool {
			left, err := db.Untaken(context.Background(), "", 10)
			return err == nil && len(left) == 0
		})
		for _, e := range next.journal(id) {
			if e.Kind == events.SignalRejected {
				t.Errorf("a signal was rejected: %s", e.Data)
			}
		}
	})
}

func TestAStandbyHearsOfGrowth(t *testing.T) {
	url := storetest.Postgres(t)
	var hub *events.Hub
	p := newPair(t, url, neverRun, func(c *executor.Config) { hub = c.Hub }) // the last one's is the standby's
	id := p.leader.start(p.leader.workflow(asksTwice), `null`).RunID
	grown, unwatch := hub.Watch(id)
	defer unwatch()
	for i := range 3 {
		if _, err := p.leader.svc.Signal(t.Context(), tenant, id, signal("other", "", fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		await.Receive(t, "the standby is told", grown)
	}
}

// A stopping node takes no commands; its caller asks another one.
func TestAStoppedNodePostsNothing(t *testing.T) {
	s := newStack(t, neverRun)
	id := s.start(s.workflow(asksTwice), `null`).RunID
	s.stop()
	_, err := s.svc.Pause(t.Context(), tenant, id)
	wantCode(t, err, fault.Unavailable, "not_ready")
	left, err := s.db.Untaken(t.Context(), "", 10)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the inbox: %v, %v", left, err)
	}
}

// revise stores a second version of a workflow, which becomes the active one.
func (s *stack) revise(id, text string) {
	s.t.Helper()
	doc, problems := parser.Parse([]byte(text), source.YAML)
	if doc == nil || !validation.Valid(problems) {
		s.t.Fatalf("definition: %v", problems)
	}
	_, err := s.db.Change(s.t.Context(), tenant, id, func(c workflows.Current) (workflows.Revision, error) {
		c.Workflow.ActiveVersion, c.Workflow.LatestVersion, c.Workflow.Revision = 2, 2, c.Workflow.Revision+1
		return workflows.Revision{Workflow: c.Workflow, Version: &workflows.NewVersion{
			Number: 2, Definition: doc.Canonical, Hash: doc.Hash, CreatedAt: c.Workflow.CreatedAt,
		}}, nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// A resume on another version, and a redrive, carry what the node that drives
// needs to know of them.
func TestAStandbyResumesOnAnotherVersionAndRedrives(t *testing.T) {
	const loop = `{name: w, steps: [{id: each, type: loop, config: {items: "3", steps: [{id: body, type: http_request, config: {url: "http://x.test/"}}]}}]}`
	onBothStores(t, func(t *testing.T, url string) {
		var broken atomic.Bool
		broken.Store(true)
		p := newPair(t, url, func(_ context.Context, call executor.Call) (executor.Result, error) {
			if broken.Load() && call.Iteration == "each[1]" {
				return executor.Result{}, errors.New("scripted")
			}
			return ok("")
		}, func(c *executor.Config) { c.OutcomeWait = await.Patience })
		wf := p.leader.workflow(asksTwice)
		id := p.leader.start(wf, `null`).RunID
		if _, err := p.standby.svc.Cancel(t.Context(), tenant, id); err != nil {
			t.Fatal(err)
		}
		p.leader.revise(wf, `{name: w, steps: [{id: c, type: condition, config: {expression: "true"}}]}`)
		row, err := p.standby.svc.Resume(t.Context(), tenant, id, executor.ResumeRequest{Version: "2"})
		if err != nil || row.Version != 2 {
			t.Fatalf("resumed on version %d, %v", row.Version, err)
		}
		p.standby.waitState(id, machine.Completed)

		each := p.leader.start(p.leader.workflow(loop), `null`).RunID
		p.standby.waitState(each, machine.Failed)
		broken.Store(false)
		if _, err := p.standby.svc.Redrive(t.Context(), tenant, each, "each"); err != nil {
			t.Fatal(err)
		}
		p.standby.waitState(each, machine.Completed)
	})
}

// A tick that reaches the node that stands by begins what the leader drives.
func TestATickOnAStandbyIsPassedOn(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, url string) {
		p := newPair(t, url, neverRun, func(c *executor.Config) { c.HoldNamed = true })
		wf := p.leader.workflow(`{"name":"Held","steps":[{"id":"a","type":"condition","config":{"expression":"true"}}]}`)
		row, err := p.leader.svc.Start(t.Context(), executor.StartRequest{TenantID: tenant, Workflow: wf, Trigger: "api", Name: "one"})
		if err != nil {
			t.Fatal(err)
		}
		n, err := p.standby.svc.Advance(t.Context(), tenant, 10, 0)
		if err != nil || n != 1 {
			t.Fatalf("%d began: %v", n, err)
		}
		p.leader.eventually("it has ended", func() bool {
			r, err := p.leader.svc.Run(t.Context(), tenant, row.RunID)
			return err == nil && r.State == machine.Completed
		})
		if n, err := p.standby.svc.Advance(t.Context(), tenant, 10, 0); err != nil || n != 0 {
			t.Errorf("%d began with nothing queued: %v", n, err)
		}
	})
}
