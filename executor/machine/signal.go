package machine

import (
	"encoding/json"
	"fmt"
	"heddle/events"
	"heddle/expressions"
	"heddle/fault"
	"heddle/internal/exactjson"
	"slices"
	"strconv"
	"time"
)

// signal journals a signal and resolves the wait that it ends: that of the request which it
// names, or the one that has been open longest for its name. One whose request id is known
// already has no effect. It is refused, and nothing is journalled, where the run has ended
// (fault.Conflict run_finished), where the request waits for another name
// (fault.Unacceptable signal_mismatch), or where the payload does not fit the schema of the
// wait that would take it (invalid_payload). A signal that no wait takes is kept.
//
// A signal with the request id of an open request can resolve that wait alone; any other is
// judged by its name. While the run is queued, pausing, paused or ending every signal is
// kept, and the open waits look at the kept ones when it goes on.
func (t *transition) signal(in Signal) error {
	if _, known := t.signals.seen.get(in.RequestID); known && in.RequestID != "" {
		return nil
	}
	if t.State.Terminal() {
		return finishedError(t.Run)
	}
	in.Payload = orNull(in.Payload)
	wait, aimed := t.openRequest(in.RequestID)
	if aimed && t.stepAt(wait).wait.Name != in.Name {
		return fault.New(fault.Unacceptable, "signal_mismatch", "Input request %s waits for signal '%s', not '%s'.", in.RequestID, t.stepAt(wait).wait.Name, in.Name)
	}
	// A signal that names an open request is for that wait alone; any other goes to the one
	// that has waited longest, unless signals are kept for now.
	taken := aimed
	if !aimed && !t.keepsSignals() {
		wait, taken = waits{t}.oldestWait(in.Name)
	}
	if taken {
		if issues := (waits{t}).checkPayload(wait, in.Payload); len(issues) > 0 {
			err := fault.New(fault.Unacceptable, "invalid_payload", "The payload does not fit the schema of step '%s'.", t.node(wait).step.ID)
			err.Issues = issues
			return err
		}
	}
	t.emit(events.SignalReceived, wholeRun, 0, in.By.addToDetail(&Detail{Name: in.Name, RequestID: in.RequestID, Payload: in.Payload, AnswerKey: in.Key}))
	if t.keepsSignals() {
		return nil
	}
	if taken {
		waits{t}.resolve(wait, uint64(t.Seq))
	}
	// A condition may read the signal, whether or not a wait took it.
	t.queuePolls()
	return nil
}

// keepsSignals reports whether signals are kept for later instead of resolving waits: the
// run is queued, paused or ending.
func (t *transition) keepsSignals() bool { return t.suspended() || t.ending != nil }

// oldestWait returns the wait for a signal of this name that was opened first; false: none
// is open. O(parked).
func (t waits) oldestWait(name string) (found position, ok bool) {
	if t.signalWaits == 0 {
		return found, false
	}
	t.parked.all(func(_ uint64, p position) bool {
		if st := t.stepAt(p); st.status == StepWaiting && st.wait.Kind == waitSignal && st.wait.Name == name {
			found, ok = p, true
		}
		return !ok
	})
	return found, ok
}

// checkPayload returns the issues of a payload against the schema of a wait; none: it fits.
func (t waits) checkPayload(p position, payload json.RawMessage) []fault.Issue {
	if c := t.node(p).wait.checker; c != nil {
		return c.Check(payload)
	}
	return nil
}

// resolve ends an open signal wait with the kept signal of that seq, which must be there.
func (t waits) resolve(p position, seq uint64) {
	s, _ := t.signals.kept.get(seq)
	w := t.stepAt(p).wait
	t.emit(events.InputResolved, p, int(t.stepAt(p).lastAttempt), &Detail{
		RequestID: w.RequestID, Name: s.Name, Payload: s.Payload, SignalSeq: int64(seq), answeredBy: Attribution{s.Actor, s.Reason}, AnswerKey: s.Key,
	})
	t.complete(p, &Detail{Output: signalOutput(s.Name, s.Payload, w.RequestID, s.At)})
}

// signalOutput returns the output of a signal wait; at is when the signal came, in
// milliseconds, 0: the wait timed out.
func signalOutput(name string, payload json.RawMessage, requestID string, at int64) json.RawMessage {
	o := objectIn(make([]byte, 0, 128+len(payload)))
	o.text("name", name)
	o.raw("payload", payload)
	o.text("request_id", requestID)
	if at == 0 {
		o.raw("received_at", null)
		o.raw("timed_out", json.RawMessage("true"))
	}
	o.instant("received_at", instant(at))
	return o.End()
}

