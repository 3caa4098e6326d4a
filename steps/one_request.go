package steps

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
)

// errNotRepeated ends a request whose connection was lost after some of it may have been
// written.
var errNotRepeated = errors.New("the connection was lost, and the request is not sent again")

// oneRequest is a RoundTripper that writes each request at most once. The transport of
// net/http repeats requests of its own accord: those that it holds to be idempotent by
// their method or by an Idempotency-Key, on HTTP/1 connections that were kept alive and
// turn out dead, and on HTTP/2 those that the server refused or that a GOAWAY cut off. A
// receiver may have acted on them, and the journal would not know. Here a request of
// which nothing was written may be tried on another connection; any other is lost with
// errNotRepeated, and the step's retry policy decides.
//
// The transport beneath must have notRepeated as its Proxy.
type oneRequest struct{ via http.RoundTripper }

// sending is the state of one request on its way. It is safe for concurrent use: the
// transport calls its hooks from goroutines of its own.
type sending struct {
	wrote  atomic.Bool             // its headers may have been written
	giveUp context.CancelCauseFunc // ends the request's context
}

// sendingKey is the context key of a request's *sending, for notRepeated.
type sendingKey struct{}

// RoundTrip sends req through via. The context of the request lives until the body is
// closed, so the caller must close it.
func (o oneRequest) RoundTrip(req *http.Request) (*http.Response, error) {
	// The cause tells a repetition that was prevented from a request that was stopped.
	ctx, cancel := context.WithCancelCause(req.Context())
	s := &sending{giveUp: cancel}
	ctx = context.WithValue(ctx, sendingKey{}, s)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: s.gotConn, WroteHeaders: s.wroteHeaders})
	res, err := o.via.RoundTrip(req.WithContext(ctx))
	if err != nil {
		if errors.Is(context.Cause(ctx), errNotRepeated) {
			err = errNotRepeated
		}
		cancel(nil)
		return nil, err
	}
	res.Body = endingBody{res.Body, cancel}
	return res, nil
}

// wroteHeaders notes that from here on a receiver may have seen the request.
func (s *sending) wroteHeaders() { s.wrote.Store(true) }

// gotConn ends a repetition over HTTP/2, whose transport looks at the context under the
// same lock under which it writes the headers.
func (s *sending) gotConn(httptrace.GotConnInfo) {
	if s.wrote.Load() {
		s.giveUp(errNotRepeated)
	}
}

// notRepeated is the Proxy of the transports: it returns none. A transport calls it
// before each time that it looks for a connection, so a repetition over HTTP/1 ends
// here.
func notRepeated(req *http.Request) (*url.URL, error) {
	if s, ok := req.Context().Value(sendingKey{}).(*sending); ok && s.wrote.Load() {
		s.giveUp(errNotRepeated)
		return nil, errNotRepeated
	}
	return nil, nil // through a proxy the guard would see only the proxy
}

// endingBody frees the request's context when the body is closed.
type endingBody struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

// Close closes the body, then the context: the other way round a read in flight would
// fail.
func (b endingBody) Close() error {
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}
