package api

import (
	"context"
	"encoding/json"
	"heddle/audit"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"reflect"
	"slices"
)

// actorBody is who did something.
type actorBody struct {
	Type string `json:"type" enum:"key,user,schedule,run,system"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty" doc:"As it was then."`
}

func actorOf(a audit.Actor) *actorBody {
	if !a.Known() {
		return nil
	}
	return &actorBody{a.Type, a.ID, a.Name}
}

// authors say who started a run and who ended it.
type authors struct {
	StartedBy   *actorBody `json:"started_by,omitempty" doc:"Left out of runs of earlier versions."`
	CancelledBy *actorBody `json:"cancelled_by,omitempty"`
	Reason      string     `json:"reason,omitempty" doc:"Why it was cancelled, as the caller gave it."`
}

func authorsOf(r executor.Record) authors {
	a := authors{StartedBy: actorOf(r.StartedBy)}
	if r.State == machine.Cancelled {
		by := r.Error.CancelledBy()
		a.CancelledBy, a.Reason = actorOf(by.Actor), by.Reason
	}
	return a
}

// because is the body of a request that says why, if it says anything.
type because struct {
	Reason string `json:"reason,omitempty" doc:"Why, for the history and the audit trail: at most 1,000 characters."`
}

// withReason lets a route without a body take the reason, as a query parameter
// and as the one field of a body that may be absent.
func (r route) withReason() route {
	inner := r.serve
	r.query = append(slices.Clone(r.query), param{name: "reason", description: "Why, for the audit trail: up to 1,024 bytes here; the body takes 1,000 characters."})
	r.body = bodyOptional
	return r.handle(withBody(func(c *call, req because) error {
		q, err := c.query()
		if err != nil {
			return err
		}
		if given := q.Get("reason"); given != "" {
			if req.Reason != "" && req.Reason != given {
				return malformed("The query and the body give two reasons; give one.")
			}
			if err := c.refuseSecrets("reason", jsonText(given)); err != nil {
				return err
			}
			if err := c.recordReason(reflect.ValueOf(because{given})); err != nil {
				return err
			}
		}
		return inner(c)
	}))
}

// recordReason takes the field reason of a request, where it has one.
func (c *call) recordReason(request reflect.Value) error {
	at, takes := c.route.fields["reason"]
	if !takes || c.audit == nil {
		return nil
	}
	reason := request.FieldByIndex(at).String()
	if err := audit.CheckReason(reason); err != nil {
		return err
	}
	c.audit.Because(reason)
	return nil
}

// secretHolder says whether a JSON value holds a secret of a tenant.
type secretHolder interface {
	Holds(ctx context.Context, tenantID string, value json.RawMessage) (bool, error)
}

// refuseSecrets refuses the text of a request that is stored and shown as it
// is. Definitions, inputs and payloads are refused by those who take them.
func (c *call) refuseSecrets(field string, text json.RawMessage) error {
	holder, changes := secretHolder(c.h.cfg.Secrets), c.route.changes()
	if c.h.cfg.Secrets == nil || !changes || c.route.takesSecret || len(text) < 3 {
		return nil
	}
	holds, err := holder.Holds(c.ctx(), c.tenantID(), text)
	if err != nil || !holds {
		return err
	}
	return fault.New(fault.Unacceptable, "secret_in_text", "%s holds the value of a secret, and is shown to everybody who may see this; leave it out.", field)
}

// jsonText is text as a JSON string.
func jsonText(s string) json.RawMessage {
	text, _ := json.Marshal(s) //nolint:errchkjson // a string always encodes
	return text
}

// scannedForSecrets reports whether a field of a request is text that is stored and shown,
// or is made of such. Definitions, templates' parameters and values for runs are
// not: who takes them refuses secrets in them.
func scannedForSecrets(f reflect.StructField) bool {
	switch f.Type {
	case reflect.TypeFor[json.RawMessage](), reflect.TypeFor[parsedDefinition](), reflect.TypeFor[[]batchItem]():
		return false
	}
	return true
}
