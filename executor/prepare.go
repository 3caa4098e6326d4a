package executor

import (
	"context"
	"encoding/json"
	"errors"

	"heddle/executor/machine"
)

// Prepare makes the insertion of a queued run that a feature stores together
// with rows of its own; Stored is to be called once it is committed. Errors:
// those of Start but for what a commit refuses. fresh reads the workflow again
// instead of trusting what is remembered: for a commit that was ErrStale.
func (s *Service) Prepare(ctx context.Context, req StartRequest, fresh bool) (Commit, error) {
	if len(req.Input) == 0 {
		req.Input = json.RawMessage("{}")
	}
	if err := s.withoutSecrets(ctx, req.TenantID, req.Input); err != nil {
		return Commit{}, err
	}
	for ; ; fresh = true {
		target, err := s.targets.get(ctx, s.cfg.Store, targetKey{req.TenantID, req.Workflow, req.Version}, fresh)
		if err != nil {
			return Commit{}, err
		}
		created, err := s.create(ctx, target, req)
		if errors.Is(err, ErrStale) && !fresh {
			continue
		}
		if err != nil {
			return Commit{}, err
		}
		key, err := s.roomFor(ctx, created.Run)
		if err != nil {
			return Commit{}, err
		}
		c := Commit{
			Row:    rowOf(created.Run, req.Trace, created.Run.CreatedAt),
			Events: created.Events, Revision: target.Revision,
		}
		c.Row.ConcurrencyKey = key
		if req.Keep != nil {
			c.Answer = req.Keep(c.Row)
		}
		return c, nil
	}
}

// create makes a queued run of the target, or says why there is none.
func (s *Service) create(ctx context.Context, target Target, req StartRequest) (machine.Change, error) {
	if err := runnable(target, req.Trigger); err != nil {
		return machine.Change{}, s.unlessStale(ctx, target, req, err)
	}
	c, err := s.plans.get(ctx, target.WorkflowID, target.Version, target.Hash)
	if err != nil {
		return machine.Change{}, err
	}
	if err := checkInput(c, req.Input); err != nil {
		return machine.Change{}, s.unlessStale(ctx, target, req, err)
	}
	now := s.now()
	header := machine.Header{
		RunID: s.cfg.NewID("run_"), TenantID: req.TenantID,
		WorkflowID: target.WorkflowID, Slug: target.Slug, Version: target.Version, Hash: target.Hash,
		Trigger: req.Trigger, Input: req.Input, CreatedAt: now,
	}
	return machine.New(c.plan, header, now), nil
}

// Stored tells that queued runs were committed by another than this service.
func (s *Service) Stored() {
	s.engine.backlog.mark()
	s.engine.kick()
}

// Leading tells whether this process drives runs.
func (s *Service) Leading() bool { return s.engine.driving.Load() }

// Resolve finds the workflow version that a start would run and checks the
// input against its schema; the workflow's status does not matter. Errors:
// fault.NotFound workflow_not_found and version_not_found, fault.Unacceptable
// invalid_input.
func (s *Service) Resolve(ctx context.Context, req StartRequest) (Target, error) {
	if len(req.Input) == 0 {
		req.Input = json.RawMessage("{}")
	}
	if err := s.withoutSecrets(ctx, req.TenantID, req.Input); err != nil {
		return Target{}, err
	}
	target, err := s.targets.get(ctx, s.cfg.Store, targetKey{req.TenantID, req.Workflow, req.Version}, true)
	if err != nil {
		return Target{}, err
	}
	c, err := s.plans.get(ctx, target.WorkflowID, target.Version, target.Hash)
	if err != nil {
		return Target{}, err
	}
	return target, checkInput(c, req.Input)
}
