package machine

import (
	"errors"
	"heddle/events"
	"heddle/expressions"
	"strconv"
	"strings"
)

// start decides about a step whose dependencies are finished: skip it, or make its first
// attempt. A guard that cannot be evaluated fails the step, which has to start for that.
func (t *transition) start(p position) {
	n, st := t.node(p), t.stepAt(p)
	switch {
	case n.dependencyCount > 0 && st.notSkipped == 0:
		t.emit(events.StepSkipped, p, 0, &Detail{Reason: "dependencies"})
		return
	case n.step.Disabled():
		t.emit(events.StepSkipped, p, 0, &Detail{Reason: "disabled"})
		return
	case n.guard != nil:
		wanted, err := n.guard.EvalBool(view{run: t.Run, position: p})
		if err != nil {
			t.emit(events.StepStarted, p, t.nextAttempt(p), &Detail{Generation: t.generation(p)})
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

// nextAttempt returns the number of a step's next attempt. No number is used twice for a
// position, also where a loop was tried again and the iteration begins without a state.
func (t *transition) nextAttempt(p position) int {
	s := t.scope(p.frame)
	return int(max(s.step(p.step).attemptNumber, s.attemptBase)) + 1
}

// attempt begins one attempt of a step, whose guard and dependencies were judged before. A
// condition ends in the same transition; so may a wait.
func (t *transition) attempt(p position) {
	n := t.node(p)
	switch {
	case n.condition != nil:
		t.emit(events.StepStarted, p, t.nextAttempt(p), &Detail{Generation: t.generation(p)})
		t.chooseBranch(p)
	case n.loop != nil:
		loops{t}.openLoop(p)
	case n.wait != nil:
		t.emit(events.StepStarted, p, t.nextAttempt(p), &Detail{Generation: t.generation(p)})
		waits{t}.openWait(p)
	default:
		t.execute(p)
	}
}

// execute begins an attempt that is performed outside.
func (t *transition) execute(p position) {
	n, attempt := t.node(p), t.nextAttempt(p)
	t.emit(events.StepStarted, p, attempt, &Detail{Generation: t.generation(p)})
	// The scope reads the run that this Apply returns: the state after all of its events.
	t.effects = append(t.effects, Execute{
		Ref:            t.ref(p),
		Attempt:        attempt,
		Type:           n.step.Type,
		Config:         n.config,
		Scope:          view{run: t.Run, position: p},
		Timeout:        n.timeout,
		IdempotencyKey: t.effectKey(p, ""),
		KeyFirstUsedAt: instant(t.stepAt(p).keyFirstUsedAt),
		OutputSchema:   n.step.OutputSchema,
		Retain:         t.plan.retain,
	})
}

// ref returns the name of a position for the outside.
func (t *transition) ref(p position) Ref { return Ref{StepID: t.node(p).step.ID, Iteration: p.path()} }

// chooseBranch evaluates a condition's branches in order; the first true one wins, and else
// is always true. The output is {"result": whether it is not else, "branch": its name}.
func (t *transition) chooseBranch(p position) {
	c := t.node(p).condition
	for i, b := range c.branches {
		chosen := b.when == nil
		if !chosen {
			var err error
			if chosen, err = b.when.EvalBool(view{run: t.Run, position: p}); err != nil {
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
func (t *transition) complete(p position, d *Detail) {
	st := t.stepAt(p)
	if c := t.node(p).output; c != nil && !st.fallbackRunning {
		if issues := c.Check(d.Output); len(issues) > 0 {
			t.fail(p, permanentFailure("output_schema", "The output does not fit output_schema: "+issues[0].Message), d.Usage)
			return
		}
	}
	if len(d.Output) > MaxInline { // of a step that the machine performs itself: all others are apart already
		var failure *Failure
		if d.Output, failure = t.externalize(d.Output); failure != nil {
			t.fail(p, *failure, d.Usage)
			return
		}
	}
	d.LatencyMS = t.latency(st.attemptStartedAt)
	t.emit(events.StepCompleted, p, int(st.lastAttempt), d)
}

// latency returns the milliseconds from since until now, never less than 0, because the
// clock may have gone back. since 0, which means never, is 0.
func (t *transition) latency(since int64) int64 {
	if since == 0 {
		return 0
	}
	return max(t.now-since, 0)
}

// permanentFailure returns a failure that no retry can change, with this code and message.
func permanentFailure(code, message string) Failure {
	return Failure{Error: Error{Code: code, Message: message}, Permanent: true}
}

// expressionFailure returns the permanent failure of a step whose definition
// cannot be evaluated, with the code of the expression's error.
func expressionFailure(err error) Failure {
	f := permanentFailure(expressions.CodeFailed, err.Error())
	if e, ok := errors.AsType[*expressions.Error](err); ok {
		f.Code, f.Message = e.Code, e.Message
	}
	return f
}

// stepEnded takes the end of an attempt. It belongs to the compensation in flight, or to
// the step in flight with that attempt number; any other is ignored, as an attempt that was
// cancelled or replaced meanwhile.
func (t *transition) stepEnded(in StepEnded) {
	if len(in.Output) == 0 {
		in.Output = null
	}
	if u := t.compensating; u != nil && u.running && t.ref(u.position) == in.Ref && u.attempt == in.Attempt {
		endings{t}.compensationAttemptEnded(in)
		return
	}
	p, ok := t.find(in.Ref.StepID, in.Ref.Iteration)
	if !ok {
		return
	}
	// The number is compared as well: the step may be in flight with a later attempt.
	st := t.stepAt(p)
	if _, acting := t.attempts.get(st.activityKey); !acting || st.activityKey == 0 || int(st.lastAttempt) != in.Attempt {
		return
	}
	switch {
	case t.node(p).wait != nil:
		waits{t}.probeEnded(p, in)
	case in.Failure != nil:
		t.fail(p, *in.Failure, in.Usage)
	default:
		t.complete(p, &Detail{Output: in.Output, Usage: in.Usage})
	}
}

// fail decides what follows a failed attempt: another one, the fallback step, or the step's
// permanent failure. Where nothing may start any more, a failure that would have been
// retried, or that came of the run's being stopped, ends the step as cancelled.
func (t *transition) fail(p position, f Failure, usage Usage) {
	n, st := t.node(p), t.stepAt(p)
	d := Detail{Error: validUTF8(f.Error), LatencyMS: t.latency(st.attemptStartedAt), Usage: usage}
	attempt, halted := int(st.lastAttempt), t.halted(p.frame)
	// Judged also where nothing may start: it decides between cancelled and failed.
	again := n.retry.retries(&f, int(st.failedAttempts))
	switch {
	case halted && (again || t.ending != nil && t.ending.Stop):
		t.emit(events.StepCancelled, p, attempt, &d)
	case again:
		delay := n.retry.delayAfter(int(st.failedAttempts)+1, t.fraction(p, attempt), f.RetryAfter)
		d.NextAttemptAt = instant(addDuration(t.now, delay))
		t.emit(events.StepRetrying, p, attempt, &d)
	case n.fallback >= 0 && !halted && t.stepAt(position{p.frame, n.fallback}).status == StepPending:
		d.Fallback = n.list.nodes[n.fallback].step.ID
		t.emit(events.StepRetrying, p, attempt, &d)
	default:
		t.emit(events.StepFailed, p, attempt, &d)
	}
}

// validUTF8 returns a copy of an error that reads back from its JSON as it is:
// what is not UTF-8 is replaced.
func validUTF8(e Error) *Error {
	e.Code = strings.ToValidUTF8(e.Code, "\ufffd")
	e.Message = strings.ToValidUTF8(e.Message, "\ufffd")
	return &e
}

// fallbackEnded ends a step as the fallback step ended that ran for it: with its output, or
// its error. Of a fallback step that was skipped or cancelled the step's own error stays.
func (t *transition) fallbackEnded(p position, st *stepState) {
	n := t.node(p)
	o := t.stepAt(position{p.frame, n.fallback})
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
	t.emit(events.StepFailed, p, int(st.lastAttempt), &d)
}
