package core

import (
	"context"
	"errors"
	"heddle/fault"
	"net/http"
	"strconv"
	"strings"
)

// internalMessage is all that a caller learns of a defect: its cause may hold what the caller
// must not see, and is in the log under the request's id.
const internalMessage = "Something went wrong on our side. Tell the operator the request id."

// StatusOf is the one table from a kind of error to a status; 500 for a kind that it does not
// know.
func StatusOf(k fault.Kind) int {
	switch k {
	case fault.Malformed:
		return http.StatusBadRequest
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Denied:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.Precondition:
		return http.StatusPreconditionFailed
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.UnsupportedMedia:
		return http.StatusUnsupportedMediaType
	case fault.Unacceptable:
		return http.StatusUnprocessableEntity
	case fault.TooMany:
		return http.StatusTooManyRequests
	case fault.TooSlow:
		return http.StatusRequestTimeout
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	default: // nothing to do for the others
	}
	return http.StatusInternalServerError
}

// ProblemBody is the envelope of every error. Code and Message at the top repeat those of Error
// for clients of the turns and instances dialects, which look for them there.
type ProblemBody struct {
	Error       problemError  `json:"error"`
	Code        string        `json:"code"`
	Message     string        `json:"message"`
	Errors      []string      `json:"errors,omitempty" doc:"The messages of the errors found, where something that was written did not validate."`
	Diagnostics []fault.Issue `json:"diagnostics,omitempty"`
	Issues      []SchemaIssue `json:"issues,omitempty" doc:"Of the instances dialect: what does not fit a schema, and where."`
}

// problemError is the error itself. Its message is at most maxMessage bytes long.
type problemError struct {
	Code      string `json:"code" doc:"Stable; see the list of codes."`
	Message   string `json:"message" doc:"For the person who called: what to change."`
	RequestID string `json:"request_id"`
}

// fail answers with an error, in the words of the route's dialect. One that is not the caller's
// fault is logged with its cause, unless the caller has disconnected or the process is starting
// or stopping. A context that ended is the database that did not answer in time: 503
// store_unavailable.
func (c *Call) fail(err error) {
	if c.Route.TranslateError != nil {
		err = c.Route.TranslateError(err)
	}
	var f *fault.Error
	switch {
	case errors.As(err, &f):
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		f = fault.Wrap(err, fault.Unavailable, "store_unavailable", "The database does not answer. Try again in a moment.")
	default:
		f = fault.Wrap(err, fault.Internal, "internal", "%s", internalMessage)
	}
	status := StatusOf(f.Kind)
	if status >= http.StatusInternalServerError && c.Request.Context().Err() == nil && f.Code != "not_ready" {
		c.server.log.Error("a request failed", "request_id", c.RequestID(), "route", c.Route.ID,
			"status", status, "error", err)
	}
	// Whatever its message says, it was not written for the caller.
	if status == http.StatusInternalServerError {
		f = fault.New(fault.Internal, "internal", "%s", internalMessage)
	}
	c.Problem(status, f)
}

// Problem writes the envelope of f with the status, unless an answer has begun already. 401
// carries WWW-Authenticate, 429 and 503 carry Retry-After in seconds. ETag and Location, which a
// handler may have set before it failed, are removed.
func (c *Call) Problem(status int, f *fault.Error) {
	if c.Answered {
		return
	}
	head := c.Writer.Header()
	switch status {
	case http.StatusUnauthorized:
		head.Set("WWW-Authenticate", "Bearer")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		head.Set("Retry-After", strconv.Itoa(max(1, c.retryAfter)))
		addQuotaHeaders(head, f)
	}
	for _, name := range []string{"ETag", "Location"} {
		head.Del(name)
	}
	text, err := Encode(envelope(f, c.RequestID()))
	if err != nil { // details that are not JSON are left out
		bare := *f
		bare.Details = nil
		text, _ = Encode(envelope(&bare, c.RequestID()))
	}
	_ = c.Send(status, "application/json", text)
}

// maxMessage is how many bytes of an error's message are sent: it may quote what the caller sent,
// however long that is.
const maxMessage = 2_000

// envelope returns the body of an error: a ProblemBody, or with details an object that has them
// beside its fields. A detail never replaces a field of the envelope. errors repeats the messages
// of the issues that are not warnings.
func envelope(f *fault.Error, requestID string) any {
	message := f.Message
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	body := ProblemBody{
		Error: problemError{f.Code, message, requestID},
		Code:  f.Code, Message: message, Diagnostics: f.Issues,
	}
	for _, i := range f.Issues {
		if i.Severity != "warning" {
			body.Errors = append(body.Errors, i.Message)
		}
	}
	if len(f.Details) == 0 {
		return body
	}
	out := map[string]any{"error": body.Error, "code": body.Code, "message": body.Message}
	if body.Diagnostics != nil {
		out["errors"], out["diagnostics"] = body.Errors, body.Diagnostics
	}
	for k, v := range f.Details {
		if _, taken := out[k]; !taken {
			out[k] = v
		}
	}
	return out
}

// Malformed returns the error fault.Malformed invalid_request: the caller sent what
// cannot be read as this request. The message says what to change.
func Malformed(format string, args ...any) error {
	return fault.New(fault.Malformed, "invalid_request", format, args...)
}

// SchemaIssue is one problem of a request in the form that clients of the instances dialect read.
// Path leads from the request to it: names of fields and indexes of lists.
type SchemaIssue struct {
	Code    string `json:"code"`
	Path    []any  `json:"path"`
	Message string `json:"message"`
}
