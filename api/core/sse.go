package core

import (
	"bytes"
	"context"
	"errors"
	"heddle/events"
	"heddle/executor"
	"heddle/fault"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Frame is one server-sent event of a dialect. Event is the dialect's name for it; Data is
// encoded as JSON without a line break. Its id is the event's number in the journal.
type Frame struct {
	Event string
	Data  any
}

// FrameFunc translates the next row of the journal; false: the dialect has no frame for it. It is
// called in the order of the rows, by one goroutine, and may keep state between calls. A frame
// that cannot be made whole is an error and ends the stream: a client that reconnects with the
// last id receives it whole.
type FrameFunc func(events.Event) (Frame, bool, error)

// Translator makes the FrameFunc of one run for one reader. ctx is the stream's; run is the run's
// row when the stream began, without input and output.
type Translator func(ctx context.Context, run executor.Record) FrameFunc

// Stream follows a run from the event behind after on, which is the Last-Event-ID, 0 for the
// beginning. The answer is 204 where after is a finished run's last event. Errors: fault.NotFound
// run_not_found, fault.Malformed invalid_last_event_id, fault.TooMany quota_exceeded. They are
// found before the answer begins; from then on errors only end the stream, and the client
// reconnects with the last id that it saw.
// first makes a frame without an id, of the run's row as the stream begins, that comes before all
// others; nil: none.
func Stream(c *Call, runID string, after int64, first func(executor.Record) Frame, translate Translator) error {
	run, err := c.server.cfg.Executor.RunToFollow(c.Ctx(), c.TenantID(), runID)
	if err != nil {
		return err
	}
	if after > run.Seq {
		return invalidLastEventID("Last-Event-ID %d is beyond the run's last event, %d.", after, run.Seq)
	}
	if after == run.Seq && run.State.Terminal() {
		return c.ReplyStatus(http.StatusNoContent)
	}
	run.Input, run.Output = nil, nil // they may be large, and the stream may be long
	setStreamHead(c)
	if c.Request.Method == http.MethodHead {
		return c.ReplyStatus(http.StatusOK)
	}
	leave, err := c.server.streams.reserve(c)
	if err != nil {
		return err
	}
	// From here on no error may be written as an envelope.
	c.Answered, c.streaming = true, true
	f := &follower{
		server: c.server, tenantID: c.TenantID(), runID: runID, after: after, requestID: c.RequestID(), shown: credentialOf(c.Request), translate: translate, first: first, release: leave,
	}
	f.begin(c, !run.State.Terminal(), func(ctx context.Context, s *sse) { f.follow(ctx, run, s) })
	return nil
}

// begin runs follow: on a connection of its own where the stream lasts and that can be had, and
// within the request otherwise. It ends the reservation when follow has returned.
func (f *follower) begin(c *Call, lasts bool, follow func(context.Context, *sse)) {
	if lasts && f.takeOver(c, follow) {
		return
	}
	defer f.release()
	ctx, cancel := context.WithCancel(c.Ctx())
	defer cancel()
	// Without a connection of its own the stream ends with the request, the server or the reader.
	defer context.AfterFunc(c.server.streams.ctx, cancel)()
	c.server.cfg.Meter.Stream(1)
	defer c.server.cfg.Meter.Stream(-1)
	follow(ctx, newSSE(c))
}

// setStreamHead sets the headers of an event stream.
func setStreamHead(c *Call) {
	head := c.Writer.Header()
	head.Set("Content-Type", "text/event-stream")
	head.Set("Cache-Control", "no-store")
	// It keeps nginx from collecting frames before it passes them on.
	head.Set("X-Accel-Buffering", "no")
}

// invalidLastEventID returns fault.Malformed invalid_last_event_id.
func invalidLastEventID(format string, args ...any) error {
	return fault.New(fault.Malformed, "invalid_last_event_id", format, args...)
}

// LastEventID returns the number in the request's Last-Event-ID; 0 without one or with an empty
// one, which some clients send first. Anything but one number is fault.Malformed
// invalid_last_event_id.
func LastEventID(r *http.Request) (int64, error) {
	values := r.Header.Values("Last-Event-ID")
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return 0, nil
	}
	n, ok := ParseEventID(values[0])
	if !ok || len(values) > 1 {
		return 0, invalidLastEventID("Last-Event-ID must be the id of an event of this run, a number, not %q.", Truncate(values[0]))
	}
	return n, nil
}

