package executor

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/executor/machine"
	"heddle/expressions"
)

// renderWithBlobs renders a config whose expressions may read values in blobs, as often as
// the rendering asks for contents. sending keeps the memory of a config that came to hold
// much of them; of any other it is released, because the contents are no longer needed.
// The failure is that of render, or "stopped" where ctx or this node ended first.
func (p *performer) renderWithBlobs(ctx context.Context, call Call, x machine.Execute, sending *reservation) (json.RawMessage, *machine.Failure) {
	var loads []machine.BlobRef
	scope, b := x.Scope, p.values.supply()
	work := reservation{budget: p.values.work}
	defer work.release()
	for {
		if b != nil {
			scope = machine.WithBlobs(x.Scope, b)
		}
		config, failure := p.render(ctx, call, x.Config, scope)
		w := b.TakeRequest()
		if w == nil {
			if len(config) <= MaxInline {
				sending.release()
			}
			return config, failure
		}
		loads = append(loads, w.Load...)
		work.release()
		if sending.resize(ctx, totalOf(loads)) != nil || p.values.load(ctx, &work, b, loads) != nil {
			return nil, stopped()
		}
	}
}

// render renders a config. A secret that does not exist is the permanent failure
// secret_not_found; an unavailable store is worth another attempt. The values of the
// secrets that went into it are noted in call.secrets.
func (p *performer) render(ctx context.Context, call Call, config *expressions.Template, scope expressions.Scope) (json.RawMessage, *machine.Failure) {
	if names := config.Secrets(); len(names) > 0 {
		values, failure := p.reveal(ctx, call.TenantID, names)
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

// reveal returns the values of the named secrets. Failures: secrets_unavailable, which is
// transient, and the permanent secret_not_found.
func (p *performer) reveal(ctx context.Context, tenantID string, names []string) (map[string]string, *machine.Failure) {
	var values map[string]string
	if p.cfg.Secrets != nil {
		var err error
		if values, err = p.cfg.Secrets.Reveal(ctx, tenantID, names); err != nil {
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

// redacted performs an attempt and takes the tenant's secrets out of everything that
// it returned: the one way from a step to the journal. The secrets are those of the
// attempt's beginning and of its end, so that one which was changed meanwhile is
// found too. perform is given the means to redact itself, for what it shortens.
func (p *performer) redacted(ctx context.Context, call Call, perform func(Call) (Result, *machine.Failure)) (Result, *machine.Failure) {
	if p.cfg.Secrets == nil {
		result, failure := perform(call)
		result.rendered = renderedInput(call, result.rendered, failure)
		return result, failure
	}
	before, err := p.cfg.Secrets.Redactor(context.WithoutCancel(ctx), call.TenantID)
	if err != nil {
		return Result{}, secretsUnavailable(err)
	}
	call.Redact = func(value json.RawMessage) json.RawMessage {
		now, err := p.cfg.Secrets.Redactor(context.WithoutCancel(ctx), call.TenantID)
		if err != nil {
			return json.RawMessage("null")
		}
		return withoutAny(value, before, now)
	}
	call.secrets = &usedSecrets{}
	call.Sensitive = call.secrets.note
	result, failure := perform(call)
	after, err := p.cfg.Secrets.Redactor(context.WithoutCancel(ctx), call.TenantID)
	if err != nil { // what cannot be checked is not kept
		return Result{Usage: machine.Usage{Tokens: result.Usage.Tokens, CostMicroUSD: result.Usage.CostMicroUSD}}, secretsUnavailable(err)
	}
	result.Output = withoutAny(result.Output, before, after)
	result.Usage.ToolCalls = withoutAny(result.Usage.ToolCalls, before, after)
	result.Usage.Agent = textWithout(result.Usage.Agent, before, after)
	result.rendered = renderedInput(call, result.rendered, failure, before, after)
	failure = call.secrets.withoutPieces(failure, before, after)
	for _, redact := range []func(json.RawMessage) json.RawMessage{before, after} {
		if redact != nil {
			failure = redactFailure(failure, redact)
		}
	}
	return result, failure
}
