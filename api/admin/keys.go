package admin

import (
	"encoding/json"
	"heddle/access"
	"heddle/api/core"
	"heddle/internal/elements"
	"net/http"
	"time"
)

// createKey is a request for an API key of the caller's tenant. Without an expiry it is valid
// until it is revoked.
type createKey struct {
	// Name is what the audit trail and versions show of the key.
	Name string `json:"name"`
	// Role is what the key may do on all workflows; none leaves it to grants.
	Role access.Role `json:"role" enum:"viewer,editor,operator,admin,none"`
	// ExpiresAt is when the key stops being valid; nil: never.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// keyBody is a key without its text, of which only a hash is stored. Null times: it does not
// expire, was not used, is not revoked.
type keyBody struct {
	// ID names the key in requests and in the audit trail; it is not the key.
	ID   string `json:"id"`
	Name string `json:"name"`
	// Role is what it may do on every workflow, beside its grants.
	Role      access.Role     `json:"role" enum:"viewer,editor,operator,admin,none"`
	Last4     string          `json:"last4" doc:"The last four characters, to tell keys apart."`
	CreatedAt core.Timestamp  `json:"created_at"`
	ExpiresAt *core.Timestamp `json:"expires_at"`
	// LastUsedAt is stored at most once a minute and per node.
	LastUsedAt *core.Timestamp `json:"last_used_at" doc:"To the minute."`
	// RevokedAt is when it was revoked; it stays in the list.
	RevokedAt *core.Timestamp `json:"revoked_at"`
	CreatedBy *core.ActorBody `json:"created_by" doc:"Null for keys of earlier versions."`
	RotatedAt *core.Timestamp `json:"rotated_at" doc:"When its text was replaced last; null: never."`
}

// createdKey answers the creation of a key, with its text.
type createdKey struct {
	keyBody
	Key string `json:"key" doc:"Shown this once."`
}

// keyList is a page of keys, newest first.
type keyList struct {
	Keys       []keyBody `json:"keys"`
	NextCursor *string   `json:"next_cursor" doc:"Null on the last page."`
}

// keyOf returns the public part of a key.
func keyOf(k access.Key) keyBody {
	return keyBody{
		ID: k.ID, Name: k.Name, Role: k.Role, Last4: k.Last4, CreatedAt: core.Timestamp(k.CreatedAt),
		ExpiresAt: core.TimestampOrNil(k.ExpiresAt), LastUsedAt: core.TimestampOrNil(k.LastUsedAt), RevokedAt: core.TimestampOrNil(k.RevokedAt),
		CreatedBy: core.ActorOf(k.CreatedBy), RotatedAt: core.TimestampOrNil(k.RotatedAt),
	}
}

// createKey makes a key. Its expiry is kept to the millisecond, in UTC; one in the past is
// fault.Unacceptable invalid_expires_at. It takes no Idempotency-Key, whose stored answer would
// hold the key's text.
func (h *handlers) createKey(c *core.Call, req createKey) error {
	// The zero time is never.
	var expires time.Time
	if req.ExpiresAt != nil {
		expires = req.ExpiresAt.UTC().Truncate(time.Millisecond)
	}
	k, text, err := h.Access.CreateKey(c.Ctx(), c.Principal, req.Name, req.Role, expires)
	if err != nil {
		return err
	}
	c.SetETag(k.Revision)
	return c.Reply(http.StatusCreated, createdKey{keyOf(k), text})
}

// getKey returns a key without its text, or 304 for the revision that the caller has;
// fault.NotFound key_not_found.
func (h *handlers) getKey(c *core.Call) error {
	k, err := h.Access.Key(c.Ctx(), c.TenantID(), c.Param("key_id"))
	if err != nil {
		return err
	}
	if c.SetETag(k.Revision) {
		return c.ReplyStatus(http.StatusNotModified)
	}
	return c.Reply(http.StatusOK, keyOf(k))
}

// updateKey is a change of a key. What is left out stays.
type updateKey struct {
	core.Because
	Name      *string      `json:"name,omitempty"`
	Role      *access.Role `json:"role,omitempty" enum:"viewer,editor,operator,admin,none"`
	ExpiresAt expiry       `json:"expires_at,omitzero"`
}

// expiry is a time of a change. Its zero value leaves the time as it is; in JSON that is the
// absent field, and null is never.
type expiry struct{ at *time.Time }

// UnmarshalJSON takes an RFC 3339 time or null.
func (e *expiry) UnmarshalJSON(text []byte) error {
	e.at = new(time.Time)
	return json.Unmarshal(text, e.at)
}

// JSONSchema describes what UnmarshalJSON takes.
func (expiry) JSONSchema() map[string]any {
	return map[string]any{"type": []string{"string", "null"}, "format": "date-time", "description": "In the future; null: never."}
}

// updateKey changes a key's name, role or expiry. The errors are those of access.Service.ChangeKey.
func (h *handlers) updateKey(c *core.Call, req updateKey) error {
	p := access.KeyPatch{Name: req.Name, Role: req.Role}
	if req.ExpiresAt.at != nil {
		p.ExpiresAt = new(req.ExpiresAt.at.UTC().Truncate(time.Millisecond))
	}
	if p == (access.KeyPatch{}) {
		return core.Malformed("Nothing is to be changed; send name, role or expires_at.")
	}
	k, err := h.Access.ChangeKey(c.Ctx(), c.TenantID(), c.Param("key_id"), p, c.IfMatch.Allows)
	if err != nil {
		return err
	}
	c.SetETag(k.Revision)
	return c.Reply(http.StatusOK, keyOf(k))
}

// rotateKey is a request for a new text of a key.
type rotateKey struct {
	core.Because
	GraceSeconds int `json:"grace_seconds,omitempty" doc:"For how long the former text stays valid: 0 (default) to 86400."`
}

// rotatedKey answers the rotation of a key, with its new text.
type rotatedKey struct {
	createdKey
	FormerEndsAt core.Timestamp `json:"former_ends_at" doc:"When the former text is no longer accepted."`
}

// rotateKey gives a key another text. It takes no Idempotency-Key, whose stored answer would hold
// the text. The errors are those of access.Service.RotateKey.
func (h *handlers) rotateKey(c *core.Call, req rotateKey) error {
	k, text, err := h.Access.RotateKey(c.Ctx(), c.TenantID(), c.Param("key_id"), req.GraceSeconds)
	if err != nil {
		return err
	}
	c.SetETag(k.Revision)
	ends := k.RotatedAt.Add(time.Duration(req.GraceSeconds) * time.Second)
	return c.Reply(http.StatusOK, rotatedKey{createdKey{keyOf(k), text}, core.Timestamp(ends)})
}

// listKeys lists the tenant's keys, newest first, revoked and expired ones too.
func (h *handlers) listKeys(c *core.Call) error {
	_, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	keys, next, err := h.Access.Keys(c.Ctx(), c.TenantID(), p.Cursor, p.Limit)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, keyList{Keys: elements.Map(keys, keyOf), NextCursor: core.TextOrNull(next)})
}

