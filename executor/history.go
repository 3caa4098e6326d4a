package executor

import (
	"context"

	"heddle/events"
)

// historyPage is how many events are read at once.
const historyPage = 1000

// Walk gives the events of a run's journal after seq to visit, in order, until
// its present end or the first error. Another tenant's run is fault.NotFound.
func (s *Service) Walk(ctx context.Context, tenantID, runID string, after int64, visit func(events.Event) error) (Record, error) {
	row, err := s.cfg.Store.Run(ctx, tenantID, runID)
	if err != nil {
		return row, err
	}
	for after < row.Seq {
		batch, err := s.cfg.Store.Events(ctx, runID, after, historyPage)
		if err != nil || len(batch) == 0 {
			return row, err
		}
		for _, e := range batch {
			if after = e.Seq; after > row.Seq {
				break
			}
			if err := visit(e); err != nil {
				return row, err
			}
		}
	}
	return row, nil
}
