package api

import "heddle/versions"

// storedRetry is after how many seconds a tenant that has stored all that it may
// is to ask again: nothing goes by itself.
const storedRetry = 30

// room holds so many bytes of what the tenant may have stored until the request
// is answered, in place of what it held. The error is fault.TooMany
// quota_exceeded.
func (c *call) room(bytes int) error {
	if c.h.cfg.Stored == nil {
		return nil
	}
	if c.roomID == "" {
		c.roomID = c.h.cfg.NewID("room_")
	}
	return c.h.cfg.Stored.Hold(c.here(), c.tenantID(), c.roomID, int64(max(1, bytes)))
}

// stored counts what was stored in the room, or is about to be.
func (c *call) stored(bytes int) { c.h.cfg.Stored.Add(c.tenantID(), int64(bytes)) }

// leaveRoom gives back what is held.
func (c *call) leaveRoom() {
	if c.roomID != "" {
		c.h.cfg.Stored.Release(c.tenantID(), c.roomID)
	}
}

// lineQuota holds the lines of an import to the quota.
func (c *call) lineQuota() versions.LineQuota {
	return versions.LineQuota{Room: c.room, Stored: c.stored}
}
