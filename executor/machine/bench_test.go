package machine_test

import (
	"encoding/json"
	"fmt"
	"heddle/executor/machine"
	"runtime"
	"strings"
	"testing"
)

func header() machine.Header {
	return machine.Header{
		RunID: "run_0123456789abcdef01234567", TenantID: "t", WorkflowID: "wf_1", Slug: "wf", Version: 1,
		Trigger: "api", Input: json.RawMessage(`{"n":1}`), CreatedAt: epoch,
	}
}

const threeConditions = `
name: three
steps:
  - {id: s1, type: condition, config: {expression: "true", then: [s2]}}
  - {id: s2, type: condition, depends_on: [s1], config: {expression: "steps.s1.output.result", then: [s3]}}
  - {id: s3, type: condition, depends_on: [s2], config: {expression: "input.n == 1"}}
`

// BenchmarkSmallRun is a whole run of three condition steps.
func BenchmarkSmallRun(b *testing.B) {
	plan, h := compilePlan(b, threeConditions), header()
	b.ReportAllocs()
	for b.Loop() {
		c := machine.New(plan, h, epoch)
		c, err := machine.Apply(c.Run, machine.Begin{}, epoch)
		if err != nil || c.Run.State != machine.Completed {
			b.Fatal(c.Run.State, err)
		}
	}
}

func chain(n int) string {
	var s strings.Builder
	s.WriteString("name: chain\nsteps:\n")
	for i := range n {
		deps := ""
		if i > 0 {
			deps = fmt.Sprintf(", depends_on: [s%d]", i-1)
		}
		fmt.Fprintf(&s, "  - {id: s%d, type: http_request, config: {url: u}%s}\n", i, deps)
	}
	return s.String()
}

// BenchmarkTransition is one StepEnded in a chain of 10,000 steps, near its
// start and far into it, and in a fan of 5,000.
func BenchmarkTransition(b *testing.B) {
	plan := compilePlan(b, chain(10_000))
	run := mustApply(b, machine.New(plan, header(), epoch).Run, machine.Begin{}).Run
	for i := range 5_001 {
		if i == 10 || i == 5_000 {
			at, in := run, ended2(fmt.Sprintf("s%d", i))
			b.Run(fmt.Sprintf("chain at %d", i), func(b *testing.B) { transitions(b, at, in) })
		}
		run = mustApply(b, run, ended2(fmt.Sprintf("s%d", i))).Run
	}
	var s strings.Builder
	s.WriteString("name: fan\nsteps:\n  - {id: root, type: http_request, config: {url: u}}\n")
	for i := range 5_000 {
		fmt.Fprintf(&s, "  - {id: s%d, type: http_request, depends_on: [root], config: {url: u}}\n", i)
	}
	plan = compilePlan(b, s.String())
	c := mustApply(b, machine.New(plan, header(), epoch).Run, machine.Begin{})
	c = mustApply(b, c.Run, ended2("root"))
	for c.More {
		c = mustApply(b, c.Run, machine.Continue{})
	}
	for i := range 4_000 {
		if i == 10 || i == 3_999 {
			at, in := c.Run, ended2(fmt.Sprintf("s%d", i))
			b.Run(fmt.Sprintf("fan at %d", i), func(b *testing.B) { transitions(b, at, in) })
		}
		c = mustApply(b, c.Run, ended2(fmt.Sprintf("s%d", i)))
	}
}

func ended2(step string) machine.Input {
	return machine.StepEnded{Ref: machine.Ref{StepID: step}, Attempt: 1, Output: json.RawMessage(`{"ok":true}`)}
}

func transitions(b *testing.B, run *machine.Run, in machine.Input) {
	b.ReportAllocs()
	for b.Loop() {
		mustApply(b, run, in)
	}
}

func mustApply(t tester, r *machine.Run, in machine.Input) machine.Change {
	c, err := machine.Apply(r, in, epoch)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// BenchmarkCompile is a definition of 10,000 steps.
func BenchmarkCompile(b *testing.B) {
	plan := compilePlan(b, chain(10_000))
	for b.Loop() {
		if _, err := machine.Compile(plan.Definition(), nil); err != nil {
			b.Fatal(err)
		}
	}
}

// TestLongLoopStaysSmall drives a loop of 200,000 iterations and watches the
// live heap: a finished iteration leaves nothing behind.
func TestLongLoopStaysSmall(t *testing.T) {
	plan := compilePlan(t, `
name: long
steps:
  - id: each
    type: loop
    config:
      items: "200000"
      max_iterations: 1000000
      steps:
        - {id: one, type: condition, config: {expression: "index >= 0"}}
`)
	c := mustApply(t, machine.New(plan, header(), epoch).Run, machine.Begin{})
	var low, high uint64
	applies := 0
	for ; c.More; applies++ {
		if len(c.Events) > 600 {
			t.Fatalf("one Apply made %d events", len(c.Events))
		}
		if applies%200 == 0 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			if low == 0 {
				low = m.HeapAlloc
			}
			high = max(high, m.HeapAlloc)
		}
		c = mustApply(t, c.Run, machine.Continue{})
	}
	if c.Run.State != machine.Completed || !strings.Contains(string(c.Run.Output), `"completed":200000`) {
		t.Fatalf("%s %s", c.Run.State, c.Run.Output)
	}
	if high > low+2<<20 {
		t.Errorf("the live heap grew from %d to %d bytes", low, high)
	}
}
