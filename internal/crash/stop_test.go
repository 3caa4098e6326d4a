package crash

import (
	"context"
	"errors"
	"fmt"
	"heddle/client"
	"heddle/internal/await"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestStopLetsStepsEnd: after SIGTERM, and SIGHUP, readiness is red, the step in flight may
// end and is journalled, the process ends with 0, and the next one goes on with
// what was left.
func TestStopLetsStepsEnd(t *testing.T) {
	t.Parallel()
	// A process that ignores SIGHUP, as one under nohup does, hands that on to its
	// children, and the server respects it: caught here, it is theirs to catch.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	defer signal.Stop(caught)
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(s.String(), func(t *testing.T) { stopLetsStepsEnd(t, s) })
	}
}

func stopLetsStepsEnd(t *testing.T, sent syscall.Signal) {
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience)
	defer cancel()
	g := newGate(t)
	bin, env := build(t), environment("sqlite://"+filepath.Join(t.TempDir(), "heddle.db"), g.addr)
	s, c, run := g.begin(ctx, t, bin, env)
	if err := s.cmd.Process.Signal(sent); err != nil {
		t.Fatal(err)
	}
	awaitUnready(ctx, t, c)
	close(g.open)
	<-s.dead
	if s.err != nil {
		t.Fatalf("the server ended with %v\n%s", s.err, s.log)
	}
	s, err := launch(ctx, bin, env)
	if err != nil {
		t.Fatal(err)
	}
	defer s.kill()
	c = client.New(s.base, adminKey, client.WithAttempts(1))
	attempts := map[string]int{}
	err = c.Runs.Follow(ctx, run, 0, func(f client.Frame) error {
		attempts[f.Event]++
		return nil
	})

	if err != nil || attempts["run_completed"] != 1 || attempts["step_started"] != 2 {
		t.Errorf("after the restart: %v, %v", attempts, err)
	}
	if n := g.passed(); n != 2 {
		t.Errorf("the receiver was asked %d times, want once a step", n)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// TestSecondSignalEndsAtOnce: who does not want to wait for steps in flight
// asks twice.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience)
	defer cancel()
	g := newGate(t)
	env := environment("sqlite://"+filepath.Join(t.TempDir(), "heddle.db"), g.addr)
	s, c, _ := g.begin(ctx, t, build(t), env)
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	awaitUnready(ctx, t, c)
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	<-s.dead
	if s.err == nil {
		t.Error("the second signal let the step end")
	}
	close(g.open)
}

// gate is a receiver that answers only once it is opened.
type gate struct {
	addr    string
	open    chan struct{}
	entered chan struct{}
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{open: make(chan struct{}), entered: make(chan struct{}, 100)}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		g.entered <- struct{}{}
		<-g.open
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(srv.Close)
	g.addr = srv.Listener.Addr().String()
	return g
}

// passed counts the requests so far, beside the one that begin took.
func (g *gate) passed() int { return 1 + len(g.entered) }

// begin starts a server and a run of two steps, and returns when the first is
// in flight.
func (g *gate) begin(ctx context.Context, t *testing.T, bin string, env []string) (*server, *client.Client, string) {
	t.Helper()
	s, err := launch(ctx, bin, env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	c := client.New(s.base, adminKey, client.WithAttempts(1))
	config := map[string]any{"url": "http://" + g.addr}
	id, err := c.Workflows.Add(ctx, map[string]any{"name": "Two", "steps": []any{
		map[string]any{"id": "one", "type": "http_request", "config": config},
		map[string]any{"id": "two", "type": "http_request", "depends_on": []string{"one"}, "config": config},
	}}, "")
	if err != nil {
		t.Fatal(err)
	}
	run, err := c.Runs.StartWith(ctx, id, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-g.entered:
	case <-ctx.Done():
		t.Fatal("the step never came into action")
	}
	return s, c, run
}

// awaitUnready waits until /readyz is red.
func awaitUnready(ctx context.Context, t *testing.T, c *client.Client) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		err := c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/readyz"}, nil)
		var refused *client.Error
		if errors.As(err, &refused) && refused.Status == http.StatusServiceUnavailable {
			return
		}
		if err != nil {
			t.Fatal(fmt.Errorf("readiness while stopping: %w", err))
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatal("readiness stayed green")
		}
	}
}
