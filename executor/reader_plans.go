package executor

import (
	"context"
	"heddle/executor/machine"
	"heddle/fault"
	"slices"
)

// Plans returns a function that describes the steps of a run as the versions say on which
// it ran: the present one first, then the newest. A step that none of them has is described
// by its id. An older version that cannot be compiled is left out. The function may be
// called concurrently.
func (s *Reader) Plans(ctx context.Context, row Record) (func(stepID string) machine.StepPlan, error) {
	now, err := s.plans.get(ctx, row.WorkflowID, row.Version, row.Hash)
	if err != nil {
		return nil, err
	}
	plans := []*machine.Plan{now.plan}
	for _, v := range slices.Backward(row.Versions) {

		if v.Version == row.Version {
			continue
		}
		c, err := s.plans.get(ctx, row.WorkflowID, v.Version, v.Hash)
		if fault.KindOf(err) == fault.Unavailable && err != nil {
			return nil, err
		}
		if err == nil {
			plans = append(plans, c.plan)
		}
	}
	return func(id string) machine.StepPlan {
		for _, p := range plans {
			if step, ok := p.Step(id); ok {
				return step
			}
		}
		return machine.StepPlan{Name: id, MaxAttempts: 1}
	}, nil
}
