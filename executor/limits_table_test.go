package executor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/expressions"
	"strings"
	"sync/atomic"
	"testing"
)

// ofSize is a JSON string of exactly n bytes, quotes included.
func ofSize(n int) json.RawMessage { return json.RawMessage(`"` + strings.Repeat("v", n-2) + `"`) }

// TestLimitsOfValues holds the documented limits of values against what
// happens at each of them and one byte beyond.
func TestLimitsOfValues(t *testing.T) {
	g := &fixedOutputs{outputs: map[string]json.RawMessage{}}
	s := newStack(t, g.run)
	const get = "  - {id: a, type: http_request, config: {url: u}}\n"
	const two = get + "  - {id: b, type: http_request, config: {url: u}}\n"
	whole := s.workflow("name: whole\noutput: '{{ steps.a.output }}'\nsteps:\n" + get)
	joined := s.workflow("name: joined\noutput: ['{{ steps.a.output }}', '{{ steps.b.output }}']\nsteps:\n" + two)
	read := s.workflow("name: read\noutput: '{{ len(steps.a.output) }}'\nsteps:\n" + get)
	unread := s.workflow("name: unread\noutput: '{{ steps.a.status }}'\nsteps:\n" + get)
	var outputs strings.Builder
	outputs.WriteString("name: many\nsteps:\n" + get)
	for i := range 64 {
		fmt.Fprintf(&outputs, "  - {id: a%d, type: http_request, config: {url: u}}\n", i)
		g.outputs[fmt.Sprint("a", i)] = ofSize(1 << 20)
	}
	many := s.workflow(outputs.String())
	const mib = 1 << 20
	for _, limit := range []struct {
		name     string
		workflow string
		a, b     int    // bytes that the steps give
		apart    bool   // of the first step's output
		code     string // of the run's error; "": it completes
	}{
		{"an output of 1 MiB is inline", unread, mib, 0, false, ""},
		{"one byte more is stored apart", unread, mib + 1, 0, true, ""},
		{"an output has at most 64 MiB", unread, 64 * mib, 0, true, ""},
		{"one byte more fails the step", unread, 64*mib + 1, 0, false, "output_too_large"},
		{"an expression reads 8 MiB", read, 8 * mib, 0, true, ""},
		{"and no byte more", read, 8*mib + 1, 0, true, expressions.CodeLarge},
		{"a plain path passes more", whole, 9 * mib, 0, true, ""},
		{"a run's output has at most 64 MiB", joined, 32 * mib, 32*mib - 3, true, ""},
		{"a template makes no byte more", joined, 32 * mib, 32*mib - 2, true, expressions.CodeLarge},
		{"nor do outputs of steps together", many, mib, 0, false, "output_too_large"},
	} {
		g.mu.Lock()
		g.outputs["a"], g.outputs["b"] = ofSize(limit.a), ofSize(max(limit.b, 2))
		g.mu.Unlock()
		id := s.start(limit.workflow, "").RunID
		s.eventually(limit.name, func() bool { return s.run(id).State.Terminal() })
		code := ""
		if e := s.run(id).Error; e != nil {
			code = e.Code
		}
		if code != limit.code {
			t.Errorf("%s: the run's error is %q, want %q", limit.name, code, limit.code)
		}
		if _, apart := machine.ParseReference(s.step(id, "a").Output); apart != limit.apart {
			t.Errorf("%s: stored apart: %v", limit.name, apart)
		}
		if err := s.svc.Delete(t.Context(), tenant, id); err != nil {
			t.Error(err)
		}
	}
}

// TestALoopCollectsSoMuch: the results of a loop count together.
func TestALoopCollectsSoMuch(t *testing.T) {
	begun := new(atomic.Int32)
	value := ofSize(16<<20 - 1) // and a comma each
	s := newStack(t, func(context.Context, executor.Call) (executor.Result, error) {
		begun.Add(1)
		return executor.Result{Output: value}, nil
	}, func(c *executor.Config) { c.RunBlobs = 1 << 30 })
	source := "name: collect\noutput: 1\nsteps:\n  - {id: each, type: loop, config: {items: \"%d\", collect: steps.get.output, steps: [{id: get, type: http_request, config: {url: u}}]}}\n"
	row := s.waitState(s.start(s.workflow(fmt.Sprintf(source, 9)), "").RunID, machine.Failed)
	if row.Error.Code != "output_too_large" || begun.Load() != 5 {
		t.Errorf("%+v after %d iterations", row.Error, begun.Load())
	}
	row = s.waitState(s.start(s.workflow(fmt.Sprintf(source, 3)), "").RunID, machine.Completed)
	if string(row.Output) != "1" {
		t.Errorf("%s", row.Output)
	}
}
