package api_test

import (
	"heddle/api"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Whatever is sent, the answer says that its type is not to be guessed, also
// where no handler has seen the request.
func TestNoAnswerIsToBeGuessed(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	server := httptest.NewUnstartedServer(nil)
	server.Config = api.NewServer(s.handler)
	server.Listener = api.Listen(server.Listener)
	server.Start()
	t.Cleanup(server.Close)
	for sent, status := range map[string]string{
		"JUNK\r\n\r\n":                                                                                "400",
		"GET / HTTP/1.1\r\n\r\n":                                                                      "400", // no Host
		"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n":                                                        "400",
		"GET / HTTP/1.1\r\nHost: a\r\nb\r\n\r\n":                                                      "400",
		"GET / HTTP/3.0\r\nHost: x\r\n\r\n":                                                           "505",
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n":                                                       "",
		"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n":                                                    "200",
		"GET /nowhere HTTP/1.0\r\nHost: x\r\n\r\n":                                                    "404",
		"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 40<<10) + "\r\n\r\n":                 "431",
		"POST /api/workflows HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: zz\r\n\r\n":                    "501",
		"POST /api/workflows HTTP/1.1\r\nHost: x\r\nExpect: something\r\nContent-Length: 2\r\n\r\n{}": "417",
		"POST /api/workflows HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}": "400",
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		if _, err := io.WriteString(conn, sent); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 0, 4096)
		for !strings.Contains(string(answer), "\r\n\r\n") {
			n, err := conn.Read(answer[len(answer):cap(answer)])
			answer = answer[:len(answer)+n]
			if err != nil {
				break
			}
		}
		_ = conn.Close()
		head, _, whole := strings.Cut(string(answer), "\r\n\r\n")
		if !whole || !strings.HasPrefix(head[9:], status) || strings.Count(head, "X-Content-Type-Options: nosniff") != 1 {
			t.Errorf("%.60q is answered %q", sent, head)
		}
	}
}
