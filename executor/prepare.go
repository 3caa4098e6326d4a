package executor

import (
	"context"
	"heddle/audit"
	"heddle/executor/machine"
)

// Prepared is a new run that a feature stores together with rows of its own.
// Stored is to be called once it is committed; one that is not needs nothing.
type Prepared struct {
	Commit
	// Epoch, unless 0, is that of the lease under which the run begins in the
	// same commit: where the store finds another, the commit is ErrFenced.
	Epoch  int64
	change machine.Change
}

// Prepare makes the insertion of a run. One that needs no slot begins with it
// where this process drives runs; any other is queued. Errors: those of Start
// but for what a commit refuses. try is how many commits of this start were
// ErrStale or ErrFenced before: from the second on the workflow is read afresh,
// and the run is queued.
func (s *Service) Prepare(ctx context.Context, req StartRequest, try int) (Prepared, error) {
	if err := s.withoutSecrets(ctx, req.TenantID, req.Input); err != nil {
		return Prepared{}, err
	}
	var p Prepared
	err := s.decide(ctx, req, try, func(target Target) error {
		created, err := s.create(ctx, target, req)
		if err != nil {
			return err
		}
		if p, err = s.prepare(ctx, created, target, req, try > 0); err != nil {
			s.releaseQuota(req.TenantID, created.Run.RunID)
		}
		return err
	})
	return p, err
}

func (s *Service) prepare(ctx context.Context, created machine.Change, target Target, req StartRequest, again bool) (Prepared, error) {
	key, err := s.concurrencyKey(ctx, created.Run, replacedRuns(req))
	if err != nil {
		return Prepared{}, err
	}
	p := Prepared{change: created}
	if key == "" && !again {
		p = s.engine.beginFree(created)
	}
	p.Commit = Commit{
		Row:    rowOf(p.change.Run, req.Trace, created.Run.CreatedAt),
		Events: p.change.Events, Audit: insertionLines(audit.From(ctx), p.change.Run.RunID),
	}
	target.fence(&p.Commit)
	p.Row.ConcurrencyKey = key
	if req.Keep != nil {
		p.Answer = req.Keep(p.Row)
	}
	s.engine.crash("before_commit")
	return p, nil
}

// beginFree lets a run begin that needs no slot.
func (e *engine) beginFree(created machine.Change) Prepared {
	epoch := e.svc.epoch.Load()
	if epoch == 0 || !e.open.Load() {
		return Prepared{change: created}
	}
	begun, ok := e.begin(created)
	if !ok || needsSlot(begun) {
		return Prepared{change: created}
	}
	return Prepared{Epoch: epoch, change: begun}
}

// create makes a queued run of the target, or says why there is none.
func (s *Service) create(ctx context.Context, target Target, req StartRequest) (machine.Change, error) {
	if err := runnable(target, req.Trigger); err != nil {
		return machine.Change{}, err
	}
	c, err := s.plans.get(ctx, target.WorkflowID, target.Version, target.Hash)
	if err != nil {
		return machine.Change{}, err
	}
	input, err := admitInput(c, req.Input)
	if err != nil {
		return machine.Change{}, err
	}
	now := s.now()
	who, _ := audit.Who(ctx)
	header := machine.Header{
		RunID: s.cfg.NewID("run_"), TenantID: req.TenantID,
		WorkflowID: target.WorkflowID, Slug: target.Slug, Version: target.Version, Hash: target.Hash,
		Trigger: req.Trigger, Input: input, CreatedAt: now, StartedBy: who,
	}
	if err := s.reserveQuota(ctx, req, header.RunID, input); err != nil {
		return machine.Change{}, err
	}
	return machine.New(c.plan, header, now), nil
}

// Stored takes over prepared runs that are committed.
func (s *Service) Stored(runs ...Prepared) {
	s.engine.crash("after_commit")
	queued := false
	for _, p := range runs {
		s.countStored(&p.Commit)
		s.releaseQuota(p.Row.TenantID, p.Row.RunID)
		if p.Epoch == 0 {
			queued = true
			continue
		}
		l := &activeRun{id: p.Row.RunID, epoch: p.Epoch, trace: Trace{p.Row.TraceParent, p.Row.TraceState}}
		s.engine.committed(l, p.change)
	}
	if queued {
		s.engine.queued()
	}
}

// Leading tells whether this process drives runs.
func (s *Service) Leading() bool { return s.engine.driving.Load() }

// Resolve finds the workflow version that a start would run and checks the
// input against its schema; the workflow's status does not matter. Errors:
// fault.NotFound workflow_not_found and version_not_found, fault.Unacceptable
// invalid_input.
func (s *Service) Resolve(ctx context.Context, req StartRequest) (Target, error) {
	if err := s.withoutSecrets(ctx, req.TenantID, req.Input); err != nil {
		return Target{}, err
	}
	target, _, err := s.targets.get(ctx, s.cfg.Store, targetKey{req.TenantID, req.Workflow, req.Version}, true)
	if err != nil {
		return Target{}, err
	}
	c, err := s.plans.get(ctx, target.WorkflowID, target.Version, target.Hash)
	if err != nil {
		return Target{}, err
	}
	_, err = admitInput(c, req.Input)
	return target, err
}
