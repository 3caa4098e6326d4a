package core

import (
	"context"
	"heddle/fault"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
)

// Listen wraps a listener so that also what net/http refuses by itself, before any handler sees
// the request (a malformed one, a header too large, an unknown version), is answered in the
// envelope of errors. It does so for a server of HTTPServer; for any other it changes nothing.
func Listen(ln net.Listener) net.Listener { return listener{ln} }

// listener wraps the connections that it accepts.
type listener struct{ net.Listener }

// Accept returns the next connection, wrapped.
func (l listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &clientConn{Conn: conn}, nil
}

// clientConn is a connection to a client. It tells what a handler writes from what net/http
// answers by itself, which it replaces.
type clientConn struct {
	net.Conn
	// server words the refusals; nil: they are sent as they are. It is set before the first read.
	server *Server
	// handled holds from when a handler takes a request until its answer was sent whole.
	handled atomic.Bool
}

// connKey is the key of a request's clientConn in its context.
type connKey struct{}

// withConn is a http.Server's ConnContext: requests of a wrapped connection know it.
func (h *Server) withConn(ctx context.Context, conn net.Conn) context.Context {
	if c, ok := conn.(*clientConn); ok {
		c.server = h
		return context.WithValue(ctx, connKey{}, c)
	}
	return ctx
}

// markHandled notes that a handler answers the request.
func markHandled(r *http.Request) {
	if c, ok := r.Context().Value(connKey{}).(*clientConn); ok {
		c.handled.Store(true)
	}
}

// markIdle is a http.Server's ConnState: an answer was sent whole once its connection is idle. A
// connection that is closed instead has no further answer.
func markIdle(conn net.Conn, state http.ConnState) {
	if c, ok := conn.(*clientConn); ok && state == http.StateIdle {
		c.handled.Store(false)
	}
}

// Write writes b, or in its place the envelope of the refusal that b is. net/http writes a refusal
// of its own whole, and closes the connection behind it. The count is that of b, as io.Writer
// requires.
func (c *clientConn) Write(b []byte) (int, error) {
	if c.server == nil || c.handled.Load() {
		return c.Conn.Write(b)
	}
	status, reason, ok := readRefusal(b)
	if !ok {
		return c.Conn.Write(b)
	}
	if _, err := c.Conn.Write(c.server.unread(status, reason)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// CloseWrite closes the sending side. net/http does so before it closes a connection on which the
// client is still sending, so that the answer is not lost by a reset.
func (c *clientConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// readRefusal reads the first line of an error that net/http wrote:
//
//	HTTP/1.1 400 Bad Request: missing required Host header  → 400, "missing required Host header"
//	HTTP/1.1 400 Bad Request                                → 400, ""
func readRefusal(b []byte) (status int, reason string, ok bool) {
	line, _, whole := strings.Cut(string(b[:min(len(b), 512)]), "\r\n")
	version, rest, _ := strings.Cut(line, " ")
	code, text, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	if !whole || !strings.HasPrefix(version, "HTTP/1.") || err != nil || status < 400 || status > 599 {
		return 0, "", false
	}
	_, reason, _ = strings.Cut(text, ": ")
	return status, reason, true
}

// unread returns the whole answer to a request that net/http could not read, and tells the meter
// of it. The request's own id is not known, so that it gets one.
func (h *Server) unread(status int, reason string) []byte {
	id := h.cfg.NewID("req_")
	h.cfg.Meter.Request("", "", status, 1)
	h.log.Debug("a request could not be read", "request_id", id, "status", status, "reason", reason)
	text, _ := Encode(envelope(unreadFault(status, reason), id)) // texts alone
	head := "HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status) +
		"\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(text)) +
		"\r\n" + headerRequestID + ": " + id + "\r\nX-Content-Type-Options: " + nosniff[0] + "\r\nConnection: close\r\n\r\n"
	return append([]byte(head), text...)
}

// unreadFault says what to change in a request that net/http refused with the status. reason is
// net/http's, "" where it names none.
func unreadFault(status int, reason string) *fault.Error {
	switch status {
	case http.StatusExpectationFailed:
		return fault.New(fault.Malformed, "expectation_failed", "Expect may be 100-continue and nothing else; leave it out.")
	case http.StatusRequestHeaderFieldsTooLarge:
		return fault.New(fault.Malformed, "headers_too_large",
			"The first line and the headers of a request have at most %d KiB together; send long values in the body.", maxHeaderBytes>>10)
	case http.StatusNotImplemented:
		return fault.New(fault.Malformed, "transfer_encoding_unknown", "Transfer-Encoding may be chunked and nothing else; leave it out and send a Content-Length.")
	case http.StatusHTTPVersionNotSupported:
		return fault.New(fault.Malformed, "http_version_unsupported", "Send the request in HTTP/1.1.")
	}
	if reason == "" {
		reason = "its first line or a header is malformed. In a path a percent sign is written %25 and a space %20; a header is a name, a colon and a text"
	}
	return fault.New(fault.Malformed, "invalid_request", "The request cannot be read: %s.", reason)
}
