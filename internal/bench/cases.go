package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/executor"
	"heddle/executor/machine"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// caseEntry is one way of using the product that has a figure of its own. A further case
// is one more entry of allCases.
type caseEntry struct {
	name  string // as --case takes it
	about string // what it measures, for the help
	run   func(context.Context, *session) error
}

// allCases returns the cases in the order in which the help lists them.
func allCases() []caseEntry {
	return []caseEntry{
		{"loop-10k", "a loop over 10,000 items of the input, 100 at once, each a step that is performed and collected", loop10kCase},
		{"loop-1m", "a loop of 1,000,000 iterations of a condition, with results", loop1mCase},
		{"streams", "1,000 event streams at once, half of them of one run, and readers that stall", streamsCase},
		{"reconnects", "10,000 reconnects to the events of a run that goes on, without a gap or a repeat", reconnectsCase},
		{"events", "1,000 idle listeners of what changes in a tenant, and a load of runs beside 100 that never read", eventsCase},
		{"streams-idle", "5,000 event streams on which nothing happens", idleStreamsCase},
		{"steps-1k", "1,000 http_requests at once in one run", parallelStepsCase},
		{"runs-1k", "1,000 runs of one http_request at once", parallelRunsCase},
		{"awaited", "runs of three http_requests, started and awaited over HTTP, 50 in flight", awaitedCase},
		{"awaited-1", "the same, one at a time", awaitedAloneCase},
		{"large", "a definition of 10,000 steps: validated, created, started, its run read", largeCase},
		{"pages", "a page of each list of a run with 1,000,000 events", pagesCase},
		{"ratios", "what a run costs beside a plain row of the database; fails beyond fixed bounds", ratiosCase},
		{"queue", "what it costs a run to wait for a slot", queueCase},
		{"flood", "the runs of one tenant while another one starts runs without a pause", floodCase},
		{"lists", "a page of each list of runs among 1,000,000, with each filter", listsCase},
		{"lookup", "one of 100,000 workflows by its id and by its slug", lookupCase},
		{"search", "a search by text among 100,000 workflows", searchCase},
		{"polled", "a load of runs with and without a client that reads a list's total 50 times a second", polledCase},
	}
}

// findCases returns the named cases in the order of the names; none for no names. The
// error names the first that does not exist, and those that do.
func findCases(names []string) ([]caseEntry, error) {
	all := allCases()
	var found []caseEntry
	for _, name := range names {
		i := slices.IndexFunc(all, func(c caseEntry) bool { return c.name == name })
		if i < 0 {
			known := make([]string, 0, len(all))
			for _, c := range all {
				known = append(known, c.name)
			}
			return nil, fmt.Errorf("there is no case %q; there are %s", name, strings.Join(known, ", "))
		}
		found = append(found, all[i])
	}
	return found, nil
}

// CaseList returns the names and descriptions of the cases, a line for each, for the
// command's help.
func CaseList() string {
	var b strings.Builder
	for _, c := range allCases() {
		fmt.Fprintf(&b, "  %-10s %s\n", c.name, c.about)
	}
	return b.String()
}

// loop10kCase measures a loop whose attempts return at once, so that the figure is that of
// the journal before and after each of them.
func loop10kCase(ctx context.Context, b *session) error {
	const n = 10_000
	// Each item is its index, so that the collected results can be checked.
	items := make([]int, n)
	for i := range items {
		items[i] = i
	}
	input, err := json.Marshal(map[string]any{"items": items})
	if err != nil {
		return err
	}
	return b.loop(ctx, loopCase{
		name: "loop-10k", iterations: n, input: input, runner: instantRunner{},
		definition: json.RawMessage(`{"name":"Loop","steps":[{"id":"each","type":"loop","config":{
			"items":"input.items","concurrency":100,"collect":"item",
			"steps":[{"id":"call","type":"http_request","config":{"url":"http://localhost/"}}]}}]}`),
	})
}

