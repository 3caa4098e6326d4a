package api

import (
	"encoding/json"
	"heddle/access"
	"heddle/audit"
	"net/http"
	"net/url"
	"time"
)

type createTenant struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
}

type tenantBody struct {
	ID        string    `json:"id"`
	Slug      string    `json:"slug"`
	Name      string    `json:"name"`
	CreatedAt timestamp `json:"created_at"`
}

type createdTenant struct {
	Tenant tenantBody `json:"tenant"`
	Key    string     `json:"key" doc:"The tenant's first admin key, shown this once."`
}

func (h *Handler) createTenant(c *call, req createTenant) error {
	if c.principal.TenantSlug != access.DefaultTenant {
		return access.Denied(access.Admin, "tenant:"+truncate(req.Slug))
	}
	t, key, err := h.cfg.Access.CreateTenant(c.ctx(), req.Slug, req.Name)
	if err != nil {
		return err
	}
	return c.reply(http.StatusCreated, createdTenant{tenantBody{t.ID, t.Slug, t.Name, timestamp(t.CreatedAt)}, key})
}

type createKey struct {
	Name      string      `json:"name"`
	Role      access.Role `json:"role" enum:"viewer,editor,operator,admin,none"`
	ExpiresAt *time.Time  `json:"expires_at,omitempty"`
}

type keyBody struct {
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	Role       access.Role `json:"role" enum:"viewer,editor,operator,admin,none"`
	Last4      string      `json:"last4" doc:"The last four characters, to tell keys apart."`
	CreatedAt  timestamp   `json:"created_at"`
	ExpiresAt  *timestamp  `json:"expires_at"`
	LastUsedAt *timestamp  `json:"last_used_at" doc:"To the minute."`
	RevokedAt  *timestamp  `json:"revoked_at"`
}

type createdKey struct {
	keyBody
	Key string `json:"key" doc:"Shown this once."`
}

type keyList struct {
	Keys       []keyBody `json:"keys"`
	NextCursor *string   `json:"next_cursor" doc:"Null on the last page."`
}

func keyOf(k access.Key) keyBody {
	return keyBody{
		ID: k.ID, Name: k.Name, Role: k.Role, Last4: k.Last4, CreatedAt: timestamp(k.CreatedAt),
		ExpiresAt: timestampOrNil(k.ExpiresAt), LastUsedAt: timestampOrNil(k.LastUsedAt), RevokedAt: timestampOrNil(k.RevokedAt),
	}
}

func (h *Handler) createKey(c *call, req createKey) error {
	var expires time.Time
	if req.ExpiresAt != nil {
		expires = req.ExpiresAt.UTC().Truncate(time.Millisecond)
	}
	k, text, err := h.cfg.Access.CreateKey(c.ctx(), c.principal, req.Name, req.Role, expires)
	if err != nil {
		return err
	}
	return c.reply(http.StatusCreated, createdKey{keyOf(k), text})
}

func (h *Handler) listKeys(c *call) error {
	_, p, err := c.pageQuery()
	if err != nil {
		return err
	}
	keys, next, err := h.cfg.Access.Keys(c.ctx(), c.tenantID(), p.cursor, p.limit)
	if err != nil {
		return err
	}
	list := keyList{Keys: make([]keyBody, len(keys)), NextCursor: textOrNull(next)}
	for i, k := range keys {
		list.Keys[i] = keyOf(k)
	}
	return c.reply(http.StatusOK, list)
}

func (h *Handler) revokeKey(c *call) error {
	id, err := c.param("key_id")
	if err != nil {
		return err
	}
	if err := h.cfg.Access.RevokeKey(c.ctx(), c.tenantID(), id); err != nil {
		return err
	}
	return c.replyStatus(http.StatusNoContent)
}

type putGrant struct {
	KeyID    string          `json:"key_id"`
	Workflow string          `json:"workflow" doc:"Id or slug."`
	Actions  []access.Action `json:"actions" enum:"view,edit,execute,operate"`
}

type grantBody struct {
	KeyID      string          `json:"key_id"`
	WorkflowID string          `json:"workflow_id"`
	Actions    []access.Action `json:"actions" enum:"view,edit,execute,operate"`
}

type grantList struct {
	Grants []grantBody `json:"grants"`
}

