package crash

import (
	"context"
	"encoding/json"
	"heddle/client"
	"heddle/internal/await"
	"heddle/store/storetest"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// requests is how many callers start a run with one Idempotency-Key at once.
const requests = 100

func TestOneKeyMakesOneRunAcrossAKillSQLite(t *testing.T) {
	t.Parallel()
	bin := build(t)
	for _, point := range keyPoints() {
		t.Run(point, func(t *testing.T) { oneKey(t, bin, "sqlite://"+filepath.Join(t.TempDir(), "heddle.db"), point, 1) })
	}
}

func TestOneKeyMakesOneRunAcrossAKillPostgres(t *testing.T) {
	t.Parallel()
	storetest.Postgres(t)
	bin := build(t)
	for _, point := range keyPoints() {
		t.Run(point, func(t *testing.T) { oneKey(t, bin, storetest.Postgres(t), point, 2) })
	}
}

// keyPoints: killed when half of the callers have their answer, or around the
// commit that nobody was told of yet.
func keyPoints() []string { return []string{"half", "before_commit:1", "after_commit:1"} }

// oneKey lets the callers start a run at so many nodes, kills the first node in
// the middle, starts it again, and wants one run id in all answers.
func oneKey(t *testing.T, bin, database, point string, count int) {
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience)
	defer cancel()
	env := environment(database, "127.0.0.1:1")
	first, err := launch(ctx, bin, env)
	if err != nil {
		t.Fatal(err)
	}
	c := client.New(first.base, adminKey, client.WithAttempts(1))
	workflow, err := c.Workflows.Add(ctx, json.RawMessage(asksTwice), "asks")
	if err != nil {
		t.Fatal(err)
	}
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	dying := env
	if point != "half" {
		dying = append(slices.Clip(env), "HEDDLE_TEST_CRASH="+point)
	}
	k := &keyed{ids: make(map[string]int)}
	for i := range count {
		if i > 0 {
			dying = env
		}
		s, err := launch(ctx, bin, dying)
		if err != nil {
			t.Fatal(err)
		}
		defer s.kill()
		k.nodes = append(k.nodes, s)
	}
	var all sync.WaitGroup
	half := make(chan struct{})
	for i := range requests {
		all.Go(func() { k.start(ctx, i, half) })
	}
	victim := k.node(0)
	select {
	case <-half:
		victim.kill()
	case <-victim.dead:
	case <-ctx.Done():
		t.Fatal("the node neither answered nor died")
	}
	again, err := launch(ctx, bin, env)
	if err != nil {
		t.Fatal(err)
	}
	defer again.kill()
	k.replace(0, again)
	all.Wait()
	k.check(ctx, t, client.New(again.base, adminKey, client.WithAttempts(1)), workflow)
}

// keyed is what the callers share.
type keyed struct {
	mu       sync.Mutex
	nodes    []*server
	ids      map[string]int
	refused  []error
	answered atomic.Int64
	early    int64 // answers before the node was replaced
}

func (k *keyed) node(i int) *server {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.nodes[i%len(k.nodes)]
}

func (k *keyed) replace(i int, s *server) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.nodes[i], k.early = s, k.answered.Load()
}

// start repeats one caller's request until it is answered. The caller whose
// answer is the middle one closes half.
func (k *keyed) start(ctx context.Context, caller int, half chan struct{}) {
	for ctx.Err() == nil {
		var answer struct {
			RunID string `json:"run_id"`
		}
		s := k.node(caller)
		c := client.New(s.base, adminKey, client.WithAttempts(1))
		err := c.Do(ctx, client.Request{Method: http.MethodPost, Path: "/v1/runs", Body: map[string]any{"workflow_id": "asks"}, Key: "the key"}, &answer)
		if err == nil {
			k.mu.Lock()
			k.ids[answer.RunID]++
			k.mu.Unlock()
			if k.answered.Add(1) == requests/2 {
				close(half)
			}
			return
		}
		again := time.NewTimer(10 * time.Millisecond)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			k.mu.Lock()
			k.refused = append(k.refused, err)
			k.mu.Unlock()
		}
	}
}

func (k *keyed) check(ctx context.Context, t *testing.T, c *client.Client, workflow string) {
	t.Helper()
	if len(k.ids) != 1 || k.answered.Load() != requests {
		t.Errorf("%d answers name the runs %v; %v", k.answered.Load(), k.ids, k.refused)
	}
	var list struct {
		Total int `json:"total"`
	}
	err := c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/api/workflows/" + workflow + "/runs?limit=1&offset=0"}, &list)
	if err != nil || list.Total != 1 {
		t.Errorf("the server has %d runs, %v", list.Total, err)
	}
	t.Logf("%d of %d were answered before the restart", k.early, requests)
}
