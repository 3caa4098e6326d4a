package executor

import (
	"context"
	"errors"
	"heddle/audit"
	"heddle/deadline"
	"heddle/definitions"
	"heddle/executor/machine"
	"heddle/executor/queue"
	"heddle/fault"
	"heddle/internal/elements"
	"slices"
)

// StartNamed starts runs of one workflow that have names, and reports for each
// whether it was stored: those whose name is taken, or is that of an earlier one of
// the list, are left out. The others are stored in one transaction, all or none:
// where one is refused, so are all; limits and quotas count them together. Errors:
// those of Start.
func (s *Starter) StartNamed(ctx context.Context, list []StartRequest) ([]bool, error) {
	if len(list) == 0 {
		return nil, nil
	}
	return deadline.Do(ctx, func(ctx context.Context) ([]bool, error) { return s.startNamed(ctx, list) }, outcomeUnknown)
}

// startNamed is StartNamed without the bound on its time. The requests are of one workflow,
// so the first one's target is that of all.
func (s *Starter) startNamed(ctx context.Context, list []StartRequest) (stored []bool, err error) {
	for _, req := range list {
		if err := refuseSecrets(ctx, s.cfg.Secrets, req.TenantID, req.Input); err != nil {
			return nil, err
		}
	}
	err = s.decide(ctx, list[0], 0, func(target Target) (err error) {
		stored, err = s.startBatch(ctx, target, list, true)
		if errors.Is(err, ErrFenced) {
			// Another node leads by now and finds the runs in the queue.
			stored, err = s.startBatch(ctx, target, list, false)
		}
		return err
	})
	return stored, err
}

// batch is new runs that are stored together, in one transaction. It belongs to one
// goroutine.
type batch struct {
	s     *Starter
	leads bool           // this node's limits decide
	own   map[string]int // how many of the runs have a concurrency key; used where leads is false
	runs  []batchRun
}

// batchRun is one new run of a batch. After its Row is set, release knows its quotas.
type batchRun struct {
	Prepared
	of    int                      // index into the list
	waits *definitions.Concurrency // not nil: its limit does not admit it yet
}

