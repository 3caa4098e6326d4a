package telemetry_test

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/telemetry"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

const approval = `
name: approval
steps:
  - {id: before, type: http_request, config: {url: "https://example.com/"}}
  - {id: approve, type: wait, depends_on: [before], config: {signal: {name: go}}}
  - {id: after, type: http_request, depends_on: [approve], config: {url: "https://example.com/"}}
`

// TestARestartMakesNoSpanTwice: the first process sees the steps begin, the
// second sees them end.
func TestARestartMakesNoSpanTwice(t *testing.T) {
	w := newWorld(t)
	run := func(context.Context, executor.Call) (executor.Result, error) { return done() }
	p := w.begin(run)
	id := p.start(w.workflow(approval), executor.Trace{})
	p.await(id, machine.WaitingSignal)
	stopped := time.Now()
	p.end()
	if n := len(w.to.spans()); n != 2 {
		t.Fatalf("the first process sent %d spans, want the first step's two", n)
	}
	p = w.begin(run)
	if _, err := p.svc.Signal(t.Context(), tenant, id, machine.Signal{Name: "go"}); err != nil {
		t.Fatal(err)
	}
	spans := p.finish(id, machine.Completed)
	if len(spans) != 1+3+3 {
		t.Errorf("there are %v", names(spans))
	}
	for _, name := range []string{"run shop", "step approve", "attempt approve"} {
		if s := find(t, spans, name); s.StartTimeUnixNano > uint64(stopped.UnixNano()) {
			t.Errorf("%s begins in the second process", name)
		}
	}
}

// TestAnAttemptThatIsCutOffHasASpan: the process ends while the attempt is in
// flight; the next one learns of it from the journal.
func TestAnAttemptThatIsCutOffHasASpan(t *testing.T) {
	w := newWorld(t)
	begun := make(chan struct{}, 1)
	p := w.begin(func(ctx context.Context, _ executor.Call) (executor.Result, error) {
		begun <- struct{}{}
		<-ctx.Done()
		return executor.Result{}, ctx.Err()
	})
	id := p.start(w.workflow(charge), executor.Trace{})
	<-begun
	p.end()
	p = w.begin(func(context.Context, executor.Call) (executor.Result, error) { return done() })
	spans := p.finish(id, machine.Completed)
	first := find(t, spans, "attempt charge", "heddle.attempt", 1)
	second := find(t, spans, "attempt charge", "heddle.attempt", 2)
	if first.attr["error.type"] != "interrupted" || !first.failed() || second.failed() || first.StartTimeUnixNano > second.StartTimeUnixNano {
		t.Errorf("the attempts are %v and %v", first.Span, second.Span)
	}
}

func TestAResumedRunHasASpanForEachLife(t *testing.T) {
	w := newWorld(t)
	var well atomic.Bool
	p := w.begin(func(context.Context, executor.Call) (executor.Result, error) {
		if !well.Load() {
			return executor.Result{}, failure("broken", true)
		}
		return done()
	})
	id := p.start(w.workflow(charge), executor.Trace{})
	p.await(id, machine.Failed)
	well.Store(true)
	if _, err := p.svc.Resume(t.Context(), tenant, id, executor.ResumeRequest{}); err != nil {
		t.Fatal(err)
	}
	spans := p.finish(id, machine.Completed)
	first := find(t, spans, "run shop", "heddle.run.life", 0, "heddle.state", "failed")
	second := find(t, spans, "run shop", "heddle.run.life", 1, "heddle.state", "completed")
	if second.parent() != first.id() || second.StartTimeUnixNano < first.EndTimeUnixNano {
		t.Errorf("the second life is %v", second.Span)
	}
	if s := find(t, spans, "step charge", "heddle.state", "completed"); s.parent() != second.id() {
		t.Errorf("the step that ran again is %v", s.Span)
	}
	if s := find(t, spans, "step charge", "heddle.state", "failed"); s.parent() != first.id() {
		t.Errorf("the step that failed is %v", s.Span)
	}
}

