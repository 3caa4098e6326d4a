package core

import (
	"context"
	"errors"
	"heddle/fault"
	"net/http"
	"strconv"
	"strings"
)

const internalMessage = "Something went wrong on our side. Tell the operator the request id."

// StatusOf is the one table from a kind of error to a status.
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

// ProblemBody is the envelope. The copies at the top serve clients of the turns
// and instances dialects.
type ProblemBody struct {
	Error       problemError  `json:"error"`
	Code        string        `json:"code"`
	Message     string        `json:"message"`
	Errors      []string      `json:"errors,omitempty" doc:"The messages of the errors found, where something that was written did not validate."`
	Diagnostics []fault.Issue `json:"diagnostics,omitempty"`
	Issues      []SchemaIssue `json:"issues,omitempty" doc:"Of the instances dialect: what does not fit a schema, and where."`
}

type problemError struct {
	Code      string `json:"code" doc:"Stable; see the list of codes."`
	Message   string `json:"message" doc:"For the person who called: what to change."`
	RequestID string `json:"request_id"`
}

// fail answers with an error. One that is not the caller's fault is logged with its
// cause, unless the caller has disconnected or the process is starting or stopping.
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
	if status == http.StatusInternalServerError {
		f = fault.New(fault.Internal, "internal", "%s", internalMessage)
	}
	c.Problem(status, f)
}

// Problem writes the envelope, unless an answer has begun already.
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

// maxMessage is how many bytes of an error's message are sent: it may quote what
// the caller sent, however long that is.
const maxMessage = 2_000

// envelope is the body of an error; details stand beside it.
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

// SchemaIssue is one problem of a request in the form that this dialect's
// clients read.
type SchemaIssue struct {
	Code    string `json:"code"`
	Path    []any  `json:"path"`
	Message string `json:"message"`
}
