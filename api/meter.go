package api

import (
	"net/http"
	"time"
)

// Meter is told of answered requests and of open streams. route is a pattern
// of the table, "" where nothing serves the path; took is 0 for a stream.
type Meter interface {
	Request(route, method string, status int, took time.Duration)
	Stream(change int)
}

// nobody measures nothing.
type nobody struct{}

func (nobody) Request(string, string, int, time.Duration) {}
func (nobody) Stream(int)                                 {}

// noting is a response writer that remembers the status, and gives what goes
// out its deadline.
type noting struct {
	http.ResponseWriter
	status  int
	begun   bool
	body    *pacedBody // nil: the request has none
	control *http.ResponseController
	answer  time.Duration
}

func (n *noting) WriteHeader(status int) {
	n.status = status
	if !n.begun {
		n.begun = true
		if n.body != nil {
			n.body.settle(n.Header())
		}
		n.hurry()
	}
	n.ResponseWriter.WriteHeader(status)
}

// hurry sets the deadline of what is written next.
func (n *noting) hurry() { _ = n.control.SetWriteDeadline(time.Now().Add(n.answer)) } // a recorder has none

// piece is how many bytes of an answer have a deadline of their own.
const piece = 64 << 10

// Write sends bytes, each piece of which the client takes in time.
func (n *noting) Write(p []byte) (written int, err error) {
	if !n.begun {
		n.WriteHeader(http.StatusOK)
	}
	for {
		k, err := n.ResponseWriter.Write(p[:min(piece, len(p))])
		written += k
		if p = p[k:]; err != nil || len(p) == 0 {
			return written, err
		}
		n.hurry()
	}
}

// Unwrap serves http.ResponseController.
func (n *noting) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// measured answers a request and notes it.
func (h *Handler) measured(c *call, answer func()) {
	w, begun := &noting{ResponseWriter: c.w, status: http.StatusOK, control: http.NewResponseController(c.w), answer: h.cfg.Patience.Answer}, time.Now()
	w.body, _ = c.r.Body.(*pacedBody)
	c.w = w
	defer func() {
		took := max(time.Since(begun), 1)
		if c.streams {
			took = 0
		}
		h.cfg.Meter.Request(c.route.path, c.r.Method, w.status, took)
	}()
	answer()
	if w.body != nil {
		w.body.finish()
	}
}

// metrics answers in Prometheus's text format, whatever else is asked for.
func (h *Handler) metrics(c *call) error {
	if h.cfg.Metrics == nil {
		return c.send(http.StatusOK, "text/plain; charset=utf-8", nil)
	}
	r := c.r.Clone(c.ctx())
	r.Header.Del("Accept")
	c.sent = true
	c.w.Header().Set("Cache-Control", "no-store")
	h.cfg.Metrics.ServeHTTP(c.w, r)
	return nil
}
