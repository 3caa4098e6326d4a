package executor

import "context"

// reserveQuota reserves what a new run needs of its tenant's quotas, or returns the error
// that says which is used up, with nothing reserved. releaseQuota ends that when the run is
// stored, or will not be. A run that replaces another takes over its part of the open runs.
func (s *Starter) reserveQuota(ctx context.Context, req StartRequest, runID string, input []byte) error {
	if !req.replaces {
		if err := s.cfg.Quota.Reserve(ctx, req.TenantID, runID); err != nil {
			return err
		}
	}
	err := s.cfg.Stored.Reserve(ctx, req.TenantID, runID, int64(max(1, len(input))))
	if err != nil {
		s.cfg.Quota.Release(req.TenantID, runID)
	}
	return err
}

// reserveStored reserves bytes that a command is about to store for a run of the tenant, at least
// one, or returns the error that the quota is used up. release is to be called once the command is
// journalled, or will not be.
func (s *Steering) reserveStored(ctx context.Context, tenantID string, bytes int) (release func(), err error) {
	if s.cfg.Stored == nil {
		return func() {}, nil
	}
	id := s.cfg.NewID("room_")
	err = s.cfg.Stored.Reserve(ctx, tenantID, id, int64(max(1, bytes)))
	return func() { s.cfg.Stored.Release(tenantID, id) }, err
}

// reserveReason is reserveStored for what may be repeated as often as the caller likes and stores
// only the reason that the context states; without one it reserves nothing, so that a run can be
// paused and continued when the quota is used up.
func (s *Steering) reserveReason(ctx context.Context, tenantID string) (release func(), err error) {
	if reason := by(ctx).Reason; reason != "" {
		return s.reserveStored(ctx, tenantID, len(reason))
	}
	return func() {}, nil
}

// releaseQuota ends the reservations of a run; without any it has no effect.
func (s *Starter) releaseQuota(tenantID, runID string) {
	s.cfg.Quota.Release(tenantID, runID)
	s.cfg.Stored.Release(tenantID, runID)
}

// storedBytes returns about how many bytes a commit adds to the contents of the store, that
// of its successor included: what is replaced, such as an older snapshot, is not deducted.
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
	for i := range c.Inputs {
		n += len(c.Inputs[i].Input)
	}
	if c.With != nil {
		return int64(n) + storedBytes(c.With)
	}
	return int64(n)
}

// countStored adds a commit that was written to what its tenant has stored, if any tenant
// has a quota. It may be called concurrently.
func (c *Config) countStored(commit *Commit) {
	if c.Stored.Tracks() {
		c.Stored.Add(commit.Row.TenantID, storedBytes(commit))
	}
}
