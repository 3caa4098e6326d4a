package executor

// Load is what this process has in hand just now.
type Load struct {
	Epoch            int64 // of the lease; 0: not held
	Runs             int   // in memory
	Woken            int   // that wait for a slot
	Steps            int   // attempts in action
	Slots, SlotsUsed int
}

// Load looks at this process.
func (s *Service) Load() Load {
	e := s.engine
	l := Load{Slots: s.cfg.MaxRuns}
	if s.holdsLease() {
		l.Epoch = s.epoch.Load()
	}
	e.mu.Lock()
	l.Runs, l.Woken, l.Steps = len(e.runs), len(e.ready), e.inFlight
	e.mu.Unlock()
	e.slots.mu.Lock()
	l.SlotsUsed = l.Slots - e.slots.free
	e.slots.mu.Unlock()
	return l
}