// TestWhatIsOpenAtTheEndEndsWithTheRun: terminate and a resume of a paused run
// from a step drop what is under way without an event for each.
func TestWhatIsOpenAtTheEndEndsWithTheRun(t *testing.T) {
	w := newWorld(t)
	probed := make(chan struct{}, 1)
	p := w.begin(func(ctx context.Context, c executor.Call) (executor.Result, error) {
		if c.StepID == "ready" {
			probed <- struct{}{}
			return done()
		}
		<-ctx.Done()
		return executor.Result{}, ctx.Err()
	})
	id := p.start(w.workflow(`
name: open
steps:
  - id: each
    type: loop
    config: {items: "[1]", steps: [{id: call, type: http_request, config: {url: "https://example.com/"}}]}
  - {id: approve, type: wait, config: {signal: {name: go}}}
  - {id: ready, type: wait, config: {condition: "probe.card == 1", poll_seconds: 60, probe: {type: http_request, config: {url: "https://example.com/"}}}}
`), executor.Trace{})
	<-probed
	p.eventually("the wait polls", func() bool {
		journal, err := w.db.Events(t.Context(), id, 0, 100)
		last := journal[len(journal)-1]
		return err == nil && last.Kind == events.StepWaiting && last.StepID == "ready" && detail(t, last).Role == ""
	})
	if _, err := p.svc.Terminate(t.Context(), tenant, id); err != nil {
		t.Fatal(err)
	}
	spans := p.finish(id, machine.Cancelled)
	for _, name := range []string{"run shop", "step each", "attempt each", "step call", "attempt call", "step approve", "attempt approve"} {
		if s := find(t, spans, name, "heddle.state", "cancelled"); s.failed() {
			t.Errorf("%s is %v", name, s.Span)
		}
	}
	find(t, spans, "attempt ready", "heddle.state", "waiting")
	find(t, spans, "step ready", "heddle.state", "cancelled")
	if find(t, spans, "step call").parent() != find(t, spans, "attempt each").id() {
		t.Error("the body's step has lost its loop")
	}
}

func TestAResumeFromAStepEndsWhatWasOpen(t *testing.T) {
	w := newWorld(t)
	p := w.begin(func(context.Context, executor.Call) (executor.Result, error) { return done() })
	id := p.start(w.workflow(approval), executor.Trace{})
	p.await(id, machine.WaitingSignal)
	if _, err := p.svc.Pause(t.Context(), tenant, id); err != nil {
		t.Fatal(err)
	}
	p.await(id, machine.Paused)
	if _, err := p.svc.Resume(t.Context(), tenant, id, executor.ResumeRequest{FromStep: "before"}); err != nil {
		t.Fatal(err)
	}
	p.await(id, machine.WaitingSignal)
	if _, err := p.svc.Signal(t.Context(), tenant, id, machine.Signal{Name: "go"}); err != nil {
		t.Fatal(err)
	}
	spans := p.finish(id, machine.Completed)
	find(t, spans, "step approve", "heddle.state", "cancelled")
	find(t, spans, "step approve", "heddle.state", "completed")
	find(t, spans, "run shop", "heddle.run.life", 0)
	if len(spans) != 1+2*2+2*2+2 {
		t.Errorf("there are %v", names(spans))
	}
}

