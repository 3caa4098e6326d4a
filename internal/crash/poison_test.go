package crash

import (
	"context"
	"errors"
	"heddle/client"
	"heddle/internal/await"
	"heddle/store/storetest"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestPoisonedRunSQLite(t *testing.T) {
	t.Parallel()
	quarantined(t, "sqlite://"+filepath.Join(t.TempDir(), "heddle.db"))
}

func TestPoisonedRunPostgres(t *testing.T) {
	t.Parallel()
	quarantined(t, storetest.Postgres(t))
}

// quarantined starts a run whose step kills the process whenever it is
// performed, beside one that is harmless: the server dies four times, then it
// knows the culprit and serves; the other run comes to its end; and once the
// cause is mended the culprit does too.
func quarantined(t *testing.T, database string) {
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience)
	defer cancel()
	g := newGate(t)
	bin, env := build(t), environment(database, g.addr)
	poison := append(slices.Clip(env), "HEDDLE_TEST_POISON=deadly")
	s, c, harmless := g.begin(ctx, t, bin, poison)
	config := map[string]any{"url": "http://" + g.addr}
	deadly, err := c.Workflows.Add(ctx, map[string]any{"name": "Deadly", "steps": []any{
		map[string]any{"id": "quick", "type": "condition", "config": map[string]any{"expression": "true"}},
		map[string]any{"id": "deadly", "type": "http_request", "config": config},
	}}, "")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Runs.StartWith(ctx, deadly, nil, "") // the answer may come before the end, or not
	<-s.dead
	close(g.open) // from now on the harmless one needs no time

	deaths := 1
	for ; ; deaths++ {
		if deaths > 8 {
			t.Fatal("the server died nine times")
		}
		if s, err = launch(ctx, bin, poison); err == nil && outlives(ctx, s, deadly) {
			break
		} else if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
	defer s.kill()
	if deaths != 4 {
		t.Errorf("the server died %d times, want 4: at the start, with others, and alone twice", deaths)
	}
	c = client.New(s.base, adminKey, client.WithAttempts(1))
	culprit := onlyRun(ctx, t, c, deadly)
	shown(ctx, t, c, culprit)
	completes(ctx, t, c, harmless)
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if s, err = launch(ctx, bin, env); err != nil {
		t.Fatal(err)
	}
	defer s.kill()
	c = client.New(s.base, adminKey, client.WithAttempts(1))
	resume := client.Request{Method: http.MethodPost, Path: "/api/workflows/runs/" + culprit + "/resume", Body: map[string]any{}}
	if err := c.Do(ctx, resume, nil); err != nil {
		t.Fatal(err)
	}
	completes(ctx, t, c, culprit)
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// outlives waits until the workflow's run is over, or the server is dead.
func outlives(ctx context.Context, s *server, workflow string) bool {
	c := client.New(s.base, adminKey, client.WithAttempts(1))
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		var list runList
		if err := c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/api/workflows/" + workflow + "/runs?status=failed"}, &list); err == nil && len(list.Runs) > 0 {
			return true
		}
		select {
		case <-again.C:
		case <-s.dead:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

type runList struct {
	Runs []client.Run `json:"runs"`
}

func onlyRun(ctx context.Context, t *testing.T, c *client.Client, workflow string) string {
	t.Helper()
	var list runList
	if err := c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/api/workflows/" + workflow + "/runs"}, &list); err != nil || len(list.Runs) != 1 {
		t.Fatalf("%d runs: %v", len(list.Runs), err)
	}
	return list.Runs[0].ID
}

// shown wants every read to tell what became of the run.
func shown(ctx context.Context, t *testing.T, c *client.Client, id string) {
	t.Helper()
	const code = "run_quarantined"
	run, err := c.Runs.Get(ctx, id)
	if err != nil || run.Status != "failed" || run.Error == nil || run.Error.Code != code {
		t.Errorf("the run reads %+v %+v: %v", run, run.Error, err)
	}
	var result struct {
		State string          `json:"state"`
		Error *client.Failure `json:"error"`
	}
	err = c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/v1/runs/" + id + "/result"}, &result)
	if err != nil || result.State != "failed" || result.Error == nil || result.Error.Code != code {
		t.Errorf("the result reads %+v %+v: %v", result, result.Error, err)
	}
	last := ""
	err = c.Runs.Follow(ctx, id, 0, func(f client.Frame) error { last = f.Event; return nil })
	if err != nil || last != "run_failed" {
		t.Errorf("the stream ends with %q: %v", last, err)
	}
	if status, err := cancelled(c.Runs.Cancel(ctx, id, "")); err != nil || status != "failed" {
		t.Errorf("a cancel answers %q: %v", status, err)
	}
}

func completes(ctx context.Context, t *testing.T, c *client.Client, id string) {
	t.Helper()
	err := c.Runs.Follow(ctx, id, 0, func(client.Frame) error { return nil })
	run, getErr := c.Runs.Get(ctx, id)
	if err := errors.Join(err, getErr); err != nil || run.Status != "completed" {
		t.Errorf("run %s is %s %+v: %v", id, run.Status, run.Error, err)
	}
}
