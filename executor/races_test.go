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
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// arena is where races are run: a node that drives runs and, on PostgreSQL, one
// that stands by and steers through the inbox.
type arena struct {
	*stack
	nodes    []*stack
	workflow string

	mu       sync.Mutex
	outcomes map[string]int
}

// race runs one round and names its outcome; it reports what must not happen as an error.
type race struct {
	definition string
	round      func(a *arena, id string) (outcome string, err error)
}

func races() map[string]race {
	const oneWait = `{name: w, steps: [{id: w, type: wait, config: {signal: {name: go}}}]}`
	return map[string]race{
		"a signal against its timeout": {
			`{name: w, steps: [{id: w, type: wait, config: {signal: {name: go}, timeout_seconds: 0.04, on_timeout: continue}}]}`, signalAgainstTimeout,
		},
		"a cancel against the completion":   {oneRequest, cancelAgainstCompletion},
		"a pause against the completion":    {oneRequest, pauseAgainstCompletion},
		"a signal against a cancel":         {oneWait, signalAgainstCancel},
		"two signals of one request id":     {asksTwice, signalAgainstItself},
		"two signals for one wait":          {asksTwice, signalAgainstSignal},
		"two starts with one key":           {threeConditions, startAgainstStart},
		"a pause and a resume and the step": {oneRequest, pauseAgainstResume},
	}
}

// TestRaces runs each race many times: exactly one outcome each time, a journal
// that folds to what the row says, nothing performed or consumed twice.
// HEDDLE_RACE_ROUNDS says how many on SQLite; PostgreSQL gets a fifth.
func TestRaces(t *testing.T) {
	onBothStores(t, func(t *testing.T, url string) {
		times := rounds(60)
		if strings.HasPrefix(url, "postgres") {
			times = (times + 4) / 5 // a round costs five times as much there
		} else {
			url = "sqlite://:memory:" // what is raced is not the disk
		}
		a := newArena(t, url)
		for _, name := range slices.Sorted(maps.Keys(races())) {
			t.Run(name, func(t *testing.T) { a.play(t, races()[name], times) })
		}
	})
}

