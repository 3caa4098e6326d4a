package executor

import "context"

// reserveQuota takes the room that a new run needs in its tenant's quotas, or says which
// is used up. releaseQuota gives it back when the run is stored, or will not be. A
// run that replaces another takes that one's place among the open ones.
func (s *Service) reserveQuota(ctx context.Context, req StartRequest, runID string, input []byte) error {
	if !req.replaces {
		if err := s.cfg.Quota.Hold(ctx, req.TenantID, runID); err != nil {
			return err
		}
	}
	err := s.cfg.Stored.Hold(ctx, req.TenantID, runID, int64(max(1, len(input))))
	if err != nil {
		s.cfg.Quota.Release(req.TenantID, runID)
	}
	return err
}

func (s *Service) releaseQuota(tenantID, runID string) {
	s.cfg.Quota.Release(tenantID, runID)
	s.cfg.Stored.Release(tenantID, runID)
}

// storedBy is called with what group commits wrote; nil where nothing counts it.
func storedBy(s *Service) func(*Commit) {
	if s.cfg.Stored == nil {
		return nil
	}
	return s.countStored
}

// countStored adds a commit that was written to what its tenant has stored.
func (s *Service) countStored(c *Commit) {
	if s.cfg.Stored.Tracks() {
		s.cfg.Stored.Add(c.Row.TenantID, storedBytes(c))
	}
}

// storedBytes is about what a commit adds to the contents of the store.
func storedBytes(c *Commit) int64 {
	n := len(c.Snapshot)
	if c.Expected == 0 {
		n += len(c.Row.Input)
	}
	if c.Row.State.Terminal() {
		n += len(c.Row.Output)
	}
	for i := range c.Events {
		n += len(c.Events[i].Data)
	}
	if c.With != nil {
		return int64(n) + storedBytes(c.With)
	}
	return int64(n)
}
