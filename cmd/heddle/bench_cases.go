package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/executor"
	"heddle/executor/machine"
	"io"
	"os"
	"strings"
	"time"
)

// benchCase is one way of using the product that is worth a figure of its own.
// A further case is one more entry of benchCases.
type benchCase struct {
	name  string
	about string
	run   func(*bench, context.Context) error
}

func benchCases() []benchCase {
	return []benchCase{
		{"loop-10k", "a loop over 10,000 items of the input, 100 at once, each a step that is performed and collected", (*bench).loop10k},
		{"loop-1m", "a loop of 1,000,000 iterations of a condition, with results", (*bench).loop1m},
		{"streams", "1,000 event streams at once, half of them of one run, and readers that stall", (*bench).streams},
		{"reconnects", "10,000 reconnects to the events of a run that goes on, without a gap or a repeat", (*bench).reconnects},
		{"steps-1k", "1,000 http_requests at once in one run", (*bench).parallelSteps},
		{"runs-1k", "1,000 runs of one http_request at once", (*bench).parallelRuns},
	}
}

// findCases picks the cases that were asked for by name.
func findCases(names []string) ([]benchCase, error) {
	var picked []benchCase
	var known []string
	for _, c := range benchCases() {
		known = append(known, c.name)
	}
names:
	for _, name := range names {
		for _, c := range benchCases() {
			if c.name == name {
				picked = append(picked, c)
				continue names
			}
		}
		return nil, fmt.Errorf("there is no case %q; there are %s", name, strings.Join(known, ", "))
	}
	return picked, nil
}

// caseList words the cases for the command's help.
func caseList() string {
	var b strings.Builder
	for _, c := range benchCases() {
		fmt.Fprintf(&b, "  %-10s %s\n", c.name, c.about)
	}
	return b.String()
}

// loop10k: the runner ends each step at once, so what is measured is the
// journal before and after each.
func (b *bench) loop10k(ctx context.Context) error {
	const n = 10_000
	items := make([]int, n)
	for i := range items {
		items[i] = i
	}
	input, err := json.Marshal(map[string]any{"items": items})
	if err != nil {
		return err
	}
	return b.loop(ctx, loopCase{
		name: "loop-10k", iterations: n, input: input, runner: atOnce{},
		definition: json.RawMessage(`{"name":"Loop","steps":[{"id":"each","type":"loop","config":{
			"items":"input.items","concurrency":100,"collect":"item",
			"steps":[{"id":"call","type":"http_request","config":{"url":"http://localhost/"}}]}}]}`),
	})
}

func (b *bench) loop1m(ctx context.Context) error {
	const n = 1_000_000
	return b.loop(ctx, loopCase{
		name: "loop-1m", iterations: n, input: json.RawMessage("{}"),
		definition: json.RawMessage(`{"name":"Loop","steps":[{"id":"each","type":"loop","config":{
			"items":"1000000","max_iterations":1000000,"concurrency":10,"collect":"index",
			"steps":[{"id":"even","type":"condition","config":{"expression":"index % 2 == 0"}}]}}]}`),
	})
}

// loopCase is one run of a workflow that is one loop, which collects the index.
type loopCase struct {
	name       string
	iterations int
	definition json.RawMessage
	input      json.RawMessage
	runner     executor.Runner
}

// loop runs it once and prints how fast it went and how much memory this
// process, server and client in one, took at the most.
func (b *bench) loop(ctx context.Context, c loopCase) error {
	r, err := b.rig(ctx, c.definition, replaced{runner: c.runner})
	if err != nil {
		return err
	}
	resetPeak()
	begun := time.Now()
	rec, err := r.stack.executor.Start(ctx, executor.StartRequest{TenantID: r.tenant, Workflow: r.workflow, Trigger: "manual", Input: c.input})
	if err == nil {
		rec, err = r.awaitEnd(ctx, rec)
	}
	took := time.Since(begun)
	_, peak, memErr := memory(os.Getpid())
	if err == nil {
		rec.Output, err = r.whole(ctx, rec.RunID, rec.Output)
	}
	if err := errors.Join(err, memErr, r.stop()); err != nil {
		return err
	}
	if err := looped(rec, c.iterations); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	b.say("%-10s %-14s %d iterations in %s, %d events, output %d KiB, peak resident %d MiB",
		c.name, perSecond(c.iterations, took), c.iterations, took.Round(time.Millisecond), rec.Seq, len(rec.Output)>>10, peak>>20)
	return nil
}

// whole is the output of a run of one loop with its content in place, where
// that is stored apart.
func (r *rig) whole(ctx context.Context, run string, output json.RawMessage) (json.RawMessage, error) {
	var v struct {
		Blob string          `json:"$blob"`
		Each json.RawMessage `json:"each"`
	}
	switch err := json.Unmarshal(output, &v); {
	case err != nil:
		return nil, err
	case v.Blob != "":
		_, content, err := r.stack.executor.Blob(ctx, r.tenant, run, v.Blob)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(content)
	case v.Each == nil:
		return output, nil
	}
	each, err := r.whole(ctx, run, v.Each)
	return append(append([]byte(`{"each":`), each...), '}'), err
}

// awaitEnd looks at a run until it is over. A follower would read every event,
// which is a figure of its own.
func (r *rig) awaitEnd(ctx context.Context, rec executor.Record) (executor.Record, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !rec.State.Terminal() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return rec, ctx.Err()
		}
		var err error
		if rec, err = r.stack.executor.Run(ctx, r.tenant, rec.RunID); err != nil {
			return rec, err
		}
	}
	return rec, nil
}

// looped wants a completed run whose loop collected every index.
func looped(rec executor.Record, n int) error {
	if rec.State != machine.Completed {
		return fmt.Errorf("the run ended as %s: %+v", rec.State, rec.Error)
	}
	var out struct {
		Each struct {
			Completed int   `json:"completed"`
			Results   []int `json:"results"`
		} `json:"each"`
	}
	if err := json.Unmarshal(rec.Output, &out); err != nil {
		return err
	}
	if got := out.Each; got.Completed != n || len(got.Results) != n || got.Results[n-1] != n-1 {
		return fmt.Errorf("%d of %d iterations completed, with %d results", got.Completed, n, len(got.Results))
	}
	return nil
}

// atOnce performs every step by doing nothing.
type atOnce struct{}

func (atOnce) Run(context.Context, executor.Call) (executor.Result, error) {
	return executor.Result{Output: json.RawMessage("{}")}, nil
}

// resetPeak lets the kernel count the highest resident memory anew. Where it
// does not, the peak is that of the whole process.
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }
