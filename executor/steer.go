package executor

import (
	"context"
	"heddle/audit"
	"heddle/executor/machine"
	"heddle/fault"
	"sync"
)

// Steering passes commands to runs: directly where this node leads, through the inbox
// otherwise. A command is answered after its effect is durable, or, where no node takes it
// in time, as pending. It is safe for concurrent use.
type Steering struct {
	cfg        *Config
	term       *term
	plans      *planCache
	reader     *Reader
	registry   *registry
	dispatcher *dispatcher
	inbox      *inbox
	feed       *feed
}

// Cancel asks a run to stop: running steps are told, compensations run, then the run is
// cancelled. It returns once the request is journalled. A finished run is returned
// unchanged. While no node drives runs the request is kept, and the run is returned as it
// stands. Errors: fault.NotFound run_not_found, fault.Unavailable outcome_unknown.
func (s *Steering) Cancel(ctx context.Context, tenantID, runID string) (Record, error) {
	row, _, err := s.steerUnlessFinished(ctx, tenantID, runID, machine.Cancel{By: by(ctx)})
	return row, err
}

// Terminate ends a run at once, without clean-up. A finished run is returned
// unchanged. While no node drives runs: fault.Unavailable steering_pending.
func (s *Steering) Terminate(ctx context.Context, tenantID, runID string) (Record, error) {
	return s.end(ctx, tenantID, runID, machine.Terminate{By: by(ctx)})
}

// end is steerUnlessFinished for a caller that needs the end to be journalled: a command
// that is pending is the error fault.Unavailable steering_pending.
func (s *Steering) end(ctx context.Context, tenantID, runID string, in machine.Input) (Record, error) {
	row, pending, err := s.steerUnlessFinished(ctx, tenantID, runID, in)
	if err == nil && pending {
		err = steeringPending(runID)
	}
	return row, err
}

// bySystem is the attribution of what the server does on its own account. It is not
// changed.
var bySystem = machine.Attribution{Actor: audit.Actor{Type: audit.System}}

// by returns for whom the context's work is done, and the reason that the caller stated.
func by(ctx context.Context) machine.Attribution {
	who, reason := audit.ActorOf(ctx)
	return machine.Attribution{Actor: who, Reason: reason}
}

// steerUnlessFinished is steer, but a run that has finished is returned unchanged, also
// when it finishes before the command reaches it. pending: the command waits in the inbox.
func (s *Steering) steerUnlessFinished(ctx context.Context, tenantID, runID string, in machine.Input) (row Record, pending bool, err error) {
	row, err = s.cfg.Store.Run(ctx, tenantID, runID)
	if err != nil || row.State.Terminal() {
		return row, false, err
	}
	out, err := s.submit(ctx, tenantID, runID, in)
	if fault.CodeOf(err) == "run_finished" {
		row, err = s.cfg.Store.Run(ctx, tenantID, runID)
		return row, false, err
	}
	return out.row, out.pending, err
}

// Pause lets attempts in flight end and starts nothing more. A paused run is returned
// unchanged; a finished one is fault.Conflict run_finished. It may return while the run is
// still pausing. A reason counts against the quota of stored bytes.
func (s *Steering) Pause(ctx context.Context, tenantID, runID string) (Record, error) {
	release, err := s.reserveReason(ctx, tenantID)
	if err != nil {
		return Record{}, err
	}
	defer release()
	return s.steer(ctx, tenantID, runID, machine.Pause{By: by(ctx)})
}

// steer passes a command to a run of the tenant and returns the run after it. A run that is
// queued by it, as by a resume, waits for a slot once it leaves memory. Errors: fault.NotFound run_not_found, the
// machine's refusal, and those of submit.
func (s *Steering) steer(ctx context.Context, tenantID, runID string, in machine.Input) (Record, error) {
	if _, err := s.cfg.Store.Run(ctx, tenantID, runID); err != nil {
		return Record{}, err
	}
	out, err := s.submit(ctx, tenantID, runID, in)
	return out.row, err
}

// CancelOpen cancels a workflow's open runs, 32 at a time, and returns once the cancels are
// journalled, with the first error. It is for the workflow's deletion, which has the line
// in the audit trail; the reason of that request becomes a part of theirs.
func (s *Steering) CancelOpen(ctx context.Context, tenantID, workflowID string) error {
	who, reason := audit.ActorOf(ctx)
	if reason == "" {
		reason = "The workflow was deleted."
	} else {
		reason = "The workflow was deleted: " + reason
	}
	ctx = audit.WithActor(ctx, who, reason)
	ids, err := s.cfg.Store.OpenRuns(ctx, tenantID, workflowID)
	if err != nil {
		return err
	}
	var (
		wg    sync.WaitGroup
		once  sync.Once
		first error
	)
	places := make(chan struct{}, 32)
	for _, id := range ids {
		places <- struct{}{}
		wg.Add(1)
		go func() {
			defer func() { <-places; wg.Done() }()
			if _, err := s.end(ctx, tenantID, id, machine.Cancel{By: by(ctx)}); err != nil && fault.KindOf(err) != fault.NotFound {
				once.Do(func() { first = err })
			}
		}()
	}
	wg.Wait()
	return first
}

// SignalOutcome is what became of a delivery. Row is the run after it.
type SignalOutcome struct {
	Row       Record
	Duplicate bool // the same (run, request id) was delivered before
	Pending   bool // no node drives runs now; it is stored and will be taken
}

// Signal delivers a signal and returns once it is journalled, or pending in the inbox. A
// payload that breaks the open wait's schema is fault.Unacceptable invalid_payload and
// leaves the wait open; one that holds a secret is secret_in_input; a finished run is
// fault.Conflict run_finished; beyond the quota of stored bytes it is fault.TooMany
// quota_exceeded.
func (s *Steering) Signal(ctx context.Context, tenantID, runID string, sig machine.Signal) (SignalOutcome, error) {
	if _, err := s.cfg.Store.Run(ctx, tenantID, runID); err != nil {
		return SignalOutcome{}, err
	}
	if err := refuseSecrets(ctx, s.cfg.Secrets, tenantID, sig.Payload); err != nil {
		return SignalOutcome{}, err
	}
	sig.By = by(ctx)
	release, err := s.reserveStored(ctx, tenantID, len(sig.Payload)+len(sig.Name)+len(sig.By.Reason))
	if err != nil {
		return SignalOutcome{}, err
	}
	defer release()
	out, err := s.submit(ctx, tenantID, runID, sig)
	return SignalOutcome{Row: out.row, Duplicate: err == nil && !out.effect, Pending: out.pending}, err
}

// Delete removes a finished run with its journal, logs and large values; an open one is
// fault.Conflict run_open. It works on every node.
func (s *Steering) Delete(ctx context.Context, tenantID, runID string) error {
	err := s.cfg.Store.DeleteRun(ctx, tenantID, runID)
	// Whatever became of it, the store knows.
	s.feed.forget(runID)
	return err
}
