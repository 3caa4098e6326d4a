package machine

import (
	"errors"
	"heddle/events"
	"heddle/expressions"
	"strconv"
	"strings"
)

// start decides about a step whose dependencies are finished: skip it, or make
// its first attempt.
func (t *turn) start(p place) {
	n, st := t.node(p), t.stepAt(p)
	switch {
	case n.needs > 0 && st.live == 0:
		t.emit(events.StepSkipped, p, 0, &Detail{Reason: "dependencies"})
		return
	case n.step.Disabled():
		t.emit(events.StepSkipped, p, 0, &Detail{Reason: "disabled"})
		return
	case n.guard != nil:
		wanted, err := n.guard.EvalBool(view{run: t.Run, at: p})
		if err != nil {
			t.emit(events.StepStarted, p, t.nextAttempt(p), &Detail{})
			t.fail(p, expressionFailure(err), Usage{})
			return
		}
		if !wanted {
			t.emit(events.StepSkipped, p, 0, &Detail{Reason: "if"})
			return
		}
	}
	t.attempt(p)
}

// nextAttempt numbers attempts so that no number is used twice for a place.
func (t *turn) nextAttempt(p place) int {
	s := t.scope(p.at)
	return int(max(s.step(p.step).attempt, s.base)) + 1
}

// attempt makes one attempt of a step.
func (t *turn) attempt(p place) {
	n := t.node(p)
	switch {
	case n.condition != nil:
		t.emit(events.StepStarted, p, t.nextAttempt(p), &Detail{})
		t.choose(p)
	case n.loop != nil:
		t.openLoop(p)
	case n.wait != nil:
		t.emit(events.StepStarted, p, t.nextAttempt(p), &Detail{})
		t.openWait(p)
	default:
		t.execute(p)
	}
}

func (t *turn) execute(p place) {
	n, attempt := t.node(p), t.nextAttempt(p)
	t.emit(events.StepStarted, p, attempt, &Detail{})
	t.effects = append(t.effects, Execute{
		Ref:          t.ref(p),
		Attempt:      attempt,
		Type:         n.step.Type,
		Config:       n.config,
		Scope:        view{run: t.Run, at: p},
		Timeout:      n.timeout,
		Key:          t.effectKey(p, ""),
		Since:        instant(t.stepAt(p).since),
		OutputSchema: n.step.OutputSchema,
	})
}

func (t *turn) ref(p place) Ref { return Ref{StepID: t.node(p).step.ID, Iteration: p.path()} }

// choose evaluates a condition's branches in order; the first true one wins.
func (t *turn) choose(p place) {
	c := t.node(p).condition
	for i, b := range c.branches {
		chosen := b.when == nil
		if !chosen {
			var err error
			if chosen, err = b.when.EvalBool(view{run: t.Run, at: p}); err != nil {
				t.fail(p, expressionFailure(err), Usage{})
				return
			}
		}
		if !chosen {
			continue
		}
		buf := make([]byte, 0, 40)
		buf = append(buf, `{"result":`...)
		buf = strconv.AppendBool(buf, b.when != nil)
		buf = append(append(append(buf, `,"branch":"`...), b.name...), `"}`...)
		t.complete(p, &Detail{Output: buf, branch: i + 1})
		return
	}
}

// complete journals a step's success. The output of a step that the machine
// performs itself is checked here, all others where they are performed.
func (t *turn) complete(p place, d *Detail) {
	st := t.stepAt(p)
	if c := t.node(p).output; c != nil && !st.falling {
		if issues := c.Check(d.Output); len(issues) > 0 {
			t.fail(p, permanent("output_schema", "The output does not fit output_schema: "+issues[0].Message), d.Usage)
			return
		}
	}
	if len(d.Output) > MaxInline { // of a step that the machine performs itself: all others are apart already
		var failure *Failure
		if d.Output, failure = t.apart(d.Output); failure != nil {
			t.fail(p, *failure, d.Usage)
			return
		}
	}
	d.LatencyMS = t.latency(st.begun)
	t.emit(events.StepCompleted, p, int(st.last), d)
}

func (t *turn) latency(since int64) int64 {
	if since == 0 {
		return 0
	}
	return max(t.now-since, 0)
}

// permanent is a failure that no retry mends.
func permanent(code, message string) Failure {
	return Failure{Error: Error{Code: code, Message: message}, Permanent: true}
}

// expressionFailure is a step's failure to evaluate what its definition says.
func expressionFailure(err error) Failure {
	f := permanent(expressions.CodeFailed, err.Error())
	if e, ok := errors.AsType[*expressions.Error](err); ok {
		f.Code, f.Message = e.Code, e.Message
	}
	return f
}

// stepEnded takes the end of an attempt; one that is not in action any more is
// ignored.
func (t *turn) stepEnded(in StepEnded) {
	if len(in.Output) == 0 {
		in.Output = null
	}
	if u := t.undoing; u != nil && u.Running && t.ref(u.At) == in.Ref && u.Attempt == in.Attempt {
		t.undone(in)
		return
	}
	p, ok := t.find(in.Ref.StepID, in.Ref.Iteration)
	if !ok {
		return
	}
	st := t.stepAt(p)
	if _, acting := t.action.get(st.slot); !acting || st.slot == 0 || int(st.last) != in.Attempt {
		return
	}
	switch {
	case t.node(p).wait != nil:
		t.probed(p, in)
	case in.Failure != nil:
		t.fail(p, *in.Failure, in.Usage)
	default:
		t.complete(p, &Detail{Output: in.Output, Usage: in.Usage})
	}
}

// fail decides what follows a failed attempt: another one, the fallback step,
// or the step's failure for good.
func (t *turn) fail(p place, f Failure, usage Usage) {
	n, st := t.node(p), t.stepAt(p)
	d := Detail{Error: cleaned(f.Error), LatencyMS: t.latency(st.begun), Usage: usage}
	attempt, halted := int(st.last), t.halted(p.at)
	again := n.retry.again(&f, int(st.tries))
	switch {
	case halted && (again || t.ending != nil && t.ending.Stop):
		t.emit(events.StepCancelled, p, attempt, &d)
	case again:
		wait := n.retry.after(int(st.tries)+1, t.fraction(p, attempt), f.RetryAfter)
		d.NextAttemptAt = instant(later(t.now, wait))
		t.emit(events.StepRetrying, p, attempt, &d)
	case n.fallback >= 0 && !halted && t.stepAt(place{p.at, n.fallback}).status == StepPending:
		d.Fallback = n.list.nodes[n.fallback].step.ID
		t.emit(events.StepRetrying, p, attempt, &d)
	default:
		t.emit(events.StepFailed, p, attempt, &d)
	}
}

// cleaned makes an error that its JSON gives back as it is.
func cleaned(e Error) *Error {
	e.Code = strings.ToValidUTF8(e.Code, "\ufffd")
	e.Message = strings.ToValidUTF8(e.Message, "\ufffd")
	return &e
}

// fallbackEnded gives a step the end of the fallback step that ran for it.
func (t *turn) fallbackEnded(p place, st *stepState) {
	n := t.node(p)
	o := t.stepAt(place{p.at, n.fallback})
	d := Detail{Fallback: n.list.nodes[n.fallback].step.ID}
	switch o.status {
	case StepCompleted:
		d.Output = o.output
		t.complete(p, &d)
		return
	case StepFailed:
		d.Error = o.err
	default:
		d.Error = st.err
	}
	t.emit(events.StepFailed, p, int(st.last), &d)
}
