package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/client"
	"heddle/internal/await"
	"heddle/store/storetest"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// badReceiver is the outside world on a bad day: /hang never answers, /endless
// sends 10 GB, /large 60 MiB, /some 3 MiB.
type badReceiver struct {
	srv     *httptest.Server
	addr    string
	hanging atomic.Int64
	sent    atomic.Int64 // bytes of /endless
	release chan struct{}
}

func newBadReceiver(t *testing.T) *badReceiver {
	t.Helper()
	r := &badReceiver{release: make(chan struct{})}
	r.srv = httptest.NewServer(r)
	t.Cleanup(r.srv.Close)
	r.addr = r.srv.Listener.Addr().(*net.TCPAddr).String()
	return r
}

func (r *badReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	switch req.URL.Path {
	case "/hang":
		_, _ = io.Copy(io.Discard, req.Body)
		r.hanging.Add(1)
		defer r.hanging.Add(-1)
		select {
		case <-r.release:
		case <-req.Context().Done():
		}
	case "/endless":
		piece := make([]byte, 1<<20)
		for range 10 << 10 {
			n, err := w.Write(piece)
			if r.sent.Add(int64(n)); err != nil {
				return
			}
		}
	case "/large", "/some":
		piece := []byte(strings.Repeat("0123456789abcdef", 1<<16))
		for range map[string]int{"/large": 60, "/some": 3}[req.URL.Path] {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}
}

// badDay is a server among it.
type badDay struct {
	t      *testing.T
	s      *server
	c      *client.Client
	r      *badReceiver
	temp   string
	parked string // a run to look at
	runs   []string
}

func newBadDay(ctx context.Context, t *testing.T, bin, database string, more ...string) *badDay {
	t.Helper()
	w := &badDay{t: t, r: newBadReceiver(t), temp: t.TempDir()}
	env := append(environment(database, w.r.addr), "TMPDIR="+w.temp, "HEDDLE_SCRIPTS=sandbox", "HEDDLE_LOG_LEVEL=error")
	var err error
	if w.s, err = launch(ctx, bin, append(env, more...)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.s.kill)
	w.c = client.New(w.s.base, adminKey, client.WithAttempts(1), client.WithHTTPClient(&http.Client{Timeout: await.Patience}))
	w.parked = w.start(ctx, w.workflow(ctx, `{"id":"ask","type":"wait","config":{"signal":{"name":"go"}}}`))
	return w
}

func (w *badDay) workflow(ctx context.Context, step string) string {
	w.t.Helper()
	id, err := w.c.Workflows.Add(ctx, json.RawMessage(`{"name":"Bad day","steps":[`+step+`]}`), "")
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *badDay) start(ctx context.Context, workflow string) string {
	w.t.Helper()
	run, err := w.c.Runs.StartWith(ctx, workflow, nil, "")
	if err != nil {
		w.t.Fatal(err)
	}
	w.runs = append(w.runs, run)
	return run
}

// await waits for a condition, looking every few milliseconds.
func (w *badDay) await(ctx context.Context, what string, holds func() bool) {
	w.t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-ctx.Done():
			w.t.Fatalf("not in time: %s", what)
		case <-w.s.dead:
			w.t.Fatalf("the server died: %v\n%s", w.s.err, w.s.log)
		}
	}
}

// expectAnswers asks for readiness and for a run, again and again for span, and wants
// an answer to each. How long they took is printed, not judged: on a loaded
// machine that says more about the machine.
func (w *badDay) expectAnswers(ctx context.Context, day string, span time.Duration) {
	w.t.Helper()
	var took []time.Duration
	every := time.NewTicker(4 * time.Millisecond)
	defer every.Stop()
	for end := time.Now().Add(span); time.Now().Before(end); <-every.C {
		begun := time.Now()
		if err := w.c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/readyz"}, nil); err != nil {
			w.t.Fatalf("%s: readyz: %v", day, err)
		}
		took = append(took, time.Since(begun))
		begun = time.Now()
		if _, err := w.c.Runs.Get(ctx, w.parked); err != nil {
			w.t.Fatalf("%s: a run: %v", day, err)
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	at := func(share float64) time.Duration {
		return took[int(share*float64(len(took)-1))].Round(100 * time.Microsecond)
	}
	w.t.Logf("%s: %d answers, p50 %s, p99 %s, slowest %s; %d MiB at most", day, len(took), at(0.5), at(0.99), at(1), w.peakMemory())
}

// awaitEnds waits for runs to end and returns the codes of their errors.
func (w *badDay) awaitEnds(ctx context.Context, runs []string) map[string]int {
	w.t.Helper()
	codes := map[string]int{}
	for _, id := range runs {
		w.await(ctx, "run "+id+" ends", func() bool {
			run, err := w.c.Runs.Get(ctx, id)
			if err != nil || run.Status != "completed" && run.Status != "failed" && run.Status != "cancelled" {
				return false
			}
			code := run.Status
			for _, st := range run.StepRuns {
				if st.Error != nil {
					code = st.Error.Code
				}
			}
			codes[code]++
			return true
		})
	}
	return codes
}

// peakMemory returns the peak of the resident memory (VmHWM) in MiB.
func (w *badDay) peakMemory() int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.s.cmd.Process.Pid))
	if err != nil {
		w.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		w.t.Fatal(err)
	}
	return n >> 10
}

