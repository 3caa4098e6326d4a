package api_test

import (
	"bufio"
	"fmt"
	"heddle/api"
	"heddle/executor"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// onlyAHangReaches bounds what a test waits for.
const onlyAHangReaches = 60 * time.Second

func withPatience(p api.Patience) stackOption {
	return func(a *api.Config, _ *executor.Config) { a.Patience = p }
}

// raw is a connection to the server on which a test writes bytes.
type raw struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

func (s *stack) dial() *raw {
	s.t.Helper()
	conn, err := (&net.Dialer{}).DialContext(s.t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(onlyAHangReaches)); err != nil {
		s.t.Fatal(err)
	}
	return &raw{t: s.t, conn: conn, in: bufio.NewReader(conn)}
}

func (r *raw) send(text string) {
	r.t.Helper()
	if _, err := io.WriteString(r.conn, text); err != nil {
		r.t.Fatal(err)
	}
}

// answer reads the next answer whole.
func (r *raw) answer() response {
	r.t.Helper()
	resp, err := http.ReadResponse(r.in, nil)
	if err != nil {
		r.t.Fatalf("no answer: %v", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatalf("half an answer: %v", err)
	}
	return response{resp.StatusCode, resp.Header, string(body)}
}

// ends fails unless the server closes the connection.
func (r *raw) ends() {
	r.t.Helper()
	rest, err := io.ReadAll(r.in)
	if ne, ok := err.(net.Error); ok && ne.Timeout() { //nolint:errorlint // net returns it bare
		r.t.Error("the connection is still open")
	}
	if len(rest) > 0 {
		r.t.Errorf("more after the answer: %q", rest)
	}
}

// head is the head of a request; a key of "" is the admin's.
func (s *stack) head(method, path, key string, more ...string) string {
	if key == "" {
		key = s.admin
	}
	return method + " " + path + " HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer " + key + "\r\n" + strings.Join(append(more, "", ""), "\r\n")
}

// impatient waits a little for what stalls and for long enough for what moves.
var impatient = api.Patience{Header: 300 * time.Millisecond, Stall: 100 * time.Millisecond, Before: 20 * time.Millisecond, After: 100 * time.Millisecond}

// A body that stalls is answered and its connection ends, on every route and
// for every refusal, however the length is declared.
func TestABodyThatStallsIsAnsweredAndEnds(t *testing.T) {
	t.Parallel()
	s := newStack(t, withPatience(impatient))
	p := s.place()
	wf, run := "/api/workflows/"+p.workflow, "/api/workflows/runs/"+p.finished
	viewer := s.key("viewer")
	const asJSON, long, chunked = "Content-Type: application/json", "Content-Length: 100000", "Transfer-Encoding: chunked"
	for name, c := range map[string]struct {
		head, begun string
		status      int
		code        string
	}{
		"create":            {s.head("POST", "/api/workflows", "", asJSON, long), `{"definition":`, 408, "request_timeout"},
		"create in chunks":  {s.head("POST", "/api/workflows", "", asJSON, chunked), "5\r\n{\"def\r\n", 408, "request_timeout"},
		"half a chunk":      {s.head("POST", "/api/workflows", "", asJSON, chunked), "ff\r\n{\"def", 408, "request_timeout"},
		"no byte":           {s.head("POST", "/api/workflows/validate", "", asJSON, long), ``, 408, "request_timeout"},
		"run":               {s.head("POST", wf+"/run", "", asJSON, "Content-Length: 2"), `{`, 408, "request_timeout"},
		"turn":              {s.head("POST", "/v1/workflows/"+p.workflow+"/execute", "", long), `{`, 408, "request_timeout"},
		"instances":         {s.head("POST", "/api/workflows/workflows/"+p.workflow+"/instances", "", long), `{`, 408, "request_timeout"},
		"import":            {s.head("POST", "/api/workflows/import", "", long), `{"format":`, 408, "request_timeout"},
		"import in chunks":  {s.head("POST", "/api/workflows/import", "", chunked), "1\r\n{\r\n", 408, "request_timeout"},
		"unauthenticated":   {s.head("POST", "/api/workflows", "iw_live_nobody", long), `{`, 401, "unauthenticated"},
		"in chunks without": {s.head("POST", "/api/workflows", "iw_live_nobody", chunked), "5\r\n{", 401, "unauthenticated"},
		"very long without": {s.head("POST", "/api/workflows", "iw_live_nobody", "Content-Length: 900000000"), `{`, 401, "unauthenticated"},
		"denied":            {s.head("POST", "/api/workflows", viewer, long), `{`, 403, "acl_denied"},
		"no route":          {s.head("POST", "/api/nothing", "", long), `{`, 404, "route_not_found"},
		"no object":         {s.head("POST", "/api/workflows/runs/nope/redrive", viewer, long), `{`, 404, "run_not_found"},
		"no method":         {s.head("PATCH", "/api/workflows", "", long), `{`, 405, "method_not_allowed"},
		"odd method":        {s.head("BREW", "/api/workflows", "", chunked), `2`, 405, "method_not_allowed"},
		"bad query":         {s.head("POST", wf+"/run?quick=1", "", long), `{`, 400, "invalid_request"},
		"too large":         {s.head("POST", wf+"/run", "", "Content-Length: 9000000"), `{`, 413, "body_too_large"},
		"media type":        {s.head("POST", wf+"/run", "", "Content-Type: text/xml", "Content-Length: 4"), `<a/>`, 415, "unsupported_media_type"},
		"import's type":     {s.head("POST", "/api/workflows/import", "", "Content-Type: text/xml", long), `<`, 415, "unsupported_media_type"},
		"get":               {s.head("GET", wf, "", long), `{`, 200, ""},
		"health":            {s.head("GET", "/healthz", "", chunked), `1`, 200, ""},
		"metrics":           {s.head("GET", "/metrics", "", long), `1`, 200, ""},
		"delete":            {s.head("DELETE", "/v1/keys/nope", "", long), `{`, 408, "request_timeout"},
		"stream's end":      {s.head("GET", run+"/stream", "", long, "Last-Event-ID: 900"), `{`, 400, "invalid_last_event_id"},
		"waits to go on":    {s.head("POST", "/api/workflows", "iw_live_nobody", long, "Expect: 100-continue"), ``, 401, "unauthenticated"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := s.dial()
			r.t = t
			r.send(c.head + c.begun)
			got := r.answer()
			if c.code == "" {
				got.want(t, c.status)
			} else {
				got.wantCode(t, c.status, c.code)
			}
			if name != "media type" { // whose body is there
				r.ends()
			}
		})
	}
}

// A head that stalls, and a connection that says nothing, end too.
func TestAHeadThatStallsEnds(t *testing.T) {
	t.Parallel()
	s := newStack(t, withPatience(api.Patience{Header: 100 * time.Millisecond, Idle: 100 * time.Millisecond}))
	for _, text := range []string{"", "GET /healthz HTTP/1.1\r\nHost: he", "GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"} {
		r := s.dial()
		r.send(text)
		if strings.HasSuffix(text, "\r\n\r\n") {
			r.answer().want(t, http.StatusOK)
		}
		_, _ = io.Copy(io.Discard, r.in)
		if _, err := r.in.ReadByte(); err != io.EOF { //nolint:errorlint // net returns it bare
			t.Errorf("after %q: %v", text, err)
		}
	}
}

// drips writes text byte by byte until it is sent or the reader is gone.
func (r *raw) drips(text string) *sync.WaitGroup {
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for i := range len(text) {
			<-tick.C
			if _, err := io.WriteString(r.conn, text[i:i+1]); err != nil {
				return
			}
		}
	})
	return &done
}

