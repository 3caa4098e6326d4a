package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"heddle/api"
	"heddle/executor"
	"heddle/fault"
	"heddle/store/storetest"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// streamed is one frame, or a comment.
type streamed struct {
	id      int64
	event   string
	data    string
	comment string
}

// reader reads a stream frame by frame.
type reader struct {
	t    testing.TB
	resp *http.Response
	scan *bufio.Scanner
	stop context.CancelFunc
}

func (s *stack) follow(runID, lastEventID string) *reader {
	s.t.Helper()
	return s.followAt("/api/workflows/runs/"+runID+"/stream", lastEventID)
}

func (s *stack) followAt(path, lastEventID string) *reader {
	s.t.Helper()
	ctx, stop := context.WithCancel(s.t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.admin)
	if lastEventID != "" {
		req.Header.Set("Last-Event-ID", lastEventID)
	}
	resp, err := s.client.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { stop(); _ = resp.Body.Close() })
	return &reader{s.t, resp, bufio.NewScanner(resp.Body), stop}
}

// next returns the next frame or comment; false at the stream's end.
func (r *reader) next() (streamed, bool) {
	r.t.Helper()
	var f streamed
	for r.scan.Scan() {
		line := r.scan.Text()
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case line == "":
			return f, true
		case name == "":
			f.comment = value
		case name == "id":
			id, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				r.t.Fatal(err)
			}
			f.id = id
		case name == "event":
			f.event = value
		case name == "data":
			f.data = value
		default:
			r.t.Fatalf("odd line %q", line)
		}
	}
	return streamed{}, false
}

// rest reads to the end of the stream.
func (r *reader) rest() []streamed {
	r.t.Helper()
	var all []streamed
	for {
		f, ok := r.next()
		if !ok {
			return all
		}
		if f.comment == "" {
			all = append(all, f)
		}
	}
}

func eventsOf(frames []streamed) string {
	var words []string
	for _, f := range frames {
		words = append(words, f.event)
	}
	return strings.Join(words, " ")
}

func TestAStreamTellsARun(t *testing.T) {
	s := newStack(t)
	run := s.start(s.create(trivial, ""), "")
	s.until(run, "completed")
	r := s.follow(run, "")
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
	} {
		if got := r.resp.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	frames := r.rest()
	want := "run_started step_started step_completed step_started step_completed step_started step_completed run_completed"
	if got := eventsOf(frames); got != want {
		t.Fatalf("%s\nwant %s", got, want)
	}
	last := int64(0)
	for _, f := range frames {
		if f.id <= last {
			t.Errorf("id %d after %d", f.id, last)
		}
		last = f.id
		s.doc.validate(t, request{method: "GET", path: "stream"}, "#/components/schemas/WorkflowsEvent", f.data)
		var d struct {
			RunID string `json:"run_id"`
			Seq   int64
		}
		if err := json.Unmarshal([]byte(f.data), &d); err != nil || d.RunID != run || d.Seq != f.id {
			t.Errorf("data %s: %v", f.data, err)
		}
	}
	for i, parts := range map[int][]string{
		1: {`"step_id":"a"`, `"type":"condition"`, `"attempt":1`},
		2: {`"output":{"result":true`, `"duration_seconds":`},
		7: {`"status":"completed"`, `"duration_seconds":`, `"output":`},
	} {
		for _, p := range parts {
			if !strings.Contains(frames[i].data, p) {
				t.Errorf("frame %d has no %s: %s", i, p, frames[i].data)
			}
		}
	}
	// Resuming returns exactly what comes after.
	for i, f := range frames[:len(frames)-1] {
		got := s.follow(run, strconv.FormatInt(f.id, 10)).rest()
		if len(got) != len(frames)-i-1 || got[0] != frames[i+1] {
			t.Errorf("after %d: %s", f.id, eventsOf(got))
		}
	}
	s.do(request{
		method: "GET", path: "/api/workflows/runs/" + run + "/stream",
		header: map[string]string{"Last-Event-ID": strconv.FormatInt(last, 10)},
	}).want(t, http.StatusNoContent)
}

func TestAStreamGoesOnAsTheRunDoes(t *testing.T) {
	s := newStack(t)
	run := s.start(s.create(parked, ""), "")
	r := s.follow(run, "")
	expect := func(words ...string) {
		t.Helper()
		for _, want := range words {
			f, ok := r.next()
			if !ok || f.event != want {
				t.Fatalf("got %+v, want %s", f, want)
			}
		}
	}
	expect("run_started", "step_started", "step_waiting")
	s.post("/api/workflows/runs/"+run+"/pause", "").want(t, http.StatusAccepted)
	expect("run_paused")
	s.post("/api/workflows/runs/"+run+"/resume", `{}`).want(t, http.StatusAccepted)
	expect("run_resumed")
	s.until(run, "waiting")
	s.post("/api/workflows/runs/"+run+"/cancel", "").want(t, http.StatusOK)
	rest := r.rest()
	if got := eventsOf(rest); !strings.HasSuffix(got, "run_cancelled") || strings.Contains(got, "run_started") {
		t.Errorf("the end: %s", got)
	}
	// From the beginning it is shown the same way.
	again := eventsOf(s.follow(run, "").rest())
	if want := "run_started step_started step_waiting run_paused run_resumed " + eventsOf(rest); again != want {
		t.Errorf("told again: %s\nwant %s", again, want)
	}
}

