package admin

import (
	"encoding/json"
	"heddle/access"
	"heddle/api/core"
	"heddle/audit"
	"heddle/ids"
	"heddle/internal/elements"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// createTenant is a request for a tenant. The slug is unique among all tenants; both fields are
// required.
type createTenant struct {
	// Slug has the form of a workflow's; fault.Conflict slug_taken where it is in use.
	Slug string `json:"slug"`
	// Name is for people and need not be unique.
	Name string `json:"name"`
}

// tenantBody is a tenant as answers show it.
type tenantBody struct {
	ID        string         `json:"id"`
	Slug      string         `json:"slug"`
	Name      string         `json:"name"`
	CreatedAt core.Timestamp `json:"created_at"`
}

// createdTenant answers the creation of a tenant.
type createdTenant struct {
	Tenant tenantBody `json:"tenant"`
	// Key is the text itself, which is not stored and cannot be shown again.
	Key string `json:"key" doc:"The tenant's first admin key, shown this once."`
}

// createTenant makes a tenant with its first admin key. Only keys of the default tenant, the
// operator's, may: fault.Denied acl_denied for all others. The errors beyond that are those of
// access.Service.CreateTenant.
func (h *handlers) createTenant(c *core.Call, req createTenant) error {
	if c.Principal.TenantSlug != access.DefaultTenant {
		return access.Denied(access.Admin, "tenant:"+core.Truncate(req.Slug))
	}
	t, key, err := h.Access.CreateTenant(c.Ctx(), req.Slug, req.Name)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusCreated, createdTenant{tenantBody{t.ID, t.Slug, t.Name, core.Timestamp(t.CreatedAt)}, key})
}

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
	return c.Reply(http.StatusCreated, createdKey{keyOf(k), text})
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

// putGrant names a key or a user, a workflow and all actions that it has there afterwards, beyond
// those of its role.
type putGrant struct {
	KeyID    string `json:"key_id,omitempty"`
	UserID   string `json:"user_id,omitempty" doc:"In place of key_id."`
	Workflow string `json:"workflow" doc:"Id or slug."`
	// Actions replace those that were granted before; admin cannot be granted.
	Actions []access.Action `json:"actions" enum:"view,edit,execute,answer,operate"`
}

// grantBody is what a key or a user may do with one workflow beyond its role.
type grantBody struct {
	KeyID  string `json:"key_id" doc:"Empty where a user has the grant."`
	UserID string `json:"user_id,omitempty" doc:"Left out where a key has the grant."`
	// WorkflowID is the id, also where the request named the slug.
	WorkflowID string          `json:"workflow_id"`
	Actions    []access.Action `json:"actions" enum:"view,edit,execute,answer,operate"`
}

// grantOf returns a grant as answers show it.
func grantOf(g access.Grant) grantBody { return grantBody{g.KeyID, g.UserID, g.WorkflowID, g.Actions} }

// grantList is every grant of one holder, or of all; there are few, so that it has no pages.
type grantList struct {
	Grants []grantBody `json:"grants"`
}

// putGrant sets the actions of a key or a user on a workflow, in place of those that it had. Errors:
// fault.NotFound key_not_found, user_not_found, workflow_not_found; fault.Unacceptable
// invalid_actions.
func (h *handlers) putGrant(c *core.Call, req putGrant) error {
	holder, err := holderOf(req.KeyID, req.UserID)
	if err != nil {
		return err
	}
	workflowID, err := h.grantWorkflow(c, req.Workflow)
	if err != nil {
		return err
	}
	g := access.Grant{KeyID: holder.KeyID, UserID: holder.UserID, WorkflowID: workflowID, Actions: req.Actions}
	if err := h.Access.PutGrant(c.Ctx(), c.TenantID(), g); err != nil {
		return err
	}
	return c.Reply(http.StatusOK, grantOf(g))
}

// holderOf returns a grant that has only its holder: a key or a user, of which exactly one is named.
// It does not look for it. Errors: fault.Malformed invalid_request; fault.NotFound key_not_found,
// user_not_found for what is no id.
func holderOf(keyID, userID string) (access.Grant, error) {
	switch {
	case (keyID == "") == (userID == ""):
		return access.Grant{}, core.Malformed("Name the key (key_id) or the user (user_id) that has the grant, and not both.")
	case userID != "" && (!ids.Valid(userID) || !strings.HasPrefix(userID, "user_")):
		return access.Grant{}, core.NotFound("user", userID)
	case keyID != "" && (!ids.Valid(keyID) || strings.HasPrefix(keyID, "user_")):
		return access.Grant{}, core.NotFound("key", keyID)
	}
	return access.Grant{KeyID: keyID, UserID: userID}, nil
}

