package crash

import (
	"context"
	"errors"
	"fmt"
	"heddle/client"
	"heddle/internal/await"
	"heddle/store/storetest"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestLimitsSQLite(t *testing.T) {
	t.Parallel()
	limitsHold(t, "sqlite://"+filepath.Join(t.TempDir(), "heddle.db"))
}

func TestLimitsPostgres(t *testing.T) {
	t.Parallel()
	limitsHold(t, storetest.Postgres(t))
}

// limitsHold kills the server ten times while runs of workflows with each kind
// of concurrency limit are started: never are more of a key under way than the
// limit says, and in the end none is left.
func limitsHold(t *testing.T, database string) {
	const limit, deaths = 2, 10
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience)
	defer cancel()
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(40 * time.Millisecond):
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(slow.Close)
	bin, env := build(t), environment(database, slow.Listener.Addr().String())
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 2))
	workflows := map[string]string{}
	starts, accepted := 0, 0
	for n := range deaths {
		d, own := plan(random), env
		if d.Point != "" && n > 0 {
			own = append(slices.Clip(env), fmt.Sprintf("HEDDLE_TEST_CRASH=%s:%d", d.Point, 2*d.Pass))
		}
		s, err := launch(ctx, bin, own)
		if err != nil {
			continue // it died while it recovered
		}
		c := client.New(s.base, adminKey, client.WithAttempts(1))
		if n == 0 {
			workflows = limitedWorkflows(ctx, t, c, slow.URL, limit)
		}
		for range 4 {
			for _, kind := range []string{"queue", "reject", "cancel_oldest"} {
				starts++
				if _, err := c.Runs.StartWith(ctx, workflows[kind], map[string]any{"k": []string{"a", "b"}[random.IntN(2)]}, ""); err == nil {
					accepted++
				}
			}
		}
		select {
		case <-s.dead:
		case <-time.After(d.After):
			s.kill()
		}
	}
	s, err := launch(ctx, bin, env)
	if err != nil {
		t.Fatal(err)
	}
	defer s.kill()
	c := client.New(s.base, adminKey, client.WithAttempts(1))
	for kind, id := range workflows {
		runs := finishedRuns(ctx, t, c, id)
		for _, key := range []string{"a", "b"} {
			if most := atOnceMost(runs, key); most > limit || kind == "queue" && most == 0 {
				t.Errorf("seed %d: %s: %d runs of key %s were under way at once, the limit is %d", seed, kind, most, key, limit)
			}
		}
		for _, r := range runs {
			met := r.Error != nil && r.Error.Code == "run_quarantined" // by two kills while it was alone
			if r.Status != "completed" && (r.Status != "cancelled" || kind != "cancel_oldest") && !met {
				t.Errorf("seed %d: %s: run %s is %s", seed, kind, r.ID, r.Status)
			}
		}
	}
	t.Logf("seed %d: %d of %d starts were accepted", seed, accepted, starts)
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

func limitedWorkflows(ctx context.Context, t *testing.T, c *client.Client, url string, limit int) map[string]string {
	t.Helper()
	ids := map[string]string{}
	for _, kind := range []string{"queue", "reject", "cancel_oldest"} {
		id, err := c.Workflows.Add(ctx, map[string]any{
			"name": "Limited", "concurrency": map[string]any{"limit": limit, "key": "{{ input.k }}", "on_limit": kind},
			"steps": []any{
				map[string]any{"id": "one", "type": "http_request", "config": map[string]any{"url": url}},
				map[string]any{"id": "rest", "type": "wait", "depends_on": []string{"one"}, "config": map[string]any{"seconds": 0.05}},
				map[string]any{"id": "two", "type": "http_request", "depends_on": []string{"rest"}, "config": map[string]any{"url": url}},
			},
		}, "")
		if err != nil {
			t.Fatal(err)
		}
		ids[kind] = id
	}
	return ids
}

// span is a run and when it was under way.
type span struct {
	ID          string             `json:"id"`
	Status      string             `json:"status"`
	Input       struct{ K string } `json:"input"`
	Error       *client.Failure    `json:"error"`
	StartedAt   *time.Time         `json:"started_at"` // nil: it never began
	CompletedAt *time.Time         `json:"completed_at"`
}

// finishedRuns waits until all runs of a workflow are over.
func finishedRuns(ctx context.Context, t *testing.T, c *client.Client, workflow string) []span {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		var list struct {
			Runs []span `json:"runs"`
		}
		err := c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/api/workflows/" + workflow + "/runs?limit=200"}, &list)
		var answer *client.Error
		if err != nil && !errors.As(err, &answer) {
			t.Fatal(err)
		}
		if err == nil && !slices.ContainsFunc(list.Runs, func(r span) bool { return r.CompletedAt == nil }) {
			for i := range list.Runs {
				whole := struct{ Run *span }{&list.Runs[i]}
				if err := c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/api/workflows/runs/" + list.Runs[i].ID}, &whole); err != nil {
					t.Fatal(err)
				}
			}
			return list.Runs
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("runs of %s do not end: %+v", workflow, list.Runs)
		}
	}
}

// atOnceMost is how many runs of a key were under way at one time at most.
// At one instant those that end make room before others begin.
func atOnceMost(runs []span, key string) int {
	type edge struct {
		at time.Time
		by int
	}
	var edges []edge
	for _, r := range runs {
		if r.Input.K == key && r.StartedAt != nil {
			edges = append(edges, edge{*r.StartedAt, 1}, edge{*r.CompletedAt, -1})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int {
		if order := a.at.Compare(b.at); order != 0 {
			return order
		}
		return a.by - b.by
	})
	most, now := 0, 0
	for _, e := range edges {
		now += e.by
		most = max(most, now)
	}
	return most
}
