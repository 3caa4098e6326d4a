package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"time"
)

// request is one call, as a method of a service describes it.
type request struct {
	method string
	// path has its parameters filled in and escaped; query may be nil.
	path  string
	query url.Values
	// body is sent as JSON; nil: none. lines is sent as it is, instead, and only once.
	body  any
	lines io.Reader
	// accept is the media type that is asked for; "": any.
	accept string
	// keyed: the route honours Idempotency-Key. pure: it stores nothing, whatever its method.
	keyed, pure bool
	// header is what call options added.
	header http.Header
	// etag receives the ETag of the answer, unless nil.
	etag *string
}

// CallOption changes one request.
type CallOption func(*request)

// IdempotencyKey makes a repetition of the request safe, also by another process: the server
// answers it with what it answered first. Routes that take none ignore it.
func IdempotencyKey(key string) CallOption {
	return func(r *request) {
		if key != "" {
			r.header.Set("Idempotency-Key", key)
		}
	}
}

// IfMatch makes the change only while the object has this ETag; otherwise the error's code is
// precondition_failed. An empty tag asks for nothing.
func IfMatch(etag string) CallOption {
	return func(r *request) {
		if etag != "" {
			r.header.Set("If-Match", etag)
		}
	}
}

// Because gives the reason of a deletion, for the audit trail. Other requests have it in their
// body.
func Because(reason string) CallOption {
	return func(r *request) { r.set("reason", reason) }
}

// dryRun asks what a change would mean, and changes nothing.
func dryRun() CallOption {
	return func(r *request) { r.set("dry_run", "true"); r.pure = true }
}

// ETag stores the answer's ETag, for IfMatch.
func ETag(tag *string) CallOption { return func(r *request) { r.etag = tag } }

// set adds a query parameter, unless the value is empty.
func (r *request) set(name, value string) {
	if value == "" {
		return
	}
	if r.query == nil {
		r.query = url.Values{}
	}
	r.query.Set(name, value)
}

// Request is a call of a route by its path, for what no service has. Body is encoded as JSON
// unless it is nil; Key is the Idempotency-Key, "" for none. Path includes the query.
type Request struct {
	Method string
	Path   string
	// Body is sent as JSON; nil: no body.
	Body any
	// Key makes a repetition of the request safe, where the route takes one.
	Key string
}

// Do performs the request and decodes the answer, which is read whole, into answer, unless that
// is nil. An answer other than 2xx is an *Error.
func (c *Client) Do(ctx context.Context, r Request, answer any) error {
	return c.into(ctx, request{method: r.Method, path: r.Path, body: r.Body}, []CallOption{IdempotencyKey(r.Key)}, answer)
}

// into performs a request and decodes the JSON of its answer into answer, unless that is nil.
func (c *Client) into(ctx context.Context, r request, opts []CallOption, answer any) error {
	body, err := c.read(ctx, r, opts)
	if err != nil || answer == nil || len(body) == 0 {
		return err
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("decode the answer of %s %s: %w", r.method, r.path, err)
	}
	return nil
}

// read performs a request and returns the answer's body, read whole so that the connection can be
// used again.
func (c *Client) read(ctx context.Context, r request, opts []CallOption) ([]byte, error) {
	resp, err := c.send(ctx, r, opts)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, &UnreachableError{fmt.Errorf("read the answer of %s %s: %w", r.method, r.path, err)}
	}
	return body, nil
}

// call performs a request whose answer is an A.
func call[A any](ctx context.Context, c *Client, r request, opts []CallOption) (*A, error) {
	answer := new(A)
	if err := c.into(ctx, r, opts, answer); err != nil {
		return nil, err
	}
	return answer, nil
}

// member performs a request whose answer is an object, of which the A under name is wanted.
func member[A any](ctx context.Context, c *Client, r request, name string, opts []CallOption) (*A, error) {
	var all map[string]json.RawMessage
	if err := c.into(ctx, r, opts, &all); err != nil {
		return nil, err
	}
	answer := new(A)
	if err := json.Unmarshal(all[name], answer); err != nil {
		return nil, fmt.Errorf("decode %s of the answer of %s %s: %w", name, r.method, r.path, err)
	}
	return answer, nil
}

