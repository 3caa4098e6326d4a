package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/executor"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// parked stores runs that wait for an hour, then starts this program on them
// and looks at its memory and its start-up.
func (b *bench) parked(ctx context.Context) error {
	waiting := json.RawMessage(`{"name":"Parked","steps":[{"id":"rest","type":"wait","config":{"seconds":3600}}]}`)
	r, err := b.rig(ctx, waiting, replaced{})
	if err != nil {
		return err
	}
	all, took, err := crowd(ctx, b.plan.Parked, b.plan.InFlight, 600, func(ctx context.Context) error {
		_, err := r.stack.executor.Start(ctx, executor.StartRequest{
			TenantID: r.tenant, Workflow: r.workflow, Trigger: "manual", Input: json.RawMessage("null"),
		})
		return err
	})
	if err := errors.Join(err, r.stop()); err != nil {
		return err
	}
	b.say("parking    %-14s %s   (%d runs)", perSecond(len(all), took), all, len(all))
	return b.restart(ctx)
}

// restart measures a fresh process over the parked runs.
func (b *bench) restart(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "serve")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HEDDLE_LISTEN=127.0.0.1:0", "HEDDLE_DATABASE_URL=" + b.url, "HEDDLE_BOOTSTRAP_KEY=" + benchKey, "HEDDLE_LOG_LEVEL=error"}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stderr = b.err
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	served := awaitLine(out, "  serving")
	started := time.Since(begun)
	select {
	case <-time.After(3 * time.Second): // let its polls have a turn
	case <-ctx.Done():
	}
	resident, peak, memErr := memory(cmd.Process.Pid)
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := errors.Join(served, memErr, cmd.Wait()); err != nil {
		return err
	}
	b.say("parked     start-up %s, resident %d MiB (peak %d MiB), with all runs parked", started.Round(time.Millisecond), resident>>20, peak>>20)
	return nil
}

// awaitLine reads until a line begins with the text, and leaves the rest to be
// read by nobody.
func awaitLine(r io.Reader, prefix string) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), prefix) {
			return nil
		}
	}
	return fmt.Errorf("the server ended without the line %q", prefix)
}

// memory gives the resident bytes of a process, now and at most, from /proc.
func memory(pid int) (resident, peak int64, err error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			resident = kib << 10
		case "VmHWM":
			peak = kib << 10
		}
	}
	return resident, peak, nil
}

// stepCost runs one workflow of 5,000 steps in a row, whose steps end at once,
// and compares the time between steps early and late.
func (b *bench) stepCost(ctx context.Context) error {
	const steps, window = 5000, 500
	runner := &stampRunner{at: make([]time.Time, 0, steps)}
	r, err := b.rig(ctx, chain(steps), replaced{runner: runner})
	if err != nil {
		return err
	}
	err = r.startAndFinish(ctx)
	if err := errors.Join(err, r.stop()); err != nil {
		return err
	}
	if len(runner.at) != steps {
		return fmt.Errorf("%d of %d steps were run", len(runner.at), steps)
	}
	mean := func(from int) time.Duration { return runner.at[from+window-1].Sub(runner.at[from]) / (window - 1) }
	b.say("step cost  %s a step from step 10 on, %s before step 5,000   (one run, each step journalled before and after)",
		brief(mean(9)), brief(mean(steps-window)))
	return nil
}

// chain is a workflow of n steps in a row.
func chain(n int) json.RawMessage {
	type step struct {
		ID        string            `json:"id"`
		Type      string            `json:"type"`
		DependsOn []string          `json:"depends_on,omitempty"`
		Config    map[string]string `json:"config"`
	}
	list := make([]step, n)
	for i := range list {
		list[i] = step{ID: fmt.Sprintf("s%d", i), Type: "http_request", Config: map[string]string{"url": "http://localhost/"}}
		if i > 0 {
			list[i].DependsOn = []string{fmt.Sprintf("s%d", i-1)}
		}
	}
	text, _ := json.Marshal(map[string]any{"name": "Chain", "steps": list}) // strings and lists always encode
	return text
}

// stampRunner does nothing but note when.
type stampRunner struct {
	mu sync.Mutex
	at []time.Time
}

func (r *stampRunner) Run(context.Context, executor.Call) (executor.Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = append(r.at, time.Now())
	return executor.Result{Output: json.RawMessage("{}")}, nil
}