// openSignalWait opens a wait for a signal with its input request, and takes a
// kept signal at once.
func (t waits) openSignalWait(p position) {
	w, scope := t.node(p).wait, view{run: t.Run, position: p}
	request, err := w.renderRequest(scope)
	if err != nil {
		t.fail(p, expressionFailure(err), Usage{})
		return
	}
	attempt := int(t.stepAt(p).lastAttempt)
	request.RequestID = t.requestID(p, attempt)
	t.emit(events.StepWaiting, p, attempt, &Detail{Kind: waitSignal, Name: request.Name, TimeoutAt: t.waitTimeoutAt(p)})
	t.emit(events.InputRequested, p, attempt, &request)
	t.takeKeptSignal(p)
}

// renderRequest returns the detail of input_requested, but for the request's id. Errors:
// those of expressions, the name's before the prompt's.
func (w *waitPlan) renderRequest(scope view) (Detail, error) {
	d := Detail{Schema: w.schema, Choices: w.choices}
	for _, field := range []struct {
		template *expressions.Template
		text     *string
	}{{w.name, &d.Name}, {w.prompt, &d.Prompt}} {
		if field.template == nil {
			continue
		}
		raw, err := field.template.Render(scope)
		if err == nil {
			*field.text, err = renderedText(raw)
		}
		if err != nil {
			return d, err
		}
	}
	if w.context != nil {
		raw, err := w.context.Render(scope)
		if err != nil {
			return d, err
		}
		d.Context = boundContext(raw)
	}
	if w.assignees == nil {
		return d, nil
	}
	raw, err := w.assignees.Render(scope)
	if err == nil {
		d.Assignees, err = assigneesOf(raw)
	}
	return d, err
}

// maxContext is how many bytes of context an approver is shown at most.
const maxContext = 64 << 10

// boundContext returns a rendered context, or for one beyond maxContext an object that says
// how large it is: the journal and every list would carry it.
func boundContext(raw json.RawMessage) json.RawMessage {
	if len(raw) <= maxContext {
		return raw
	}
	return json.RawMessage(`{"$omitted":` + strconv.Itoa(len(raw)) + `}`)
}

// maxAssignees is how many assignees a request has at most.
const maxAssignees = 50

// assigneesOf returns rendered assignees as a list of distinct texts that are not empty; nil:
// there are none. A template may render to a list. More than maxAssignees, or a value that is
// neither a text nor a list of texts, is an error of expressions.
func assigneesOf(raw json.RawMessage) (json.RawMessage, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, wrongAssignees()
	}
	var names []string
	for _, item := range items {
		var several []string
		var one string
		switch {
		case json.Unmarshal(item, &one) == nil:
			several = []string{one}
		case json.Unmarshal(item, &several) != nil:
			return nil, wrongAssignees()
		}
		for _, name := range several {
			if name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) > maxAssignees {
		return nil, wrongAssignees()
	}
	if names == nil {
		return nil, nil
	}
	return exactjson.Encode(names)
}

// wrongAssignees returns the error of assignees that cannot be used.
func wrongAssignees() error {
	return &expressions.Error{Code: expressions.CodeType, Message: fmt.Sprintf("signal.assignees must be texts, or lists of texts, at most %d", maxAssignees)}
}

// renderedText reads a rendered text; a template that rendered to another JSON value is
// printed as its JSON.
func renderedText(raw json.RawMessage) (string, error) {
	var text string
	if len(raw) > 0 && raw[0] == '"' {
		err := json.Unmarshal(raw, &text)
		return text, err
	}
	return string(raw), nil
}

// takeKeptSignal resolves an open wait with the first kept signal that fits: one aimed at
// its request before the others, those in order of arrival. A signal that does not fit the
// schema is rejected, which is journalled and removes it, and the wait stays open. O(kept).
func (t waits) takeKeptSignal(p position) {
	if t.signals.kept.len() == 0 {
		return
	}
	w := t.stepAt(p).wait
	var candidates []uint64
	t.signals.kept.all(func(seq uint64, s keptSignal) bool {
		switch {
		// In front, because its sender saw this very request.
		case s.Aimed && s.RequestID == w.RequestID:
			candidates = append([]uint64{seq}, candidates...)
		case !s.Aimed && s.Name == w.Name:
			candidates = append(candidates, seq)
		}
		return true
	})
	for _, seq := range candidates {
		s, _ := t.signals.kept.get(seq)
		issues := t.checkPayload(p, s.Payload)
		if len(issues) == 0 {
			t.resolve(p, seq)
			return
		}
		t.emit(events.SignalRejected, p, int(t.stepAt(p).lastAttempt), &Detail{
			Name: s.Name, RequestID: s.RequestID, SignalSeq: int64(seq),
			Error: &Error{Code: "invalid_payload", Message: issues[0].Message},
		})
	}
}

// finishedError returns fault.Conflict run_finished, which refuses a command to a run that
// has ended.
func finishedError(r *Run) error {
	return fault.New(fault.Conflict, "run_finished", "Run %s is %s and takes no more input.", r.RunID, r.State).
		With("completed_at", r.CompletedAt.Format(time.RFC3339Nano))
}
