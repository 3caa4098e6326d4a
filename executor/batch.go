package executor

import (
	"context"
	"errors"
	"heddle/audit"
	"heddle/deadline"
	"heddle/definitions"
	"heddle/executor/machine"
	"heddle/fault"
	"slices"
)

// StartNamed starts runs of one workflow that have names, and tells which were
// stored: those whose name is taken, or stands for an earlier one of the list,
// are left out. The others are stored in one transaction, all or none: where one
// is refused, so are all; limits and quotas count them together. Errors: those
// of Start.
func (s *Service) StartNamed(ctx context.Context, list []StartRequest) ([]bool, error) {
	if len(list) == 0 {
		return nil, nil
	}
	return deadline.Do(ctx, func(ctx context.Context) ([]bool, error) { return s.startNamed(ctx, list) }, outcomeUnknown)
}

func (s *Service) startNamed(ctx context.Context, list []StartRequest) (stored []bool, err error) {
	for _, req := range list {
		if err := s.withoutSecrets(ctx, req.TenantID, req.Input); err != nil {
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

// batch is new runs that are stored together.
type batch struct {
	s     *Service
	leads bool           // this node's limits decide
	own   map[string]int // the runs by concurrency key, where the store's decide
	runs  []batchRun
}

type batchRun struct {
	Prepared
	of    int                      // index into the list
	waits *definitions.Concurrency // not nil: there is no room for it yet
}

// startBatch stores the runs of a list that are new. begin: those that need no
// slot may begin in the same commit.
func (s *Service) startBatch(ctx context.Context, target Target, list []StartRequest, begin bool) ([]bool, error) {
	names := make([]string, len(list))
	for i, req := range list {
		names[i] = req.Name
	}
	there, err := s.cfg.Store.NamesTaken(ctx, target.WorkflowID, names)
	if err != nil {
		return nil, err
	}
	stored := make([]bool, len(list))
	b := &batch{s: s, leads: s.engine.open.Load() && !s.cfg.HoldNamed, own: make(map[string]int)}
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

func (b *batch) add(ctx context.Context, target Target, req StartRequest, of int, begin bool) error {
	created, err := b.s.create(ctx, target, req)
	if err != nil {
		return err
	}
	b.runs = append(b.runs, batchRun{Prepared: Prepared{change: created}, of: of})
	r := &b.runs[len(b.runs)-1]
	r.Row = rowOf(created.Run, req.Trace, created.Run.CreatedAt) // release knows it by that
	key, err := b.enter(ctx, r, created.Run)
	if err != nil {
		return err
	}
	if begin && key == "" {
		r.Prepared = b.s.engine.beginFree(created)
	}
	r.Commit = Commit{
		Row:    rowOf(r.change.Run, req.Trace, created.Run.CreatedAt),
		Events: r.change.Events, Audit: insertionLines(audit.From(ctx), created.Run.RunID),
		Member: &Member{Name: req.Name},
	}
	r.Row.ConcurrencyKey = key
	target.fence(&r.Commit)
	return nil
}

// enter finds out a run's concurrency key and whether there is room for it: by
// the limits of the node that leads, or by what is stored and the runs before it.
func (b *batch) enter(ctx context.Context, r *batchRun, run *machine.Run) (string, error) {
	key, err := run.ConcurrencyKey()
	g, c, limited := groupOf(run, key)
	switch {
	case err != nil || !limited:
		return key, err
	case !b.leads:
		_, err = b.s.concurrencyKey(ctx, run, -b.own[key])
		b.own[key]++
	case b.s.engine.limits.admit(run.RunID, g, c.Limit):
	case c.OnLimit == "reject":
		err = concurrencyLimitReached(c)
	default:
		r.waits = c
	}
	return key, err
}

// commit stores the runs and settles an unknown outcome by reading one back.
func (b *batch) commit(ctx context.Context) (taken []bool, err error) {
	epoch, commits := int64(0), make([]Commit, len(b.runs))
	for i, r := range b.runs {
		if epoch != 0 && r.Epoch != 0 && r.Epoch != epoch {
			return nil, ErrFenced
		}
		epoch, commits[i] = max(epoch, r.Epoch), r.Commit
	}
	e := b.s.engine
	e.crash("before_commit")
	err = e.commits.apart(func() error {
		taken, err = e.store.StartAll(context.WithoutCancel(ctx), epoch, commits)
		return err
	})
	if fault.CodeOf(err) == "outcome_unknown" {
		if i := slices.Index(taken, false); i >= 0 {
			err = e.confirmInsertion(commits[i], err)
		}
	}
	if err == nil {
		e.crash("after_commit")
	}
	return taken, err
}

// stored takes over the runs that are committed.
func (b *batch) stored(stored []bool) {
	e := b.s.engine
	for _, r := range b.runs {
		if !stored[r.of] {
			continue
		}
		b.s.countStored(&r.Commit)
		e.committed(&activeRun{id: r.Row.RunID, key: r.Row.ConcurrencyKey, epoch: r.Epoch, trace: Trace{r.Row.TraceParent, r.Row.TraceState}}, r.change)
		if r.waits != nil {
			e.holdQueued(r.Row.RunID, group{r.Row.WorkflowID, r.Row.ConcurrencyKey}, r.waits)
		}
	}
	e.queued()
}

// release gives back what the runs hold of quotas, and the room of those that
// were not stored.
func (b *batch) release(stored []bool) {
	for _, r := range b.runs {
		b.s.releaseQuota(r.Row.TenantID, r.Row.RunID)
		if !stored[r.of] {
			b.s.engine.leaveLimits(r.Row.RunID)
		}
	}
}
