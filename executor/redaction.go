package executor

import (
	"bytes"
	"context"
	"encoding/json"
)

// redaction is what takes the secrets that a tenant has at one moment out of
// what a step gives. nil: there are none.
type redaction struct {
	json         func(json.RawMessage) json.RawMessage
	unfinishedIn func(text []byte) int
}

func (e *engine) redaction(ctx context.Context, tenantID string) (*redaction, error) {
	if e.svc.cfg.Secrets == nil {
		return nil, nil
	}
	ctx = context.WithoutCancel(ctx)
	redact, err := e.svc.cfg.Secrets.Redactor(ctx, tenantID)
	if err != nil || redact == nil {
		return nil, err
	}
	unfinished, err := e.svc.cfg.Secrets.Unfinished(ctx, tenantID)
	if err != nil || unfinished == nil {
		return nil, err
	}
	return &redaction{redact, unfinished}, nil
}

func (r *redaction) unfinished(text []byte) int {
	if r == nil {
		return len(text)
	}
	return r.unfinishedIn(text)
}

// redactAll takes the secrets of several moments out of a JSON value.
func redactAll(by []*redaction, value json.RawMessage) json.RawMessage {
	for _, r := range by {
		if r != nil && len(value) > 0 {
			value = r.json(value)
		}
	}
	return value
}

// redactText does so for a text.
func redactText(by []*redaction, text string) string {
	for _, r := range by {
		if r == nil {
			continue
		}
		var quoted bytes.Buffer
		enc := json.NewEncoder(&quoted)
		enc.SetEscapeHTML(false)
		if enc.Encode(text) != nil {
			return ""
		}
		if json.Unmarshal(r.json(bytes.TrimSuffix(quoted.Bytes(), []byte("\n"))), &text) != nil {
			return ""
		}
	}
	return text
}
