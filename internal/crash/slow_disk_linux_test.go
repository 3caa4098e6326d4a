package crash

import (
	"context"
	"heddle/client"
	"heddle/internal/await"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// A SQLite server whose disk does not come back from fsync: writes are answered
// with 503, reads as ever, and readiness is red while the disk is awaited; the
// node keeps its lease, and goes on by itself when the disk does. A write that is
// repeated under its key is there once.
func TestADiskThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*await.Patience)
	defer cancel()
	g := newGate(t)
	path := filepath.Join(t.TempDir(), "heddle.db")
	disk, env := slowDisk(t, build(t), append(environment("sqlite://"+path, g.addr), "HEDDLE_DATABASE_TIMEOUT=1s"))
	s := launchOn(ctx, t, env)
	c := client.New(s.base, adminKey, client.WithAttempts(1))
	call := map[string]any{"url": "http://" + g.addr}
	workflow, err := c.Workflows.Add(ctx, map[string]any{"name": "On a disk", "steps": []any{
		map[string]any{"id": "call", "type": "http_request", "config": call},
		map[string]any{"id": "rest", "type": "condition", "depends_on": []string{"call"}, "config": map[string]any{"expression": "true"}},
	}}, "")
	if err != nil {
		t.Fatal(err)
	}
	run, err := c.Runs.StartWith(ctx, workflow, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	await.Receive(t, "the step is in flight", g.entered)
	ready := func() error { return c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/readyz"}, nil) }
	start := func(key string) error {
		_, err := c.Runs.StartWith(ctx, workflow, nil, key)
		return err
	}
	for _, key := range []string{"first", "second"} {
		disk.hold()
		unavailable(t, "a start", start(key))
		await.Receive(t, "a call waits for the disk", disk.held)
		unavailable(t, "a change", c.Do(ctx, client.Request{Method: http.MethodPatch, Path: "/api/workflows/" + workflow + "/status", Body: map[string]string{"status": "paused"}}, nil))
		await.True(t, "readiness turns red", func() bool { return ready() != nil })
		unavailable(t, "readiness", ready())
		for what, path := range map[string]string{"a list": "/api/workflows", "a run": "/api/workflows/runs/" + run, "health": "/healthz"} {
			if err := c.Do(ctx, client.Request{Method: http.MethodGet, Path: path}, nil); err != nil {
				t.Errorf("%s while the disk is awaited: %v", what, err)
			}
		}
		if text := metrics(t, s); !strings.Contains(text, "\nheddle_lease_held 1\n") {
			t.Error("the lease is lost")
		}
		disk.release()
		await.True(t, "it is ready again", func() bool { return ready() == nil })
		status := client.Request{Method: http.MethodPatch, Path: "/api/workflows/" + workflow + "/status", Body: map[string]string{"status": "active"}}
		await.True(t, "changes are taken again", func() bool { return c.Do(ctx, status, nil) == nil })
		await.True(t, "starts are taken again", func() bool { return start(key) == nil })
	}
	close(g.open)
	completes(ctx, t, c, run)
	var list runList
	if err := c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/api/workflows/" + workflow + "/runs"}, &list); err != nil || len(list.Runs) != 3 {
		t.Errorf("%d runs, %v; want one for each key and the first", len(list.Runs), err)
	}
	if strings.Contains(s.log.String(), "lease is another") {
		t.Error(s.log)
	}
	disk.hold()
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }() // in order or not: in time
	await.Receive(t, "it ends while its disk does not answer", stopped)
}