func (h *Handler) putGrant(c *call, req putGrant) error {
	workflowID, err := c.grantee(req.KeyID, req.Workflow)
	if err != nil {
		return err
	}
	g := access.Grant{KeyID: req.KeyID, WorkflowID: workflowID, Actions: req.Actions}
	if err := h.cfg.Access.PutGrant(c.ctx(), c.tenantID(), g); err != nil {
		return err
	}
	return c.reply(http.StatusOK, grantBody(g))
}

// grantee checks the names in a grant and finds the workflow's id.
func (c *call) grantee(keyID, workflow string) (string, error) {
	if !validRef(keyID) {
		return "", notFound("key_id", keyID)
	}
	if !validRef(workflow) {
		return "", notFound("id", workflow)
	}
	w, err := c.h.cfg.Definitions.Get(c.ctx(), c.tenantID(), workflow)
	return w.ID, err
}

func (h *Handler) listGrants(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	keyID, err := required(q, "key_id")
	if err != nil {
		return err
	}
	grants, err := h.cfg.Access.Grants(c.ctx(), c.tenantID(), keyID)
	if err != nil {
		return err
	}
	list := grantList{Grants: make([]grantBody, len(grants))}
	for i, g := range grants {
		list.Grants[i] = grantBody(g)
	}
	return c.reply(http.StatusOK, list)
}

func (h *Handler) deleteGrant(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	keyID, err := required(q, "key_id")
	if err != nil {
		return err
	}
	workflow, err := required(q, "workflow")
	if err != nil {
		return err
	}
	workflowID, err := c.grantee(keyID, workflow)
	if err != nil {
		return err
	}
	if err := h.cfg.Access.DeleteGrant(c.ctx(), c.tenantID(), keyID, workflowID); err != nil {
		return err
	}
	return c.replyStatus(http.StatusNoContent)
}

// required reads a parameter that names something.
func required(q url.Values, name string) (string, error) {
	v := q.Get(name)
	if !validRef(v) {
		return "", malformed("%s is missing or is no name; give it in the query string.", name)
	}
	return v, nil
}

type auditEntry struct {
	ID         string          `json:"id"`
	Actor      string          `json:"actor" doc:"Who did it: a key's name, as it was then."`
	ActorType  string          `json:"actor_type" enum:"key,user,schedule,run,system"`
	ActorID    string          `json:"actor_id"`
	Action     string          `json:"action"`
	Object     string          `json:"object" doc:"What was changed, by its id: workflow:wf_…. Lines of earlier versions have what the caller wrote."`
	ObjectSlug string          `json:"object_slug,omitempty" doc:"The object's slug or name, as it was then."`
	RequestID  string          `json:"request_id"`
	Reason     string          `json:"reason,omitempty" doc:"As the caller gave it."`
	Detail     json.RawMessage `json:"detail,omitempty" kind:"object" doc:"What became what: of a workflow the active version, its hash and the status, from and to."`
	At         timestamp       `json:"at"`
}

type auditList struct {
	Entries    []auditEntry `json:"entries"`
	NextCursor *string      `json:"next_cursor" doc:"Null on the last page."`
}

func auditEntryOf(e audit.Entry) auditEntry {
	b := auditEntry{
		ID: e.ID, Actor: e.Actor, ActorType: e.ActorType, ActorID: e.ActorID, Action: e.Action,
		Object: e.Object, ObjectSlug: e.ObjectSlug, RequestID: e.RequestID, Reason: e.Reason, Detail: e.Detail, At: timestamp(e.At),
	}
	if b.ActorType == "" {
		b.ActorType = audit.Key
	}
	return b
}

func (h *Handler) listAudit(c *call) error {
	q, p, err := c.pageQuery()
	if err != nil {
		return err
	}
	entries, next, err := h.cfg.Access.Audit(c.ctx(), access.AuditQuery{
		TenantID: c.tenantID(), Actor: q.Get("actor"), Action: q.Get("action"), Object: q.Get("object"),
		Limit: p.limit, Cursor: p.cursor,
	})
	if err != nil {
		return err
	}
	list := auditList{Entries: make([]auditEntry, len(entries)), NextCursor: textOrNull(next)}
	for i, e := range entries {
		list.Entries[i] = auditEntryOf(e)
	}
	return c.reply(http.StatusOK, list)
}
