package executor_test

import (
	"context"
	"fmt"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// journalReads counts how often a run is read to be driven.
type journalReads struct {
	executor.Store
	n atomic.Int64
}

func (j *journalReads) Journal(ctx context.Context, runID string) (executor.Journal, error) {
	j.n.Add(1)
	return j.Store.Journal(ctx, runID)
}

// gate is a runner whose attempts say which run began, and go on when the test lets them.
type gate struct{ began, release chan string }

func newGate() *gate { return &gate{make(chan string, 1000), make(chan string)} }

func (g *gate) run(ctx context.Context, call executor.Call) (executor.Result, error) {
	g.began <- call.RunID
	select {
	case <-g.release:
		return ok("")
	case <-ctx.Done():
		return executor.Result{}, ctx.Err()
	}
}

// next lets one attempt end and returns the run that begins in its place.
func (g *gate) next() string {
	g.release <- ""
	return <-g.began
}

func slotsOf(n int) stackOption { return func(c *executor.Config) { c.MaxRuns = n } }

func TestAWorkflowsBacklogDoesNotHoldUpAnother(t *testing.T) {
	t.Parallel()
	g := newGate()
	s := newStack(t, g.run, slotsOf(1))
	big, small := s.workflow(oneRequest), s.workflow(oneRequest)
	var ids []string
	for range 20 {
		ids = append(ids, s.start(big, `{"n":1}`).RunID)
	}
	if first := <-g.began; first != ids[0] {
		t.Fatalf("%s began first", first)
	}
	one, two := s.start(small, `{"n":1}`).RunID, s.start(small, `{"n":1}`).RunID
	want := []string{ids[1], one, ids[2], two, ids[3], ids[4]}
	for i, id := range want {
		if got := g.next(); got != id {
			t.Errorf("turn %d went to %s, want %s", i, got, id)
		}
	}
}

// Woken runs of one workflow, however many, leave their turns to another one's queue.
func TestWokenRunsTakeTurnsWithQueuedOnes(t *testing.T) {
	t.Parallel()
	g := newGate()
	s := newStack(t, g.run, slotsOf(1))
	woken := s.workflow(`
name: woken
steps:
  - {id: nap, type: wait, config: {signal: {name: go}}}
  - {id: work, type: http_request, config: {url: "http://x.test/"}, depends_on: [nap]}
`)
	queued := s.workflow(oneRequest)
	var ids []string
	for range 4 {
		ids = append(ids, s.start(woken, `{}`).RunID)
	}
	first := s.start(queued, `{"n":1}`).RunID
	if got := <-g.began; got != first {
		t.Fatal(got)
	}
	for _, id := range ids {
		if _, err := s.svc.Signal(t.Context(), tenant, id, machine.Signal{Name: "go"}); err != nil {
			t.Fatal(err)
		}
	}
	s.eventually("all wait", func() bool { return s.svc.Load().Woken == len(ids) })
	later := s.start(queued, `{"n":1}`).RunID
	if got := []string{g.next(), g.next()}; !slices.Contains(got, later) || got[0] != ids[0] && got[1] != ids[0] {
		t.Errorf("turns went to %v, want one of %s and one of %s", got, ids[0], later)
	}
}

func TestAQueuedRunIsNotReadToBegin(t *testing.T) {
	t.Parallel()
	g, reads := newGate(), &journalReads{}
	s := newStack(t, g.run, slotsOf(2), func(c *executor.Config) { reads.Store, c.Store = c.Store, reads })
	wf := s.workflow(oneRequest)
	var ids []string
	for range 30 {
		ids = append(ids, s.start(wf, `{"n":1}`).RunID)
	}
	close(g.release)
	for _, id := range ids {
		s.waitState(id, machine.Completed)
	}
	if n := reads.n.Load(); n != 0 {
		t.Errorf("30 runs were read %d times", n)
	}
}

// What happens to a queued run while it waits in memory holds when its turn comes.
func TestCommandsReachRunsThatWaitInMemory(t *testing.T) {
	t.Parallel()
	g := newGate()
	s := newStack(t, g.run, slotsOf(1))
	wf := s.workflow(oneRequest)
	var ids []string
	for range 5 {
		ids = append(ids, s.start(wf, `{"n":1}`).RunID)
	}
	<-g.began
	if _, err := s.svc.Cancel(t.Context(), tenant, ids[1]); err != nil {
		t.Fatal(err)
	}
	if _, err := s.svc.Pause(t.Context(), tenant, ids[2]); err != nil {
		t.Fatal(err)
	}
	if got := g.next(); got != ids[3] {
		t.Errorf("%s began behind a cancelled and a paused run, want %s", got, ids[3])
	}
	// A resumed one has the place of its start.
	if _, err := s.svc.Resume(t.Context(), tenant, ids[2], executor.ResumeRequest{}); err != nil {
		t.Fatal(err)
	}
	if got := g.next(); got != ids[2] {
		t.Errorf("%s began, want the resumed %s", got, ids[2])
	}
	if got := g.next(); got != ids[4] {
		t.Errorf("%s began, want %s", got, ids[4])
	}
	close(g.release)
	for i, want := range []machine.State{machine.Completed, machine.Cancelled, machine.Completed, machine.Completed, machine.Completed} {
		s.waitState(ids[i], want)
	}
}

func TestANewTermReadsTheQueueAgain(t *testing.T) {
	t.Parallel()
	g := newGate()
	s := newStack(t, g.run, slotsOf(1))
	a, b := s.workflow(oneRequest), s.workflow(oneRequest)
	var ids []string
	for range 4 {
		ids = append(ids, s.start(a, `{"n":1}`).RunID)
	}
	<-g.began
	other := s.start(b, `{"n":1}`).RunID
	s.stop()
	g2 := newGate()
	again := stackOn(t, s.db, s.ids, g2.run, slotsOf(1))
	if got := <-g2.began; got != ids[0] {
		t.Fatalf("%s goes on first", got)
	}
	if got := []string{g2.next(), g2.next()}; !slices.Contains(got, other) || !slices.Contains(got, ids[1]) {
		t.Errorf("turns went to %v", got)
	}
	close(g2.release)
	for _, id := range append(ids, other) {
		again.waitState(id, machine.Completed)
	}
}

// Runs that other nodes store are found, also behind those that this node has in memory.
func TestRunsThatAnotherNodeStoresTakeTheirTurns(t *testing.T) {
	t.Parallel()
	g := newGate()
	s := newStack(t, g.run, slotsOf(1))
	a, b := s.workflow(oneRequest), s.workflow(oneRequest)
	first := s.start(a, `{"n":1}`).RunID
	<-g.began
	standby := executor.New(executor.Config{
		Store: s.db, Hub: events.NewHub(), Now: time.Now, NewID: func(prefix string) string { return fmt.Sprintf("%s%024x", prefix, s.ids.Add(1)) },
		Attempts: executor.Attempts{Runner: runnerFunc(neverRun)},
	})
	defer standby.Close()
	var ids []string
	for i, wf := range []string{a, b, a, b, a} {
		start := s.svc.Start
		if i%2 == 1 || i == 4 {
			start = standby.Start
		}
		rec, err := start(t.Context(), executor.StartRequest{TenantID: tenant, Workflow: wf, Trigger: "manual", Input: []byte(`{"n":1}`)})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, rec.RunID)
	}
	close(g.release)
	for _, id := range append(ids, first) {
		s.waitState(id, machine.Completed)
	}
}
