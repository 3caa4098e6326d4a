// Package fault holds the one error type that crosses package borders. An
// error says what its receiver can do about it (Kind) and what to tell the
// caller (Code, Message); the edge that ends it translates the kind once.
package fault

import (
	"errors"
	"fmt"
	"maps"
)

// Kind says what the receiver of an error can do about it.
type Kind uint8

// The kinds, and the HTTP status with which api answers each of them.
const (
	Internal         Kind = iota // a defect of ours: 500
	Malformed                    // not readable as a request: 400
	Unauthenticated              // no valid key: 401
	Denied                       // known, but not permitted: 403
	NotFound                     // no such object, or another tenant's: 404
	Conflict                     // contradicts the current state: 409
	Precondition                 // If-Match did not hold: 412
	TooLarge                     // a size limit passed: 413
	UnsupportedMedia             // wrong media type: 415
	Unacceptable                 // well-formed and not acceptable: 422
	TooMany                      // a rate or quota passed: 429
	Unavailable                  // the store is unavailable, try again later: 503
	TooSlow                      // a request did not arrive in time: 408
)

// Issue is one problem found in something that a person wrote. Pointer is an
// RFC 6901 JSON pointer from the document's root; Line and Column count from
// 1 and are 0 where the source was not text.
type Issue struct {
	Code       string   `json:"code"`
	Severity   string   `json:"severity"` // "error" or "warning"
	Message    string   `json:"message"`
	Pointer    string   `json:"pointer"`
	Line       int      `json:"line,omitempty"`
	Column     int      `json:"column,omitempty"`
	Suggestion string   `json:"suggestion,omitempty"`
	Related    []string `json:"related,omitempty"`
}

// Error is a failure with a stable code and a message for the person who
// called. Details are added to the answer's body beside the envelope; Err, the
// cause, is for logs only and never reaches the caller. An Error is not changed
// once it was returned: With makes a copy.
type Error struct {
	Kind    Kind
	Code    string
	Message string
	Issues  []Issue
	Details map[string]any
	Err     error
}

// New makes an error. The message is written for the caller and names what to
// change; it must hold no secret and no internal address.
func New(kind Kind, code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap is New with the cause kept for logs and errors.Is.
func Wrap(err error, kind Kind, code, format string, args ...any) *Error {
	e := New(kind, code, format, args...)
	e.Err = err
	return e
}

// With returns a copy of the error with one more detail.
func (e *Error) With(key string, value any) *Error {
	c := *e
	c.Details = make(map[string]any, len(e.Details)+1)
	maps.Copy(c.Details, e.Details)
	c.Details[key] = value
	return &c
}

// Error returns the code, the message and the cause, for logs.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Code + ": " + e.Message + ": " + e.Err.Error()
	}
	return e.Code + ": " + e.Message
}

// Unwrap returns the cause, nil where there is none.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of any error, wrapped or not; an error that is not a
// fault is Internal.
func KindOf(err error) Kind {
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Kind
	}
	return Internal
}

// CodeOf returns the code of any error, wrapped or not; an error that is not a
// fault is "internal".
func CodeOf(err error) string {
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Code
	}
	return "internal"
}
