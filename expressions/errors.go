package expressions

import (
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strings"

	"github.com/expr-lang/expr/file"
)

// The codes of an Error and of a Problem.
const (
	CodeSyntax  = "expression_syntax" // not an expression, or one that is not permitted here
	CodeType    = "expression_type"   // a value of the wrong type
	CodeUnknown = "unknown_reference" // a name that is not visible here
	CodeLimit   = "limit_exceeded"    // too long, too deep, or too much work
	CodeLarge   = "value_too_large"   // a string, list or result beyond its limit
	CodeFailed  = "expression_failed" // anything else that stopped the evaluation
	CodeHidden  = "not_an_ancestor"   // a step that exists and cannot be seen from here (Check only)
)

// Error is why an expression or template was refused, or failed. Evaluation is
// deterministic: the same error comes again, so a retry does not help.
type Error struct {
	Code    string
	Message string
	// Column is the place in the text as given, in characters from 1; 0 where
	// there is none.
	Column int
	// Pointer is the RFC 6901 pointer of the template's string inside the
	// config; empty for a bare expression.
	Pointer string
}

func (e *Error) Error() string {
	where := ""
	if e.Pointer != "" {
		where = " at " + e.Pointer
	}
	if e.Column > 0 {
		where += fmt.Sprintf(" (column %d)", e.Column)
	}
	return e.Code + ": " + e.Message + where
}

func fail(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func failAt(code string, column int, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Column: column}
}

// at gives the error a column, unless it has one.
func (e *Error) at(column int) *Error {
	if e.Column != 0 {
		return e
	}
	c := *e
	c.Column = column
	return &c
}

// shown quotes a text in a message: whole or not at all. A part of a secret
// would pass the redaction of what is stored.
func shown(s string) string {
	if len(s) > 200 {
		return fmt.Sprintf("a text of %d bytes", len(s))
	}
	return `"` + s + `"`
}

// translate makes an Error of whatever the parser, compiler or machine of the
// library reported.
func translate(err error, code string) *Error {
	var own *Error
	var place *file.Error
	column := 0
	if errors.As(err, &place) {
		column = place.From + 1
	}
	if errors.As(err, &own) {
		return own.at(column)
	}
	message := err.Error()
	if place != nil {
		message = place.Message
	}
	if message == "memory budget exceeded" {
		return failAt(CodeLarge, column, "the expression builds too many values")
	}
	var mismatch *runtime.TypeAssertionError
	if errors.As(err, &mismatch) {
		return failAt(CodeType, column, "%s", readableMismatch(mismatch.Error()))
	}
	return failAt(code, column, "%s", readable(message))
}

// The library's words for Go types, in the words of JSON.
var (
	mismatchWords = regexp.MustCompile(`interface \{\} is ([^,]+), not (\S+)`)
	tokenWords    = regexp.MustCompile(`^unexpected token \w+\((.*)\)$`)
	fetchWords    = regexp.MustCompile(`^cannot fetch (.*) from (.*)$`)
)

func readableMismatch(message string) string {
	m := mismatchWords.FindStringSubmatch(message)
	if m == nil {
		return readable(message)
	}
	return fmt.Sprintf("expected a %s, got %s", jsonWord(m[2]), jsonWord(m[1]))
}

func readable(message string) string {
	message = strings.TrimPrefix(message, "runtime error: ")
	if m := fetchWords.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("cannot read %q of %s; use ?. where it may be missing", m[1], jsonWord(m[2]))
	}
	if m := tokenWords.FindStringSubmatch(message); m != nil {
		return "unexpected " + m[1]
	}
	if message == "unexpected token EOF" {
		return "the expression ends where more is expected"
	}
	return message
}

func jsonWord(goType string) string {
	switch goType {
	case "nil", "<nil>":
		return "null"
	case "bool":
		return "boolean"
	case "int", "int64", "float64", "json.Number":
		return "number"
	case "map[string]interface {}", "map[interface {}][]interface {}":
		return "object"
	case "[]interface {}", "[]int", "[]string":
		return "list"
	case "time.Time":
		return "time"
	case "time.Duration":
		return "duration"
	}
	return goType
}
