package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Error is an answer other than 2xx. Code, Message and RequestID are "" where the body is not the
// API's envelope, as that of a proxy is not.
type Error struct {
	// Status is that of HTTP, Code the API's stable word for what went wrong.
	Status  int
	Code    string
	Message string
	// RequestID finds the request in the server's log.
	RequestID string
	// Diagnostics says what is wrong with a definition, and where.
	Diagnostics []Diagnostic
	RetryAfter  time.Duration // 0: not said
	Body        []byte        // as it came
}

// Error returns the status with code and message, or the begin of the body without an envelope.
func (e *Error) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("HTTP %d: %.200s", e.Status, e.Body)
	}
	return fmt.Sprintf("HTTP %d %s: %s", e.Status, e.Code, e.Message)
}

// CodeOf returns the code of the *Error in err, "" where there is none.
func CodeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// IsNotFound reports whether the server says that the object does not exist, or not for this key.
func IsNotFound(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Status == http.StatusNotFound
}

// UnreachableError is a request that got no answer. Whether the server has done it is not known,
// unless the connection was never made.
type UnreachableError struct {
	// Err is what net/http said.
	Err error
}

// Error returns what the connection said.
func (e *UnreachableError) Error() string { return "the server does not answer: " + e.Err.Error() }

// Unwrap returns what net/http said.
func (e *UnreachableError) Unwrap() error { return e.Err }

// refusal reads the answer and returns it as an error. It closes the body.
func refusal(resp *http.Response) error {
	defer resp.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return &UnreachableError{fmt.Errorf("read the answer: %w", err)}
	}
	return refused(resp, body)
}

// refused returns the error of an answer with this body.
func refused(resp *http.Response, body []byte) *Error {
	var envelope struct {
		Error struct {
			Code      string `json:"code"`
			Message   string `json:"message"`
			RequestID string `json:"request_id"`
		} `json:"error"`
		Diagnostics []Diagnostic `json:"diagnostics"`
	}
	// A body that is not the envelope of an error is shown as it came.
	_ = json.Unmarshal(body, &envelope)
	// The body is kept: it may hold more than the envelope, such as what an import stored.
	e := &Error{
		Status: resp.StatusCode, Code: envelope.Error.Code, Message: envelope.Error.Message,
		RequestID: envelope.Error.RequestID, Diagnostics: envelope.Diagnostics, Body: body,
	}
	// Dates, which the header may also hold, are not sent by this server.
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(n) * time.Second
	}
	return e
}
