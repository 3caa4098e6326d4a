package executor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/store/storetest"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// rounds is how often a race is run: HEDDLE_RACE_ROUNDS, or few.
func rounds(few int) int {
	if n, err := strconv.Atoi(os.Getenv("HEDDLE_RACE_ROUNDS")); err == nil && n > 0 {
		return n
	}
	return few
}

// quick keeps a test that waits for nothing outside from waiting at its end.
func quick(c *executor.Config) { c.Drain = 5 * time.Second }

// both runs two functions at once, in either order.
func both(a, b func()) {
	var wg sync.WaitGroup
	wg.Go(a)
	wg.Go(b)
	wg.Wait()
}

// ended checks what holds for the journal of every finished run.
func (s *stack) ended(id string) []events.Event {
	s.t.Helper()
	evs := s.journal(id)
	terminal := count(evs, events.RunCompleted) + count(evs, events.RunFailed) + count(evs, events.RunCancelled)
	if row := s.run(id); terminal != 1 || !row.State.Terminal() || row.Seq != int64(len(evs)) {
		s.t.Errorf("run %s is %s at %d; %d events, %d ends", id, row.State, row.Seq, len(evs), terminal)
	}
	s.attemptsOnce(id, evs)
	return evs
}

// attemptsOnce checks that no attempt starts twice, and none after the step's
// end.
func (s *stack) attemptsOnce(id string, evs []events.Event) {
	s.t.Helper()
	started, completed := map[string]bool{}, map[string]bool{}
	for _, e := range evs {
		place := e.StepID + e.Iteration
		switch e.Kind {
		case events.StepStarted:
			if key := fmt.Sprint(place, "#", e.Attempt); started[key] || completed[place] {
				s.t.Errorf("run %s: %s begins again at %d", id, key, e.Seq)
			} else {
				started[key] = true
			}
		case events.StepCompleted:
			if completed[place] {
				s.t.Errorf("run %s: %s is completed twice", id, place)
			}
			completed[place] = true
		}
	}
}

// parallel calls f n times, sixteen at once.
func parallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	places := make(chan struct{}, 16)
	for i := range n {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			f(i)
		})
	}
	wg.Wait()
}

const stressed = `
name: stressed
steps:
  - {id: a, type: http_request, config: {url: "http://x.test/"}, retry: {max_attempts: 3, delay_seconds: 0.005, backoff: fixed}, compensate: {type: http_request, config: {url: "http://x.test/undo"}}}
  - {id: each, type: loop, depends_on: [a], config: {items: "3", concurrency: 2, steps: [{id: body, type: http_request, config: {url: "http://x.test/"}}]}}
  - {id: ask, type: wait, depends_on: [a], config: {signal: {name: go}, timeout_seconds: 0.05, on_timeout: continue}}
  - {id: z, type: http_request, config: {url: "http://x.test/"}, depends_on: [each, ask]}
`

// TestRandomRunsSurviveRestarts drives random runs through failures, steering
// and processes that stop in the middle, and then reads every journal.
func TestRandomRunsSurviveRestarts(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var performed sync.Map // run, step, iteration, attempt
	runner := func(ctx context.Context, call executor.Call) (executor.Result, error) {
		key := fmt.Sprint(call.RunID, call.StepID, call.Iteration, "#", call.Attempt)
		if _, again := performed.LoadOrStore(key, true); again {
			t.Errorf("%s is performed again", key)
		}
		select {
		case <-time.After(time.Duration(rand.IntN(4)) * time.Millisecond):
		case <-ctx.Done():
			return executor.Result{}, ctx.Err()
		}
		if rand.IntN(6) == 0 {
			return executor.Result{}, transient("connection_failed")
		}
		return ok("")
	}
	db, ids := openDB(t, storetest.SQLite(t)), new(atomic.Int64)
	few := func(c *executor.Config) { c.MaxRuns, c.Drain = 4, time.Millisecond }
	var all []string
	for range rounds(3) {
		s := stackOn(t, db, ids, runner, few)
		all = append(all, s.steered(s.workflow(stressed), rand.New(rand.NewPCG(seed, uint64(len(all)))))...)
		s.stop()
	}
	last := stackOn(t, db, ids, runner, few)
	interrupted := 0
	for _, id := range all {
		last.eventually("run "+id+" ends", func() bool {
			st := last.run(id).State
			if st == machine.Paused {
				_, _ = last.svc.Resume(context.Background(), tenant, id, executor.ResumeRequest{})
			}
			return st.Terminal()
		})
		interrupted += count(last.ended(id), events.StepInterrupted)
	}
	t.Logf("%d runs, %d attempts cut off", len(all), interrupted)
	last.eventually("all slots are free", func() bool { return last.svc.FreeSlots() == 4 })
	last.stop()
	_ = db.Close()
}

// steered starts runs and steers some of them at random.
func (s *stack) steered(wf string, r *rand.Rand) []string {
	var ids []string
	for range 40 {
		id := s.start(wf, `null`).RunID
		ids = append(ids, id)
		other := ids[r.IntN(len(ids))]
		switch r.IntN(6) {
		case 0:
			_, _ = s.svc.Cancel(context.Background(), tenant, other)
		case 1:
			_, _ = s.svc.Pause(context.Background(), tenant, other)
		case 2:
			if s.run(other).State == machine.Paused {
				_, _ = s.svc.Resume(context.Background(), tenant, other, executor.ResumeRequest{})
			}
		case 3, 4:
			_, _ = s.svc.Signal(context.Background(), tenant, other, machine.Signal{Name: "go", RequestID: id, Payload: json.RawMessage(`1`)})
		}
	}
	return ids
}
