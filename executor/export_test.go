package executor

// FreeSlots is for tests: how many runs could begin a step now.
func (s *Service) FreeSlots() int { return s.engine.slots.left() }
