package executor

import "context"

// FreeSlots is for tests: how many runs could begin a step now.
func (s *Service) FreeSlots() int { return s.engine.slots.left() }

// Folded is for tests: the row as the run's journal gives it.
func (s *Service) Folded(ctx context.Context, runID string) (Record, error) {
	run, row, _, err := s.restore(ctx, runID)
	if err != nil {
		return Record{}, err
	}
	folded := rowOf(run, Trace{row.TraceParent, row.TraceState}, row.UpdatedAt)
	folded.ConcurrencyKey = row.ConcurrencyKey
	return folded, nil
}

// Crowd is for tests: how many runs make a crowd.
func Crowd(s *Service, n int) {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	s.engine.maxActive = n
}
