package steps_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"heddle/steps"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// deadServer speaks HTTP/1 on connections that stay open, answers the first
// requests with first, in turn, and of the next one on that connection reads
// all and closes. Every request on another connection is answered with last.
type deadServer struct {
	url      string
	requests atomic.Int64
	first    []string
	last     string
}

func serveDead(t *testing.T, settings *tls.Config, last string, first ...string) *deadServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &deadServer{first: first, last: last, url: "http://" + l.Addr().String()}
	if settings != nil {
		l, s.url = tls.NewListener(l, settings), "https://"+l.Addr().String()
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		for answers := s.first; ; answers = nil {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.talk(conn, answers)
		}
	}()
	return s
}

func (s *deadServer) talk(conn net.Conn, answers []string) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for known := answers != nil; ; {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		s.requests.Add(1)
		body := s.last
		if known {
			if len(answers) == 0 {
				return
			}
			body, answers = answers[0], answers[1:]
		}
		if req.Method == http.MethodHead {
			body = ""
		}
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		if !known {
			return
		}
	}
}

// A server may have acted on a request that it read, whatever its method.
func TestAnAttemptIsOneRequest(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Tests")
	cert, key := a.issue(t, "localhost")
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	secure := &tls.Config{Certificates: []tls.Certificate{pair}}
	for name, tt := range map[string]struct {
		typeName, config string
		settings         *tls.Config
	}{
		"GET":                {"http_request", ``, nil},
		"HEAD":               {"http_request", `"method":"HEAD"`, nil},
		"OPTIONS":            {"http_request", `"method":"OPTIONS"`, nil},
		"POST":               {"http_request", `"method":"POST"`, nil},
		"POST with a body":   {"http_request", `"method":"POST","body":{"n":1}`, nil},
		"POST with its key":  {"http_request", `"method":"POST","body":1,"headers":{"x-idempotency-key":"k"}`, nil},
		"PUT of much":        {"http_request", `"method":"PUT","raw":"` + strings.Repeat("x", 100_000) + `"`, nil},
		"DELETE":             {"http_request", `"method":"DELETE"`, nil},
		"webhook":            {"webhook", `"event":"e","secret":"a secret"`, nil},
		"GET over TLS":       {"http_request", `"tls":{"ca":` + quoted(a.pem) + `,"server_name":"localhost"}`, secure},
		"POST over TLS":      {"http_request", `"method":"POST","body":1,"tls":{"ca":` + quoted(a.pem) + `,"server_name":"localhost"}`, secure},
		"a redirect's goal":  {"http_request", `"follow_redirects":true`, nil},
		"a form in an array": {"http_request", `"method":"PATCH","form":{"a":[1,2]}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, r := serveDead(t, tt.settings, `{}`, `{}`), open(t, "127.0.0.1")
			config := `{"url":` + quoted(s.url)
			if tt.config != "" {
				config += "," + tt.config
			}
			if _, f := attempt(t, r, tt.typeName, config+`}`); f != nil {
				t.Fatalf("the first attempt failed: %+v", f)
			}
			f := fail(t, r, tt.typeName, config+`}`, "connection_failed", false)
			if !strings.Contains(f.Message, "closed the connection") {
				t.Errorf("it failed with %s", f.Message)
			}
			if n := s.requests.Load(); n != 2 {
				t.Errorf("two attempts made %d requests", n)
			}
			if _, f := attempt(t, r, tt.typeName, config+`}`); f != nil {
				t.Errorf("the next attempt failed: %+v", f)
			}
		})
	}
}

func TestAnAgentsRequestIsOneRequest(t *testing.T) {
	t.Parallel()
	s := serveDead(t, nil, `{"choices":[{"message":{"content":"late"}}]}`, toolUse("none", `{}`))
	r := open(t, "127.0.0.1", func(d *steps.Deps) { d.Agents = agents{s.url} })
	fail(t, r, "agent_task", `{"agent_id":"writer","goal":"g"}`, "connection_failed", false)
	if n := s.requests.Load(); n != 2 {
		t.Errorf("a conversation of two turns made %d requests", n)
	}
}

func TestACallOfAToolIsOneRequest(t *testing.T) {
	t.Parallel()
	tool := serveDead(t, nil, `{}`, `{}`)
	m := &model{answers: []string{toolUse("order", `{}`), toolUse("order", `{}`), "Done."}}
	s := serve(t, m.ServeHTTP)
	tools := []steps.AgentTool{{Name: "order", Method: "POST", URL: tool.url}}
	r := open(t, "127.0.0.1", func(d *steps.Deps) { d.Agents = toolAgents{agents{s.URL}, tools} })
	res, f := attempt(t, r, "agent_task", `{"agent_id":"writer","goal":"g"}`)
	if f != nil || !strings.Contains(string(res.Usage.ToolCalls), "closed the connection") {
		t.Errorf("%s %+v", res.Usage.ToolCalls, f)
	}
	if n := tool.requests.Load(); n != 2 {
		t.Errorf("two calls made %d requests", n)
	}
}

// A connection that the server closed while it was idle has received nothing, so the
// request may be sent on another.
func TestAnIdleConnectionThatWasClosedIsReplaced(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	seen, requests, done := make(chan struct{}), 0, make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			in := bufio.NewReader(conn)
			if req, err := http.ReadRequest(in); err == nil {
				requests++
				_, _ = io.Copy(io.Discard, req.Body)
				_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
			}
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, in) // until the client has noticed
			_ = conn.Close()
			seen <- struct{}{}
		}
	}()
	r := open(t, "127.0.0.1")
	for range 3 {
		if _, f := attempt(t, r, "http_request", `{"method":"POST","body":1,"url":"http://`+l.Addr().String()+`"}`); f != nil {
			t.Fatalf("failed: %+v", f)
		}
		<-seen
	}
	if requests != 3 {
		t.Errorf("%d requests", requests)
	}
}

// TestHTTP2RefusesOnce has a server that refuses the second stream, or sends
// GOAWAY with it: the protocol allows a repetition, the journal does not.
func TestHTTP2RefusesOnce(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Tests")
	cert, key := a.issue(t, "localhost")
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	settings := &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"}}
	for name, refuse := range map[string]func(*http2.Framer, uint32){
		"refused": func(f *http2.Framer, id uint32) { _ = f.WriteRSTStream(id, http2.ErrCodeRefusedStream) },
		"goaway":  func(f *http2.Framer, id uint32) { _ = f.WriteGoAway(id-2, http2.ErrCodeNo, nil) },
		"reset":   func(f *http2.Framer, id uint32) { _ = f.WriteRSTStream(id, http2.ErrCodeProtocol) },
	} {
		for _, config := range []string{`"method":"GET"`, `"method":"POST","body":{}`, `"method":"POST"`} {
			t.Run(name+" "+config, func(t *testing.T) {
				t.Parallel()
				url, streams := serveHTTP2(t, settings, refuse)
				r := open(t, "127.0.0.1")
				config := `{"url":` + quoted(url) + `,"tls":{"ca":` + quoted(a.pem) + `,"server_name":"localhost"},` + config + `}`
				if _, f := attempt(t, r, "http_request", config); f != nil {
					t.Fatalf("the first attempt failed: %+v", f)
				}
				fail(t, r, "http_request", config, "connection_failed", false)
				if n := streams.Load(); n != 2 {
					t.Errorf("two attempts made %d requests", n)
				}
			})
		}
	}
}

// serveHTTP2 answers each stream with 200 but the second, which it refuses.
func serveHTTP2(t *testing.T, settings *tls.Config, refuse func(*http2.Framer, uint32)) (string, *atomic.Int64) {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", settings)
	if err != nil {
		t.Fatal(err)
	}
	var streams atomic.Int64
	var open sync.WaitGroup
	var conns []net.Conn
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				for _, c := range conns {
					_ = c.Close()
				}
				return
			}
			conns = append(conns, conn)
			open.Go(func() { talkHTTP2(conn, &streams, refuse) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); open.Wait() })
	return "https://" + l.Addr().String(), &streams
}

func talkHTTP2(conn net.Conn, streams *atomic.Int64, refuse func(*http2.Framer, uint32)) {
	defer conn.Close()
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(conn, preface); err != nil {
		return
	}
	f := http2.NewFramer(conn, conn)
	_ = f.WriteSettings()
	var head bytes.Buffer
	_ = hpack.NewEncoder(&head).WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = f.WriteSettingsAck()
			}
		case *http2.HeadersFrame:
			if streams.Add(1) == 2 {
				refuse(f, frame.StreamID)
				continue
			}
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: frame.StreamID, BlockFragment: head.Bytes(), EndHeaders: true, EndStream: true})
		}
	}
}
