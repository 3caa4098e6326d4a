package executor

import (
	"context"
	"heddle/executor/machine"
	"time"
)

// Health says how the runs of a workflow go.
type Health struct {
	// Last is the run that ended last, as it is now; nil: none has, or it was deleted.
	Last *LastRun
	// Recent is how the last 20 ends were, the newest first, deleted runs included.
	Recent []machine.State
	Open   int // runs that have not ended
	// Failed counts the ends by failure in the present hour and the 23 before it.
	Failed int64
}

// LastRun is a run that has ended. State is another than a final one where it was resumed since.
type LastRun struct {
	RunID   string
	State   machine.State
	EndedAt time.Time
}

// HealthStore reads how runs go.
type HealthStore interface {
	// Health reads that of a tenant's workflows, by id, from kept counts: it costs in proportion
	// to the workflows. Failures count from a whole hour on. Workflows without runs may be left
	// out.
	Health(ctx context.Context, tenantID string, workflowIDs []string, failedSince time.Time) (map[string]Health, error)
}

// healthHours is for how many hours failures are counted, the present one included.
const healthHours = 24

// Health reads how the runs of workflows go, by id; one that never ran may be left out.
func (s *Reader) Health(ctx context.Context, tenantID string, workflowIDs []string) (map[string]Health, error) {
	since := s.cfg.now().UTC().Truncate(StatsPeriod).Add(-(healthHours - 1) * StatsPeriod)
	return s.cfg.Store.Health(ctx, tenantID, workflowIDs, since)
}
