package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/client"
	"heddle/internal/await"
	"heddle/store/storetest"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// handled is a workflow with handlers whose main steps fail where its input says
// so. Each handler's steps are in a row, so that one is in the journal's middle.
const handled = `{
  "name": "Handled",
  "steps": [
    {"id": "main", "type": "http_request", "config": {"method": "POST", "url": "http://RECEIVER/?run={{ run.id }}&step=main"}},
    {"id": "refused", "type": "http_request", "depends_on": ["main"], "if": "input.fail",
     "config": {"method": "POST", "url": "http://RECEIVER/refuse?run={{ run.id }}&step=refused"}}],
  "on_failure": [
    {"id": "alert", "type": "http_request", "config": {"method": "POST", "url": "http://RECEIVER/?run={{ run.id }}&step=alert"}},
    {"id": "ticket", "type": "http_request", "depends_on": ["alert"], "config": {"method": "POST", "url": "http://RECEIVER/?run={{ run.id }}&step=ticket"}}],
  "finally": [
    {"id": "unlock", "type": "http_request", "config": {"method": "POST", "url": "http://RECEIVER/?run={{ run.id }}&step=unlock"}},
    {"id": "report", "type": "http_request", "depends_on": ["unlock"], "config": {"method": "POST", "url": "http://RECEIVER/?run={{ run.id }}&step=report"}}]
}`

var handlersOf = map[bool][]string{true: {"alert", "ticket", "unlock", "report"}, false: {"unlock", "report"}}

// TestCrashInHandlers kills the server while steps of on_failure and finally are in
// flight, and right behind their end: each has its effect once or under one key,
// ends once, and the run ends as it would have.
func TestCrashInHandlersSQLite(t *testing.T) {
	t.Parallel()
	crashInHandlers(t, "sqlite://"+filepath.Join(t.TempDir(), "heddle.db"))
}

func TestCrashInHandlersPostgres(t *testing.T) {
	t.Parallel()
	crashInHandlers(t, storetest.Postgres(t))
}

func crashInHandlers(t *testing.T, database string) {
	n := kills(t)
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience+time.Duration(n)*10*time.Second)
	defer cancel()
	r := &handlerReceiver{receiver: &receiver{clock: &ticker{}, numbers: make(map[string]int)}, met: make(map[effectID]bool), hit: make(chan struct{}, 1)}
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	addr := srv.Listener.Addr().String()
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 2))
	bin, env := build(t), environment(database, addr)
	starts := &handledStarts{ids: make(map[string]bool)}
	for life := 0; ; life++ {
		s, err := launch(ctx, bin, env)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		t.Cleanup(s.kill)
		c := client.New(s.base, adminKey, client.WithAttempts(1))
		if life == 0 {
			if _, err := c.Workflows.Add(ctx, json.RawMessage(strings.ReplaceAll(handled, "RECEIVER", addr)), "handled"); err != nil {
				t.Fatal(err)
			}
		}
		if life == n {
			starts.retryUntilStarted(ctx, t, c)
			starts.verify(ctx, t, c, r, seed)
			if err := s.stop(); err != nil {
				t.Error(err)
			}
			return
		}
		r.arm(random.IntN(3) == 0)
		starts.add(fmt.Sprintf("failing-%d", life), fmt.Sprintf("good-%d", life))
		var starting sync.WaitGroup
		starting.Go(func() { starts.startPending(ctx, c) })
		await.Receive(t, "a handler's effect arrives", r.hit)
		await.Receive(t, "the moment has come", time.After(time.Duration(random.IntN(20))*time.Millisecond))
		s.kill()
		starting.Wait()
	}
}

// handlerReceiver says when an effect of a handler arrives that none was killed in
// before: a run that dies again and again at one place would be quarantined.
type handlerReceiver struct {
	*receiver
	hit chan struct{}

	state sync.Mutex
	armed bool
	reply bool // the effect that is waited for gets its answer
	met   map[effectID]bool
	kills []string
}

func (r *handlerReceiver) arm(reply bool) {
	r.state.Lock()
	defer r.state.Unlock()
	r.armed, r.reply = true, reply
}

func (r *handlerReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	q := req.URL.Query()
	at := effectID{Run: q.Get("run"), Step: q.Get("step")}
	if req.URL.Path == "/refuse" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if !r.shouldKill(at) {
		r.receiver.ServeHTTP(w, req)
		return
	}
	r.record(effect{Place: at, Key: req.Header.Get("Idempotency-Key"), At: r.clock.next()})
	r.hit <- struct{}{}
	<-req.Context().Done()
}

