package executor

import (
	"context"
	"heddle/audit"
	"heddle/executor/machine"
	"heddle/fault"
	"sync"
)

// Steering passes commands to runs: directly where this node leads, through the
// inbox otherwise.
type Steering struct {
	cfg        *Config
	term       *term
	plans      *planCache
	reader     *Reader
	registry   *registry
	dispatcher *dispatcher
	inbox      *inbox
}

// Cancel asks a run to stop: running steps are told, compensations run, then
// the run is cancelled. A finished run is returned unchanged. While no node
// drives runs the request is kept, and the run is returned as it stands.
func (s *Steering) Cancel(ctx context.Context, tenantID, runID string) (Record, error) {
	row, _, err := s.steerUnlessFinished(ctx, tenantID, runID, machine.Cancel{By: by(ctx)})
	return row, err
}

// Terminate ends a run at once, without clean-up. A finished run is returned
// unchanged. While no node drives runs: fault.Unavailable steering_pending.
func (s *Steering) Terminate(ctx context.Context, tenantID, runID string) (Record, error) {
	return s.end(ctx, tenantID, runID, machine.Terminate{By: by(ctx)})
}

// end is finish where the end must be journalled.
func (s *Steering) end(ctx context.Context, tenantID, runID string, in machine.Input) (Record, error) {
	row, pending, err := s.steerUnlessFinished(ctx, tenantID, runID, in)
	if err == nil && pending {
		err = steeringPending(runID)
	}
	return row, err
}

// bySystem is the server itself.
var bySystem = machine.Attribution{Actor: audit.Actor{Type: audit.System}}

// by says for whom the context's work is done.
func by(ctx context.Context) machine.Attribution {
	who, reason := audit.ActorOf(ctx)
	return machine.Attribution{Actor: who, Reason: reason}
}

// steerUnlessFinished is steer where a run that has finished is returned unchanged.
// pending: the command waits in the inbox.
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

// Pause lets attempts in flight end and starts nothing more. A paused run is
// returned unchanged; a finished one is fault.Conflict run_finished.
func (s *Steering) Pause(ctx context.Context, tenantID, runID string) (Record, error) {
	return s.steer(ctx, tenantID, runID, machine.Pause{By: by(ctx)})
}

// steer passes a command to a run of the tenant.
func (s *Steering) steer(ctx context.Context, tenantID, runID string, in machine.Input) (Record, error) {
	if _, err := s.cfg.Store.Run(ctx, tenantID, runID); err != nil {
		return Record{}, err
	}
	out, err := s.submit(ctx, tenantID, runID, in)
	if err == nil && out.row.State == machine.Queued {
		s.dispatcher.queued()
	}
	return out.row, err
}

// CancelOpen cancels a workflow's open runs and returns once the cancels are
// journalled. It is for the workflow's deletion, which has the line in the audit
// trail.
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

// SignalOutcome is what became of a delivery.
type SignalOutcome struct {
	Row       Record
	Duplicate bool // the same (run, request id) was delivered before
}

// Signal delivers a signal. A payload that breaks the open wait's schema is
// fault.Unacceptable invalid_payload and leaves the wait open; a finished run
// is fault.Conflict run_finished.
func (s *Steering) Signal(ctx context.Context, tenantID, runID string, sig machine.Signal) (SignalOutcome, error) {
	if _, err := s.cfg.Store.Run(ctx, tenantID, runID); err != nil {
		return SignalOutcome{}, err
	}
	if err := refuseSecrets(ctx, s.cfg.Secrets, tenantID, sig.Payload); err != nil {
		return SignalOutcome{}, err
	}
	sig.By = by(ctx)
	out, err := s.submit(ctx, tenantID, runID, sig)
	return SignalOutcome{Row: out.row, Duplicate: err == nil && !out.effect}, err
}

// Delete removes a finished run with its journal; an open one is fault.Conflict
// run_open.
func (s *Steering) Delete(ctx context.Context, tenantID, runID string) error {
	return s.cfg.Store.DeleteRun(ctx, tenantID, runID)
}