// loop1mCase measures a loop whose iterations need no attempt, so that the figure is that of
// the run machine and its commits.
func loop1mCase(ctx context.Context, b *session) error {
	const n = 1_000_000
	return b.loop(ctx, loopCase{
		name: "loop-1m", iterations: n, input: json.RawMessage("{}"),
		definition: json.RawMessage(`{"name":"Loop","steps":[{"id":"each","type":"loop","config":{
			"items":"1000000","max_iterations":1000000,"concurrency":10,"collect":"index",
			"steps":[{"id":"even","type":"condition","config":{"expression":"index % 2 == 0"}}]}}]}`),
	})
}

// loopCase is one run of a workflow that is one loop, with the id each, which collects
// the index of each iteration.
type loopCase struct {
	name       string
	iterations int
	definition json.RawMessage
	input      json.RawMessage
	runner     executor.Runner // nil: the product's own
}

// loop runs the case once and prints the iterations per second and the peak of memory of
// this process, which is server and client in one. It fails unless every iteration was
// collected.
//
//	loop-10k   …/s   10000 iterations in …, … events, output … KiB, peak resident … MiB
//
// The peak is that since resetPeak, so a case that runs after another is not charged
// with its memory, except for what the runtime has kept.
func (b *session) loop(ctx context.Context, c loopCase) error {
	r, err := b.rig(ctx, c.definition, Parts{Runner: c.runner})
	if err != nil {
		return err
	}
	resetPeak() // what opening the database took does not count
	begun := time.Now()
	rec, err := r.Executor.Start(ctx, executor.StartRequest{TenantID: r.tenant, Workflow: r.workflow, Trigger: "manual", Input: c.input})
	if err == nil {
		rec, err = r.awaitEnd(ctx, rec)
	}
	took := time.Since(begun)
	_, peak, memErr := memory(os.Getpid())
	if err == nil {
		rec.Output, err = r.withBlobs(ctx, rec.RunID, rec.Output)
	}
	// The stack is stopped in any case; the figures were taken before.
	if err := errors.Join(err, memErr, r.Stop()); err != nil {
		return err
	}
	if err := checkLoop(rec, c.iterations); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	b.printf("%-10s %-14s %d iterations in %s, %d events, output %d KiB, peak resident %d MiB",
		c.name, perSecond(c.iterations, took), c.iterations, took.Round(time.Millisecond), rec.Seq, len(rec.Output)>>10, peak>>20)
	return nil
}

// withBlobs returns the output of a run of one loop with its content in place, where it,
// or its field each, is stored as a large value of its own.
func (r *rig) withBlobs(ctx context.Context, run string, output json.RawMessage) (json.RawMessage, error) {
	var v struct {
		Blob string          `json:"$blob"`
		Each json.RawMessage `json:"each"`
	}
	switch err := json.Unmarshal(output, &v); {
	case err != nil:
		return nil, err
	// The whole output was larger than the inline limit.
	case v.Blob != "":
		_, content, err := r.Executor.Blob(ctx, r.tenant, run, v.Blob)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(content)
	// Nothing more to resolve: this is the content of each itself.
	case v.Each == nil:
		return output, nil
	}
	// Only the loop's own output may have been stored apart.
	each, err := r.withBlobs(ctx, run, v.Each)
	return append(append([]byte(`{"each":`), each...), '}'), err
}

// awaitEnd polls a run until it has ended, and returns its last record. A follower would
// read every event, which is a figure of its own.
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
		if rec, err = r.Executor.Run(ctx, r.tenant, rec.RunID); err != nil {
			return rec, err
		}
	}
	return rec, nil
}

// checkLoop returns an error unless the run completed and its loop collected all n
// indices.
func checkLoop(rec executor.Record, n int) error {
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
	// The last result shows that the order of the items was kept.
	if got := out.Each; got.Completed != n || len(got.Results) != n || got.Results[n-1] != n-1 {
		return fmt.Errorf("%d of %d iterations completed, with %d results", got.Completed, n, len(got.Results))
	}
	return nil
}

// instantRunner is an executor.Runner whose attempts return an empty output at
// once.
type instantRunner struct{}

// Run returns {} at once. It may be called concurrently.
func (instantRunner) Run(context.Context, executor.Call) (executor.Result, error) {
	return executor.Result{Output: json.RawMessage("{}")}, nil
}
