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

// noting is a response writer that remembers the status.
type noting struct {
	http.ResponseWriter
	status int
}

func (n *noting) WriteHeader(status int) {
	n.status = status
	n.ResponseWriter.WriteHeader(status)
}

// Unwrap serves http.ResponseController.
func (n *noting) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// measured answers a request and notes it.
func (h *Handler) measured(c *call, answer func()) {
	w, begun := &noting{ResponseWriter: c.w, status: http.StatusOK}, time.Now()
	c.w = w
	defer func() {
		took := max(time.Since(begun), 1)
		if c.streams {
			took = 0
		}
		h.cfg.Meter.Request(c.route.path, c.r.Method, w.status, took)
	}()
	answer()
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