// shouldKill reports whether the request is to stay without an answer, and says where
// the server is killed.
func (r *handlerReceiver) shouldKill(at effectID) bool {
	r.state.Lock()
	defer r.state.Unlock()
	if !r.armed || r.met[at] || !slices.Contains(handlersOf[true], at.Step) {
		return false
	}
	r.armed, r.met[at] = false, true
	r.kills = append(r.kills, at.Step)
	if r.reply {
		r.hit <- struct{}{}
		return false
	}
	return true
}

// handledStarts are the runs that are wanted, by their Idempotency-Key, and those
// that were acknowledged.
type handledStarts struct {
	wanted []string
	ids    map[string]bool // whether the run fails
}

func (h *handledStarts) add(keys ...string) { h.wanted = append(h.wanted, keys...) }

// startPending starts what is wanted; what is refused, as by a server that dies, stays so.
func (h *handledStarts) startPending(ctx context.Context, c *client.Client) {
	h.wanted = slices.DeleteFunc(h.wanted, func(key string) bool {
		fails := strings.HasPrefix(key, "failing")
		id, err := c.Runs.StartWith(ctx, "handled", map[string]any{"fail": fails}, key)
		if err == nil {
			h.ids[id] = fails
		}
		return err == nil
	})
}

func (h *handledStarts) retryUntilStarted(ctx context.Context, t *testing.T, c *client.Client) {
	t.Helper()
	await.True(t, "all starts are taken", func() bool {
		h.startPending(ctx, c)
		return len(h.wanted) == 0
	})
}

func (h *handledStarts) verify(ctx context.Context, t *testing.T, c *client.Client, r *handlerReceiver, seed uint64) {
	t.Helper()
	keys := make(map[string]effectID)
	quarantined := 0
	for id, fails := range h.ids {
		gaveUp := h.verifyRun(ctx, t, c, id, fails)
		if gaveUp {
			quarantined++
		}
		effects := r.byPlace()
		for _, step := range handlersOf[fails] {
			at := effectID{Run: id, Step: step}
			if len(effects[at]) == 0 && !gaveUp {
				t.Errorf("%v had no effect", at)
			}
			for _, e := range effects[at] {
				if e.Key != effects[at][0].Key {
					t.Errorf("%v has the keys %s and %s", at, e.Key, effects[at][0].Key)
				}
				if other, used := keys[e.Key]; used && other != at || e.Key == "" {
					t.Errorf("%v has the key of %v", at, other)
				}
				keys[e.Key] = at
			}
		}
		if !fails && len(effects[effectID{Run: id, Step: "alert"}]) > 0 {
			t.Errorf("on_failure ran for %s, which did not fail", id)
		}
	}
	if quarantined*20 > len(h.ids) {
		t.Errorf("%d of %d runs were quarantined", quarantined, len(h.ids))
	}
	if t.Failed() {
		t.Logf("seed %d", seed)
	}
	t.Logf("%d runs, killed in %v", len(h.ids), r.kills)
}

// verifyRun follows a run to its end, and holds its journal and its end against what is
// promised. It reports whether the run was given up instead, because it was in flight at
// kill after kill; that is known at its end alone, as the last server may be the one that
// gives it up.
func (h *handledStarts) verifyRun(ctx context.Context, t *testing.T, c *client.Client, id string, fails bool) (gaveUp bool) {
	t.Helper()
	ends := make(map[string]int)
	last := ""
	err := c.Runs.Follow(ctx, id, 0, func(f client.Frame) error {
		var step struct {
			ID string `json:"step_id"`
		}
		if err := json.Unmarshal(f.Data, &step); err != nil {
			return err
		}
		if f.Event == "step_completed" {
			ends[step.ID]++
		}
		last = f.Event
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	run, err := c.Runs.Get(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	gaveUp = run.Error != nil && run.Error.Code == "run_quarantined"
	for _, step := range handlersOf[fails] {
		if ends[step] > 1 || ends[step] == 0 && !gaveUp {
			t.Errorf("%s of %s completed %d times", step, id, ends[step])
		}
	}
	if gaveUp {
		return true
	}
	if fails && (run.Status != "failed" || last != "run_failed" || run.Error == nil || run.Error.Code != "unexpected_status") ||
		!fails && (run.Status != "completed" || last != "run_completed") {
		t.Errorf("run %s (fails: %v) is %s, %+v, after %s", id, fails, run.Status, run.Error, last)
	}
	return false
}