// grantWorkflow returns the id of the workflow in a grant, also for a slug: fault.NotFound
// workflow_not_found.
func (h *handlers) grantWorkflow(c *core.Call, workflow string) (string, error) {
	if !ids.Valid(workflow) {
		return "", core.NotFound("workflow", workflow)
	}
	w, err := h.Definitions.Get(c.Ctx(), c.TenantID(), workflow)
	return w.ID, err
}

// listGrants lists the grants of the key or user that the query names, or all of the tenant's.
func (h *handlers) listGrants(c *core.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	holder := access.Grant{}
	if q.Has("key_id") || q.Has("user_id") {
		if holder, err = holderOf(q.Get("key_id"), q.Get("user_id")); err != nil {
			return err
		}
	}
	grants, err := h.Access.Grants(c.Ctx(), c.TenantID(), holder.Holder())
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, grantList{Grants: elements.Map(grants, grantOf)})
}

// deleteGrant removes a key's or a user's grant on a workflow: 204; fault.NotFound grant_not_found where it
// has none.
func (h *handlers) deleteGrant(c *core.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	holder, err := holderOf(q.Get("key_id"), q.Get("user_id"))
	if err != nil {
		return err
	}
	workflow, err := required(q, "workflow")
	if err != nil {
		return err
	}
	workflowID, err := h.grantWorkflow(c, workflow)
	if err != nil {
		return err
	}
	if err := h.Access.DeleteGrant(c.Ctx(), c.TenantID(), holder.Holder(), workflowID); err != nil {
		return err
	}
	return c.ReplyStatus(http.StatusNoContent)
}

// required returns a parameter that names something, with the characters of ids.Valid. The
// error is fault.Malformed invalid_request.
func required(q url.Values, name string) (string, error) {
	v := q.Get(name)
	if !ids.Valid(v) {
		return "", core.Malformed("%s is missing or is not a name; give it in the query string.", name)
	}
	return v, nil
}

// auditEntry is one line of the audit trail: who did what to which object, and why. Names are
// those of the time: what they name may be renamed or gone.
type auditEntry struct {
	ID        string `json:"id"`
	Actor     string `json:"actor" doc:"Who did it: a key's name, as it was then."`
	ActorType string `json:"actor_type" enum:"key,user,schedule,run,system"`
	// ActorID is the id of the key, schedule or run; "" for the product itself.
	ActorID string `json:"actor_id"`
	// Action is a noun and a verb: workflow.create.
	Action string `json:"action"`
	// Object is a kind and an id; * stands for no single one.
	Object     string `json:"object" doc:"What was changed, by its id: workflow:wf_…. Lines of earlier versions have what the caller wrote."`
	ObjectSlug string `json:"object_slug,omitempty" doc:"The object's slug or name, as it was then."`
	// RequestID is that of the request, which logs and its answer have too.
	RequestID string `json:"request_id"`
	Reason    string `json:"reason,omitempty" doc:"As the caller wrote it."`
	// Detail is left out where the action says it all.
	Detail json.RawMessage `json:"detail,omitempty" kind:"object" doc:"What became what: of a workflow the active version, its hash and the status, from and to."`
	At     core.Timestamp  `json:"at"`
}

// auditList is a page of the audit trail, newest first.
type auditList struct {
	Entries    []auditEntry `json:"entries"`
	NextCursor *string      `json:"next_cursor" doc:"Null on the last page."`
}

// auditEntryOf returns a line as answers show it. Lines of earlier versions have no type of
// actor; then only keys acted.
func auditEntryOf(e audit.Entry) auditEntry {
	b := auditEntry{
		ID: e.ID, Actor: e.Actor, ActorType: e.ActorType, ActorID: e.ActorID, Action: e.Action,
		Object: e.Object, ObjectSlug: e.ObjectSlug, RequestID: e.RequestID, Reason: e.Reason, Detail: e.Detail, At: core.Timestamp(e.At),
	}
	// A line without a type was written when only keys could act.
	if b.ActorType == "" {
		b.ActorType = audit.Key
	}
	return b
}

// listAudit lists the lines of the caller's tenant that match all of the given filters, newest
// first. A filter is compared exactly.
func (h *handlers) listAudit(c *core.Call) error {
	q, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	entries, next, err := h.Access.Audit(c.Ctx(), access.AuditQuery{
		TenantID: c.TenantID(), Actor: q.Get("actor"), Action: q.Get("action"), Object: q.Get("object"),
		Limit: p.Limit, Cursor: p.Cursor,
	})
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, auditList{Entries: elements.Map(entries, auditEntryOf), NextCursor: core.TextOrNull(next)})
}
