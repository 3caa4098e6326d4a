package machine

import "heddle/audit"

// Attribution says by whom and why a run is steered; the zero value: it is not known.
// The journal has it with the event that follows.
type Attribution struct {
	Actor  audit.Actor `json:"actor,omitzero"`
	Reason string      `json:"reason,omitempty"`
}

// addToDetail puts it on an event, without covering a reason that the machine gives.
func (b Attribution) addToDetail(d *Detail) *Detail {
	d.Actor = b.Actor
	if d.Reason == "" {
		d.Reason = b.Reason
	}
	return d
}

// The details of the error of a run that was ended by somebody.
const (
	detailBy     = "cancelled_by"
	detailReason = "reason"
)

// addTo adds it to the error of a run that ends by it, so that the run tells
// for as long as it is kept.
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

// cancelledBy is By of the error of a run that is cancelled; that of a failed one is a
// step's.
func (e *ending) cancelledBy() Attribution {
	if e.Outcome != Cancelled {
		return Attribution{}
	}
	return e.Error.CancelledBy()
}

// CancelledBy says by whom and why a cancelled run was ended, as far as its error tells.
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

// actor appends who did something.
func (o *jsonObject) actor(a audit.Actor) {
	if !a.Known() {
		return
	}
	o.key("actor")
	who := jsonObject{o.buf, len(o.buf)}
	who.text("type", a.Type)
	who.text("id", a.ID)
	who.text("name", a.Name)
	o.buf = append(who.buf, '}')
}
