package core

// storedRetry is after how many seconds a tenant that has stored all that it may
// is to ask again: nothing goes by itself.
const storedRetry = 30

// ReserveStorage holds so many bytes of what the tenant may have stored until the request
// is answered, in place of what it held. The error is fault.TooMany
// quota_exceeded.
func (c *Call) ReserveStorage(bytes int) error {
	if c.server.cfg.Stored == nil {
		return nil
	}
	if c.StorageHold == "" {
		c.StorageHold = c.server.cfg.NewID("room_")
	}
	return c.server.cfg.Stored.Hold(c.ClientCtx(), c.TenantID(), c.StorageHold, int64(max(1, bytes)))
}

// AddStored counts what was stored in the room, or is about to be.
func (c *Call) AddStored(bytes int) { c.server.cfg.Stored.Add(c.TenantID(), int64(bytes)) }

// releaseStorage gives back what is held.
func (c *Call) releaseStorage() {
	if c.StorageHold != "" {
		c.server.cfg.Stored.Release(c.TenantID(), c.StorageHold)
	}
}
