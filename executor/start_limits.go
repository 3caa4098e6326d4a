package executor

import (
	"context"
	"heddle/executor/machine"
	"heddle/fault"
)

// concurrencyKey returns the key of a run that is about to be stored as queued; "": it has
// no limit. Where the workflow rejects runs beyond its limit and it is reached, by what is
// stored, the error is fault.Conflict concurrency_limit. leaving is how many runs end in
// its favour, less those of its group that are stored with it. Two starts at the same time
// on nodes that stand by may both pass; the node that leads then lets one of them wait.
func (s *Starter) concurrencyKey(ctx context.Context, run *machine.Run, leaving int) (string, error) {
	key, err := run.ConcurrencyKey()
	c := run.Concurrency()
	if err != nil || c == nil || c.OnLimit != "reject" {
		return key, err
	}
	open, err := s.countMembers(ctx, run.WorkflowID, key)
	if err == nil && open-leaving >= c.Limit {
		err = concurrencyLimitReached(c)
	}
	return key, err
}

// countMembers counts the members of a group as the node that leads would by what is
// stored: the runs that have begun, and of the queued ones, in their order, those that the
// limits of their own versions admit. It reads one row for each version with open runs.
func (s *Starter) countMembers(ctx context.Context, workflowID, key string) (int, error) {
	open, err := s.cfg.Store.OpenByVersion(ctx, workflowID, key)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, o := range open {
		room := o.Count
		if !o.Begun {
			c, err := s.plans.get(ctx, workflowID, o.Version, o.Hash)
			if fault.KindOf(err) == fault.Unavailable {
				return 0, err
			}
			if err == nil && c.plan.Definition().Concurrency != nil {
				room = max(c.plan.Definition().Concurrency.Limit-n, 0)
			}
		}
		n += min(o.Count, room)
	}
	return n, nil
}