func TestHeartbeatsShowThatTheStreamLives(t *testing.T) {
	s := newStack(t, func(_ *api.Config, e *executor.Config) { e.Heartbeat = 10 * time.Millisecond })
	r := s.follow(s.start(s.create(parked, ""), ""), "")
	for range 100 {
		f, ok := r.next()
		if !ok {
			t.Fatal("the stream ended")
		}
		if f.comment == "ping" {
			return
		}
	}
	t.Error("no heartbeat")
}

func TestStreamsEndWhenTheServerStops(t *testing.T) {
	s := newStack(t)
	r := s.follow(s.start(s.create(parked, ""), ""), "")
	s.handler.CloseStreams()
	if got := eventsOf(r.rest()); strings.Contains(got, "run_cancelled") {
		t.Errorf("got %s", got)
	}
}

// pipeListener accepts one connection that buffers nothing.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// A reader that reads nothing is dropped, and the run that it followed is not
// held up.
func TestAStalledReaderIsDropped(t *testing.T) {
	m := &openMeter{}
	s := newStack(t, func(a *api.Config, _ *executor.Config) { a.StreamWrite, a.Meter = 100*time.Millisecond, m })
	run := s.start(s.create(parked, ""), "")
	near, far := net.Pipe()
	l := &pipeListener{conns: make(chan net.Conn, 1), done: make(chan struct{})}
	l.conns <- far
	server := api.NewServer(s.handler)
	server.WriteTimeout = time.Hour // the stream sets its own deadlines
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(l) }()
	defer func() { _ = near.Close(); _ = server.Close(); <-served }()
	_, err := io.WriteString(near, "GET /api/workflows/runs/"+run+"/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+s.admin+"\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	s.eventually("the stalled reader is gone", func() bool {
		opened, closed := m.counts()
		return opened == 1 && closed == 1
	})
	s.post("/api/workflows/runs/"+run+"/cancel", "").want(t, http.StatusOK)
	s.until(run, "cancelled")
}

// forgetful is a store that cannot read definitions while it is unavailable.
type forgetful struct {
	executor.Store
	away *atomic.Bool
}

func (f forgetful) Definition(ctx context.Context, workflowID string, version int) (json.RawMessage, error) {
	if f.away.Load() {
		return nil, fault.New(fault.Unavailable, "store_unavailable", "The store is away.")
	}
	return f.Store.Definition(ctx, workflowID, version)
}

// A frame is the same whenever it is read: rather than a frame without its
// step's type, the stream ends, and the next one has it.
func TestAFrameThatCannotBeMadeWholeEndsTheStream(t *testing.T) {
	away, url := &atomic.Bool{}, storetest.SQLite(t)
	first := newStackOn(t, url)
	run := first.start(first.create(trivial, ""), "")
	first.until(run, "completed")
	// A node that has not run it yet: the other one knows the definition.
	s := newStackOn(t, url, func(_ *api.Config, e *executor.Config) { e.Store = forgetful{e.Store, away} })
	away.Store(true)
	cut := s.follow(run, "").rest()
	if got := eventsOf(cut); got != "run_started" {
		t.Errorf("while the store is away: %s", got)
	}
	away.Store(false)
	last := strconv.FormatInt(cut[len(cut)-1].id, 10)
	rest := s.follow(run, last).rest()
	if len(rest) == 0 || !strings.Contains(rest[0].data, `"type":"condition"`) {
		t.Errorf("after %s: %+v", last, rest)
	}
}

// A step that another version makes of another type keeps, in the events of
// the earlier version, the type that it had then.
func TestFramesNameTheTypesOfTheirVersion(t *testing.T) {
	s := newStack(t)
	wf := s.create(failing("input.n.m > 1"), "")
	run := s.start(wf, `{"input_data":{"n":1}}`)
	s.until(run, "failed")
	second := strings.Replace(failing("true"), `{"id":"b","type":"condition","config":{"expression":"true"}`, `{"id":"b","type":"wait","config":{"seconds":0.001}`, 1)
	s.do(request{method: "PUT", path: "/api/workflows/" + wf, body: `{"definition":` + second + `}`}).want(t, http.StatusOK)
	s.post("/api/workflows/runs/"+run+"/resume", `{"version":2}`).want(t, http.StatusAccepted)
	s.until(run, "completed")
	var types []string
	for _, f := range s.follow(run, "").rest() {
		if strings.Contains(f.data, `"step_id":"b"`) && f.event == "step_started" {
			_, after, _ := strings.Cut(f.data, `"type":"`)
			word, _, _ := strings.Cut(after, `"`)
			types = append(types, word)
		}
	}
	if strings.Join(types, " ") != "condition wait" {
		t.Errorf("types of b: %v", types)
	}
}
