package schedules

import (
	"context"
	"time"
)

// Typical is how long the runs of a workflow took lately: P95 is what 95 of a hundred did not
// exceed, of Runs that ended.
type Typical struct {
	P95  time.Duration
	Runs int64
}

// Typical returns how long the runs of a workflow took that ended in the last seven days.
func (s *Service) Typical(ctx context.Context, tenantID, workflowID string) (Typical, error) {
	p95, runs, err := s.runs.Typical(ctx, tenantID, workflowID)
	return Typical{p95, runs}, err
}

// MarkClashes sets Clash on those due times at which the run of the one before would still be
// open, and returns how many they are. Without runs there is nothing to expect.
func (t Typical) MarkClashes(list []DueTime) (clashes int) {
	for i := 1; i < len(list); i++ {
		if t.Runs > 0 && list[i].At.Sub(list[i-1].At) < t.P95 {
			list[i].Clash = true
			clashes++
		}
	}
	return clashes
}