// TestAStalledCollectorHoldsNothingUp: runs go on, spans beyond the queue are
// counted, and the end does not wait forever.
func TestAStalledCollectorHoldsNothingUp(t *testing.T) {
	w := newWorld(t)
	stalled := make(chan struct{})
	w.to.stalled = stalled
	p := w.begin(func(context.Context, executor.Call) (executor.Result, error) { return done() }, func(c *telemetry.Config) {
		c.Queue, c.Batch = 16, 4
	})
	wf := w.workflow(`{name: quick, steps: [{id: a, type: condition, config: {expression: "true"}}]}`)
	for range 50 {
		p.await(p.start(wf, executor.Trace{}), machine.Completed)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if s := p.tele.Stats(); s.Dropped < 150-16-4 {
		t.Errorf("a queue of 16 holds the spans of 50 runs: %+v", s)
	}
	if err := p.tele.Close(ctx); err == nil {
		t.Error("spans that were not sent are no error at the end")
	}
	close(stalled)
	if s := p.tele.Stats(); s.Sent != 0 || s.Sent+s.Dropped+s.Failed != 150 || s.Dropped < 100 {
		t.Errorf("of 150 spans: %+v", s)
	}
}

func TestWhatTheCollectorRefusesIsCounted(t *testing.T) {
	w := newWorld(t)
	w.to.Config.Handler = http.NotFoundHandler()
	p := w.begin(func(context.Context, executor.Call) (executor.Result, error) { return done() })
	p.await(p.start(w.workflow(charge), executor.Trace{}), machine.Completed)
	p.end()
	if s := p.tele.Stats(); s != (telemetry.Stats{Failed: 5}) {
		t.Errorf("of 5 spans: %+v", s)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for _, bad := range []string{"", "collector:4318", "ftp://collector", "http://", "http://me:secret@collector", "http://a\x00b"} {
		if telemetry.CheckEndpoint(bad) == nil {
			t.Errorf("endpoint %q is accepted", bad)
		}
		if _, err := telemetry.New(telemetry.Config{Endpoint: bad}); err == nil {
			t.Errorf("a service for %q is made", bad)
		}
	}
	list, err := telemetry.ParseList(" a=1, b = x%20y%3D ,,c=")
	if err != nil || fmt.Sprint(list) != "map[a:1 b:x y= c:]" {
		t.Errorf("read %v, %v", list, err)
	}
	for _, bad := range []string{"a", "=1", "a=%zz"} {
		if _, err := telemetry.ParseList(bad); err == nil {
			t.Errorf("list %q is accepted", bad)
		}
	}
}

// BenchmarkCommitted is what a growth of a run costs the goroutine that drives
// it: a step that ends and the next one that begins.
func BenchmarkCommitted(b *testing.B) {
	tele, err := telemetry.New(telemetry.Config{Endpoint: "http://127.0.0.1:1/v1/traces", Queue: 1, Delay: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = tele.Close(b.Context()) }()
	g := executor.Growth{
		After: &machine.Run{Header: machine.Header{RunID: "run_1", Slug: "shop"}},
		Events: []events.Event{
			{Kind: events.StepCompleted, StepID: "a", Attempt: 1, Data: json.RawMessage(`{"output":{}}`)},
			{Kind: events.StateChanged, Data: json.RawMessage(`{"state":"running","from":"backoff"}`)},
		},
	}
	for b.Loop() {
		tele.Committed(g)
	}
}

// refusing is a store that takes no end of a step.
type refusing struct{ executor.Store }

func (r refusing) Commit(ctx context.Context, epoch int64, group []executor.Commit) []error {
	errs := make([]error, len(group))
	for i, c := range group {
		if slices.ContainsFunc(c.Events, func(e events.Event) bool { return e.Kind == events.StepCompleted }) {
			errs[i] = fault.New(fault.Internal, "internal", "The database refused a statement.")
		} else {
			errs[i] = r.Store.Commit(ctx, epoch, group[i:i+1])[0]
		}
	}
	return errs
}

// TestARunThatIsGivenUpHasItsSpans: its end is journalled past the machine.
func TestARunThatIsGivenUpHasItsSpans(t *testing.T) {
	w := newWorld(t)
	w.store = refusing{w.db}
	p := w.begin(func(context.Context, executor.Call) (executor.Result, error) { return done() })
	id := p.start(w.workflow(charge), executor.Trace{})
	p.await(id, machine.Failed)
	p.end()
	spans := w.to.spans()
	run := find(t, spans, "run shop", "error.type", "journal_failed")
	if step := find(t, spans, "step charge", "heddle.state", "cancelled"); step.parent() != run.id() || len(spans) != 3 {
		t.Errorf("there are %v", names(spans))
	}
	find(t, spans, "attempt charge", "heddle.state", "cancelled")
}
