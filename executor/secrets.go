package executor

import (
	"bytes"
	"context"
	"encoding/json"
	"heddle/executor/machine"
	"heddle/expressions"
	"heddle/fault"
	"heddle/internal/exactjson"
)

// Secrets reveals tenants' secrets to configs and takes them out of outputs. The secrets
// package implements it. Its methods are called concurrently; an error means that the
// values could not be read, and is worth another attempt.
type Secrets interface {
	// Reveal returns the current values of the named secrets; a name that does not
	// exist is left out.
	Reveal(ctx context.Context, tenantID string, names []string) (map[string]string, error)
	// Redactor returns a function that takes every secret of the tenant out of a
	// JSON value; nil where it has none.
	Redactor(ctx context.Context, tenantID string) (func(json.RawMessage) json.RawMessage, error)
	// Unfinished returns a function that finds the offset in a text at which a
	// secret may begin that goes on after the text's end: the text's length where
	// there is none. nil where the tenant has no secrets.
	Unfinished(ctx context.Context, tenantID string) (func(text []byte) int, error)
	// Holds reports whether a JSON value holds a secret of the tenant.
	Holds(ctx context.Context, tenantID string, value json.RawMessage) (bool, error)
}

// revealed is the scope of a config: what the machine shows, and the secrets that the
// config names, by name.
type revealed struct {
	expressions.Scope
	secrets map[string]string
}

// Secret returns the value of a secret that the config names.
func (r revealed) Secret(name string) (string, bool) {
	v, ok := r.secrets[name]
	return v, ok
}

// secretsUnavailable returns the transient failure of an attempt whose secrets could not be
// read. Of err only the code is shown.
func secretsUnavailable(err error) *machine.Failure {
	return &machine.Failure{Error: machine.Error{
		Code: "secrets_unavailable", Message: "The secrets could not be read (" + fault.CodeOf(err) + ").",
	}}
}

// withoutAny takes the secrets of several moments out of a value. A nil value stays
// nil; a nil redactor has no secrets.
func withoutAny(value json.RawMessage, redactors ...func(json.RawMessage) json.RawMessage) json.RawMessage {
	for _, redact := range redactors {
		if redact != nil && len(value) > 0 {
			value = redact(value)
		}
	}
	return value
}

// textWithout is withoutAny for a text.
func textWithout(text string, redactors ...func(json.RawMessage) json.RawMessage) string {
	if text == "" {
		return ""
	}
	var clean string
	if json.Unmarshal(withoutAny(exactjson.Quote(text), redactors...), &clean) != nil {
		return "***"
	}
	return clean
}

// redactFailure takes secrets out of a failure's message and details. Where they
// cannot be encoded, or do not survive it, only the code is kept.
func redactFailure(f *machine.Failure, redact func(json.RawMessage) json.RawMessage) *machine.Failure {
	if f == nil {
		return nil
	}
	raw, err := json.Marshal(f.Error)
	if err != nil {
		return &machine.Failure{Permanent: f.Permanent, Error: machine.Error{Code: f.Code, Message: "The failure's details could not be kept."}}
	}
	out := redact(raw)
	if bytes.Equal(raw, out) {
		return f
	}
	clean := machine.Failure{Permanent: f.Permanent, RetryAfter: f.RetryAfter}
	if exactjson.Decode(out, &clean.Error) != nil {
		clean.Error = machine.Error{Code: f.Code, Message: "The failure's details held a secret."}
	}
	return &clean
}
