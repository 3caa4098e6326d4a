package executor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"heddle/executor/machine"
	"heddle/expressions"
	"heddle/fault"
)

// Secrets gives tenants' secrets to configs and takes them out of what comes
// back.
type Secrets interface {
	// Reveal gives the current values of the named secrets; a name that is not
	// there is left out.
	Reveal(ctx context.Context, tenantID string, names []string) (map[string]string, error)
	// Redactor gives what takes every secret of the tenant out of a JSON value;
	// nil where it has none.
	Redactor(ctx context.Context, tenantID string) (func(json.RawMessage) json.RawMessage, error)
	// Unfinished gives what finds the place in a text at which a secret may
	// begin that goes on behind the text's end, the text's length where there is
	// none; nil where the tenant has no secrets.
	Unfinished(ctx context.Context, tenantID string) (func(text []byte) int, error)
	// Holds tells whether a JSON value holds a secret of the tenant.
	Holds(ctx context.Context, tenantID string, value json.RawMessage) (bool, error)
}

// revealed is the scope of a config: what the machine shows, and secrets.
type revealed struct {
	expressions.Scope
	secrets map[string]string
}

func (r revealed) Secret(name string) (string, bool) {
	v, ok := r.secrets[name]
	return v, ok
}

// render fills a config in. A secret that is not there fails for good; a store
// that does not answer is worth another attempt.
func (e *engine) render(ctx context.Context, call Call, config *expressions.Template, scope expressions.Scope) (json.RawMessage, *machine.Failure) {
	if names := config.Secrets(); len(names) > 0 {
		values, failure := e.reveal(ctx, call.TenantID, names)
		if failure != nil {
			return nil, failure
		}
		for _, value := range values {
			call.secrets.note(value)
		}
		scope = revealed{scope, values}
	}
	out, err := config.Render(scope)
	if err != nil {
		return nil, renderFailure(err)
	}
	return out, nil
}

func (e *engine) reveal(ctx context.Context, tenantID string, names []string) (map[string]string, *machine.Failure) {
	var values map[string]string
	if e.svc.cfg.Secrets != nil {
		var err error
		if values, err = e.svc.cfg.Secrets.Reveal(ctx, tenantID, names); err != nil {
			return nil, secretsUnavailable(err)
		}
	}
	for _, name := range names {
		if _, ok := values[name]; !ok {
			return nil, &machine.Failure{Permanent: true, Error: machine.Error{
				Code: "secret_not_found", Message: fmt.Sprintf("There is no secret %s; an admin sets it with PUT /v1/secrets/%s.", name, name),
			}}
		}
	}
	return values, nil
}

func secretsUnavailable(err error) *machine.Failure {
	return &machine.Failure{Error: machine.Error{
		Code: "secrets_unavailable", Message: "The secrets could not be read (" + fault.CodeOf(err) + ").",
	}}
}

// redacted performs an attempt and takes the tenant's secrets out of all that
// it gave: the one way from a step to the journal. The secrets are those of
// the attempt's beginning and of its end, so that one which was changed
// meanwhile does not slip through. perform gets the means to do so itself, for
// what it shortens.
func (e *engine) redacted(ctx context.Context, call Call, perform func(Call) (Result, *machine.Failure)) (Result, *machine.Failure) {
	if e.svc.cfg.Secrets == nil {
		return perform(call)
	}
	before, err := e.svc.cfg.Secrets.Redactor(context.WithoutCancel(ctx), call.TenantID)
	if err != nil {
		return Result{}, secretsUnavailable(err)
	}
	call.Redact = func(value json.RawMessage) json.RawMessage {
		now, err := e.svc.cfg.Secrets.Redactor(context.WithoutCancel(ctx), call.TenantID)
		if err != nil {
			return json.RawMessage("null")
		}
		return withoutAny(value, before, now)
	}
	call.secrets = &usedSecrets{}
	call.Sensitive = call.secrets.note
	result, failure := perform(call)
	after, err := e.svc.cfg.Secrets.Redactor(context.WithoutCancel(ctx), call.TenantID)
	if err != nil { // what cannot be checked is not kept
		return Result{Usage: result.Usage}, secretsUnavailable(err)
	}
	result.Output = withoutAny(result.Output, before, after)
	result.Usage.ToolCalls = withoutAny(result.Usage.ToolCalls, before, after)
	failure = call.secrets.withoutPieces(failure, before, after)
	for _, redact := range []func(json.RawMessage) json.RawMessage{before, after} {
		if redact != nil {
			failure = redactFailure(failure, redact)
		}
	}
	return result, failure
}

// withoutAny takes the secrets of two moments out of a value; nil is no value,
// or no secrets.
func withoutAny(value json.RawMessage, redactors ...func(json.RawMessage) json.RawMessage) json.RawMessage {
	for _, redact := range redactors {
		if redact != nil && len(value) > 0 {
			value = redact(value)
		}
	}
	return value
}

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
	dec := json.NewDecoder(bytes.NewReader(out))
	dec.UseNumber()
	if dec.Decode(&clean.Error) != nil {
		clean.Error = machine.Error{Code: f.Code, Message: "The failure's details held a secret."}
	}
	return &clean
}

// withoutSecrets refuses what a caller hands to a run when it holds a secret.
func (s *Service) withoutSecrets(ctx context.Context, tenantID string, value json.RawMessage) error {
	if s.cfg.Secrets == nil || len(value) == 0 {
		return nil
	}
	holds, err := s.cfg.Secrets.Holds(ctx, tenantID, value)
	if err != nil || !holds {
		return err
	}
	return fault.New(fault.Unacceptable, "secret_in_input",
		"The input holds the value of a secret; leave it out, and let the workflow name it as secrets.NAME in a config.")
}
