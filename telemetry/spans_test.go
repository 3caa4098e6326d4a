package telemetry_test

import (
	"context"
	"fmt"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/telemetry"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

const charge = `
name: charge
steps:
  - id: charge
    type: http_request
    config: {url: "https://pay.example/{{ input.card }}"}
    retry: {max_attempts: 3, delay_seconds: 0}
  - id: ok
    type: condition
    depends_on: [charge]
    config: {expression: "true"}
`

func TestARunIsATreeOfSpans(t *testing.T) {
	w := newWorld(t)
	var sent []string
	var mu sync.Mutex
	p := w.begin(func(_ context.Context, c executor.Call) (executor.Result, error) {
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, c.TraceParent)
		if c.Attempt < 3 {
			return executor.Result{}, failure("status_503", false)
		}
		return done()
	}, func(c *telemetry.Config) {
		c.Headers, c.Attributes = map[string]string{"X-Token": "t"}, map[string]string{"deployment.environment.name": "test"}
	})
	id := p.start(w.workflow(charge), executor.Trace{})
	spans := p.finish(id, machine.Completed)

	run := find(t, spans, "run shop", "heddle.run.id", id, "heddle.state", "completed", "heddle.trigger", "api", "heddle.workflow.version", 1)
	if run.parent() != "" || run.failed() || len(spans) != 1+1+3+2 {
		t.Errorf("the run's span is %v; there are %v", run.Span, names(spans))
	}
	step := find(t, spans, "step charge", "heddle.step.type", "http_request", "heddle.state", "completed")
	if step.parent() != run.id() || step.failed() {
		t.Errorf("the step's span is %v", step.Span)
	}
	for n := 1; n <= 3; n++ {
		a := find(t, spans, "attempt charge", "heddle.attempt", n)
		if a.parent() != step.id() || a.failed() != (n < 3) || a.Kind != tracepb.Span_SPAN_KIND_CLIENT {
			t.Errorf("attempt %d is %v", n, a.Span)
		}
		if n < 3 && a.attr["error.type"] != "status_503" {
			t.Errorf("attempt %d has error.type %v", n, a.attr["error.type"])
		}
		if want := "00-" + run.trace() + "-" + a.id() + "-01"; sent[n-1] != want {
			t.Errorf("attempt %d sends %s, want %s", n, sent[n-1], want)
		}
	}
	find(t, spans, "attempt ok")
	if res := w.to.resource(); res["service.name"] != "heddle" || res["service.version"] != "test" || res["deployment.environment.name"] != "test" || res["telemetry.sdk.name"] != "opentelemetry" {
		t.Errorf("the resource is %v", res)
	}
	if w.to.headers.Get("X-Token") != "t" {
		t.Error("the headers are not sent")
	}
	for _, req := range w.to.requests {
		if text := protojson.Format(req); strings.Contains(text, "4242") || strings.Contains(text, "pay.example") {
			t.Errorf("a span holds what the run worked on: %s", text)
		}
	}
}

func TestARunJoinsItsCallersTrace(t *testing.T) {
	w := newWorld(t)
	var call atomic.Pointer[executor.Call]
	p := w.begin(func(_ context.Context, c executor.Call) (executor.Result, error) {
		call.Store(&c)
		return done()
	})
	const trace, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	id := p.start(w.workflow(charge), executor.Trace{Parent: "00-" + trace + "-" + caller + "-03", State: "vendor=a:1,other=b"})
	spans := p.finish(id, machine.Completed)
	run, attempt := find(t, spans, "run shop"), find(t, spans, "attempt charge")
	if run.trace() != trace || run.parent() != caller || run.TraceState != "vendor=a:1,other=b" || attempt.TraceState != run.TraceState {
		t.Errorf("the run's span is %v", run.Span)
	}
	if run.Flags&uint32(tracepb.SpanFlags_SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK) == 0 {
		t.Error("the parent is not marked as remote")
	}
	if c := call.Load(); c.TraceParent != "00-"+trace+"-"+attempt.id()+"-03" || c.TraceState != "vendor=a:1,other=b" {
		t.Errorf("the attempt sends %s with %s", c.TraceParent, c.TraceState)
	}
}