// send performs a request, again where that is safe and may help, and returns a success, whose
// body the caller closes. The error is an *Error, an *UnreachableError or the context's.
func (c *Client) send(ctx context.Context, r request, opts []CallOption) (*http.Response, error) {
	r.header = http.Header{}
	for _, o := range opts {
		o(&r)
	}
	body, err := encode(r)
	if err != nil {
		return nil, err
	}
	attempts := c.attempts
	if r.lines != nil { // it can be read only once
		attempts = 1
	}
	if r.keyed && attempts > 1 && r.header.Get("Idempotency-Key") == "" {
		r.header.Set("Idempotency-Key", rand.Text())
	}
	for attempt := 1; ; attempt++ {
		resp, err := c.once(ctx, r, body)
		if err == nil {
			if r.etag != nil {
				*r.etag = resp.Header.Get("ETag")
			}
			return resp, nil
		}
		wait := backoff(attempt, err)
		if attempt >= attempts || !r.again(err) || wait > longestWait || ctx.Err() != nil {
			return nil, err
		}
		if err := c.sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// encode returns the body as it is sent; nil: none.
func encode(r request) ([]byte, error) {
	if r.body == nil {
		return nil, nil
	}
	body, err := json.Marshal(r.body)
	if err != nil {
		return nil, fmt.Errorf("encode the body of %s %s: %w", r.method, r.path, err)
	}
	return body, nil
}

// once performs a request one time.
func (c *Client) once(ctx context.Context, r request, body []byte) (*http.Response, error) {
	target := c.base + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	// A nil body is none at all, which routes without one expect.
	var sent io.Reader
	switch {
	case r.lines != nil:
		sent = r.lines
		r.header.Set("Content-Type", "application/x-ndjson")
	case body != nil:
		sent = bytes.NewReader(body)
		r.header.Set("Content-Type", "application/json")
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, sent)
	if err != nil {
		return nil, err
	}
	req.Header = r.header.Clone()
	if c.key != "" { // what is public needs none
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	req.Header.Set("User-Agent", c.agent)
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, &UnreachableError{err}
	}
	if resp.StatusCode/100 != 2 {
		return nil, refusal(resp)
	}
	return resp, nil
}

// again reports whether the request may be repeated after the error, and whether that may help.
func (r request) again(err error) bool {
	// Nothing that it may have done is done twice.
	safe := r.method == http.MethodGet || r.pure || r.header.Get("Idempotency-Key") != ""
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return safe || neverConnected(err)
	}
	switch e.Code {
	case "rate_limited", "server_busy": // refused before anything was done
		return true
	case "store_unavailable", "outcome_unknown", "not_ready", "idempotency_in_progress":
		return safe
	case "": // a proxy before the server
		return safe && (e.Status == http.StatusBadGateway || e.Status == http.StatusServiceUnavailable || e.Status == http.StatusGatewayTimeout)
	}
	return false
}

// neverConnected reports whether no connection was made, so that nothing was sent.
func neverConnected(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	return ok && e.Op == "dial"
}

// backoff returns how long to wait after that attempt: twice as long each time, with a quarter of
// it at random so that many clients do not come back at once, and never less than Retry-After.
func backoff(attempt int, err error) time.Duration {
	wait := firstWait << (attempt - 1)
	wait += mathrand.N(wait / 4) //nolint:gosec // it spreads clients, and protects nothing
	if e, ok := errors.AsType[*Error](err); ok {
		return max(wait, e.RetryAfter)
	}
	return wait
}

// text performs a request whose answer is an object, of which the text under name is wanted.
func text(ctx context.Context, c *Client, r request, name string, opts []CallOption) (string, error) {
	s, err := member[string](ctx, c, r, name, opts)
	if err != nil {
		return "", err
	}
	return *s, nil
}

// list performs a request whose answer is an object, of which the list under name is wanted.
func list[A any](ctx context.Context, c *Client, r request, name string, opts []CallOption) ([]A, error) {
	all, err := member[[]A](ctx, c, r, name, opts)
	if err != nil {
		return nil, err
	}
	return *all, nil
}

// open performs a request and returns the answer's body as it comes; the caller closes it.
func (c *Client) open(ctx context.Context, r request, opts []CallOption) (io.ReadCloser, error) {
	resp, err := c.send(ctx, r, opts)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// because is the body of requests that take a reason and nothing else.
type because struct {
	Reason string `json:"reason,omitempty"`
}

// secretValue is the body that sets a secret.
type secretValue struct {
	Value string `json:"value"`
}
