package machine

import "heddle/audit"

// Attribution says who commands a run and why; the zero value: it is not known. The journal
// has it with the event that follows from the command.
type Attribution struct {
	Actor  audit.Actor `json:"actor,omitzero"`
	Reason string      `json:"reason,omitempty"`
}

// addToDetail puts it on an event and returns the event's detail, which it changes. A
// reason that the detail has already stays.
func (b Attribution) addToDetail(d *Detail) *Detail {
	d.Actor = b.Actor
	if d.Reason == "" {
		d.Reason = b.Reason
	}
	return d
}

// The names of the details of a cancelled run's error.
const (
	detailBy     = "cancelled_by"
	detailReason = "reason"
)

// addTo puts it on the error of a run that ends by it, so that the run says who ended it
// for as long as it is kept. It changes e, and returns it.
func (b Attribution) addTo(e *Error) *Error {
	if b.Actor.Known() {
		who := map[string]any{"type": b.Actor.Type}
		if b.Actor.ID != "" {
			who["id"] = b.Actor.ID
		}
		if b.Actor.Name != "" {
			who["name"] = b.Actor.Name
		}
		e.Details = map[string]any{detailBy: who}
	}
	if b.Reason != "" {
		if e.Details == nil {
			e.Details = map[string]any{}
		}
		e.Details[detailReason] = b.Reason
	}
	return e
}

// cancelledBy returns who cancelled the run; the zero value for a run that failed, whose
// error is a step's.
func (e *ending) cancelledBy() Attribution {
	if e.Outcome != Cancelled {
		return Attribution{}
	}
	return e.Error.CancelledBy()
}

// CancelledBy returns who ended a cancelled run and why, as far as its error
// says; the zero value for any other error, nil included.
func (e *Error) CancelledBy() Attribution {
	if e == nil {
		return Attribution{}
	}
	var b Attribution
	b.Reason, _ = e.Details[detailReason].(string)
	if who, ok := e.Details[detailBy].(map[string]any); ok {
		b.Actor.Type, _ = who["type"].(string)
		b.Actor.ID, _ = who["id"].(string)
		b.Actor.Name, _ = who["name"].(string)
	}
	return b
}

// actor appends a member actor, where it is known who did something.
func (o *jsonObject) actor(a audit.Actor) {
	if !a.Known() {
		return
	}
	o.Name("actor")
	who := objectIn(o.Buf)
	who.text("type", a.Type)
	who.text("id", a.ID)
	who.text("name", a.Name)
	o.Buf = who.End()
}
