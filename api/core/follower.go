package core

import (
	"bytes"
	"context"
	"errors"
	"heddle/access"
	"heddle/deadline"
	"heddle/executor"
	"heddle/fault"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"
)

// follower is one open stream. It holds what it needs of the request and not the Call, so that
// the request's memory is freed while the stream is open.
type follower struct {
	server   *Server
	tenantID string
	runID    string
	// after is the last event that the client has; 0: none.
	after     int64
	requestID string
	// shown is the caller's key or session, which is checked again with each batch and heartbeat.
	shown     credential
	translate Translator
	first     func(executor.Record) Frame // see Stream
	release   func()                      // counts the stream out of the tenant's quota
}

// allowed returns nil while the reader may still see the run: a key that is revoked or expires, a
// session that ends, or a grant that is withdrawn, ends the streams that it opened at the next frame or heartbeat.
// The check reads the cache of keys, and the store when that has expired. An unavailable store
// refuses nothing.
func (f *follower) allowed(ctx context.Context, workflowID string) error {
	who, err := f.shown.principal(ctx, f.server.cfg.Access)
	// An outage of the store must not disconnect every reader.
	if fault.KindOf(err) == fault.Unavailable {
		return nil // the store is unavailable: the next check decides
	}
	if err == nil && (who.TenantID != f.tenantID || !access.Can(who, access.View, workflowID)) {
		err = access.Denied(access.View, "workflow:"+workflowID)
	}
	return err
}

// follow writes the run's events until there will be no more, the reader has gone, or ctx ends.
// What ends it early for another reason is logged, since no answer can say it any more.
func (f *follower) follow(ctx context.Context, run executor.Record, s *sse) {
	if s.write(nil) != nil { // the head goes out at once: the client sees that it is connected
		return
	}
	if f.first != nil {
		var b bytes.Buffer
		if f.first(run).encode(&b, 0) != nil || s.write(b.Bytes()) != nil {
			return
		}
	}
	to := &sink{sse: s, translate: f.translate(ctx, run), allowed: func() error { return f.allowed(ctx, run.WorkflowID) }}
	err := f.server.cfg.Executor.Follow(ctx, f.tenantID, f.runID, f.after, to)
	if err != nil && ctx.Err() == nil && s.err == nil && !to.denied && !errors.Is(err, executor.ErrFinished) {
		f.server.log.Error("a stream ended early", "request_id", f.requestID, "run", f.runID, "error", err)
	}
}

// takeOver makes the connection the stream's own and returns: what net/http keeps for a request,
// its buffers and the stack that authentication and the first reads have grown, would otherwise
// be held for as long as the stream is open. The answer has no length and ends with the
// connection. It is what holds the promise of 64 MiB for a thousand streams (bench --case
// streams): 43 to 48 MiB at most, and 104 to 107 through net/http, which takes a tenth less CPU
// for a stream that is short. False: the connection cannot be had, as with HTTP/2 or while the
// server stops, and the request goes on as any other; then f.release is still the caller's to call.
func (f *follower) takeOver(c *Call, follow func(context.Context, *sse)) bool {
	h := c.server
	if !h.streams.add() {
		return false
	}
	// After Hijack net/http writes nothing more, the head included.
	head := c.Writer.Header().Clone()
	conn, _, err := http.NewResponseController(c.Writer).Hijack()
	if err != nil {
		h.streams.remove()
		return false
	}
	go func() {
		defer h.streams.remove()
		defer f.release()
		defer f.recovered()
		// The request's context, and its time for the database, end with the request.
		ctx, cancel := context.WithCancel(deadline.WithTimeoutPerCall(h.streams.ctx, h.cfg.StoreTime))
		defer cancel()
		// Closing the connection wakes a write that stalls, when the server stops or the client
		// is gone.
		defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
		defer func() { _ = conn.Close() }()
		h.cfg.Meter.Stream(1)
		defer h.cfg.Meter.Stream(-1)
		s := &sse{w: conn, deadline: conn.SetWriteDeadline, patient: h.cfg.StreamWrite}
		if s.write(headOf(head)) != nil {
			return
		}
		go watch(conn, cancel)
		follow(ctx, s)
	}()
	return true
}

// recovered logs a panic of the stream's goroutine, which no request's handler would catch.
func (f *follower) recovered() {
	if p := recover(); p != nil {
		f.server.log.Error("a stream panicked", "request_id", f.requestID, "run", f.runID, "panic", p, "stack", string(debug.Stack()))
	}
}

// headOf returns the head that net/http would have written, with Date and Connection: close.
func headOf(head http.Header) []byte {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\n")
	head.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	head.Set("Connection", "close")
	_ = head.Write(&b) // a buffer takes all
	b.WriteString("\r\n")
	return b.Bytes()
}

// watch cancels a stream when its client disconnects. A client sends nothing after its request,
// so that one that does is disconnected after 64 reads. It returns once the connection is closed.
func watch(conn net.Conn, gone context.CancelFunc) {
	defer gone()
	var b [64]byte
	_ = conn.SetReadDeadline(time.Time{})
	for range 64 {
		if _, err := conn.Read(b[:]); err != nil {
			return
		}
	}
}

// openStreams counts the open streams: those with a connection of their own, so that shutdown can
// wait for them, and those of each tenant with a quota. It is safe for concurrent use; mu guards
// the counts.
type openStreams struct {
	// ctx ends when the server stops. It belongs to no request: each stream joins
	// it with its own.
	ctx   context.Context //nolint:containedctx // the server's life, not a call's
	close context.CancelFunc

	mu      sync.Mutex
	n       int            // streams with a connection of their own
	none    *sync.Cond     // signalled when n becomes 0; its lock is mu
	tenants map[string]int // by tenant, where it has a quota
}

// newOpenStreams returns a count of no streams.
func newOpenStreams() *openStreams {
	s := &openStreams{tenants: map[string]int{}}
	s.ctx, s.close = context.WithCancel(context.Background())
	s.none = sync.NewCond(&s.mu)
	return s
}

// add counts in a stream with a connection of its own; false: the server stops, and it must not
// begin. Under the lock, so that end waits for every stream that was let in.
func (s *openStreams) add() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return false
	}
	s.n++
	return true
}

// remove counts out a stream that add counted in.
func (s *openStreams) remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n--; s.n == 0 {
		s.none.Broadcast()
	}
}

// reserve counts one more stream of the caller's tenant at this node, or refuses it:
// fault.TooMany quota_exceeded. leave counts it out and has to be called once; it is nil with an
// error of the quota. Without a quota nothing is counted.
func (s *openStreams) reserve(c *Call) (leave func(), err error) {
	q, err := c.server.cfg.Access.Quotas(c.Ctx(), c.TenantID())
	if err != nil || q.Streams == 0 {
		return func() {}, err
	}
	id := c.TenantID()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tenants[id] >= q.Streams {
		return nil, fault.New(fault.TooMany, "quota_exceeded", "The tenant has as many streams open as it may have, %d; close one, or ask the operator for more.",
			q.Streams).With("quota", "streams").With("limit", q.Streams)
	}
	s.tenants[id]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.tenants[id]--; s.tenants[id] == 0 {
			delete(s.tenants, id)
		}
	}, nil
}

// end closes all of them and waits until those with a connection of their own have ended.
func (s *openStreams) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close()
	for s.n > 0 {
		s.none.Wait()
	}
}
