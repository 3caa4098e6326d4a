package executor

import (
	"context"
	"heddle/executor/machine"
	"time"
)

// MaxAhead is up to how many runs QueuePlace counts, which bounds what it costs.
const MaxAhead = 1000

// QueuePlace says how a queued run waits for a slot.
type QueuePlace struct {
	Since time.Time // when it was queued
	// Ahead is how many queued runs of its workflow come before it, at most MaxAhead.
	// Workflows take turns, so those of others do not count.
	Ahead int
	Limit int // how many runs may have a step in flight at one time: Config.MaxRuns
}

// QueuePlace returns where a run stands in the queue; nil: it is not queued. It reads at most
// MaxAhead entries of an index.
func (s *Reader) QueuePlace(ctx context.Context, run Record) (*QueuePlace, error) {
	if run.State != machine.Queued {
		return nil, nil //nolint:nilnil // nil is a place of its own: it is not queued
	}
	ahead, err := s.cfg.Store.QueuedAhead(ctx, run, MaxAhead)
	return s.placeOf(run, ahead), err
}