func TestWhatIsNotSampledIsNotMade(t *testing.T) {
	w := newWorld(t)
	var sent atomic.Value
	run := func(_ context.Context, c executor.Call) (executor.Result, error) {
		sent.Store(c.TraceParent)
		return done()
	}
	wf := w.workflow(charge)
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"
	for _, c := range []struct {
		sampler, arg, caller string
		sampled              bool
	}{
		{"", "", parent + "1", true},
		{"", "", parent + "0", false},
		{"parentbased_always_off", "", "", false},
		{"parentbased_always_off", "", parent + "1", true},
		{"parentbased_traceidratio", "0", "", false},
		{"always_on", "", parent + "0", true},
		{"always_off", "", parent + "1", false},
		{"traceidratio", "1", parent + "0", true},
	} {
		sampler, err := telemetry.NewSampler(c.sampler, c.arg)
		if err != nil {
			t.Fatal(err)
		}
		before := len(w.to.spans())
		p := w.begin(run, func(cfg *telemetry.Config) { cfg.Sampler = sampler })
		p.await(p.start(wf, executor.Trace{Parent: c.caller}), machine.Completed)
		p.end()
		flag := strings.HasSuffix(sent.Load().(string), "1")
		if made := len(w.to.spans()) > before; made != c.sampled || flag != c.sampled {
			t.Errorf("%s with %q: made %v, sent %v", c.sampler, c.caller, made, sent.Load())
		}
	}
	for _, bad := range [][2]string{{"sometimes", ""}, {"traceidratio", "2"}, {"traceidratio", "NaN"}, {"traceidratio", "much"}} {
		if _, err := telemetry.NewSampler(bad[0], bad[1]); err == nil {
			t.Errorf("%v is accepted", bad)
		}
	}
}

func TestStepsOfALoopHangBelowItsAttempt(t *testing.T) {
	w := newWorld(t)
	var failed atomic.Bool
	p := w.begin(func(_ context.Context, c executor.Call) (executor.Result, error) {
		if c.Iteration == "each[1].again[0]" && !failed.Swap(true) {
			return executor.Result{}, failure("broken", true)
		}
		return done()
	})
	id := p.start(w.workflow(`
name: loops
steps:
  - id: each
    type: loop
    retry: {max_attempts: 2, delay_seconds: 0}
    config:
      items: "[1, 2]"
      steps:
        - id: again
          type: loop
          config:
            items: "[1]"
            steps: [{id: call, type: webhook, config: {url: "https://example.com/"}}]
        - {id: rest, type: wait, depends_on: [again], config: {seconds: 0.01}}
`), executor.Trace{})
	spans := p.finish(id, machine.Completed)
	outer := find(t, spans, "step each", "heddle.state", "completed")
	first := find(t, spans, "attempt each", "heddle.attempt", 1)
	second := find(t, spans, "attempt each", "heddle.attempt", 2)
	if !first.failed() || second.failed() || first.parent() != outer.id() || second.parent() != outer.id() {
		t.Errorf("the loop's attempts are %v and %v", first.Span, second.Span)
	}
	inner := find(t, spans, "step again", "heddle.iteration", "each[1]", "heddle.state", "failed")
	if inner.parent() != first.id() || inner.attr["error.type"] != "iteration_failed" {
		t.Errorf("the inner loop is %v", inner.Span)
	}
	call := find(t, spans, "step call", "heddle.iteration", "each[1].again[0]", "heddle.state", "failed")
	attempt := find(t, spans, "attempt again", "heddle.iteration", "each[1]", "heddle.state", "failed")
	if call.parent() != attempt.id() || attempt.parent() != inner.id() || !call.failed() {
		t.Errorf("the body's step is %v", call.Span)
	}
	for _, s := range spans {
		if s.Name == "step rest" && s.attr["heddle.state"] == "completed" && s.EndTimeUnixNano <= s.StartTimeUnixNano {
			t.Errorf("a wait takes no time: %v", s.Span)
		}
	}
}