// children counts the processes whose parent is the server: what a script
// leaves behind becomes one, however it was detached.
func (w *badDay) children() (n int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if fields[1] == strconv.Itoa(w.s.cmd.Process.Pid) {
			n++
		}
	}
	return n
}

func (w *badDay) sockets() (n int) {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", w.s.cmd.Process.Pid))
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// awaitCleanup waits until nothing of the bad days is left.
func (w *badDay) awaitCleanup(ctx context.Context, sockets int) {
	w.t.Helper()
	w.r.srv.CloseClientConnections()
	w.await(ctx, "no child processes", func() bool { return w.children() == 0 })
	w.await(ctx, "no temporary files", func() bool {
		left, err := os.ReadDir(w.temp)
		return err == nil && len(left) == 0
	})
	w.await(ctx, "no sockets to the receiver", func() bool { return w.sockets() <= sockets })
}

// TestBadDays: while runs meet the worst that scripts and receivers can do, the
// server answers, its memory stays bounded, and afterwards nothing is left.
func TestBadDays(t *testing.T) {
	bin := build(t)
	t.Run("steps", func(t *testing.T) { badSteps(t, bin) })
	t.Run("ten large responses on SQLite", func(t *testing.T) {
		largeResponses(t, bin, "sqlite://"+filepath.Join(t.TempDir(), "heddle.db"), 10)
	})
	t.Run("two of them on PostgreSQL", func(t *testing.T) { largeResponses(t, bin, storetest.Postgres(t), 2) })
}

func badSteps(t *testing.T, bin string) {
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience)
	defer cancel()
	w := newBadDay(ctx, t, bin, "sqlite://"+filepath.Join(t.TempDir(), "heddle.db"), "WORKFLOW_MAX_CONCURRENT_RUNS=400", "HEDDLE_MAX_STEPS=1200", "HEDDLE_MAX_PER_HOST=200")
	w.expectAnswers(ctx, "a quiet day", 300*time.Millisecond)
	sockets := w.sockets() + 4 // pooled ones of this test
	const day = 1200 * time.Millisecond

	var info struct{ Scripts string }
	if err := w.c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/v1/info"}, &info); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(info.Scripts, "sandbox: ") {
		w.scripts(ctx, day)
	} else {
		t.Logf("scripts are not tried: %s", info.Scripts)
	}

	endless := w.start(ctx, w.workflow(ctx, `{"id":"get","type":"http_request","config":{"url":"http://`+w.r.addr+`/endless"}}`))
	w.expectAnswers(ctx, "a response of 10 GB", day/2)
	if got := w.awaitEnds(ctx, []string{endless}); got["output_too_large"] != 1 || w.r.sent.Load() > 200<<20 {
		t.Errorf("10 GB: %v after %d MiB", got, w.r.sent.Load()>>20)
	}

	hook := w.workflow(ctx, `{"id":"tell","type":"webhook","config":{"url":"http://`+w.r.addr+`/hang","event":"e"}}`)
	w.startMany(ctx, "200 runs on a receiver that never answers", hook, 200, 190, day)
	get := w.workflow(ctx, `{"id":"get","type":"http_request","config":{"url":"http://`+w.r.addr+`/hang"}}`)
	w.startMany(ctx, "1,000 runs on one host", get, 1000, 400, day)

	w.awaitCleanup(ctx, sockets)
	if peak := w.peakMemory(); peak > 700 {
		t.Errorf("%d MiB were resident at the peak", peak)
	}
	if err := w.s.stop(); err != nil {
		t.Error(err)
	}
}

