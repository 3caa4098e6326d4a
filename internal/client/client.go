// Package client speaks Heddle's own HTTP API, as far as the command line and
// the tests of the whole program need it. It knows the wire and nothing else: its types are its
// own and hold what its callers read, so that it breaks when the API does, and not with the
// server's code. It does not retry; an Error says whether and when to.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Client calls one server with one key. The zero HTTP means http.DefaultClient. It is safe for
// concurrent use, as long as its fields do not change.
type Client struct {
	Base string // "http://127.0.0.1:8080", without a slash at its end
	Key  string
	// HTTP performs the requests; its timeout also ends streams.
	HTTP *http.Client
}

// Error is an answer other than 2xx. Code, Message and RequestID are "" where the body is not the
// API's envelope.
type Error struct {
	// Status is that of HTTP, Code the API's stable word for what went wrong.
	Status  int
	Code    string
	Message string
	// RequestID finds the request in the server's log.
	RequestID  string
	RetryAfter time.Duration // 0: not said
	Body       []byte        // as it came
}

// Error returns the status with code and message, or the begin of the body without an envelope.
func (e *Error) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("HTTP %d: %.200s", e.Status, e.Body)
	}
	return fmt.Sprintf("HTTP %d %s: %s", e.Status, e.Code, e.Message)
}

// Request is one call. Body is encoded as JSON unless it is nil; Key is the Idempotency-Key, ""
// for none. Path includes the query.
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
	// An error here is the connection's, and whether the server has done it is not known.
	resp, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	// Whole, so that the connection can be used again.
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("read the answer of %s %s: %w", r.Method, r.Path, err)
	}
	if resp.StatusCode/100 != 2 {
		return refused(resp, body)
	}
	// The caller only wanted to know that it was done.
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("decode the answer of %s %s: %w", r.Method, r.Path, err)
	}
	return nil
}

// send performs the request; the caller closes the answer's body.
func (c *Client) send(ctx context.Context, r Request) (*http.Response, error) {
	// A nil body is none at all, which routes without one expect.
	var body io.Reader
	if r.Body != nil {
		text, err := json.Marshal(r.Body)
		if err != nil {
			return nil, fmt.Errorf("encode the body of %s %s: %w", r.Method, r.Path, err)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, c.Base+r.Path, body)
	if err != nil {
		return nil, err
	}
	if r.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.Key != "" {
		req.Header.Set("Idempotency-Key", r.Key)
	}
	return c.do(req)
}

// do adds the key and performs the request.
func (c *Client) do(req *http.Request) (*http.Response, error) {
	req.Header.Set("Authorization", "Bearer "+c.Key)
	if c.HTTP != nil {
		return c.HTTP.Do(req)
	}
	return http.DefaultClient.Do(req)
}

// refused returns the error of an answer with this body.
func refused(resp *http.Response, body []byte) *Error {
	var envelope struct {
		Error struct {
			Code      string `json:"code"`
			Message   string `json:"message"`
			RequestID string `json:"request_id"`
		} `json:"error"`
	}
	// A body that is not the envelope of an error is shown as it came.
	_ = json.Unmarshal(body, &envelope)
	// The body is kept: it may hold more than the envelope, such as what an import stored.
	e := &Error{
		Status: resp.StatusCode, Code: envelope.Error.Code, Message: envelope.Error.Message,
		RequestID: envelope.Error.RequestID, Body: body,
	}
	// Dates, which the header may also hold, are not sent by this server.
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(n) * time.Second
	}
	return e
}
