package api

import (
	"bytes"
	"net"
)

// Listen wraps a listener so that also what net/http answers by itself, before any handler sees
// the request (a malformed one, a header too large, an unknown version), says that its type is
// not to be guessed (X-Content-Type-Options).
func Listen(ln net.Listener) net.Listener { return listener{ln} }

// listener wraps the connections that it accepts.
type listener struct{ net.Listener }

// Accept returns the next connection, wrapped.
func (l listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return answering{conn}, nil
}

// answering is a connection to a client whose errors carry X-Content-Type-Options.
type answering struct{ net.Conn }

var (
	// headEnd ends the head of an answer; sniffHeader is what is inserted behind its first line.
	// Neither is changed.
	headEnd     = []byte("\r\n\r\n")
	sniffHeader = []byte("\r\nX-Content-Type-Options: nosniff")
)

// Write adds the header to the head of a 4xx or 5xx that lacks it; net/http writes such a head
// whole. What handlers answer has it already, and what is not the begin of an answer is written
// as it is. The count is that of b, as io.Writer requires.
func (c answering) Write(b []byte) (int, error) {
	if len(b) < len("HTTP/1.1 400") || string(b[:len("HTTP/1.")]) != "HTTP/1." || b[9] != '4' && b[9] != '5' {
		return c.Conn.Write(b)
	}
	head, _, whole := bytes.Cut(b, headEnd)
	if !whole || bytes.Contains(head, sniffHeader) {
		return c.Conn.Write(b)
	}
	first := bytes.Index(b, headEnd[:2])
	if _, err := c.Conn.Write(bytes.Join([][]byte{b[:first], b[first:]}, sniffHeader)); err != nil {
		return 0, err
	}
	return len(b), nil
}
