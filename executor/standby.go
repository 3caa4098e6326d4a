package executor

import (
	"context"
	"errors"
	"heddle/audit"
	"heddle/executor/machine"
	"heddle/fault"
	"time"
)

// How a node that does not drive runs waits for what becomes of an input: how
// often it looks if it hears nothing, and how long at the most.
const (
	outcomeEvery = 250 * time.Millisecond
	outcomeWait  = 3500 * time.Millisecond
)

// submit hands an input to a run: directly where this node drives it, through
// the inbox otherwise. An input that is stored and that no node took in time is
// answered as things stand, with outcome.pending.
func (s *Service) submit(ctx context.Context, tenantID, runID string, in machine.Input) (outcome, error) {
	trail := audit.From(ctx)
	lines := auditLines(trail, runID, signalDetailOf(in))
	out, err := s.deliverOrPost(ctx, tenantID, runID, in, lines)
	if err == nil && (out.effect || out.pending) {
		trail.Mark()
	}
	return out, err
}

// auditLines drafts what a request adds to the audit trail with what it does to a
// run. detail is nil for none.
func auditLines(t *audit.Trail, runID string, detail any) []audit.Entry {
	line, wanted, err := t.Draft(audit.Object{Kind: "run", ID: runID}, detail)
	if err != nil || !wanted {
		return nil
	}
	return []audit.Entry{line}
}

// signalDetail is the detail of the audit trail's line about a signal.
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

// insertionLines is auditLines for a new run: it is stored with the lines or not
// at all.
func insertionLines(t *audit.Trail, runID string) []audit.Entry {
	lines := auditLines(t, runID, nil)
	if lines != nil {
		t.Mark()
	}
	return lines
}

func (s *Service) deliverOrPost(ctx context.Context, tenantID, runID string, in machine.Input, lines []audit.Entry) (outcome, error) {
	out, err := s.engine.askWith(ctx, runID, message{input: in, audit: lines})
	switch {
	case errors.Is(err, ErrFenced):
		return out, fault.Wrap(err, fault.Unavailable, "outcome_unknown",
			"Another node took over while this was under way; look at run %s before trying again.", runID)
	case fault.CodeOf(err) != "not_ready" || !s.serving.Load():
		return out, err
	}
	kind, data, posted := encodeInput(in, lines)
	if !posted {
		return out, err
	}
	p := Posted{ID: s.cfg.NewID("inp_"), TenantID: tenantID, RunID: runID, Kind: kind, Data: data, At: s.now()}
	if sig, is := in.(machine.Signal); is {
		p.RequestID = sig.RequestID
	}
	return s.deliverPosted(ctx, p, in)
}

// deliverPosted stores an input and waits for its outcome. One whose request id
// an input has that is not taken yet waits for that one's: where it is accepted
// this one is a repetition, where it is refused or withdrawn this one counts.
func (s *Service) deliverPosted(ctx context.Context, p Posted, in machine.Input) (outcome, error) {
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
	s.engine.inbox.wake() // this node may drive by now
	taken, err := s.awaitOutcome(patience, p.ID, grown)
	switch {
	case err != nil:
		return outcome{}, err
	case taken != nil:
		return s.outcomeOf(ctx, p, taken)
	}
	return s.answerPending(ctx, p, in)
}

// awaitOutcome waits until an input is taken; nil: not while patience lasted.
func (s *Service) awaitOutcome(patience context.Context, id string, grown <-chan struct{}) (*Taken, error) {
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

// repeated is the answer to an input that was delivered before.
func (s *Service) repeated(ctx context.Context, p Posted, pending bool) (outcome, error) {
	row, err := s.cfg.Store.Run(ctx, p.TenantID, p.RunID)
	return outcome{row: row, pending: pending}, err
}

// outcomeOf is the answer that the node which took the input would have given.
func (s *Service) outcomeOf(ctx context.Context, p Posted, t *Taken) (outcome, error) {
	if t.Refusal != nil {
		return outcome{err: t.Refusal}, t.Refusal
	}
	row, err := s.cfg.Store.Run(ctx, p.TenantID, p.RunID)
	if err != nil {
		return outcome{}, err
	}
	row.State = t.State
	return outcome{row: row, effect: t.Effect}, nil
}

// answerPending is the answer while no node drives runs. The input stays and will be
// taken; one that the run as it stands would refuse is withdrawn and refused.
func (s *Service) answerPending(ctx context.Context, p Posted, in machine.Input) (outcome, error) {
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	run, row, _, err := s.restore(ctx, p.RunID)
	if err != nil {
		return outcome{}, err
	}
	c, refused := apply(s.cfg.Log, run, machine.JournalOnly{Input: in}, s.now(), nil)
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

// steeringPending is the answer where an input must have taken effect and has
// not yet.
func steeringPending(runID string) error {
	return fault.New(fault.Unavailable, "steering_pending",
		"The request is stored and takes effect as soon as a node drives runs again; look at run %s before repeating it.", runID)
}

// listen passes on what other nodes tell, as long as this one serves.
func (s *Service) listen(ctx context.Context) {
	for ctx.Err() == nil {
		if err := s.cfg.Store.Listen(ctx, s.heard); err != nil && ctx.Err() == nil {
			s.cfg.Log.Warn("other nodes are not heard; looking every second instead", "error", err)
		}
		sleep(ctx, pollEvery)
	}
}

// heard: a node that drives knows of growth itself and wants to know of work;
// on the others it is the other way round.
func (s *Service) heard(n Notice) {
	e := s.engine
	if n.Work {
		e.queued()
		e.inbox.wake()
	}
	switch {
	case e.driving.Load():
	case n.Runs == nil:
		s.cfg.Hub.WakeAll()
	default:
		for _, id := range n.Runs {
			s.cfg.Hub.Wake(id)
		}
	}
}
