package api_test

import (
	"bufio"
	"encoding/json"
	"heddle/api"
	"heddle/api/core"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// listening serves the configuration as cmd does, on a listener of Listen.
func listening(t *testing.T, config *http.Server) *httptest.Server {
	server := httptest.NewUnstartedServer(nil)
	server.Config = config
	server.Listener = core.Listen(server.Listener)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// dial connects to the server, sends the bytes as they are, and returns the connection's reader.
func dial(t *testing.T, server *httptest.Server, sent string) *bufio.Reader {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(conn, sent); err != nil {
		t.Fatal(err)
	}
	return bufio.NewReader(conn)
}

// Whatever is sent, a refusal is the envelope, with its request's id, and says that its type is
// not to be guessed, also where no handler has seen the request.
func TestWhatNoHandlerSeesIsAnsweredInTheEnvelope(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	server := listening(t, api.NewServer(s.handler))
	for sent, want := range map[string]string{
		"JUNK\r\n\r\n":                                                                                "400 invalid_request",
		"GET / HTTP/1.1\r\n\r\n":                                                                      "400 invalid_request", // no Host
		"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n":                                                        "400 invalid_request",
		"GET /v1/runs?a=%zz HTTP/1.1\r\nHost: x\r\n\r\n":                                              "401 unauthenticated",
		"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n":                                                        "400 invalid_request",
		"GET / HTTP/1.1\r\nHost: a b\r\n\r\n":                                                         "400 invalid_request",
		"GET / HTTP/1.1\r\nHost: a\r\nb\r\n\r\n":                                                      "400 invalid_request",
		"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n":                                                "400 invalid_request",
		"GET / HTTP/3.0\r\nHost: x\r\n\r\n":                                                           "505 http_version_unsupported",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":                                                            "404 route_not_found",
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n":                                                       "404 route_not_found",
		"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n":                                                    "405 method_not_allowed",
		"GET /nowhere HTTP/1.0\r\nHost: x\r\n\r\n":                                                    "404 route_not_found",
		"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 40<<10) + "\r\n\r\n":                 "431 headers_too_large",
		"GET /" + strings.Repeat("a", 40<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n":                        "431 headers_too_large",
		"POST /api/workflows HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: zz\r\n\r\n":                    "501 transfer_encoding_unknown",
		"POST /api/workflows HTTP/1.1\r\nHost: x\r\nExpect: something\r\nContent-Length: 2\r\n\r\n{}": "417 expectation_failed",
		"POST /api/workflows HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}": "400 invalid_request",
		// The second request of a connection, behind one that a handler answered.
		"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /%zz HTTP/1.1\r\nHost: x\r\n\r\n": "400 invalid_request",
	} {
		answers := dial(t, server, sent)
		if strings.HasPrefix(sent, "GET /healthz") {
			if first, err := http.ReadResponse(answers, nil); err != nil || first.StatusCode != http.StatusOK {
				t.Fatalf("%.60q: %v, %v", sent, first, err)
			} else if _, err := io.Copy(io.Discard, first.Body); err != nil {
				t.Fatal(err)
			}
		}
		if got := refusal(t, answers); got != want {
			t.Errorf("%.60q is answered %q, want %q", sent, got, want)
		}
	}
}

// refusal reads an answer and returns its status and code; what is not as promised is said in
// their place.
func refusal(t *testing.T, answers *bufio.Reader) string {
	t.Helper()
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	var envelope struct {
		Error struct {
			Code, Message string
			RequestID     string `json:"request_id"`
		}
		Code, Message string
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return resp.Status + ": " + string(body)
	}
	h := resp.Header
	if e := envelope.Error; e.Code != envelope.Code || e.Message != envelope.Message || len(e.Message) < 20 ||
		e.RequestID == "" || h.Get("X-Request-Id") != e.RequestID ||
		len(h.Values("X-Content-Type-Options")) != 1 || h.Get("Content-Type") != "application/json" {
		return resp.Status + ": " + string(body)
	}
	return resp.Status[:4] + envelope.Code
}

// What a handler sends is never taken for a refusal, whatever it looks like.
func TestAnAnswerThatLooksLikeARefusalIsSentAsItIs(t *testing.T) {
	t.Parallel()
	const text = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request"
	whole := strings.Repeat(text, 100) // larger than net/http's buffer, so that it is written directly
	h := core.New(core.Config{NewID: func(p string) string { return p + "x" }, Log: slog.New(slog.DiscardHandler)}, []core.Route{{
		Method: http.MethodGet, Path: "/", ID: "front", Serve: func(c *core.Call) error {
			c.Answered = true
			c.Writer.Header().Set("Content-Length", strconv.Itoa(len(whole)))
			c.Writer.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(c.Writer).Flush()
			_, err := io.WriteString(c.Writer, whole)
			return err
		},
	}})
	server := listening(t, h.HTTPServer())
	resp, err := http.ReadResponse(dial(t, server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != whole {
		t.Errorf("%d bytes, %v: %.80q", len(body), err, body)
	}
}
