package api

import (
	"context"
	"errors"
	"heddle/fault"
	"net/http"
	"strconv"
	"strings"
)

const internalMessage = "Something went wrong on our side. Tell the operator the request id."

// statusOf is the one table from a kind of error to a status.
func statusOf(k fault.Kind) int {
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
	}
	return http.StatusInternalServerError
}

// problemBody is the envelope. The copies at the top serve clients of the turns
// and instances dialects.
type problemBody struct {
	Error       problemError  `json:"error"`
	Code        string        `json:"code"`
	Message     string        `json:"message"`
	Errors      []string      `json:"errors,omitempty" doc:"The messages of the errors found, where something that was written did not validate."`
	Diagnostics []fault.Issue `json:"diagnostics,omitempty"`
	Issues      []schemaIssue `json:"issues,omitempty" doc:"Of the instances dialect: what does not fit a schema, and where."`
}

type problemError struct {
	Code      string `json:"code" doc:"Stable; see the list of codes."`
	Message   string `json:"message" doc:"For the person who called: what to change."`
	RequestID string `json:"request_id"`
}

// fail answers with an error. What is no fault of the caller's is logged with
// its cause; that a caller has gone is not, nor is a probe of a process that is
// starting or stopping.
func (c *call) fail(err error) {
	if c.route.translateError != nil {
		err = c.route.translateError(err)
	}
	var f *fault.Error
	switch {
	case errors.As(err, &f):
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		f = fault.Wrap(err, fault.Unavailable, "store_unavailable", "The database does not answer. Try again in a moment.")
	default:
		f = fault.Wrap(err, fault.Internal, "internal", "%s", internalMessage)
	}
	status := statusOf(f.Kind)
	if status >= http.StatusInternalServerError && c.r.Context().Err() == nil && f.Code != "not_ready" {
		c.h.log.Error("a request failed", "request_id", c.requestID(), "route", c.route.id,
			"status", status, "error", err)
	}
	if status == http.StatusInternalServerError {
		f = fault.New(fault.Internal, "internal", "%s", internalMessage)
	}
	c.problem(status, f)
}

// problem writes the envelope, unless an answer is under way already.
func (c *call) problem(status int, f *fault.Error) {
	if c.answered {
		return
	}
	head := c.w.Header()
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
	text, err := encode(envelope(f, c.requestID()))
	if err != nil { // details that are no JSON: leave them out
		bare := *f
		bare.Details = nil
		text, _ = encode(envelope(&bare, c.requestID()))
	}
	_ = c.send(status, "application/json", text)
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
	body := problemBody{
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

func malformed(format string, args ...any) error {
	return fault.New(fault.Malformed, "invalid_request", format, args...)
}
