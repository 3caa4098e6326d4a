package api

import "heddle/versions"

// storedRetry is after how many seconds a tenant that has stored all that it may
// is to ask again: nothing goes by itself.
const storedRetry = 30

// reserveStorage holds so many bytes of what the tenant may have stored until the request
// is answered, in place of what it held. The error is fault.TooMany
// quota_exceeded.
func (c *call) reserveStorage(bytes int) error {
	if c.h.cfg.Stored == nil {
		return nil
	}
	if c.storageHold == "" {
		c.storageHold = c.h.cfg.NewID("room_")
	}
	return c.h.cfg.Stored.Hold(c.clientCtx(), c.tenantID(), c.storageHold, int64(max(1, bytes)))
}

// addStored counts what was stored in the room, or is about to be.
func (c *call) addStored(bytes int) { c.h.cfg.Stored.Add(c.tenantID(), int64(bytes)) }

// releaseStorage gives back what is held.
func (c *call) releaseStorage() {
	if c.storageHold != "" {
		c.h.cfg.Stored.Release(c.tenantID(), c.storageHold)
	}
}

// lineQuota holds the lines of an import to the quota.
func (c *call) lineQuota() versions.LineQuota {
	return versions.LineQuota{Check: c.reserveStorage, Stored: c.addStored}
}
