package core

import (
	"net/http"
	"time"
)

// Meter is told of answered requests and of open streams. Its methods are called concurrently and
// must not block.
type Meter interface {
	// Request is called once a request is answered. route is a pattern of the table, "" where
	// nothing serves the path; took is 0 for a stream, and at least 1 ns otherwise.
	Request(route, method string, status int, took time.Duration)
	// Stream is called with 1 when a stream begins and with -1 when it ends.
	Stream(change int)
}

// noopMeter measures nothing.
type noopMeter struct{}

// Request does nothing.
func (noopMeter) Request(string, string, int, time.Duration) {}

// Stream does nothing.
func (noopMeter) Stream(int) {}

// meteredWriter is a response writer that remembers the status, and sets a deadline for what it
// sends. The request's goroutine uses it.
type meteredWriter struct {
	http.ResponseWriter
	status  int        // 200 until another is written
	begun   bool       // the head is written
	body    *pacedBody // nil: the request has none
	control *http.ResponseController
	answer  time.Duration // for one piece of the answer
}

// WriteHeader notes the status and sends it, once what is left of the body was dealt with: the
// head still has to say whether the connection goes on.
func (n *meteredWriter) WriteHeader(status int) {
	n.status = status
	if !n.begun {
		n.begun = true
		if n.body != nil {
			n.body.beforeAnswer(n.Header())
		}
		n.extendDeadline()
	}
	n.ResponseWriter.WriteHeader(status)
}

// extendDeadline sets the deadline of what is written next.
func (n *meteredWriter) extendDeadline() { _ = n.control.SetWriteDeadline(time.Now().Add(n.answer)) } // a recorder has none

// chunkSize is how many bytes of an answer have a deadline of their own, so that a large answer
// to a slow client is judged by its progress and not by its size.
const chunkSize = 64 << 10

// Write sends bytes in pieces of chunkSize, each of which the client has to take in time. The
// first write sends the head.
func (n *meteredWriter) Write(p []byte) (written int, err error) {
	if !n.begun {
		n.WriteHeader(http.StatusOK)
	}
	// One deadline for a large answer would be a bet on the client's speed.
	for {
		k, err := n.ResponseWriter.Write(p[:min(chunkSize, len(p))])
		written += k
		if p = p[k:]; err != nil || len(p) == 0 {
			return written, err
		}
		n.extendDeadline()
	}
}

// Unwrap serves http.ResponseController, which sets deadlines and hijacks through it.
func (n *meteredWriter) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// metered answers a request through a meteredWriter and tells the meter of it, also when answer
// panics.
func (h *Server) metered(c *Call, answer func()) {
	w, begun := &meteredWriter{ResponseWriter: c.Writer, status: http.StatusOK, control: http.NewResponseController(c.Writer), answer: h.cfg.Patience.Answer}, time.Now()
	w.body, _ = c.Request.Body.(*pacedBody)
	c.Writer = w
	defer func() {
		// 0 is kept for streams.
		took := max(time.Since(begun), 1)
		if c.streaming {
			took = 0
		}
		h.cfg.Meter.Request(c.Route.Path, c.Request.Method, w.status, took)
	}()
	answer()
	if w.body != nil {
		w.body.afterAnswer()
	}
}
