package core

// storedRetry is after how many seconds a tenant that has stored all that it may is to retry:
// nothing is deleted by itself.
const storedRetry = 30

// ReserveStorage reserves bytes of the tenant's quota of stored bytes until the request is
// answered, in place of what the request had reserved; at least one, so that a full quota refuses
// every write. The error is fault.TooMany quota_exceeded. Without a quota it does nothing.
func (c *Call) ReserveStorage(bytes int) error {
	if c.server.cfg.Stored == nil {
		return nil
	}
	if c.StorageHold == "" {
		c.StorageHold = c.server.cfg.NewID("room_")
	}
	return c.server.cfg.Stored.Reserve(c.ClientCtx(), c.TenantID(), c.StorageHold, int64(max(1, bytes)))
}

// AddStored counts bytes that were stored within the reservation, or are about to be.
func (c *Call) AddStored(bytes int) { c.server.cfg.Stored.Add(c.TenantID(), int64(bytes)) }

// releaseStorage releases what the request has reserved. What it stored was counted by AddStored.
func releaseStorage(c *Call) {
	if c.StorageHold != "" {
		c.server.cfg.Stored.Release(c.TenantID(), c.StorageHold)
	}
}
