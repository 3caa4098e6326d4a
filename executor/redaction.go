package executor

import (
	"context"
	"encoding/json"
	"heddle/internal/exactjson"
)

// redaction takes the secrets that a tenant has at one moment out of a step's output. nil:
// there are none. It never changes and is safe for concurrent use as far as the functions
// in it are.
type redaction struct {
	json         func(json.RawMessage) json.RawMessage // see Secrets.Redactor
	unfinishedIn func(text []byte) int                 // see Secrets.Unfinished
}

// redaction returns that of the present moment; nil where the tenant has no secrets. The
// end of ctx does not stop it: without it nothing may be kept.
func (p *performer) redaction(ctx context.Context, tenantID string) (*redaction, error) {
	if p.cfg.Secrets == nil {
		return nil, nil
	}
	ctx = context.WithoutCancel(ctx)
	redact, err := p.cfg.Secrets.Redactor(ctx, tenantID)
	if err != nil || redact == nil {
		return nil, err
	}
	unfinished, err := p.cfg.Secrets.Unfinished(ctx, tenantID)
	if err != nil || unfinished == nil {
		return nil, err
	}
	return &redaction{redact, unfinished}, nil
}

// unfinished returns the offset in text at which a secret may begin that goes on
// after its end; the text's length where there is none.
func (r *redaction) unfinished(text []byte) int {
	if r == nil {
		return len(text)
	}
	return r.unfinishedIn(text)
}

// redactAll takes the secrets of several moments out of a JSON value. Nil redactions and an
// empty value are left as they are.
func redactAll(by []*redaction, value json.RawMessage) json.RawMessage {
	for _, r := range by {
		if r != nil && len(value) > 0 {
			value = r.json(value)
		}
	}
	return value
}

// redactText takes the secrets of several moments out of a text, which is redacted as a
// JSON string; "" where that fails.
func redactText(by []*redaction, text string) string {
	for _, r := range by {
		if r == nil {
			continue
		}
		if json.Unmarshal(r.json(exactjson.Quote(text)), &text) != nil {
			return ""
		}
	}
	return text
}
