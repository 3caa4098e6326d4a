package admin

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/ids"
	"heddle/internal/elements"
	"net/http"
	"net/url"
	"strings"
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

// grantList is a page of grants, by holder and workflow.
type grantList struct {
	Grants     []grantBody `json:"grants"`
	NextCursor *string     `json:"next_cursor" doc:"Null on the last page."`
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
	q, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	holder := access.Grant{}
	if q.Has("key_id") || q.Has("user_id") {
		if holder, err = holderOf(q.Get("key_id"), q.Get("user_id")); err != nil {
			return err
		}
	}
	grants, next, err := h.Access.Grants(c.Ctx(), c.TenantID(), holder.Holder(), p.Cursor, p.Limit)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, grantList{Grants: elements.Map(grants, grantOf), NextCursor: core.TextOrNull(next)})
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
