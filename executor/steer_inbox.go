package executor

import (
	"context"
	"errors"
	"heddle/audit"
	"heddle/deadline"
	"heddle/executor/machine"
	"heddle/fault"
	"time"
)

// How a node that does not lead waits for what becomes of an input.
const (
	outcomeEvery = 250 * time.Millisecond  // between two looks, if nothing is heard
	outcomeWait  = 3500 * time.Millisecond // the default of Config.OutcomeWait
)

// submit passes an input to a run: directly where this node leads, through the inbox
// otherwise. An input that is stored and that no node took in time is answered as the run
// stands, with outcome.pending. The audit lines of the request are marked as written where
// they are stored with the effect or with the pending input. Errors: the machine's refusal,
// and fault.Unavailable not_ready and outcome_unknown.
func (s *Steering) submit(ctx context.Context, tenantID, runID string, in machine.Input) (outcome, error) {
	trail := audit.TrailFrom(ctx)
	lines := auditLines(trail, runID, signalDetailOf(in))
	out, err := s.deliverOrPost(ctx, tenantID, runID, in, lines)
	if err == nil && (out.effect || out.pending) {
		trail.MarkWritten()
	}
	return out, err
}

// auditLines drafts what a request adds to the audit trail with its effect on a run; nil
// where the request is not audited. detail is nil for none.
func auditLines(t *audit.Trail, runID string, detail any) []audit.Entry {
	line, wanted, err := t.NewEntry(audit.Object{Kind: "run", ID: runID}, detail)
	if err != nil || !wanted {
		return nil
	}
	return []audit.Entry{line}
}

// signalDetail is the detail of the audit trail's line about a signal. Its JSON is stored.
type signalDetail struct {
	Signal    string `json:"signal"`
	RequestID string `json:"request_id,omitempty"`
}

// signalDetailOf is the detail of the line about an input; nil: it has none.
func signalDetailOf(in machine.Input) any {
	if sig, is := in.(machine.Signal); is {
		return signalDetail{sig.Name, sig.RequestID}
	}
	return nil
}

// insertionLines is auditLines for a new run: it is stored with the lines or not at all, so
// the trail is marked as written before the commit.
func insertionLines(t *audit.Trail, runID string) []audit.Entry {
	lines := auditLines(t, runID, nil)
	if lines != nil {
		t.MarkWritten()
	}
	return lines
}

// deliverOrPost delivers an input to the run where this node leads, and posts it where it
// does not, also if it stopped leading on the way and refused it. Where the lease was lost
// while the input was under way, the outcome is unknown and it is not posted: it could take
// effect twice.
func (s *Steering) deliverOrPost(ctx context.Context, tenantID, runID string, in machine.Input, lines []audit.Entry) (outcome, error) {
	out, err := s.askWith(ctx, runID, message{input: in, audit: lines})
	switch {
	case errors.Is(err, ErrFenced):
		return out, fault.Wrap(err, fault.Unavailable, "outcome_unknown",
			"Another node took over while this was under way; look at run %s before trying again.", runID)
	case fault.CodeOf(err) != "not_ready" || !s.term.serving.Load():
		return out, err
	}
	kind, data, posted := encodeInput(in, lines)
	if !posted {
		return out, err
	}
	p := Posted{ID: s.cfg.NewID("inp_"), TenantID: tenantID, RunID: runID, Kind: kind, Data: data, At: s.cfg.now()}
	if sig, is := in.(machine.Signal); is {
		p.RequestID = sig.RequestID
	}
	return s.deliverPosted(ctx, p, in)
}

// deliverPosted stores an input and waits for its outcome, for Config.OutcomeWait at most.
// One whose request id an input has that is not taken yet waits for that one's: where it is
// accepted this one is a repetition, where it is refused or withdrawn this one counts.
func (s *Steering) deliverPosted(ctx context.Context, p Posted, in machine.Input) (outcome, error) {
	grown, unwatch := s.cfg.Hub.Watch(p.RunID)
	defer unwatch()
	patience, enough := context.WithTimeout(ctx, s.cfg.OutcomeWait)
	defer enough()
	for {
		earlier, err := s.cfg.Store.Post(ctx, p)
		if err != nil {
			return outcome{}, err
		}
		if earlier == "" {
			s.cfg.Stored.Add(p.TenantID, int64(len(p.Data))) // the node that takes it counts for itself
			break
		}
		if patience.Err() != nil {
			return s.repeated(ctx, p, true)
		}
		taken, err := s.awaitOutcome(patience, earlier, grown)
		if err != nil {
			return outcome{}, err
		}
		if taken != nil && taken.Refusal == nil {
			return s.repeated(ctx, p, false)
		}
	}
	s.cfg.Crash("posted")
	s.inbox.wake() // this node may drive by now
	taken, err := s.awaitOutcome(patience, p.ID, grown)
	switch {
	case err != nil:
		return outcome{}, err
	case taken != nil:
		return s.outcomeOf(ctx, p, taken)
	}
	return s.answerPending(ctx, p, in)
}

