package executor

// Load is how much work this node has at one moment.
type Load struct {
	Epoch            int64 // of the lease; 0: not held
	Runs             int   // in memory
	Woken            int   // woken runs that wait for a slot
	Queued           int   // queued runs that this node knows to wait for one; the store may have more
	Steps            int   // attempts in flight
	Slots, SlotsUsed int   // Config.MaxRuns, and how many are taken, maybe more
}

// Load returns how much work this node has now. Its numbers are read one after another, so
// they may be of slightly different moments. It costs a lock each and does not call the
// store.
func (s *Service) Load() Load {
	l := Load{Slots: s.cfg.MaxRuns, Runs: s.registry.count(), Steps: s.performer.count()}
	l.Woken, l.Queued = s.dispatcher.waitingCounts()
	if s.leadership.holdsLease() {
		l.Epoch = s.term.epoch.Load()
	}
	l.SlotsUsed = l.Slots - s.dispatcher.slots.left()
	return l
}
