package api_test

import (
	"fmt"
	"heddle/api"
	"heddle/executor"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// openMeter counts streams.
type openMeter struct {
	mu             sync.Mutex
	opened, closed int
}

func (m *openMeter) Request(string, string, int, time.Duration) {}

func (m *openMeter) Stream(change int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if change > 0 {
		m.opened++
	} else {
		m.closed++
	}
}

func (m *openMeter) counts() (opened, closed int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.opened, m.closed
}

// stall opens a stream on a connection with the smallest of buffers, and never
// reads.
func (s *stack) stall(path string) net.Conn {
	s.t.Helper()
	host := strings.TrimPrefix(s.url, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(1); err != nil {
		s.t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+s.admin+"\r\n\r\n"); err != nil {
		s.t.Fatal(err)
	}
	return conn
}

// narrow accepts connections for which the kernel keeps little.
type narrow struct{ net.Listener }

func (l narrow) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		err = tcp.SetWriteBuffer(1)
	}
	return conn, err
}

// serveNarrowly moves the stack to a server over narrow connections.
func (s *stack) serveNarrowly() {
	s.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	server := api.NewServer(s.handler)
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(narrow{ln}) }()
	s.t.Cleanup(func() { _ = server.Close(); <-served })
	s.url = "http://" + ln.Addr().String()
}

// TestAStalledReaderSlowsNobody: readers that never read fill what the kernel
// holds for them; the others get every event meanwhile, and only then are the
// stalled ones dropped.
func TestAStalledReaderSlowsNobody(t *testing.T) {
	const signals, stalled = 10, 5
	m := &openMeter{}
	s := newStack(t, func(a *api.Config, _ *executor.Config) { a.Meter, a.StreamWrite = m, 500*time.Millisecond })
	s.serveNarrowly()
	run := s.start(s.create(parked, ""), "")
	path := "/api/workflows/runs/" + run + "/stream"
	for range stalled {
		s.stall(path)
	}
	r := s.follow(run, "")
	s.eventually("all streams are open", func() bool { opened, _ := m.counts(); return opened == stalled+1 })
	payload := strings.Repeat("x", 50<<10)
	for i := range signals {
		s.post(fmt.Sprintf("/v1/runs/%s/signals/other", run), fmt.Sprintf(`{"request_id":"r%d","payload":"%d %s"}`, i, i, payload)).want(t, http.StatusAccepted)
		for f, ok := r.next(); !strings.Contains(f.data, fmt.Sprintf(`"payload":"%d `, i)); f, ok = r.next() {
			if !ok {
				t.Fatalf("the reader that reads was cut before signal %d", i)
			}
		}
	}
	s.eventually("the stalled readers are gone", func() bool { _, closed := m.counts(); return closed == stalled })
	s.post("/api/workflows/runs/"+run+"/cancel", "").want(t, http.StatusOK)
	if rest := r.rest(); len(rest) == 0 || rest[len(rest)-1].event != "run_cancelled" {
		t.Errorf("the reader that reads ends with %v", eventsOf(rest))
	}
}

// TestReconnectsSeeEverythingOnce: readers of both dialects come and go while
// the run goes on.
func TestReconnectsSeeEverythingOnce(t *testing.T) {
	s := newStack(t)
	run := s.start(s.create(parked, ""), "")
	var wg sync.WaitGroup
	seen := make([][]streamed, 6)
	path := func(i int) string {
		return []string{"/api/workflows/runs/" + run + "/stream", "/v1/runs/" + run + "/events"}[i%2]
	}
	for i := range seen {
		wg.Go(func() {
			last := ""
			for n := i; ; n++ {
				r := s.followAt(path(i), last)
				if r.resp.StatusCode == http.StatusNoContent {
					return
				}
				for range n%3 + 1 {
					f, ok := r.next()
					if !ok {
						break
					}
					seen[i], last = append(seen[i], f), strconv.FormatInt(f.id, 10)
				}
				r.stop()
				_ = r.resp.Body.Close()
			}
		})
	}
	for i := range 150 {
		s.post("/v1/runs/"+run+"/signals/other", fmt.Sprintf(`{"request_id":"r%d","payload":%d}`, i, i)).want(t, http.StatusAccepted)
	}
	s.post("/api/workflows/runs/"+run+"/cancel", "").want(t, http.StatusOK)
	wg.Wait()
	for i, frames := range seen {
		if whole := s.followAt(path(i), "").rest(); !slices.Equal(frames, whole) {
			t.Errorf("reader %d saw %d frames, which are not the %d that there are", i, len(frames), len(whole))
		}
	}
}

// TestAStreamEndsWhenItsReaderGoes: nothing is written to a run that waits, so
// it is not a failed write that shows it.
func TestAStreamEndsWhenItsReaderGoes(t *testing.T) {
	m := &openMeter{}
	s := newStack(t, func(a *api.Config, _ *executor.Config) { a.Meter = m })
	run := s.start(s.create(parked, ""), "")
	readers := make([]*reader, 20)
	for i := range readers {
		readers[i] = s.follow(run, "")
		readers[i].next()
	}
	for _, r := range readers {
		r.stop()
	}
	s.eventually("the streams are closed", func() bool { opened, closed := m.counts(); return opened == 20 && closed == 20 })
}
