package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"heddle/events"
	"heddle/executor"
	"heddle/fault"
)

// frame is one server-sent event of a dialect. data is JSON without a line
// break.
type frame struct {
	event string
	data  any
}

// dialectFrame translates the next row of the journal; false: the dialect has
// no word for it. A frame that cannot be made whole is an error and ends the
// stream: whoever comes back with the last id gets it whole.
type dialectFrame func(events.Event) (frame, bool, error)

// stream follows a run. after is the Last-Event-ID, 0 for the beginning. The
// answer begins once the run is known to be there; from then on errors only
// end the stream, and the client comes back with the last id that it saw.
func (c *call) stream(runID string, after int64, translator func(executor.Record) dialectFrame) error {
	run, err := c.h.cfg.Executor.Run(c.ctx(), c.tenantID(), runID)
	if err != nil {
		return err
	}
	if after > run.Seq {
		return invalidLastEventID("Last-Event-ID %d is beyond the run's last event, %d.", after, run.Seq)
	}
	if after == run.Seq && run.State.Terminal() {
		return c.empty(http.StatusNoContent)
	}
	s := newSSE(c)
	if c.r.Method == http.MethodHead {
		return c.empty(http.StatusOK)
	}
	if s.begin() != nil {
		return nil // the client has gone
	}
	c.h.cfg.Meter.Stream(1)
	defer c.h.cfg.Meter.Stream(-1)
	ctx, cancel := context.WithCancel(c.ctx())
	defer cancel()
	defer context.AfterFunc(c.h.streams, cancel)()
	err = c.h.cfg.Executor.Follow(ctx, c.tenantID(), runID, after, &sink{s, translator(run)})
	if err != nil && ctx.Err() == nil && s.err == nil && !errors.Is(err, executor.ErrFinished) {
		c.h.log.Error("a stream ended early", "request_id", c.requestID(), "run", runID, "error", err)
	}
	return nil
}

func invalidLastEventID(format string, args ...any) error {
	return fault.New(fault.Malformed, "invalid_last_event_id", format, args...)
}

// lastEventID reads the header; 0 without one.
func lastEventID(r *http.Request) (int64, error) {
	values := r.Header.Values("Last-Event-ID")
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return 0, nil
	}
	n, ok := parseEventID(values[0])
	if !ok || len(values) > 1 {
		return 0, invalidLastEventID("Last-Event-ID must be the id of an event of this run, a number, not %q.", clip(values[0]))
	}
	return n, nil
}

// parseEventID reads decimal digits and nothing else.
func parseEventID(s string) (int64, bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// sse writes frames, each with its own write deadline: a reader that stalls
// is dropped and holds nothing up but its own connection.
type sse struct {
	w       http.ResponseWriter
	control *http.ResponseController
	patient time.Duration
	buf     bytes.Buffer
	err     error
}

func newSSE(c *call) *sse {
	c.sent, c.streams = true, true
	head := c.w.Header()
	head.Set("Content-Type", "text/event-stream")
	head.Set("Cache-Control", "no-store")
	head.Set("X-Accel-Buffering", "no")
	return &sse{w: c.w, control: http.NewResponseController(c.w), patient: c.h.cfg.StreamWrite}
}

// begin sends the head, so that the client knows that it is connected.
func (s *sse) begin() error {
	s.w.WriteHeader(http.StatusOK)
	return s.flush()
}

// frame writes one event.
func (s *sse) frame(seq int64, f frame) error {
	data, err := encode(f.data)
	if err != nil {
		return err
	}
	s.buf.Reset()
	s.buf.WriteString("id: ")
	s.buf.WriteString(strconv.FormatInt(seq, 10))
	s.buf.WriteString("\nevent: ")
	s.buf.WriteString(f.event)
	s.buf.WriteString("\ndata: ")
	s.buf.Write(data) // ends with a line break
	s.buf.WriteByte('\n')
	return s.write(s.buf.Bytes())
}

// heartbeat writes a comment, which shows both sides that the other is there.
func (s *sse) heartbeat() error {
	if err := s.write([]byte(": ping\n\n")); err != nil {
		return err
	}
	return s.flush()
}

func (s *sse) write(text []byte) error {
	if s.err == nil {
		s.rollDeadline()
	}
	if s.err == nil {
		_, s.err = s.w.Write(text)
	}
	return s.err
}

func (s *sse) flush() error {
	if s.err == nil {
		s.rollDeadline()
	}
	if s.err == nil {
		s.err = s.control.Flush()
	}
	return s.err
}

func (s *sse) rollDeadline() {
	err := s.control.SetWriteDeadline(time.Now().Add(s.patient))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		s.err = err
	}
}

// sink is the executor's view of a stream.
type sink struct {
	sse       *sse
	translate dialectFrame
}

func (s *sink) Events(batch []events.Event) error {
	for _, e := range batch {
		f, ok, err := s.translate(e)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := s.sse.frame(e.Seq, f); err != nil {
			return err
		}
	}
	return s.sse.flush()
}

func (s *sink) Idle() error { return s.sse.heartbeat() }
