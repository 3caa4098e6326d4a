package crash

import (
	"context"
	"errors"
	"fmt"
	"heddle/client"
	"heddle/internal/await"
	"heddle/store/storetest"
	"net/http"
	"testing"
	"time"
)

// TestOutagePostgres takes the database away for ten seconds while runs are
// under way: requests are answered 503 with Retry-After meanwhile, the runs go
// on afterwards, and nothing is lost or done twice.
func TestOutagePostgres(t *testing.T) {
	t.Parallel()
	pg := storetest.NewServer(t, true) // durable: what it acknowledged survives its crash
	clock := &ticker{}
	w := newWorld(clock, newReceiver(t, clock))
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience)
	defer cancel()
	s, err := launch(ctx, build(t), environment(pg.Database(t), w.receiver.addr))
	if err != nil {
		t.Fatal(err)
	}
	defer s.kill()
	c := client.New(s.base, adminKey, client.WithAttempts(1))
	if err := w.create(ctx, c); err != nil {
		t.Fatal(err)
	}
	w.serveAt(c)
	for range 12 {
		w.start(ctx, "", 0)
	}
	w.awaitEffects(ctx, 5)
	pg.Stop(t)
	// A look at the store that succeeded holds for a second.
	await.True(t, "readiness turns red", func() bool {
		return c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/readyz"}, nil) != nil
	})
	tried := probe(ctx, t, w, c, 10*time.Second)
	pg.Start(t)
	for _, key := range tried {
		w.start(ctx, key, 0) // the same starts again: each makes one run
	}
	if err := w.settle(ctx); err != nil {
		w.fault("%v\n%s", err, s.log)
	}
	report := w.verify(ctx, c)
	if err := s.stop(); err != nil {
		w.fault("SIGTERM: %v", err)
	}
	for _, f := range w.faults {
		t.Error(f)
	}
	t.Logf("%d starts were refused for 10 s; %s", len(tried), report)
}

// probe asks for things for a while and wants each answered 503 with
// Retry-After. It gives the keys of the starts that it tried.
func probe(ctx context.Context, t *testing.T, w *world, c *client.Client, span time.Duration) (tried []string) {
	t.Helper()
	over := time.After(span)
	again := time.NewTicker(250 * time.Millisecond)
	defer again.Stop()
	for n := 0; ; n++ {
		key := fmt.Sprintf("outage-%d", n)
		_, err := c.Runs.StartWith(ctx, w.workflow, map[string]any{"script": false}, key)
		tried = append(tried, key)
		unavailable(t, "start", err)
		_, err = c.Runs.Get(ctx, "run_000000000000000000000000")
		unavailable(t, "read", err)
		unavailable(t, "readiness", c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/readyz"}, nil))
		if err := c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/healthz"}, nil); err != nil {
			t.Errorf("health: %v", err)
		}
		select {
		case <-over:
			return tried
		case <-again.C:
		}
	}
}

func unavailable(t *testing.T, deed string, err error) {
	t.Helper()
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable || refused.RetryAfter <= 0 || refused.Code == "" {
		t.Errorf("%s without a database: %v, want 503 with Retry-After", deed, err)
	}
}

// awaitEffects waits until the receiver has seen so many.
func (w *world) awaitEffects(ctx context.Context, n int) {
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for {
		w.receiver.mu.Lock()
		got := len(w.receiver.effects)
		w.receiver.mu.Unlock()
		if got >= n {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}
