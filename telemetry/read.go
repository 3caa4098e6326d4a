package telemetry

import (
	"cmp"
	"encoding/json"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// spansOf reads which spans a growth ended, in the order of their ends. When they
// began is in the events, or in the run as it was before them; nothing else is
// remembered, so the process may be another one than the one that saw them begin.
func spansOf(g executor.Growth, p traceContext, sendsTrace func(stepType string) bool) []span {
	header := g.After.Header
	header.Input, header.Versions = nil, nil // spans in the queue hold no large values
	r := reader{
		before: g.Before, after: g.After, run: &subject{p, header}, sendsTrace: sendsTrace,
		open: make(map[machine.Ref]*machine.ActiveStep),
	}
	r.since = g.After.CreatedAt
	if g.Before != nil {
		r.life, r.since = g.Before.Resumes()
		if u, ok := g.Before.RunningCompensation(); ok {
			r.compensation = &u
		}
	}
	for i := range g.Events {
		r.read(&g.Events[i])
	}
	return r.out
}

// reader goes through the events of one growth in order. It belongs to one call of
// spansOf, and changes neither run.
type reader struct {
	before *machine.Run // nil: nothing of it counts any more
	after  *machine.Run
	run    *subject
	life   int       // how many resumes after the end there were
	since  time.Time // when this life began
	// sendsTrace reports whether attempts of a step type send requests.
	sendsTrace func(stepType string) bool

	open         map[machine.Ref]*machine.ActiveStep // as of the event at hand; nil: not under way
	compensation *machine.ActiveStep                 // the compensation in flight
	out          []span
}

// eventData is what a span needs of an event's data; no outputs are decoded. Role and
// Kind are a wait's or an attempt's, Hash, FromStep and Redrive a resume's.
type eventData struct {
	State    machine.State          `json:"state"`
	From     machine.State          `json:"from"`
	FromStep string                 `json:"from_step"`
	Redrive  string                 `json:"redrive"`
	Hash     string                 `json:"definition_hash"`
	Role     string                 `json:"role"`
	Kind     string                 `json:"kind"`
	Until    string                 `json:"until"`
	Error    *struct{ Code string } `json:"error"`
}

// code returns the error's code, or the argument where there is no error, or one
// without a code.
func (n *eventData) code(otherwise string) string {
	if n.Error == nil || n.Error.Code == "" {
		return otherwise
	}
	return n.Error.Code
}

// eventDataOf reads an event's data, but for the kinds whose output would be decoded
// for nothing. What is missing is zero.
func eventDataOf(ev *events.Event) (n eventData) {
	switch ev.Kind {
	case events.StepCompleted, events.CompensationCompleted, events.RunCompleted:
		return n
	default: // nothing to do for the others
	}
	if len(ev.Data) > 0 {
		_ = json.Unmarshal(ev.Data, &n) // what the machine wrote can be read
	}
	return n
}

// read follows one event: it opens what began and makes spans of what ended.
func (r *reader) read(ev *events.Event) {
	switch ev.Kind {
	case events.StateChanged:
		r.stateChanged(ev)
	case events.StepStarted:
		r.stepStarted(ev)
	case events.StepWaiting:
		r.stepWaiting(ev)
	case events.StepRetrying, events.StepInterrupted:
		r.attemptFailed(ev)
	case events.StepCompleted:
		r.stepEnded(ev, "completed", "")
	case events.StepFailed:
		n := eventDataOf(ev)
		r.stepEnded(ev, "failed", n.code("failed"))
	case events.StepCancelled:
		r.stepEnded(ev, "cancelled", "")
	case events.CompensationStarted:
		r.compensationStarted(ev)
	case events.CompensationCompleted:
		r.compensationEnded(ev.At, "completed", "")
	case events.CompensationFailed:
		n := eventDataOf(ev)
		r.compensationEnded(ev.At, "failed", n.code("failed"))
	case events.RunCompleted:
		r.runEnded(ev.At, "completed", "")
	case events.RunFailed:
		n := eventDataOf(ev)
		r.runEnded(ev.At, "failed", n.code("failed"))
	case events.RunCancelled:
		r.runEnded(ev.At, "cancelled", "")
	default: // nothing to do for the others
	}
}

// stateChanged looks for resumes that begin things anew: what was under way is
// dropped without an event of its own. These are a resume after the end, which
// begins a life, and one from a step, with a redrive or to another definition.
func (r *reader) stateChanged(ev *events.Event) {
	n := eventDataOf(ev)
	revived := n.From == machine.Failed || n.From == machine.Cancelled
	if n.State != machine.Queued || n.From == "" || !revived && n.FromStep == "" && n.Redrive == "" && n.Hash == "" {
		return
	}
	if revived {
		r.life, r.since = r.life+1, ev.At
	}
	r.closeSteps(ev.At)
}

// stepAt is where a step stands by now; nil: it is not under way. A step that began
// before this growth is taken from the run as it was, once, and followed from there.
func (r *reader) stepAt(ref machine.Ref) *machine.ActiveStep {
	if c, ok := r.open[ref]; ok {
		return c
	}
	if r.before == nil {
		return nil
	}
	c, ok := r.before.ActiveStep(ref)
	if !ok {
		return nil
	}
	r.open[ref] = &c
	return &c
}

// refOf returns the position that an event names.
func refOf(ev *events.Event) machine.Ref {
	return machine.Ref{StepID: ev.StepID, Iteration: ev.Iteration}
}

// stepStarted opens a step at its first attempt, and each attempt. The step's type is
// that of the definition after the growth.
func (r *reader) stepStarted(ev *events.Event) {
	c := r.stepAt(refOf(ev))
	if c == nil {
		c = &machine.ActiveStep{Ref: refOf(ev), Type: r.after.StepType(ev.StepID), Seq: ev.Seq, StartedAt: ev.At}
		r.open[c.Ref] = c
	}
	c.Attempt, c.AttemptStartedAt, c.AttemptRunning = ev.Attempt, ev.At, true
}

// stepWaiting: of a condition that is probed each probe is an attempt; any
// other wait is one attempt from its start to its end.
func (r *reader) stepWaiting(ev *events.Event) {
	c, n := r.stepAt(refOf(ev)), eventDataOf(ev)
	switch {
	case c == nil:
	case n.Role != "":
		c.Attempt, c.AttemptStartedAt, c.AttemptRunning = ev.Attempt, ev.At, true
	case n.Kind == "condition" && n.Until != "":
		r.attemptEnded(c, ev.At, "waiting", n.code(""))
	}
}

// attemptFailed ends an attempt after which the step goes on: it is tried again, or
// was interrupted by the end of a process.
func (r *reader) attemptFailed(ev *events.Event) {
	n := eventDataOf(ev)
	state, code := "retrying", n.code("failed")
	if ev.Kind == events.StepInterrupted {
		state, code = "interrupted", "interrupted"
	}
	if n.Role == "compensation" {
		r.compensationEnded(ev.At, state, code)
		return
	}
	if c := r.stepAt(refOf(ev)); c != nil {
		r.attemptEnded(c, ev.At, state, code)
	}
}

// attemptEnded makes the span of an attempt, unless it has ended already. Its span is
// a client's where the step's type sends requests with a traceparent.
func (r *reader) attemptEnded(c *machine.ActiveStep, at time.Time, state, code string) {
	if !c.AttemptRunning {
		return
	}
	c.AttemptRunning = false
	kind := trace.SpanKindInternal
	if r.sendsTrace(c.Type) {
		kind = trace.SpanKindClient
	}
	r.out = append(r.out, span{
		run: r.run, id: attemptSpan(r.run.RunID, c.Ref, c.Attempt), parent: stepSpan(r.run.RunID, c.Seq),
		name: "attempt " + c.StepID, kind: kind, start: c.AttemptStartedAt, end: at, state: state, code: code,
		step: c.Ref, stepType: c.Type, attempt: c.Attempt,
	})
}

// stepEnded ends a step that an event names. One that is not under way has no
// span.
func (r *reader) stepEnded(ev *events.Event, state, code string) {
	if c := r.stepAt(refOf(ev)); c != nil {
		r.closeStep(c, ev.At, state, code)
	}
}

// closeStep makes the spans of a step and of its open attempt, which ends in the same
// way. From then on the step is not under way.
func (r *reader) closeStep(c *machine.ActiveStep, at time.Time, state, code string) {
	r.attemptEnded(c, at, state, code)
	r.out = append(r.out, span{
		run: r.run, id: stepSpan(r.run.RunID, c.Seq), parent: r.parentOf(c.Ref),
		name: "step " + c.StepID, kind: trace.SpanKindInternal, start: c.StartedAt, end: at, state: state, code: code,
		step: c.Ref, stepType: c.Type,
	})
	r.open[c.Ref] = nil
}

// parentOf is the run's span, or of a step in a loop body the attempt of the
// loop. An iteration is a path such as "outer[3].inner[0]", whose last part names the
// loop.
func (r *reader) parentOf(ref machine.Ref) trace.SpanID {
	outer, last := "", ref.Iteration
	if i := strings.LastIndexByte(last, '.'); i >= 0 {
		outer, last = last[:i], last[i+1:]
	}
	id, _, inLoop := strings.Cut(last, "[")
	if inLoop {
		if loop := r.stepAt(machine.Ref{StepID: id, Iteration: outer}); loop != nil {
			return attemptSpan(r.run.RunID, loop.Ref, loop.Attempt)
		}
	}
	return runSpan(r.run.RunID, r.life)
}

// closeSteps ends what is under way, as cancelled, the inner steps first. From then on
// the run as it was before counts no more: its steps have ended, and a step of that
// name that starts later is another one.
func (r *reader) closeSteps(at time.Time) {
	if r.before != nil {
		for _, c := range r.before.ActiveSteps() {
			r.stepAt(c.Ref)
		}
		r.before = nil
	}
	var open []*machine.ActiveStep
	for _, c := range r.open {
		if c != nil {
			open = append(open, c)
		}
	}
	// An inner step's iteration is longer than its loop's. Its parent is the loop's
	// attempt, which has to be open still.
	slices.SortFunc(open, func(a, b *machine.ActiveStep) int {
		return cmp.Or(cmp.Compare(len(b.Iteration), len(a.Iteration)), cmp.Compare(a.Seq, b.Seq))
	})
	for _, c := range open {
		r.closeStep(c, at, "cancelled", "")
	}
}

// compensationStarted opens an attempt of a compensation. Seq, by which its span is
// linked to the step's, is known if the compensation is still in flight after the
// growth; otherwise the span has no link.
func (r *reader) compensationStarted(ev *events.Event) {
	r.compensation = &machine.ActiveStep{
		Ref: refOf(ev), Type: r.after.CompensationType(ev.StepID), Attempt: ev.Attempt, AttemptStartedAt: ev.At, AttemptRunning: true,
	}
	if u, ok := r.after.RunningCompensation(); ok && u.Ref == r.compensation.Ref {
		r.compensation.Seq = u.Seq
	}
}

// compensationEnded ends an attempt of a compensation: a child of the run, linked to
// the step that it undoes. Without one in flight it does nothing.
func (r *reader) compensationEnded(at time.Time, state, code string) {
	c := r.compensation
	if c == nil {
		return // it was interrupted before it failed
	}
	r.compensation = nil
	s := span{
		run: r.run, id: attemptSpan(r.run.RunID, c.Ref, c.Attempt), parent: runSpan(r.run.RunID, r.life),
		name: "compensate " + c.StepID, kind: trace.SpanKindInternal, start: c.AttemptStartedAt, end: at, state: state, code: code,
		step: c.Ref, stepType: c.Type, attempt: c.Attempt,
	}
	if c.Seq != 0 {
		s.link = stepSpan(r.run.RunID, c.Seq)
	}
	if r.sendsTrace(c.Type) {
		s.kind = trace.SpanKindClient
	}
	r.out = append(r.out, s)
}

// runEnded ends a life of the run, and what is still under way in it. One that a
// resume began is a child of the first.
func (r *reader) runEnded(at time.Time, state, code string) {
	r.closeSteps(at)
	if r.compensation != nil {
		r.compensationEnded(at, "cancelled", "")
	}
	s := span{
		run: r.run, id: runSpan(r.run.RunID, r.life), parent: r.run.callerSpan, remote: r.run.callerSpan.IsValid(),
		name: "run " + r.run.Slug, kind: trace.SpanKindInternal, start: r.since, end: at, state: state, code: code,
		life: r.life, usage: r.after.Usage,
	}
	if r.life > 0 {
		s.parent, s.remote = runSpan(r.run.RunID, 0), false
	}
	r.out = append(r.out, s)
}