// ParseEventID reads a number of decimal digits and nothing else: no sign and no space. False for
// "" and for what exceeds 63 bits.
func ParseEventID(s string) (int64, bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// sse writes frames to one reader, each write with a deadline of its own: a reader that stalls is
// disconnected and delays no other. One goroutine uses it.
type sse struct {
	w     io.Writer
	flush func() error // nil: writes go out at once
	// deadline sets the write deadline; http.ErrNotSupported: the writer has none, as in tests.
	deadline func(time.Time) error
	// patient is how long one write may stall.
	patient time.Duration
	// err is the first error, after which nothing more is written.
	err error
}

// newSSE sends the head of the answer and returns a stream that writes through net/http.
func newSSE(c *Call) *sse {
	control := http.NewResponseController(c.Writer)
	c.Writer.WriteHeader(http.StatusOK)
	return &sse{w: c.Writer, flush: control.Flush, deadline: control.SetWriteDeadline, patient: c.server.cfg.StreamWrite}
}

// frames are buffers in which events are encoded. An open stream holds none: there are many, and
// most of the time nothing happens on them.
var frames = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxBatch is how many bytes of frames are gathered, about, before they are written.
const maxBatch = 32 << 10

// encode appends the event as text/event-stream, with seq as its id (0: without one). An error leaves a part of
// the frame in b.
func (f Frame) encode(b *bytes.Buffer, seq int64) error {
	if seq > 0 {
		b.WriteString("id: ")
		b.WriteString(strconv.FormatInt(seq, 10))
		b.WriteByte('\n')
	}
	b.WriteString("event: ")
	b.WriteString(f.Event)
	b.WriteString("\ndata: ")
	if err := encodeTo(b, f.Data); err != nil { // ends with a line break
		return err
	}
	b.WriteByte('\n')
	return nil
}

// write sends text at once, within the reader's patience, and returns the stream's first error.
// No text: what was written so far is flushed.
func (s *sse) write(text []byte) error {
	if s.err == nil {
		s.err = s.deadline(time.Now().Add(s.patient))
	}
	if errors.Is(s.err, http.ErrNotSupported) {
		s.err = nil
	}
	if s.err == nil && len(text) > 0 {
		_, s.err = s.w.Write(text)
	}
	if s.err == nil && s.flush != nil {
		s.err = s.flush()
	}
	return s.err
}

// sink is the executor's view of a stream (executor.Sink). One goroutine uses it.
type sink struct {
	sse       *sse
	translate FrameFunc
	// allowed returns nil while the reader may still see the run.
	allowed func() error // may the reader still see the run
	// denied is set when allowed refused the reader, whose end is then not an error of ours.
	denied bool
}

// checkAccess asks whether the reader may still see the run, and notes a refusal.
func (s *sink) checkAccess() error {
	err := s.allowed()
	s.denied = err != nil
	return err
}

// Events writes the frames of a batch, gathered into writes of about maxBatch bytes. An error
// ends the stream: a reader that is no longer allowed, one that stalls, or a frame that could not
// be made, in which case the frames before it were sent.
func (s *sink) Events(batch []events.Event) error {
	if err := s.checkAccess(); err != nil {
		return err
	}
	buf, _ := frames.Get().(*bytes.Buffer)
	defer frames.Put(buf)
	buf.Reset()
	for _, e := range batch {
		f, ok, err := s.translate(e)
		if ok && err == nil {
			err = f.encode(buf, e.Seq)
		}
		if err != nil {
			return errors.Join(err, s.sse.write(buf.Bytes())) // what came before it is whole
		}
		if buf.Len() < maxBatch {
			continue
		}
		if err := s.sse.write(buf.Bytes()); err != nil {
			return err
		}
		buf.Reset()
	}
	if buf.Len() == 0 {
		return s.sse.err
	}
	return s.sse.write(buf.Bytes())
}

// Idle writes a comment, which shows both sides that the other is there. It also checks again
// whether the reader may see the run, so that a revoked key ends a quiet stream too.
func (s *sink) Idle() error {
	if err := s.checkAccess(); err != nil {
		return err
	}
	return s.sse.write([]byte(": ping\n\n"))
}