// A body that moves but never ends is refused when its time is over, however
// steadily it drips; what moves faster than the least rate is not.
func TestABodyThatDripsHasATotalTime(t *testing.T) {
	t.Parallel()
	for name, patience := range map[string]api.Patience{
		"the whole":      {Body: 100 * time.Millisecond},
		"the least rate": {Grace: 100 * time.Millisecond, Rate: 1 << 40},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, withPatience(patience))
			r := s.dial()
			r.send(s.head("POST", "/api/workflows/validate", "", "Content-Length: 1000000"))
			sent := r.drips(strings.Repeat(" ", 100_000))
			r.answer().wantCode(t, http.StatusRequestTimeout, "request_timeout")
			_ = r.conn.Close()
			sent.Wait()
		})
	}
}

// An import may take as long as it likes while it moves.
func TestASlowImportThatMovesIsTaken(t *testing.T) {
	t.Parallel()
	s := newStack(t, withPatience(api.Patience{Body: 50 * time.Millisecond, Grace: onlyAHangReaches, Stall: onlyAHangReaches}))
	s.create(trivial, `"slug":"moved"`)
	line := s.get("/api/workflows/export").want(t, http.StatusOK).body
	line = strings.ReplaceAll(line, `"slug":"moved"`, `"slug":"arrived"`)
	r := s.dial()
	r.send(s.head("POST", "/api/workflows/import", "", fmt.Sprintf("Content-Length: %d", len(line))))
	sent := r.drips(line)
	r.answer().want(t, http.StatusOK)
	sent.Wait()
	s.get("/api/workflows/arrived").want(t, http.StatusOK)
	// The connection goes on.
	r.send(s.head("GET", "/healthz", ""))
	r.answer().want(t, http.StatusOK)
}

