package executor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/internal/await"
	"heddle/store"
	"heddle/store/storetest"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// padded is an output of a little more than n bytes.
func padded(n int, mark string) json.RawMessage {
	return json.RawMessage(`{"mark":"` + mark + `","pad":"` + strings.Repeat("p", n) + `"}`)
}

// fixedOutputs is a runner whose steps have the outputs that are written here, and
// keeps the configs that it got.
type fixedOutputs struct {
	outputs map[string]json.RawMessage
	mu      sync.Mutex
	configs map[string]string
}

func (g *fixedOutputs) run(_ context.Context, call executor.Call) (executor.Result, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.configs == nil {
		g.configs = map[string]string{}
	}
	g.configs[call.StepID+call.Iteration] = string(call.Config)
	return executor.Result{Output: g.outputs[call.StepID]}, nil
}

// blob reads what a reference stands for.
func (s *stack) blob(runID string, v json.RawMessage) []byte {
	s.t.Helper()
	ref, ok := machine.ParseReference(v)
	if !ok {
		s.t.Fatalf("no reference: %.100s", v)
	}
	b, content, err := s.svc.Blob(s.t.Context(), tenant, runID, ref.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := io.ReadAll(content)
	if err != nil || b.Size != int64(len(text)) || ref.Size != b.Size {
		s.t.Fatalf("%d bytes of %d: %v", len(text), b.Size, err)
	}
	return text
}

func (s *stack) step(runID, stepID string) machine.StepRun {
	s.t.Helper()
	v, err := s.svc.Get(s.t.Context(), tenant, runID)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, st := range v.Steps {
		if st.StepID == stepID {
			return st
		}
	}
	s.t.Fatalf("run %s has no step %s", runID, stepID)
	return machine.StepRun{}
}

func TestALargeOutputIsStoredApartAndReadByLaterSteps(t *testing.T) {
	big := padded(3<<20, "found")
	g := &fixedOutputs{outputs: map[string]json.RawMessage{"a": big, "b": json.RawMessage(`1`)}}
	s := newStack(t, g.run)
	id := s.start(s.workflow(`
name: apart
output: {all: "{{ steps.a.output }}", twice: "{{ steps.c.output.results[1] }}"}
steps:
  - {id: a, type: http_request, config: {url: u}}
  - {id: b, type: http_request, depends_on: [a], if: "steps.a.output.mark == 'found'", config: {url: "{{ steps.a.output.mark }}", body: "{{ steps.a.output }}"}}
  - {id: c, type: loop, depends_on: [a], config: {items: "[1, 2]", collect: "steps.a.output.mark + string(item)", steps: [{id: d, type: http_request, config: {url: "{{ steps.a.output.mark }}{{ item }}"}}]}}
`), "").RunID
	row := s.waitState(id, machine.Completed)
	if got := s.blob(id, s.step(id, "a").Output); !bytes.Equal(got, big) {
		t.Errorf("the step's output: %.60s", got)
	}
	if want := `{"body":` + string(big) + `,"url":"found"}`; g.configs["b"] != want || g.configs["dc[1]"] != `{"url":"found2"}` {
		t.Errorf("configs %.80s and %s", g.configs["b"], g.configs["dc[1]"])
	}
	if want := `{"all":` + string(big) + `,"twice":"found2"}`; string(s.blob(id, row.Output)) != want {
		t.Error("the run's output is not what its steps gave")
	}
	for _, e := range s.journal(id) {
		if len(e.Data) > executor.MaxInline {
			t.Errorf("event %d, %s, has %d bytes", e.Seq, e.Kind, len(e.Data))
		}
	}
	if err := s.svc.Delete(t.Context(), tenant, id); err != nil {
		t.Fatal(err)
	}
	left, err := s.db.RunBlobs(t.Context(), id)
	if err != nil || len(left) > 0 {
		t.Errorf("%d blobs after the run was deleted, %v", len(left), err)
	}
}

func TestTheSameContentIsStoredOnce(t *testing.T) {
	g := &fixedOutputs{outputs: map[string]json.RawMessage{"a": padded(2<<20, "x"), "b": padded(2<<20, "x"), "c": padded(2<<20, "y")}}
	s := newStack(t, g.run)
	id := s.start(s.workflow("name: once\noutput: 1\nsteps:\n  - {id: a, type: http_request, config: {url: u}}\n  - {id: b, type: http_request, depends_on: [a], config: {url: u}}\n  - {id: c, type: http_request, depends_on: [b], config: {url: u}}\n"), "").RunID
	s.waitState(id, machine.Completed)
	list, err := s.db.RunBlobs(t.Context(), id)
	if err != nil || len(list) != 2 || string(s.step(id, "a").Output) != string(s.step(id, "b").Output) {
		t.Errorf("%d blobs, %v", len(list), err)
	}
}

func TestARunMayStoreSoMuchApartAndNoMore(t *testing.T) {
	g := &fixedOutputs{outputs: map[string]json.RawMessage{}}
	source := "name: cap\nsteps:\n"
	for i := range 4 {
		g.outputs[fmt.Sprint("s", i)] = padded(2<<20, fmt.Sprint(i))
		source += fmt.Sprintf("  - {id: s%d, type: http_request, config: {url: u}, on_error: continue}\n", i)
	}
	s := newStack(t, g.run, func(c *executor.Config) { c.RunBlobs = 7 << 20 })
	id := s.start(s.workflow(source), "").RunID
	s.waitState(id, machine.Completed)
	failed := 0
	for i := range 4 {
		if st := s.step(id, fmt.Sprint("s", i)); st.Status == machine.StepFailed {
			failed++
			if st.Error.Code != "output_too_large" {
				t.Error(st.Error)
			}
		}
	}
	if failed != 1 {
		t.Errorf("%d of 4 steps failed, want 1", failed)
	}
}

func TestAnOutputBeyondTheLargestFailsItsStepPermanently(t *testing.T) {
	calls := new(atomic.Int32)
	huge := padded(executor.MaxBlob, "")
	s := newStack(t, func(context.Context, executor.Call) (executor.Result, error) {
		calls.Add(1)
		return executor.Result{Output: huge}, nil
	})
	id := s.start(s.workflow("name: huge\nsteps:\n  - {id: a, type: http_request, config: {url: u}, retry: {max_attempts: 3, delay_seconds: 0}}\n"), "").RunID
	if row := s.waitState(id, machine.Failed); row.Error.Code != "output_too_large" || calls.Load() != 1 {
		t.Errorf("%+v after %d attempts", row.Error, calls.Load())
	}
}

// patchy is a blob store that is unavailable for a while.
type patchy struct {
	*store.DB
	fail    atomic.Int32
	refuse  func(method string) error
	written atomic.Int32
}

func (p *patchy) away(method string) error {
	if p.fail.Add(-1) >= 0 {
		return fault.New(fault.Unavailable, "store_unavailable", "away")
	}
	if p.refuse != nil {
		return p.refuse(method)
	}
	return nil
}

func (p *patchy) PutBlob(ctx context.Context, b executor.Blob, content []byte) error {
	if err := p.away("put"); err != nil {
		return err
	}
	p.written.Add(1)
	return p.DB.PutBlob(ctx, b, content)
}

func (p *patchy) BlobChunk(ctx context.Context, id string, at int64) ([]byte, error) {
	if err := p.away("read"); err != nil {
		return nil, err
	}
	return p.DB.BlobChunk(ctx, id, at)
}

func TestAnUnavailableStoreLosesNoLargeOutput(t *testing.T) {
	g := &fixedOutputs{outputs: map[string]json.RawMessage{"a": padded(2<<20, "kept")}}
	var p *patchy
	s := newStack(t, g.run, func(c *executor.Config) {
		db, _ := c.Blobs.(*store.DB)
		p = &patchy{DB: db}
		c.Blobs = p
	})
	p.fail.Store(2)
	id := s.start(s.workflow("name: away\noutput: '{{ steps.a.output.mark }}'\nsteps:\n  - {id: a, type: http_request, config: {url: u}}\n"), "").RunID
	if row := s.waitState(id, machine.Completed); string(row.Output) != `"kept"` || p.written.Load() != 1 || count(s.journal(id), events.StepStarted) != 1 {
		t.Errorf("%s, %d times written", row.Output, p.written.Load())
	}
}

func TestAnOutputWhoseContentIsLostFailsWhatReadsIt(t *testing.T) {
	g := &fixedOutputs{outputs: map[string]json.RawMessage{"a": padded(2<<20, "lost")}}
	s := newStack(t, g.run, func(c *executor.Config) {
		db, _ := c.Blobs.(*store.DB)
		c.Blobs = &patchy{DB: db, refuse: func(method string) error {
			if method == "read" {
				return fault.New(fault.NotFound, "blob_not_found", "lost")
			}
			return nil
		}}
	})
	for _, source := range []string{
		"name: lost\noutput: '{{ steps.a.output.mark }}'\nsteps:\n  - {id: a, type: http_request, config: {url: u}}\n",
		"name: lost\nsteps:\n  - {id: a, type: http_request, config: {url: u}}\n  - {id: b, type: http_request, depends_on: [a], config: {url: '{{ steps.a.output.mark }}'}}\n",
	} {
		id := s.start(s.workflow(source), "").RunID
		if row := s.waitState(id, machine.Failed); row.Error.Code != "blob_lost" {
			t.Errorf("%+v", row.Error)
		}
	}
}

func TestWhatNoCommitNamesIsSweptWhenANodeBegins(t *testing.T) {
	db := openDB(t, storetest.SQLite(t))
	orphan := executor.Blob{ID: "blob_0123456789abcdef01234567", TenantID: tenant, RunID: "run_1", Size: 3, CreatedAt: time.Now().Add(-time.Second)}
	if err := db.PutBlob(t.Context(), orphan, []byte("123")); err != nil {
		t.Fatal(err)
	}
	s := stackOn(t, db, new(atomic.Int64), func(context.Context, executor.Call) (executor.Result, error) { return ok("") })
	s.eventually("swept", func() bool {
		_, err := db.BlobChunk(t.Context(), orphan.ID, 0)
		return fault.KindOf(err) == fault.NotFound
	})
}

func TestAttemptsWithLargeOutputsShareAMemoryBudget(t *testing.T) {
	var inside, most, asked atomic.Int64
	var asking sync.WaitGroup
	asking.Add(10)
	big := padded(2<<20, "")
	s := newStack(t, func(_ context.Context, call executor.Call) (executor.Result, error) {
		asking.Done()
		if err := call.ReserveMemory(64 << 20); err != nil {
			return executor.Result{}, err
		}
		asked.Add(1)
		most.Store(max(most.Load(), inside.Add(1)))
		asking.Wait()
		defer inside.Add(-1)
		return executor.Result{Output: big}, nil
	})
	source := "name: many\noutput: 1\nsteps:\n"
	for i := range 10 {
		source += fmt.Sprintf("  - {id: s%d, type: http_request, config: {url: u}}\n", i)
	}
	id := s.start(s.workflow(source), "").RunID
	s.waitState(id, machine.Completed)
	if most.Load() != 1 || asked.Load() != 10 {
		t.Errorf("%d of 64 MiB at once, %d in all", most.Load(), asked.Load())
	}
}

func TestBlobsOfOthersAreUnknown(t *testing.T) {
	g := &fixedOutputs{outputs: map[string]json.RawMessage{"a": padded(2<<20, "")}}
	s := newStack(t, g.run)
	source := s.workflow("name: own\nsteps:\n  - {id: a, type: http_request, config: {url: u}}\n")
	one, two := s.start(source, "").RunID, s.start(source, "").RunID
	s.waitState(one, machine.Completed)
	s.waitState(two, machine.Completed)
	ref, _ := machine.ParseReference(s.step(one, "a").Output)
	for _, at := range [][3]string{{"ten_other", one, "run_not_found"}, {tenant, two, "blob_not_found"}, {tenant, "run_x", "run_not_found"}} {
		_, _, err := s.svc.Blob(t.Context(), at[0], at[1], ref.ID)
		wantCode(t, err, fault.NotFound, at[2])
	}
}

func TestABlobIsReadFromAnywhere(t *testing.T) {
	big := padded(3<<20, "x")
	g := &fixedOutputs{outputs: map[string]json.RawMessage{"a": big}}
	s := newStack(t, g.run)
	id := s.start(s.workflow("name: seek\nsteps:\n  - {id: a, type: http_request, config: {url: u}}\n"), "").RunID
	s.waitState(id, machine.Completed)
	ref, _ := machine.ParseReference(s.step(id, "a").Output)
	_, r, err := s.svc.Blob(t.Context(), tenant, id, ref.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []int64{5, 0, 2<<20 + 7, int64(len(big)) - 1, int64(len(big)), 1} {
		if at, err := r.Seek(from, io.SeekStart); at != from || err != nil {
			t.Fatal(at, err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, big[from:]) {
			t.Errorf("from %d: %d bytes, %v", from, len(got), err)
		}
	}
	if at, err := r.Seek(-3, io.SeekEnd); at != int64(len(big))-3 || err != nil {
		t.Error(at, err)
	}
	if _, err := r.Seek(-1, io.SeekStart); err == nil || errors.Is(err, io.EOF) {
		t.Error("read before the beginning")
	}
}

// A change that is discarded, because the run finds no slot, is decided again
// later; the large value that it stored is not spared for ever.
func TestTheLargeValueOfADiscardedChangeIsLeftToTheSweep(t *testing.T) {
	release, began := make(chan struct{}), make(chan struct{}, 9)
	s := newStack(t, func(context.Context, executor.Call) (executor.Result, error) {
		began <- struct{}{}
		<-release
		return ok("")
	}, func(c *executor.Config) { c.MaxRuns = 1 })
	// It parks, then collects 1.1 MiB and needs a slot in the same change.
	wf := s.workflow(`
name: parked
output: "{{ steps.each.output.results }}"
steps:
  - {id: nap, type: wait, config: {seconds: 0.2}}
  - {id: each, type: loop, depends_on: [nap], config: {items: "2", collect: input.text, steps: [{id: one, type: condition, config: {expression: "true"}}]}}
  - {id: get, type: http_request, depends_on: [nap], config: {url: u}}
`)
	run := s.start(wf, `{"text":"`+strings.Repeat("x", 550_000)+`"}`).RunID
	s.waitState(run, machine.WaitingTimer)
	s.start(s.workflow(oneRequest), `{"n":1}`)
	await.Receive(t, "the one slot is taken", began)
	s.eventually("a change was discarded", func() bool { return executor.Deferred(s.svc, run) })
	close(release)
	s.waitState(run, machine.Completed)
	s.eventually("no value is spared", func() bool { return executor.Unreferenced(s.svc) == 0 })
}
