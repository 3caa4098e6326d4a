package instances

import (
	"errors"
	"heddle/api/core"
	"heddle/fault"
	"heddle/internal/exactjson"
	"strconv"
	"strings"
)

// Codes of the instances dialect that no other part of the product has. The first two refuse an
// id or a tick; the last is that of every request that does not fit its schema.
const (
	codeInstanceID   = "INVALID_INSTANCE_ID"
	codeTickDisabled = "RUNNER_TICK_DISABLED"
	codeValidation   = "FRAGNO_VALIDATION_ERROR"
)

// translateCodeForInstances returns the dialect's code for one of the product; codes that it has
// no word for stay. It translates the codes of the OpenAPI document too, and must agree with
// translateErrorForInstances.
func translateCodeForInstances(code string) string {
	switch code {
	case "invalid_request", "invalid_payload":
		return codeValidation
	case "workflow_not_found":
		return "WORKFLOW_NOT_FOUND"
	case "run_not_found":
		return "INSTANCE_NOT_FOUND"
	case "run_finished":
		return "INSTANCE_TERMINAL"
	case "run_name_taken":
		return "INSTANCE_ID_ALREADY_EXISTS"
	case "invalid_input":
		return "WORKFLOW_PARAMS_INVALID"
	}
	return code
}

// translateErrorForInstances returns an error with the dialect's code, as a copy; an error that
// needs no translation is returned as it is. What a request's schema or a workflow's refuses is
// 400 with issues.
func translateErrorForInstances(err error) error {
	// What is not a fault becomes 500, which has no word of the dialect.
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	code := translateCodeForInstances(f.Code)
	if code == f.Code {
		return err
	}
	// A copy: an error is not changed once it was returned.
	out := *f
	out.Code = code
	switch f.Code {
	case "invalid_request":
		return invalidFor(f.Message)
	case "invalid_payload":
		out.Kind, out.Message = fault.Malformed, validationFailed
		return out.With("issues", issuesOf("payload", f))
	case "invalid_input":
		out.Kind = fault.Malformed
		return out.With("issues", issuesOf("params", f))
	case "run_finished":
		// The product's message names the run, which this dialect's clients do not know.
		out.Message = "The instance has ended and takes no more; restart it, or create another."
		out.Details = nil
	}
	return &out
}

// validationFailed is the message of every error with issues: they say what is wrong.
const validationFailed = "Validation failed"

// invalidFor refuses a request that does not fit its schema: message says what is wrong at the
// path of field names and indexes; no path is the whole request.
func invalidFor(message string, path ...any) error {
	if path == nil {
		path = []any{}
	}
	return fault.New(fault.Malformed, codeValidation, validationFailed).
		With("issues", []core.SchemaIssue{{Code: "custom", Path: path, Message: message}})
}

// issuesOf returns an error's issues below a field of the request, with their JSON pointers (RFC
// 6901) as paths: below params, /items/0/a~1b is ["params", "items", 0, "a/b"]. An error without
// issues is one itself. The list is never empty.
func issuesOf(field string, f *fault.Error) []core.SchemaIssue {
	list := []core.SchemaIssue{}
	for _, i := range f.Issues {
		path := []any{field}
		for part := range strings.SplitSeq(strings.TrimPrefix(i.Pointer, "/"), "/") {
			if part == "" {
				continue
			}
			// An index of a list, or a field whose name is a number.
			if n, err := strconv.Atoi(part); err == nil {
				path = append(path, n)
				continue
			}
			path = append(path, exactjson.UnescapeToken(part))
		}
		list = append(list, core.SchemaIssue{Code: "custom", Path: path, Message: i.Message})
	}
	if len(list) == 0 {
		list = append(list, core.SchemaIssue{Code: "custom", Path: []any{field}, Message: f.Message})
	}
	return list
}
