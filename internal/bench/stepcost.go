package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/executor"
	"sync"
	"time"
)

// stepCost runs one workflow of 5,000 steps in a row, whose attempts return at once, and
// compares the time between two steps early and late in the run. They should hardly
// differ: a transition costs O(log n) of the number of steps.
//
//	step cost  … ms a step from step 10 on, … ms before step 5,000   (…)
func (b *session) stepCost(ctx context.Context) error {
	// The first steps are left out (mean(9)): they include the start of the run.
	const steps, window = 5000, 500
	runner := &recordingRunner{at: make([]time.Time, 0, steps)}
	r, err := b.rig(ctx, chain(steps), Parts{Runner: runner})
	if err != nil {
		return err
	}
	err = r.startAndFinish(ctx)
	if err := errors.Join(err, r.Stop()); err != nil {
		return err
	}
	// A step that was run twice or not at all would shift the windows.
	if len(runner.at) != steps {
		return fmt.Errorf("%d of %d steps were run", len(runner.at), steps)
	}
	// Means over a window, because single steps share group commits.
	mean := func(from int) time.Duration { return runner.at[from+window-1].Sub(runner.at[from]) / (window - 1) }
	b.printf("step cost  %s a step from step 10 on, %s before step 5,000   (one run, each step journalled before and after)",
		millis(mean(9)), millis(mean(steps-window)))
	return nil
}

// chain returns a workflow of n http_request steps, s0 to s(n-1), each of which depends
// on the one before. Its requests are never made: the runner is replaced.
func chain(n int) json.RawMessage {
	type step struct {
		ID        string            `json:"id"`
		Type      string            `json:"type"`
		DependsOn []string          `json:"depends_on,omitempty"`
		Config    map[string]string `json:"config"`
	}
	list := make([]step, n)
	for i := range list {
		// The URL is never requested; validation asks for one.
		list[i] = step{ID: fmt.Sprintf("s%d", i), Type: "http_request", Config: map[string]string{"url": "http://localhost/"}}
		if i > 0 {
			list[i].DependsOn = []string{fmt.Sprintf("s%d", i-1)}
		}
	}
	text, _ := json.Marshal(map[string]any{"name": "Chain", "steps": list}) // strings and lists always encode
	return text
}

// recordingRunner is an executor.Runner that does nothing but record when each attempt
// began.
type recordingRunner struct {
	mu sync.Mutex // guards at while runs are in flight
	at []time.Time
}

// Run records the time and returns {}.
func (r *recordingRunner) Run(context.Context, executor.Call) (executor.Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = append(r.at, time.Now())
	return executor.Result{Output: json.RawMessage("{}")}, nil
}
