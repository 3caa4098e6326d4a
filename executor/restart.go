package executor

import (
	"context"

	"heddle/executor/machine"
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
// active version. The old one is terminated if it is open, but only once it is
// known that the new one would be accepted. Errors: those of Start.
func (s *Service) Restart(ctx context.Context, req RestartRequest) (Record, error) {
	old, err := s.cfg.Store.Run(ctx, req.TenantID, req.RunID)
	if err != nil {
		return Record{}, err
	}
	start := StartRequest{
		TenantID: req.TenantID, Workflow: old.WorkflowID, Trigger: old.Trigger, Input: old.Input,
		Trace: req.Trace, Keep: req.Keep,
	}
	if err := s.acceptable(ctx, start); err != nil {
		return Record{}, err
	}
	if !old.State.Terminal() {
		if _, err := s.end(ctx, req.TenantID, req.RunID, machine.Terminate{Reason: "The run was restarted."}); err != nil {
			return Record{}, err
		}
	}
	return s.Start(ctx, start)
}

// acceptable tells whether a start would be accepted as things stand.
func (s *Service) acceptable(ctx context.Context, req StartRequest) error {
	target, err := s.cfg.Store.Target(ctx, req.TenantID, req.Workflow, req.Version)
	if err != nil {
		return err
	}
	if err := runnable(target, req.Trigger); err != nil {
		return err
	}
	c, err := s.plans.get(ctx, target.WorkflowID, target.Version, target.Hash)
	if err != nil {
		return err
	}
	return checkInput(c, req.Input)
}