func TestCompensationsAreLinkedToWhatTheyUndo(t *testing.T) {
	w := newWorld(t)
	p := w.begin(func(_ context.Context, c executor.Call) (executor.Result, error) {
		switch {
		case c.StepID == "ship":
			return executor.Result{}, failure("refused", true)
		case c.Type == "webhook" && c.Attempt == 2:
			return executor.Result{}, failure("away", false)
		}
		return done()
	})
	id := p.start(w.workflow(`
name: undo
steps:
  - id: charge
    type: http_request
    config: {url: "https://example.com/"}
    retry: {max_attempts: 2, delay_seconds: 0}
    compensate: {type: webhook, config: {url: "https://example.com/undo"}}
  - {id: ship, type: http_request, depends_on: [charge], config: {url: "https://example.com/"}}
`), executor.Trace{})
	spans := p.finish(id, machine.Failed)
	run, step := find(t, spans, "run shop", "error.type", "refused"), find(t, spans, "step charge")
	for n, state := range map[int]string{2: "retrying", 3: "completed"} {
		undo := find(t, spans, "compensate charge", "heddle.attempt", n, "heddle.state", state, "heddle.step.type", "webhook")
		if undo.parent() != run.id() || len(undo.Links) != 1 || fmt.Sprintf("%x", undo.Links[0].SpanId) != step.id() || undo.failed() != (n == 2) {
			t.Errorf("the compensation's attempt %d is %v", n, undo.Span)
		}
	}
	if !run.failed() || find(t, spans, "step ship").attr["error.type"] != "refused" {
		t.Errorf("the run's span is %v", run.Span)
	}
}

func TestProbesAndFallbacksHaveTheirSpans(t *testing.T) {
	w := newWorld(t)
	var probes atomic.Int64
	var sent sync.Map
	p := w.begin(func(_ context.Context, c executor.Call) (executor.Result, error) {
		sent.Store(fmt.Sprint(c.StepID, c.Attempt), c.TraceParent)
		switch c.StepID {
		case "ready":
			if probes.Add(1) == 2 {
				return executor.Result{}, failure("away", false)
			}
			return executor.Result{Output: fmt.Appendf(nil, `{"n":%d}`, probes.Load())}, nil
		case "main":
			return executor.Result{}, failure("broken", true)
		}
		return done()
	})
	id := p.start(w.workflow(`
name: odd ones
steps:
  - id: ready
    type: wait
    config: {condition: "probe.n > 2", poll_seconds: 1, probe: {type: http_request, config: {url: "https://example.com/"}}}
  - {id: main, type: http_request, on_error: fallback, fallback_step: other, config: {url: "https://example.com/"}}
  - {id: other, type: http_request, config: {url: "https://example.com/"}}
  - {id: never, type: http_request, if: "false", config: {url: "https://example.com/"}}
`), executor.Trace{})
	spans := p.finish(id, machine.Completed)
	step := find(t, spans, "step ready")
	for n, state := range map[int]string{1: "waiting", 2: "waiting", 3: "completed"} {
		a := find(t, spans, "attempt ready", "heddle.attempt", n, "heddle.state", state)
		parent, _ := sent.Load(fmt.Sprint("ready", n))
		if a.parent() != step.id() || a.failed() != (n == 2) || !strings.Contains(parent.(string), a.id()) {
			t.Errorf("probe %d is %v, sent %v", n, a.Span, parent)
		}
	}
	if s := find(t, spans, "step main"); s.failed() || !find(t, spans, "attempt main").failed() {
		t.Errorf("the step with a fallback is %v", s.Span)
	}
	find(t, spans, "step other", "heddle.state", "completed")
	for _, s := range spans {
		if s.attr["heddle.step.id"] == "never" {
			t.Errorf("a skipped step has the span %s", s.Name)
		}
	}
}
