package core

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"heddle/audit"
	"heddle/fault"
	"reflect"
	"slices"
)

// Because is the body of a request that says why, if it says anything. Other bodies embed it.
type Because struct {
	Reason string `json:"reason,omitempty" doc:"Why, for the history and the audit trail: at most 1,000 characters."`
}

// WithReason returns a route without a body that takes the reason, as a query parameter and as
// the one field of a body that may be absent. Two different reasons are refused with
// fault.Malformed invalid_request.
func (r Route) WithReason() Route {
	inner := r.Serve
	r.Query = append(slices.Clone(r.Query), Param{Name: "reason", Description: "Why, for the audit trail: up to 1,024 bytes here; the body takes 1,000 characters."})
	r.Body = BodyOptional
	return r.Handle(WithBody(func(c *Call, req Because) error {
		q, err := c.Query()
		if err != nil {
			return err
		}
		if given := q.Get("reason"); given != "" {
			if req.Reason != "" && req.Reason != given {
				return Malformed("The query and the body give two reasons; give one.")
			}
			if err := c.RefuseSecrets("reason", JSONText(given)); err != nil {
				return err
			}
			if err := recordReason(c, reflect.ValueOf(Because{given})); err != nil {
				return err
			}
		}
		return inner(c)
	}))
}

// recordReason hands the field reason of a decoded request to the audit trail, where the request
// has one. The error is that of audit.CheckReason.
func recordReason(c *Call, request reflect.Value) error {
	at, takes := c.Route.Fields["reason"]
	if !takes || c.audit == nil {
		return nil
	}
	reason := request.FieldByIndex(at).String()
	if err := audit.CheckReason(reason); err != nil {
		return err
	}
	c.audit.SetReason(reason)
	return nil
}

// RecordReason makes a text the reason of the request, for a route whose body calls it by another
// name, which field is. Errors: those of audit.CheckReason and RefuseSecrets.
func RecordReason(c *Call, field, text string) error {
	if err := audit.CheckReason(text); err != nil {
		return err
	}
	if err := c.RefuseSecrets(field, JSONText(text)); err != nil {
		return err
	}
	c.audit.SetReason(text)
	return nil
}

// RequestKey returns a short text that stands for the request's Idempotency-Key together with its
// body, "" where it carries none, for an object that keeps it itself. The error is that of a key
// of the wrong form.
func RequestKey(c *Call) (string, error) {
	k, err := keyOf(c)
	if err != nil || k == nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(c.Principal.Actor.ID + "\x00" + k.Key + "\x00" + k.bodyHash))
	return hex.EncodeToString(sum[:16]), nil
}

// secretHolder reports whether a JSON value holds a secret of a tenant.
type secretHolder interface {
	Holds(ctx context.Context, tenantID string, value json.RawMessage) (bool, error)
}

// RefuseSecrets refuses the text of a request that is stored and shown as it is, where it holds
// the value of a secret of the tenant: fault.Unacceptable secret_in_text. field is what the
// message calls it; text is JSON. Definitions, inputs and payloads are refused by those who take
// them. Where nothing is stored, nothing is searched.
func (c *Call) RefuseSecrets(field string, text json.RawMessage) error {
	holder, changes := secretHolder(c.server.cfg.Secrets), c.Route.Changes()
	// A text of less than three bytes is at most an empty string, and a secret has at least eight.
	if c.server.cfg.Secrets == nil || !changes || c.Route.TakesSecret || len(text) < 3 {
		return nil
	}
	holds, err := holder.Holds(c.Ctx(), c.TenantID(), text)
	if err != nil || !holds {
		return err
	}
	return fault.New(fault.Unacceptable, "secret_in_text", "%s holds the value of a secret, and is shown to everybody who may see this; leave it out.", field)
}

// JSONText returns text as a JSON string.
func JSONText(s string) json.RawMessage {
	text, _ := json.Marshal(s) //nolint:errchkjson // a string always encodes
	return text
}

// scannedForSecrets reports whether a field of a request is text that is stored
// and shown, and so must not hold a secret. Definitions, templates' parameters
// and values for runs are not scanned here: the services that take them do it.
// Neither is a field with the tag secrets:"handler", of which the handler scans
// the parts that are text.
func scannedForSecrets(f reflect.StructField) bool {
	switch f.Type {
	case reflect.TypeFor[json.RawMessage](), reflect.TypeFor[ParsedDefinition]():
		return false
	}
	return f.Tag.Get("secrets") != "handler"
}
