package machine

import (
	"encoding/json"
	"heddle/events"
	"time"
)

// RequestChange is what a change does to an input request, the open wait for a signal that
// people see as an approval: exactly one of Opened and End is set. In a Change they stand in
// the order in which they happened, so that one which is opened and answered by a kept signal
// has two.
type RequestChange struct {
	// ID is the request's; "" with End: of every open request of the run.
	//
	// Its JSON is kept in the inbox while a restart waits there.
	ID     string        `json:"id,omitempty"`
	At     time.Time     `json:"at"`
	Opened *InputRequest `json:"opened,omitempty"`
	End    RequestEnd    `json:"end,omitempty"`
	// The answer, with RequestAnswered.
	By      Attribution     `json:"by,omitzero"`       // who sent the signal; the reason is the sender's comment
	Payload json.RawMessage `json:"payload,omitempty"` // one JSON value
	Key     string          `json:"key,omitempty"`     // Signal.Key
}

// RequestEnd says how an input request ended.
type RequestEnd string

// The ends of a request.
const (
	RequestAnswered  RequestEnd = "answered"
	RequestExpired   RequestEnd = "expired"   // its wait or step timed out
	RequestCancelled RequestEnd = "cancelled" // the run ended, or goes on without it
)

// InputRequest is an input request as it was opened.
type InputRequest struct {
	Ref      Ref
	Seq      int64 // of input_requested
	StepName string
	Signal   string
	Prompt   string // "": none
	// Schema is that of the payload, nil: any fits. Choices is a list of texts of which the
	// payload is one; nil: none are given.
	Schema  json.RawMessage `json:",omitempty"`
	Choices json.RawMessage `json:",omitempty"`
	// Context is an object of what the approver is shown; nil: nothing.
	Context json.RawMessage `json:",omitempty"`
	// Assignees are names or ids of who is asked; nil: anyone who may answer.
	Assignees []string
	ExpiresAt time.Time // zero: never
	OnTimeout string    // fail or continue
}

// requestBefore is what noteRequests knows of the state before an event.
type requestBefore struct {
	id    string // of the open request at the event's position; "": none
	waits int    // open waits for a signal in the run
}

// beforeRequests reads what noteRequests compares. It costs nothing in a run without open
// waits for a signal.
func (t *transition) beforeRequests(p position) requestBefore {
	b := requestBefore{waits: t.signalWaits}
	if b.waits == 0 || p.step < 0 {
		return b
	}
	if w := t.stepAt(p).wait; w != nil && w.Kind == waitSignal {
		b.id = w.RequestID
	}
	return b
}

// noteRequests adds what an event, which has been folded, does to input requests. An answer
// that is kept until a paused run goes on ends its request at once: who answered is done.
func (t *transition) noteRequests(b requestBefore, ev *events.Event, p position, d *Detail) {
	c := RequestChange{ID: b.id, At: ev.At}
	switch {
	case ev.Kind == events.InputRequested:
		c.ID, c.Opened = d.RequestID, t.openedRequest(ev, p, d)
	case b.waits == 0:
		return
	case ev.Kind == events.SignalReceived:
		// Only one that names an open request; others are judged when a wait takes them.
		if _, aimed := t.openRequest(d.RequestID); !aimed {
			return
		}
		c.ID, c.End, c.By, c.Payload, c.Key = d.RequestID, RequestAnswered, Attribution{d.Actor, d.Reason}, d.Payload, d.AnswerKey
	case ev.Kind == events.InputResolved:
		c.End, c.By, c.Payload, c.Key = RequestAnswered, d.answeredBy, d.Payload, d.AnswerKey
	case p == wholeRun && t.signalWaits == 0:
		c.ID, c.End = "", RequestCancelled
	case b.id == "" || t.stepAt(p).wait != nil:
		return
	case ev.Kind == events.StepCompleted && d.timedOut, ev.Kind == events.StepFailed && (d.Error.Code == codeTimeout || d.Error.Code == codeWaitTimeout):
		c.End = RequestExpired
	case ev.Kind == events.StepCompleted:
		return // it was answered, by the event before
	default:
		c.End = RequestCancelled
	}
	t.requests = append(t.requests, c)
}

// openedRequest returns the request that an event opened.
func (t *transition) openedRequest(ev *events.Event, p position, d *Detail) *InputRequest {
	n, w := t.node(p), t.stepAt(p).wait
	r := &InputRequest{
		Ref: Ref{n.step.ID, p.path()}, Seq: ev.Seq, StepName: n.step.Name, Signal: d.Name, Prompt: d.Prompt,
		Schema: d.Schema, Choices: d.Choices, Context: d.Context, ExpiresAt: instant(w.TimeoutAt), OnTimeout: "fail",
	}
	if n.wait.continueOnTimeout {
		r.OnTimeout = "continue"
	}
	_ = json.Unmarshal(d.Assignees, &r.Assignees) // a list of texts that openSignalWait wrote, or nothing
	return r
}

// CancelRequests returns the change that ends every open request of a run which is ended
// without being loaded.
func CancelRequests(at time.Time) []RequestChange {
	return []RequestChange{{At: at, End: RequestCancelled}}
}