// A connection whose body came whole goes on after a refusal, also where the
// route reads none.
func TestAConnectionGoesOnAfterARefusal(t *testing.T) {
	t.Parallel()
	s := newStack(t, withPatience(api.Patience{Before: onlyAHangReaches}))
	r := s.dial()
	for range 2 {
		for head, status := range map[string]int{
			s.head("POST", "/api/workflows", "iw_live_nobody", "Content-Length: 2"): 401,
			s.head("POST", "/api/nothing", "", "Content-Length: 2"):                 404,
			s.head("PATCH", "/api/workflows", "", "Content-Length: 2"):              405,
			s.head("POST", "/api/workflows", "", "Content-Length: 2"):               400,
			s.head("GET", "/healthz", "", "Content-Length: 2"):                      200,
		} {
			r.send(head + "{}")
			if got := r.answer().want(t, status); got.header.Get("Connection") != "" {
				t.Errorf("%s: Connection is %q", head, got.header.Get("Connection"))
			}
		}
	}
}

// A client that sends a large body to its end before it reads sees why it was
// refused.
func TestARefusedUploadSeesItsAnswer(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	body := strings.Repeat("x", 5<<20)
	for head, status := range map[string]int{
		s.head("POST", "/api/workflows/x/run", "", fmt.Sprintf("Content-Length: %d", len(body))):           413,
		s.head("POST", "/api/workflows", "iw_live_nobody", fmt.Sprintf("Content-Length: %d", len(body))):   401,
		s.head("POST", "/api/nothing", "iw_live_nobody", fmt.Sprintf("Content-Length: %d", len(body))):     404,
		s.head("GET", "/api/workflows", "iw_live_nobody", fmt.Sprintf("Content-Length: %d", len(body)-10)): 401,
	} {
		r := s.dial()
		r.send(head + body)
		r.answer().want(t, status)
	}
}

// A reader that does not take its answers loses its connection.
func TestAReaderThatStallsLosesItsConnection(t *testing.T) {
	t.Parallel()
	s := newStack(t, withPatience(api.Patience{Answer: 50 * time.Millisecond}))
	closed := make(chan struct{})
	server := api.NewServer(s.handler)
	var once sync.Once
	server.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			once.Do(func() { close(closed) })
		}
	}
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close() })
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var sent sync.WaitGroup
	sent.Go(func() { // more answers than the sockets hold
		for range 2000 {
			if _, err := io.WriteString(conn, "GET /openapi.json HTTP/1.1\r\nHost: here\r\n\r\n"); err != nil {
				return
			}
		}
	})
	select {
	case <-closed:
	case <-time.After(onlyAHangReaches):
		t.Error("the connection is still open")
	}
	_ = conn.Close()
	sent.Wait()
}
