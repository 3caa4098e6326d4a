package executor

import (
	"context"
	"errors"
	"heddle/deadline"
	"heddle/fault"
	"heddle/idempotency"
)

// RestartRequest names a run to run anew. Trace and Keep are those of a start.
type RestartRequest struct {
	TenantID string
	RunID    string
	Trace    Trace
	Keep     func(Record) *idempotency.Answer
}

// Restart starts a new run with the same input and trigger on the workflow's
// active version. An old one that is open is terminated in the transaction that
// stores the new one: both happen or neither. Errors: those of Start.
func (s *Service) Restart(ctx context.Context, req RestartRequest) (Record, error) {
	return deadline.Do(ctx, func(ctx context.Context) (Record, error) { return s.restart(ctx, req) }, outcomeUnknown)
}

func (s *Service) restart(ctx context.Context, req RestartRequest) (Record, error) {
	var err error
	for try := range restartTries {
		var rec Record
		rec, err = s.replaceOnce(ctx, req, try+1)
		if code := fault.CodeOf(err); !errors.Is(err, ErrFenced) && code != "workflow_changing" && code != "run_finished" {
			return rec, err
		}
	}
	return Record{}, fault.Wrap(err, fault.Conflict, "workflow_changing", "Run %s or its workflow is being changed; try again.", req.RunID)
}

func (s *Service) replaceOnce(ctx context.Context, req RestartRequest, try int) (Record, error) {
	old, err := s.cfg.Store.Run(ctx, req.TenantID, req.RunID)
	if err != nil {
		return Record{}, err
	}
	start := StartRequest{
		TenantID: req.TenantID, Workflow: old.WorkflowID, Trigger: old.Trigger, Input: old.Input,
		Trace: req.Trace, Keep: req.Keep, replaces: !old.State.Terminal(),
	}
	if old.State.Terminal() {
		return s.Start(ctx, start)
	}
	p, err := s.Prepare(ctx, start, try)
	if err != nil {
		return Record{}, err
	}
	if err := s.replaceRun(ctx, old, &p.Commit); err != nil && !s.wasStored(ctx, req.TenantID, p.Row.RunID, err) {
		return Record{}, asSuccessorRefusal(err)
	}
	s.Stored(p)
	return p.Row, nil
}

// acceptable tells whether a start would be accepted on a target.
func (s *Service) acceptable(ctx context.Context, target Target, req StartRequest) error {
	if err := runnable(target, req.Trigger); err != nil {
		return err
	}
	c, err := s.plans.get(ctx, target.WorkflowID, target.Version, target.Hash)
	if err != nil {
		return err
	}
	_, err = admitInput(c, req.Input)
	return err
}
