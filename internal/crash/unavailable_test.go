package crash

import (
	"context"
	"heddle/client"
	"heddle/internal/await"
	"heddle/store/storetest"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A server that is told to stop while its database does not take writes, and one
// that is told twice, did not crash: the run in flight is not a suspect at the next
// starts.
func TestStopsWithoutADatabaseAreNoCrashes(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "heddle.db")
		var unlock func()
		stopsWithoutDatabase(t, "sqlite://"+path, func() { unlock = storetest.LockFile(t, path) }, func() { unlock() })
	})
	t.Run("postgres", func(t *testing.T) {
		pg := storetest.NewServer(t, true)
		stopsWithoutDatabase(t, pg.Database(t), func() { pg.Stop(t) }, func() { pg.Start(t) })
	})
}

// metrics reads what the server measures.
func metrics(t *testing.T, s *server) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func stopsWithoutDatabase(t *testing.T, database string, leave, back func()) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*await.Patience)
	defer cancel()
	g := newGate(t)
	bin, env := build(t), environment(database, g.addr)
	s, c, run := g.begin(ctx, t, bin, env)
	for round, signals := range []int{1, 2, 2} {
		if round > 0 {
			var err error
			if s, err = launch(ctx, bin, env); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.kill)
			c = client.New(s.base, adminKey, client.WithAttempts(1))
			await.Receive(t, "the step begins again", g.entered)
		}
		leave()
		if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if signals > 1 {
			awaitUnready(ctx, t, c)
			_ = s.cmd.Process.Signal(syscall.SIGTERM)
		}
		await.Receive(t, "the server ends", s.dead)
		back()
	}
	s, err := launch(ctx, bin, env)
	if err != nil {
		t.Fatal(err)
	}
	defer s.kill()
	await.Receive(t, "the step begins again", g.entered)
	c = client.New(s.base, adminKey, client.WithAttempts(1))
	if !strings.Contains(metrics(t, s), "\nheddle_runs_recovered_alone_total 0\n") || strings.Contains(s.log.String(), "several crashes") {
		t.Errorf("orderly stops counted as crashes\n%s", s.log)
	}
	close(g.open)
	completes(ctx, t, c, run)
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}
