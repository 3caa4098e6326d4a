package executor

import (
	"context"
	"heddle/audit"
	"heddle/executor/machine"
	"heddle/executor/queue"
)

// Prepared is a new run that a feature stores together with rows of its own. Stored is to
// be called once it is committed, and Discard where it will not be: each releases the
// quotas which the run reserves.
type Prepared struct {
	Commit
	// Epoch, unless 0, is that of the lease under which the run begins in the
	// same commit: where the store finds another, the commit is ErrFenced.
	Epoch  int64
	change machine.Change // the run as it is once it is stored, for Stored
}

// Prepare makes the insertion of a run and stores nothing. One that needs no slot begins
// with it where this process drives runs; any other is queued. Errors: those of Start but
// for what a commit refuses. attempt is how many commits of this start were ErrStale or
// ErrFenced before: from the second on the workflow is read afresh, and the run is queued.
func (s *Starter) Prepare(ctx context.Context, req StartRequest, attempt int) (Prepared, error) {
	if err := refuseSecrets(ctx, s.cfg.Secrets, req.TenantID, req.Input); err != nil {
		return Prepared{}, err
	}
	var p Prepared
	err := s.decide(ctx, req, attempt, func(target Target) error {
		created, err := s.create(ctx, target, req)
		if err != nil {
			return err
		}
		if p, err = s.prepare(ctx, created, target, req, attempt > 0); err != nil {
			s.releaseQuota(req.TenantID, created.Run.RunID)
		}
		return err
	})
	return p, err
}

// prepare makes the insertion of a run that was created. again: an earlier one was refused
// by the store, so the run is queued. The error is that of the concurrency limit.
func (s *Starter) prepare(ctx context.Context, created machine.Change, target Target, req StartRequest, again bool) (Prepared, error) {
	key, err := s.concurrencyKey(ctx, created.Run, replacedRuns(req))
	if err != nil {
		return Prepared{}, err
	}
	p := Prepared{change: created}
	// A limited run is left to the node that leads, which counts its group.
	if key == "" && !again {
		p = s.beginFree(created)
	}
	p.Commit = Commit{
		Row:    newRow(p.change.Run, req),
		Events: p.change.Events, Requests: p.change.Requests, Audit: insertionLines(audit.TrailFrom(ctx), p.change.Run.RunID),
	}
	target.fence(&p.Commit)
	p.Row.ConcurrencyKey = key
	if req.Keep != nil {
		p.Answer = req.Keep(p.Row)
	}
	s.cfg.Crash("before_commit")
	return p, nil
}

// beginFree begins a run in its insertion where it needs no slot and this node leads; Epoch
// is 0 where it does not begin. No driver is needed afterwards: a run without attempts is
// woken by a timer or a message.
func (s *Starter) beginFree(created machine.Change) Prepared {
	epoch := s.term.epoch.Load()
	if epoch == 0 || !s.term.state().takesCommands() {
		return Prepared{change: created}
	}
	begun, ok := s.withBegin(created)
	if !ok || needsSlot(begun) {
		return Prepared{change: created}
	}
	return Prepared{Epoch: epoch, change: begun}
}

// create makes a queued run of the target, or returns why there is none: the errors of
// runnable, admitInput and of the quotas. It reserves the tenant's quotas under the run's
// id; the caller releases them. Nothing is stored.
func (s *Starter) create(ctx context.Context, target Target, req StartRequest) (machine.Change, error) {
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
	now := s.cfg.now()
	who, _ := audit.ActorOf(ctx)
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

// Stored acts on prepared runs that are committed: quotas are released, watchers are woken,
// and those that are queued are dispatched. It does not wait.
func (s *Starter) Stored(runs ...Prepared) {
	s.cfg.Crash("after_commit")
	for _, p := range runs {
		s.cfg.countStored(&p.Commit)
		s.releaseQuota(p.Row.TenantID, p.Row.RunID)
		if p.Epoch == 0 {
			s.dispatcher.unread(queue.Workflow{TenantID: p.Row.TenantID, ID: p.Row.WorkflowID})
			continue
		}
		a := &activeRun{id: p.Row.RunID, epoch: p.Epoch, driveState: driveState{trace: Trace{p.Row.TraceParent, p.Row.TraceState}}}
		s.driver.committed(a, p.change)
	}
}

// Discard releases the quotas of prepared runs that were not stored.
func (s *Starter) Discard(runs ...Prepared) {
	for _, p := range runs {
		s.releaseQuota(p.Row.TenantID, p.Row.RunID)
	}
}

// Resolve finds the workflow version that a start would run and checks the
// input against its schema; the workflow's status does not matter. Errors:
// fault.NotFound workflow_not_found and version_not_found, fault.Unacceptable
// invalid_input.
func (s *Starter) Resolve(ctx context.Context, req StartRequest) (Target, error) {
	if err := refuseSecrets(ctx, s.cfg.Secrets, req.TenantID, req.Input); err != nil {
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
