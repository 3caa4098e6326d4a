package core

import (
	"errors"
	"heddle/fault"
	"io"
	"net/http"
	"os"
	"time"
)

// Patience is how long slow clients are waited for, so that none holds a connection by doing
// nothing. A zero field has its default, which the comments name.
type Patience struct {
	Header time.Duration // for a request's head; 5 s
	Idle   time.Duration // for the next request on a connection; 60 s
	// Of the body of a request: for its next byte (10 s); for what its bytes take
	// longer than at Rate bytes a second (30 s; 1,024); for the whole, unless it
	// is an import (1 min). What the server itself takes does not count.
	Stall, Grace, Body time.Duration
	// Rate is in bytes a second.
	Rate int64
	// Of a body that no handler reads: for the rest of it before the answer, so that
	// the connection can go on (250 ms), and after it, so that a client that
	// still sends sees the answer and not a broken connection (5 s).
	Before, After time.Duration
	// Answer is for a piece of an answer to be taken; 20 s.
	Answer time.Duration
}

// withDefaults returns p with the defaults for its zero fields.
func (p Patience) withDefaults() Patience {
	for _, d := range []struct {
		of        *time.Duration
		otherwise time.Duration
	}{
		{&p.Header, 5 * time.Second},
		{&p.Idle, 60 * time.Second},
		{&p.Stall, 10 * time.Second},
		{&p.Grace, 30 * time.Second},
		{&p.Body, time.Minute},
		{&p.Before, 250 * time.Millisecond},
		{&p.After, 5 * time.Second},
		{&p.Answer, 20 * time.Second},
	} {
		if *d.of == 0 {
			*d.of = d.otherwise
		}
	}
	if p.Rate == 0 {
		p.Rate = 1024
	}
	return p
}

// How many bytes are read at most of a body that no handler reads, before and after the answer.
const (
	discardedBefore = 256 << 10
	discardedAfter  = 16 << 20
)

// errSlow is returned for a body that does not arrive fast enough; BodyError translates it.
var errSlow = errors.New("the body comes too slowly")

// pacedBody is the body of a request, each read of which has a deadline. A client earns time with
// what it sends: besides Grace, one second for each Rate bytes. It is read by one goroutine.
type pacedBody struct {
	io.ReadCloser
	control        *http.ResponseController
	patience       Patience
	length         int64         // -1: not known
	whole          time.Duration // for the whole of it, 0: as long as it keeps coming
	expectContinue bool          // the client sends it when it is told to go on (Expect)

	read   int64         // bytes so far
	waited time.Duration // within reads
	err    error         // sticky; io.EOF: all was read
	unread bool          // the answer began before the end
}

// pace wraps the body of a request, if it has one, so that each read has a deadline.
func pace(w http.ResponseWriter, r *http.Request, p Patience) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return
	}
	r.Body = &pacedBody{
		ReadCloser: r.Body, control: http.NewResponseController(w), patience: p, length: r.ContentLength, whole: p.Body,
		expectContinue: r.Header.Get("Expect") != "",
	}
}

// nextTimeout returns how long the next read may take; 0 or less: the client's time is over.
func (b *pacedBody) nextTimeout() time.Duration {
	p := b.patience
	earned := time.Duration(float64(b.read) / float64(p.Rate) * float64(time.Second))
	// The least of three: the next byte, what the bytes so far have earned, and the whole.
	left := min(p.Stall, p.Grace+earned-b.waited)
	if b.whole > 0 {
		left = min(left, b.whole-b.waited)
	}
	return left
}

// Read reads the next bytes; the error is errSlow when they did not come in time, then and from
// then on.
func (b *pacedBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	left := b.nextTimeout()
	if left <= 0 {
		b.err = errSlow
		return 0, b.err
	}
	return b.readWithin(p, left)
}

// readWithin reads the next bytes within limit and counts the time against the client.
func (b *pacedBody) readWithin(p []byte, limit time.Duration) (int, error) {
	begun := time.Now()
	_ = b.control.SetReadDeadline(begun.Add(limit)) // a recorder has none
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	b.waited += time.Since(begun)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.err = errSlow
	case err != nil:
		b.err = err
	}
	if b.ended() {
		// From here on net/http watches whether the client is there.
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, b.err
}

// ended reports whether the whole body was read.
func (b *pacedBody) ended() bool { return errors.Is(b.err, io.EOF) }

// beforeAnswer is called when the answer begins, with its head. What is left of the body is
// discarded if it is little and has arrived already; otherwise the connection ends with the
// answer. A client that waits for 100 Continue has sent nothing, so that there is nothing to wait
// for.
func (b *pacedBody) beforeAnswer(head http.Header) {
	if b.err == nil && !b.expectContinue && b.length-b.read <= discardedBefore {
		b.discard(b.patience.Before, discardedBefore)
	}
	if !b.ended() {
		b.unread = true
		head.Set("Connection", "close")
	}
}

// discard reads and drops at most most bytes, for at most as long as limit.
func (b *pacedBody) discard(limit time.Duration, most int64) {
	end := time.Now().Add(limit)
	// Small: this is only read to be dropped.
	buf := make([]byte, 8<<10)
	for n := int64(0); n < most && b.err == nil; {
		left := time.Until(end)
		if left <= 0 {
			return
		}
		k, _ := b.readWithin(buf, left)
		n += int64(k)
	}
	if errors.Is(b.err, errSlow) {
		b.err = nil // the limit was this call's, not the sender's
	}
}

// afterAnswer is called when the answer is complete: it is sent, and a client that
// is still sending gets a little time to see it.
func (b *pacedBody) afterAnswer() {
	if !b.unread {
		return
	}
	_ = b.control.Flush()
	if b.err == nil && !b.expectContinue {
		b.discard(b.patience.After, discardedAfter)
	}
	if !b.ended() { // net/http looks for the end of the body, too
		_ = b.control.SetReadDeadline(time.Now().Add(b.patience.Before))
	}
}

// BodyError returns the answer to a body that could not be read: fault.TooSlow request_timeout
// where it came too slowly, fault.Malformed invalid_request otherwise, as when the client
// disconnected.
func BodyError(err error) error {
	if errors.Is(err, errSlow) {
		return fault.Wrap(err, fault.TooSlow, "request_timeout", "The body did not arrive in time; send it again without a pause.")
	}
	return fault.Wrap(err, fault.Malformed, "invalid_request", "The body could not be read to its end.")
}

// AcceptLongBody lifts the limit on how long the whole body may take: it may go on for as long as
// it keeps coming. It is called before the body is read.
func (c *Call) AcceptLongBody() {
	if paced, ok := c.Request.Body.(*pacedBody); ok {
		paced.whole = 0
	}
}