func newArena(t *testing.T, url string) *arena {
	t.Helper()
	runner := func(context.Context, executor.Call) (executor.Result, error) { return ok("") }
	wide := func(c *executor.Config) {
		c.MaxRuns, c.Log = 32, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	if !strings.HasPrefix(url, "postgres") {
		s := stackOn(t, openDB(t, url), new(atomic.Int64), runner, quick, wide)
		return &arena{stack: s, nodes: []*stack{s}}
	}
	p := newPair(t, url, runner, quick, wide)
	return &arena{stack: p.leader, nodes: []*stack{p.leader, p.standby}}
}

// node returns one of the nodes at random.
func (a *arena) node() *executor.Service { return a.nodes[rand.IntN(len(a.nodes))].svc }

func (a *arena) play(t *testing.T, r race, times int) {
	a.t, a.outcomes = t, make(map[string]int)
	a.workflow = a.stack.workflow(r.definition)
	began := time.Now()
	parallel(times, func(int) {
		id := ""
		if !strings.Contains(r.definition, "three") {
			id = a.start(a.workflow, `{"n":1}`).RunID
		}
		outcome, err := r.round(a, id)
		if err != nil {
			t.Errorf("run %s: %v\n%s", id, err, a.story(id))
		}
		if id != "" {
			a.consistent(t, id)
		}
		a.mu.Lock()
		a.outcomes[outcome]++
		a.mu.Unlock()
	})
	t.Logf("%d rounds in %v: %v", times, time.Since(began).Round(10*time.Millisecond), a.outcomes)
}

// story returns a run's journal in short form.
func (a *arena) story(id string) string {
	if id == "" {
		return ""
	}
	evs, err := a.stack.store.Events(context.Background(), id, 0, 1000)
	var b strings.Builder
	for _, e := range evs {
		fmt.Fprintf(&b, "%d %s %s#%d %s %s\n", e.Seq, e.Kind, e.StepID, e.Attempt, e.At.Format("05.000"), e.Data)
	}
	if err != nil {
		b.WriteString(err.Error())
	}
	return b.String()
}

// consistent waits for the run's end and holds its row against its journal.
func (a *arena) consistent(t *testing.T, id string) {
	a.eventually("run "+id+" ends", func() bool { return a.run(id).State.Terminal() })
	folded, err := a.svc.Folded(context.Background(), id)
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(a.run(id), folded); diff != "" {
		t.Errorf("the row of %s (-) is not what its journal folds to (+):\n%s", id, diff)
	}
	evs := a.journal(id)
	if ends := count(evs, events.RunCompleted) + count(evs, events.RunFailed) + count(evs, events.RunCancelled); ends != 1 {
		t.Errorf("run %s ended %d times", id, ends)
	}
	a.attemptsOnce(id, evs)
	if taken := count(evs, events.InputResolved); taken > count(evs, events.SignalReceived) {
		t.Errorf("run %s took %d signals of %d", id, taken, count(evs, events.SignalReceived))
	}
}

// soon waits up to most, so that two actions meet in every order.
func soon(most time.Duration) { <-time.After(time.Duration(rand.Int64N(int64(most)))) }

// only returns err unless it is a refusal with one of the codes.
func only(err error, codes ...string) error {
	if err == nil || slices.Contains(codes, fault.CodeOf(err)) {
		return nil
	}
	return err
}

// ends waits for the run's end and names it.
func (a *arena) ends(id string) string {
	a.eventually("run "+id+" ends", func() bool { return a.run(id).State.Terminal() })
	return string(a.run(id).State)
}

func wantCount(evs []events.Event, kind events.Kind, want int) error {
	if n := count(evs, kind); n != want {
		return fmt.Errorf("%d events %s, want %d", n, kind, want)
	}
	return nil
}

// performedOnce: the one step was begun again only where it was cut off, as
// when this process stood still for so long that it lost its lease.
func performedOnce(evs []events.Event) error {
	return errors.Join(wantCount(evs, events.StepCompleted, 1), wantCount(evs, events.StepStarted, 1+count(evs, events.StepInterrupted)))
}

func signalAgainstTimeout(a *arena, id string) (string, error) {
	<-time.After(time.Duration(18+rand.IntN(26)) * time.Millisecond) // about when the wait ends
	_, err := a.node().Signal(context.Background(), tenant, id, signal("go", "k", `1`))
	state := a.ends(id)
	outcome, taken := "signal", 1
	if err != nil {
		outcome, taken = "timeout", 0
	}
	evs := a.journal(id)
	return outcome, errors.Join(only(err, "run_finished"), wantCount(evs, events.SignalReceived, taken),
		wantCount(evs, events.InputResolved, taken), wantCount(evs, events.StepCompleted, 1), wantState(state, "completed"))
}

func wantState(got string, want ...string) error {
	if !slices.Contains(want, got) {
		return fmt.Errorf("the run is %s, want %v", got, want)
	}
	return nil
}

func cancelAgainstCompletion(a *arena, id string) (string, error) {
	soon(2 * time.Millisecond)
	_, err := a.node().Cancel(context.Background(), tenant, id)
	state := a.ends(id)
	return state, errors.Join(err, wantState(state, "completed", "cancelled"))
}

func pauseAgainstCompletion(a *arena, id string) (string, error) {
	soon(2 * time.Millisecond)
	_, err := a.node().Pause(context.Background(), tenant, id)
	outcome := "paused"
	if err != nil {
		outcome = "completed"
	}
	wrong := only(err, "run_finished")
	a.eventually("run "+id+" rests", func() bool { st := a.run(id).State; return st.Terminal() || st == machine.Paused })
	if a.run(id).State == machine.Paused {
		_, err := a.node().Resume(context.Background(), tenant, id, executor.ResumeRequest{})
		wrong = errors.Join(wrong, err)
	}
	return outcome, errors.Join(wrong, wantState(a.ends(id), "completed"), performedOnce(a.journal(id)))
}

func signalAgainstCancel(a *arena, id string) (string, error) {
	var sent, cancelled error
	both(func() { _, sent = a.node().Signal(context.Background(), tenant, id, signal("go", "k", `1`)) },
		func() { soon(time.Millisecond); _, cancelled = a.node().Cancel(context.Background(), tenant, id) })
	state := a.ends(id)
	taken, received := 0, 1
	if state == "completed" {
		taken = 1
	}
	if sent != nil {
		received = 0
	}
	evs := a.journal(id)
	return state, errors.Join(only(sent, "run_finished"), cancelled, wantState(state, "completed", "cancelled"),
		wantCount(evs, events.InputResolved, taken), wantCount(evs, events.SignalReceived, received))
}

// deliverBoth sends two signals at once and returns how many were new; one more signal ends
// the run.
func (a *arena) deliverBoth(id, first, second string) (fresh int, err error) {
	errs, news := make([]error, 2), make([]bool, 2)
	deliver := func(i int, key string) func() {
		return func() {
			out, err := a.node().Signal(context.Background(), tenant, id, signal("go", key, fmt.Sprint(i)))
			errs[i], news[i] = err, !out.Duplicate
		}
	}
	both(deliver(0, first), deliver(1, second))
	for _, n := range news {
		if n {
			fresh++
		}
	}
	return fresh, errors.Join(errs...)
}

func signalAgainstItself(a *arena, id string) (string, error) {
	fresh, err := a.deliverBoth(id, "k", "k")
	if fresh != 1 {
		err = errors.Join(err, fmt.Errorf("%d of two signals with one request id were new", fresh))
	}
	first := a.journal(id)
	_, last := a.node().Signal(context.Background(), tenant, id, signal("go", "last", `2`))
	return "one", errors.Join(err, last, wantCount(first, events.InputResolved, 1), wantState(a.ends(id), "completed"),
		wantCount(a.journal(id), events.SignalReceived, 2))
}

func signalAgainstSignal(a *arena, id string) (string, error) {
	fresh, err := a.deliverBoth(id, "k", "l")
	evs := a.journal(id)
	return fmt.Sprint(fresh, " taken"), errors.Join(err, wantState(a.ends(id), "completed"),
		wantCount(evs, events.SignalReceived, 2), wantCount(evs, events.InputResolved, 2), wantCount(evs, events.StepCompleted, 2))
}

func startAgainstStart(a *arena, _ string) (string, error) {
	key, ids, errs := fmt.Sprint(rand.Uint64()), make([]string, 2), make([]error, 2)
	start := func(i int) func() {
		return func() {
			rec, err := a.node().Start(context.Background(), executor.StartRequest{
				TenantID: tenant, Workflow: a.workflow, Trigger: "manual", Input: json.RawMessage(`{"n":2}`),
				Keep: func(r executor.Record) *idempotency.Answer {
					return &idempotency.Answer{TenantID: tenant, Scope: "POST /x", Key: key, Status: 202, Response: []byte(r.RunID), CreatedAt: time.Now()}
				},
			})
			ids[i], errs[i] = rec.RunID, err
		}
	}
	both(start(0), start(1))
	kept, err := a.db.Answer(context.Background(), tenant, "POST /x", key)
	switch {
	case err != nil || kept == nil:
		err = fmt.Errorf("nothing is kept under the key: %w", err)
	case (errs[0] == nil) == (errs[1] == nil):
		err = fmt.Errorf("two starts with one key: %v and %v", errs[0], errs[1])
	case string(kept.Response) != ids[0]+ids[1]:
		err = fmt.Errorf("the run is %s, the answer that was kept names %s", ids[0]+ids[1], kept.Response)
	}
	return "one", errors.Join(err, only(errs[0], "idempotency_key_taken"), only(errs[1], "idempotency_key_taken"))
}

func pauseAgainstResume(a *arena, id string) (string, error) {
	var paused, resumed error
	both(func() { soon(time.Millisecond); _, paused = a.node().Pause(context.Background(), tenant, id) },
		func() {
			soon(time.Millisecond)
			_, resumed = a.node().Resume(context.Background(), tenant, id, executor.ResumeRequest{})
		})
	outcome := "refused"
	if paused == nil && resumed == nil {
		outcome = "paused and resumed"
	}
	wrong := errors.Join(only(paused, "run_finished"), only(resumed, "run_not_resumable"))
	a.eventually("run "+id+" ends", func() bool {
		st := a.run(id).State
		if st == machine.Paused {
			_, _ = a.node().Resume(context.Background(), tenant, id, executor.ResumeRequest{})
		}
		return st.Terminal()
	})
	return outcome, errors.Join(wrong, wantState(a.ends(id), "completed"), performedOnce(a.journal(id)))
}
