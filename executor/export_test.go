package executor

import "context"

// FreeSlots is for tests: how many runs could begin a step now.
func (s *Service) FreeSlots() int { return s.dispatcher.slots.left() }

// Folded is for tests: the row folded from the run's journal.
func (s *Service) Folded(ctx context.Context, runID string) (Record, error) {
	run, row, _, err := s.Reader.plans.restore(ctx, runID)
	if err != nil {
		return Record{}, err
	}
	folded := rowOf(run, Trace{row.TraceParent, row.TraceState}, row.UpdatedAt)
	folded.ConcurrencyKey, folded.ScheduleID, folded.DueAt, folded.Labels = row.ConcurrencyKey, row.ScheduleID, row.DueAt, row.Labels
	return folded, nil
}

// SetMaxActive is for tests: how many runs may be in memory before wake-ups slow
// down.
func SetMaxActive(s *Service, n int) {
	s.dispatcher.mu.Lock()
	defer s.dispatcher.mu.Unlock()
	s.dispatcher.maxActive = n
}

// Unreferenced is for tests: how many large values no commit has named yet.
func Unreferenced(s *Service) int {
	v := s.driver.values
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.unreferenced)
}

// Deferred is for tests: whether a run waits for a slot.
func Deferred(s *Service, runID string) bool { return s.dispatcher.isReady(runID) }
