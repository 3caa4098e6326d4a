package executor

import (
	"context"
	"errors"
	"heddle/events"
	"heddle/executor/machine"
)

// ResumeRequest says how a run goes on: from a step ("": where it stands), and on another
// version ("": its own; a number, "v3" or a label).
type ResumeRequest struct {
	FromStep string
	Version  string
	Redrive  string // "": none; see Redrive
	// After and Key are those of machine.Resume.
	After int64
	Key   string
}

// Resume continues a paused, failed or cancelled run; it is queued first. Errors:
// fault.Conflict run_not_resumable and run_moved; fault.Unacceptable unknown_step, step_not_reachable
// and, where the run's input does not fit the other version's schema, invalid_input;
// fault.NotFound version_not_found; those of the quotas of open runs and of stored bytes.
func (s *Steering) Resume(ctx context.Context, tenantID, runID string, req ResumeRequest) (Record, error) {
	in, err := s.resumeInput(ctx, tenantID, runID, req)
	if err != nil {
		return Record{}, err
	}
	return s.reopen(ctx, tenantID, runID, in)
}

// Unpause continues a paused run; any other is returned as it is. A reason counts against the
// quota of stored bytes.
func (s *Steering) Unpause(ctx context.Context, tenantID, runID string) (Record, error) {
	release, err := s.reserveReason(ctx, tenantID)
	if err != nil {
		return Record{}, err
	}
	defer release()
	return s.steer(ctx, tenantID, runID, machine.Resume{IfPaused: true, By: by(ctx)})
}

// PreviewResume returns what Resume would keep and what it would run again, and
// writes nothing. Its errors are those of Resume.
func (s *Steering) PreviewResume(ctx context.Context, tenantID, runID string, req ResumeRequest) ([]machine.ResumeDecision, error) {
	in, err := s.resumeInput(ctx, tenantID, runID, req)
	if err != nil {
		return nil, err
	}
	run, _, _, err := s.plans.restore(ctx, runID)
	if err != nil {
		return nil, err
	}
	return machine.PreviewResume(run, in)
}

// Redrive runs those iterations of a loop again that did not complete, in a
// failed, cancelled or paused run. Errors: fault.Conflict run_not_resumable;
// fault.Unacceptable unknown_step and step_not_redrivable.
func (s *Steering) Redrive(ctx context.Context, tenantID, runID, stepID string) (Record, error) {
	return s.reopen(ctx, tenantID, runID, machine.Resume{Redrive: stepID, By: by(ctx)})
}

// errFound ends a walk that has found what it was looking for.
var errFound = errors.New("found")

// ResumedBy reports whether one of a run's events after a seq is that of a resume with this
// key. It reads the journal from there up to that event.
func (s *Steering) ResumedBy(ctx context.Context, tenantID, runID string, after int64, key string) (bool, error) {
	_, err := s.reader.walk(ctx, tenantID, runID, after, func(e events.Event) error {
		if e.Kind != events.StateChanged {
			return nil
		}
		d, err := machine.ReadDetail(e)
		if err == nil && d.AnswerKey == key {
			err = errFound
		}
		return err
	})
	if errors.Is(err, errFound) {
		return true, nil
	}
	return false, err
}

// reopen is steer for what opens a run again that has ended, which counts against the quota
// of open runs and that of stored bytes as a start does. The reservations end once the run is
// stored as queued.
func (s *Steering) reopen(ctx context.Context, tenantID, runID string, in machine.Input) (Record, error) {
	row, err := s.cfg.Store.Run(ctx, tenantID, runID)
	if err != nil {
		return Record{}, err
	}
	reserve := s.reserveReason
	if row.State == machine.Failed || row.State == machine.Cancelled {
		if err := s.cfg.Quota.Reserve(ctx, tenantID, runID); err != nil {
			return Record{}, err
		}
		defer s.cfg.Quota.Release(tenantID, runID)
		reserve = func(ctx context.Context, tenantID string) (func(), error) {
			return s.reserveStored(ctx, tenantID, len(by(ctx).Reason))
		}
	}
	release, err := reserve(ctx, tenantID)
	if err != nil {
		return Record{}, err
	}
	defer release()
	return s.steer(ctx, tenantID, runID, in)
}

// resumeInput makes the machine's input of a request; the plan of another version is
// compiled for it, and the run's input checked against that version's schema. The version
// that the run is on counts as none.
func (s *Steering) resumeInput(ctx context.Context, tenantID, runID string, req ResumeRequest) (machine.Resume, error) {
	in := machine.Resume{FromStep: req.FromStep, Redrive: req.Redrive, After: req.After, Key: req.Key, By: by(ctx)}
	row, err := s.cfg.Store.Run(ctx, tenantID, runID)
	if err != nil || req.Version == "" {
		return in, err
	}
	target, err := s.cfg.Store.Target(ctx, tenantID, row.WorkflowID, req.Version)
	if err != nil || target.Version == row.Version {
		return in, err
	}
	c, err := s.plans.get(ctx, target.WorkflowID, target.Version, target.Hash)
	if err != nil {
		return in, err
	}
	in.Plan, in.Version, in.Hash = c.plan, target.Version, target.Hash
	_, err = admitInput(c, row.Input)
	return in, err
}