// awaitOutcome waits until an input is taken; nil without an error: patience (a context)
// ended first. It looks when the run has grown (grown) and every outcomeEvery. An
// unavailable store is waited for.
func (s *Steering) awaitOutcome(patience context.Context, id string, grown <-chan struct{}) (*Taken, error) {
	for {
		taken, err := s.cfg.Store.Outcome(patience, id)
		if taken != nil {
			return taken, nil
		}
		if err != nil && fault.KindOf(err) != fault.Unavailable {
			return nil, err
		}
		again := time.NewTimer(outcomeEvery)
		select {
		case <-grown:
		case <-again.C:
		case <-patience.Done():
			again.Stop()
			return nil, nil
		}
		again.Stop()
	}
}

// repeated returns the answer to an input that was delivered before: the run as it stands,
// without an effect.
func (s *Steering) repeated(ctx context.Context, p Posted, pending bool) (outcome, error) {
	row, err := s.cfg.Store.Run(ctx, p.TenantID, p.RunID)
	return outcome{row: row, pending: pending}, err
}

// outcomeOf returns the answer that the node which took the input would have returned: its
// refusal, or the run's row in the state that the input left it in.
func (s *Steering) outcomeOf(ctx context.Context, p Posted, t *Taken) (outcome, error) {
	if t.Refusal != nil {
		return outcome{err: t.Refusal}, t.Refusal
	}
	row, err := s.cfg.Store.Run(ctx, p.TenantID, p.RunID)
	if err != nil {
		return outcome{}, err
	}
	// The row may have moved on since; the caller is told the state that its own input led
	// to.
	row.State = t.State
	return outcome{row: row, effect: t.Effect}, nil
}

// answerPending returns the answer while no node leads. The input stays and will be taken;
// one that the run as it stands would refuse is withdrawn and refused, and so is a restart
// or a Begin, because a repetition of it would count. If the withdrawal comes too late, the
// input was taken and its outcome is the answer.
func (s *Steering) answerPending(ctx context.Context, p Posted, in machine.Input) (outcome, error) {
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	run, row, _, err := s.plans.restore(ctx, p.RunID)
	if err != nil {
		return outcome{}, err
	}
	// Tried on the run as it is stored and dropped: what counts is whether it would be
	// refused.
	c, refused := apply(s.cfg.Log, run, machine.JournalOnly{Input: in}, s.cfg.now(), nil)
	if (p.Kind == kindRestart || p.Kind == kindBegin) && refused == nil {
		refused = notReady("No node drives runs; try again shortly.") // a second one would count
	}
	if refused != nil {
		if withdrawn, err := s.cfg.Store.Withdraw(ctx, p.ID); err != nil || withdrawn {
			return outcome{err: refused}, refused
		}
	}
	if taken, err := s.cfg.Store.Outcome(ctx, p.ID); err == nil && taken != nil {
		return s.outcomeOf(ctx, p, taken)
	}
	return outcome{row: row, effect: len(c.Events) > 0, pending: true}, nil
}

// steeringPending returns fault.Unavailable steering_pending, the answer where an input
// must have taken effect and has not yet.
func steeringPending(runID string) error {
	return fault.New(fault.Unavailable, "steering_pending",
		"The request is stored and takes effect as soon as a node drives runs again; look at run %s before repeating it.", runID)
}

// askWith delivers a message on this node and waits for what became of its input. Errors:
// fault.Unavailable not_ready where this node does not lead, outcome_unknown where the
// caller's time for the database is spent, ctx's where the caller went away. In the latter
// two cases the input is applied all the same.
func (s *Steering) askWith(ctx context.Context, runID string, m message) (outcome, error) {
	if !s.term.state().takesCommands() {
		return outcome{}, notReady("No executor is serving here; try again shortly.")
	}
	answer := make(chan outcome, 1)
	m.answer = answer
	s.registry.deliver(runID, m, false)
	bounded, call := deadline.Begin(ctx)
	defer call.End()
	select {
	case out := <-answer:
		return out, out.err
	case <-bounded.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return outcome{}, ctx.Err()
		}
		return outcome{}, outcomeUnknown()
	}
}

// outcomeUnknown returns fault.Unavailable outcome_unknown, the answer to a caller who has
// waited for the database for as long as a request may. What was requested goes on.
func outcomeUnknown() error {
	return fault.New(fault.Unavailable, "outcome_unknown",
		"The database does not answer: the request may have taken effect or not. Look before trying again.")
}