// scripts tries those that no timeout but their step's would end.
func (w *badDay) scripts(ctx context.Context, day time.Duration) {
	w.t.Helper()
	for name, text := range map[string]string{
		"endless output": "yes endless",
		"a fork bomb":    "bomb() { bomb | bomb & }; bomb; sleep 60",
	} {
		script, _ := json.Marshal(text)
		id := w.workflow(ctx, `{"id":"run","type":"script","timeout_seconds":2,"config":{"script":`+string(script)+`}}`)
		runs := []string{w.start(ctx, id), w.start(ctx, id)}
		w.await(ctx, name+" begins", func() bool { return w.children() > 0 })
		w.expectAnswers(ctx, name, day)
		if got := w.awaitEnds(ctx, runs); got["completed"] > 0 {
			w.t.Errorf("%s: %v", name, got)
		}
		w.await(ctx, name+" is gone", func() bool { return w.children() == 0 })
	}
}

// startMany starts runs that wait for a receiver and, when enough of them hang,
// checks how the server does; then it cancels them.
func (w *badDay) startMany(ctx context.Context, name, workflow string, runs, hanging int, day time.Duration) {
	w.t.Helper()
	var ids []string
	for range runs {
		ids = append(ids, w.start(ctx, workflow))
	}
	w.await(ctx, name+" hang", func() bool { return w.r.hanging.Load() >= int64(hanging) })
	w.expectAnswers(ctx, name, day)
	for _, id := range slices.Backward(ids) {
		if _, err := w.c.Runs.Cancel(ctx, id, ""); err != nil {
			w.t.Fatal(err)
		}
	}
	if got := w.awaitEnds(ctx, ids); got["cancelled"]+got["stopped"] != runs {
		w.t.Errorf("%s: %v", name, got)
	}
	w.await(ctx, "the receiver is let go", func() bool { return w.r.hanging.Load() == 0 })
}

// largeResponses receives n responses of 60 MiB at once. Two of them in
// memory, with their copies, would be more than what is allowed here.
func largeResponses(t *testing.T, bin, database string, n int) {
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience)
	defer cancel()
	w := newBadDay(ctx, t, bin, database)
	id := w.workflow(ctx, `{"id":"get","type":"http_request","config":{"url":"http://`+w.r.addr+`/large"}}`)
	var runs []string
	begun := time.Now()
	for range n {
		runs = append(runs, w.start(ctx, id))
	}
	w.expectAnswers(ctx, "large responses", 1000*time.Millisecond)
	if got := w.awaitEnds(ctx, runs); got["completed"] != n {
		t.Fatalf("%v", got)
	}
	t.Logf("all stored after %s; %d MiB resident at the peak", time.Since(begun).Round(10*time.Millisecond), w.peakMemory())
	if w.peakMemory() > 500 {
		t.Errorf("%d MiB were resident at the peak", w.peakMemory())
	}
	run, err := w.c.Runs.Get(ctx, runs[n-1])
	if err != nil {
		t.Fatal(err)
	}
	ref := reference(t, run.StepRuns[0].Output)
	if ref.Size < 60<<20 {
		t.Fatalf("%d bytes", ref.Size)
	}
	before := w.peakMemory()
	resp, err := w.get(ctx, "/api/workflows/runs/"+runs[n-1]+"/blobs/"+ref.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.Copy(io.Discard, resp.Body); got != ref.Size || err != nil {
		t.Errorf("%d of %d bytes, %v", got, ref.Size, err)
	}
	if after := w.peakMemory(); after > before+32 {
		t.Errorf("sending a large value took %d MiB", after-before)
	}
}

type blobRef struct {
	ID   string `json:"$blob"`
	Size int64  `json:"size"`
}

func reference(t *testing.T, output json.RawMessage) (ref blobRef) {
	t.Helper()
	if err := json.Unmarshal(output, &ref); err != nil || ref.ID == "" {
		t.Fatalf("no reference: %.200s, %v", output, err)
	}
	return ref
}

func (w *badDay) get(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.c.URL()+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+adminKey)
	return w.c.HTTP().Do(req)
}