// revokeKey makes a key invalid: 204. The last admin key that is valid for another day is not
// revoked (fault.Conflict last_admin_key): there would be no key left to create another with.
func (h *handlers) revokeKey(c *core.Call) error {
	id := c.Param("key_id")
	if err := h.Access.RevokeKey(c.Ctx(), c.TenantID(), id); err != nil {
		return err
	}
	return c.ReplyStatus(http.StatusNoContent)
}

// keyRoutes returns the routes of API keys. A key's text is in the answer to its creation and
// rotation alone.
func (h *handlers) keyRoutes() []core.Route {
	const one = "/v1/keys/{key_id}"
	return []core.Route{
		core.Route{
			Method: http.MethodPost, Path: "/v1/keys", ID: "createKey", Tag: "access", Summary: "Create an API key",
			Action: access.Admin, On: core.OnTenant, Body: core.BodyRequired, Answers: []core.Answer{{Status: http.StatusCreated, Body: createdKey{}, Headers: []string{"ETag"}}},
			Codes: []string{"invalid_name", "invalid_role", "invalid_expires_at"},
		}.Handle(core.WithBody(h.createKey)),
		// The keys of the caller's tenant, the caller's own among them.
		core.Route{
			Method: http.MethodGet, Path: "/v1/keys", ID: "listKeys", Tag: "access", Summary: "List API keys, newest first",
			Action: access.Admin, On: core.OnTenant, Query: core.CursorPaging(), Answers: core.OK(keyList{}),
		}.Handle(core.NoBody(h.listKeys)),
		core.Route{
			Method: http.MethodGet, Path: one, ID: "getKey", Tag: "access", Summary: "Get an API key, without its text",
			Action: access.Admin, On: core.OnTenant, Answers: core.Tagged(keyBody{}), Codes: []string{"key_not_found"},
		}.Handle(core.NoBody(h.getKey)),
		core.Route{
			Method: http.MethodPatch, Path: one, ID: "updateKey", Tag: "access", Summary: "Change a key's name, role or expiry",
			Action: access.Admin, On: core.OnTenant, Body: core.BodyRequired, Conditional: true, Answers: core.Tagged(keyBody{}),
			Codes: []string{"key_not_found", "key_revoked", "last_admin_key", "invalid_name", "invalid_role", "invalid_expires_at"},
		}.Handle(core.WithBody(h.updateKey)),
		core.Route{
			Method: http.MethodPost, Path: one + "/rotate", ID: "rotateKey", Tag: "access", Summary: "Give an API key another text; its sessions end with the former one",
			Action: access.Admin, On: core.OnTenant, Body: core.BodyOptional, Answers: core.Tagged(rotatedKey{}),
			Codes: []string{"key_not_found", "key_revoked", "invalid_grace"},
		}.Handle(core.WithBody(h.rotateKey)),
		core.Route{
			Method: http.MethodDelete, Path: one, ID: "revokeKey", Tag: "access", Summary: "Revoke an API key at once",
			Action: access.Admin, On: core.OnTenant, Answers: core.NoContent(), Codes: []string{"key_not_found", "last_admin_key"},
		}.Handle(core.NoBody(h.revokeKey)),
	}
}