// startBatch stores those runs of a list that are new, and reports for each of the list
// whether it was. begin: those that need no slot may begin in the same commit. Names that
// are taken already are only checked as a start would be, so that a list is refused for
// them too. Nothing is left reserved when it returns.
func (s *Starter) startBatch(ctx context.Context, target Target, list []StartRequest, begin bool) ([]bool, error) {
	names := elements.Map(list, func(req StartRequest) string { return req.Name })
	there, err := s.cfg.Store.NamesTaken(ctx, target.WorkflowID, names)
	if err != nil {
		return nil, err
	}
	stored := make([]bool, len(list))
	b := &batch{s: s, leads: s.term.state().takesCommands() && !s.cfg.HoldNamed, own: make(map[string]int)}
	defer func() { b.release(stored) }()
	for i, req := range list {
		if slices.Contains(there, req.Name) || slices.Contains(names[:i], req.Name) {
			err = s.acceptable(ctx, target, req)
		} else {
			err = b.add(ctx, target, req, i, begin && !s.cfg.HoldNamed)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(b.runs) == 0 {
		return stored, nil
	}
	taken, err := b.commit(ctx)
	if err != nil {
		return nil, err
	}
	for i, r := range b.runs {
		stored[r.of] = !taken[i]
	}
	b.stored(stored)
	return stored, nil
}

// add prepares the run of the list's index of. Once it is in b.runs, release cleans up
// after it, whatever the error.
func (b *batch) add(ctx context.Context, target Target, req StartRequest, of int, begin bool) error {
	created, err := b.s.create(ctx, target, req)
	if err != nil {
		return err
	}
	b.runs = append(b.runs, batchRun{Prepared: Prepared{change: created}, of: of})
	r := &b.runs[len(b.runs)-1]
	r.Row = newRow(created.Run, req) // release knows it by that
	key, err := b.enter(ctx, r, created.Run)
	if err != nil {
		return err
	}
	if begin && key == "" {
		r.Prepared = b.s.beginFree(created)
	}
	r.Commit = Commit{
		Row:    newRow(r.change.Run, req),
		Events: r.change.Events, Requests: r.change.Requests, Audit: insertionLines(audit.TrailFrom(ctx), created.Run.RunID),
		Member: &Member{Name: req.Name},
	}
	r.Row.ConcurrencyKey = key
	target.fence(&r.Commit)
	return nil
}

// enter returns a run's concurrency key, and finds out whether its limit admits it: by the
// limits of the node that leads, or by what is stored and the runs of the batch before it.
// Where it has to wait, r.waits says for which limit. Errors: fault.Conflict
// concurrency_limit, fault.Unacceptable concurrency_key.
func (b *batch) enter(ctx context.Context, r *batchRun, run *machine.Run) (string, error) {
	key, err := run.ConcurrencyKey()
	g, c, limited := groupOf(run, key)
	switch {
	case err != nil || !limited:
		return key, err
	case !b.leads:
		_, err = b.s.concurrencyKey(ctx, run, -b.own[key])
		b.own[key]++
	case b.s.dispatcher.limits.admit(run.RunID, g, c.Limit):
	case c.OnLimit == "reject":
		err = concurrencyLimitReached(c)
	default:
		r.waits = c
	}
	return key, err
}

// commit stores the runs and settles an unknown outcome by reading one of them back: all
// are stored or none. taken says for each whether its name was taken, so that it was left
// out. ErrFenced: the lease changed, between two of the runs or before the commit.
func (b *batch) commit(ctx context.Context) (taken []bool, err error) {
	epoch, commits := int64(0), make([]Commit, len(b.runs))
	for i, r := range b.runs {
		if epoch != 0 && r.Epoch != 0 && r.Epoch != epoch {
			return nil, ErrFenced
		}
		epoch, commits[i] = max(epoch, r.Epoch), r.Commit
	}
	b.s.cfg.Crash("before_commit")
	err = b.s.commits.apart(func() error {
		taken, err = b.s.cfg.Store.StartAll(context.WithoutCancel(ctx), epoch, commits)
		return err
	})
	if fault.CodeOf(err) == "outcome_unknown" {
		if i := slices.Index(taken, false); i >= 0 {
			err = b.s.confirmInsertion(commits[i], err)
		}
	}
	if err == nil {
		b.s.cfg.Crash("after_commit")
	}
	return taken, err
}

// stored acts on the runs that are committed, as insert does on one: watchers, limits and
// the queue. stored is by the list's index.
func (b *batch) stored(stored []bool) {
	for _, r := range b.runs {
		if !stored[r.of] {
			continue
		}
		b.s.cfg.countStored(&r.Commit)
		b.s.driver.committed(&activeRun{id: r.Row.RunID, epoch: r.Epoch, driveState: driveState{key: r.Row.ConcurrencyKey, trace: Trace{r.Row.TraceParent, r.Row.TraceState}}}, r.change)
		if r.waits != nil {
			b.s.dispatcher.queueBehindLimit(r.Row.RunID, group{r.Row.TenantID, r.Row.WorkflowID, r.Row.ConcurrencyKey}, r.waits)
		}
	}
	if len(b.runs) > 0 {
		b.s.dispatcher.unread(queue.Workflow{TenantID: b.runs[0].Row.TenantID, ID: b.runs[0].Row.WorkflowID})
	}
}

// release ends the reservations of all quotas, and the membership in their groups of the
// runs that were not stored.
func (b *batch) release(stored []bool) {
	for _, r := range b.runs {
		b.s.releaseQuota(r.Row.TenantID, r.Row.RunID)
		if !stored[r.of] {
			b.s.dispatcher.leaveLimits(r.Row.RunID)
		}
	}
}

// acceptable returns the error that a start on a target would have, but for limits and
// quotas; nil: it would be accepted.
func (s *Starter) acceptable(ctx context.Context, target Target, req StartRequest) error {
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
