package admin

import (
	"heddle/access"
	"heddle/api/core"
	"net/http"
)

// accessRoutes returns the routes of tenants, quotas and grants. No
// grant has an ETag: each request states the whole.
func (h *handlers) accessRoutes() []core.Route {
	return []core.Route{
		// OnTenant: the handler itself refuses admins of other tenants than default.
		core.Route{
			Method: http.MethodPost, Path: "/v1/tenants", ID: "createTenant", Tag: "access",
			Summary: "Create a tenant with its first admin key; for admins of the tenant default", Action: access.Admin, On: core.OnTenant,
			Body: core.BodyRequired, Answers: core.Created(createdTenant{}), Codes: []string{"invalid_slug", "invalid_name", "slug_taken"},
		}.Handle(core.WithBody(h.createTenant)),
		core.Route{
			Method: http.MethodGet, Path: "/v1/tenants/{tenant}/quotas", ID: "getTenantQuotas", Tag: "access",
			Summary: "What a tenant may have at one time; for admins of the tenant default", Action: access.Admin, On: core.OnTenant,
			Answers: core.OK(tenantQuotas{}), Codes: []string{"tenant_not_found"},
		}.Handle(core.NoBody(h.getTenantQuotas)),
		core.Route{
			Method: http.MethodPut, Path: "/v1/tenants/{tenant}/quotas", ID: "putTenantQuotas", Tag: "access",
			Summary: "Set what a tenant may have at one time; for admins of the tenant default", Action: access.Admin, On: core.OnTenant,
			Body: core.BodyRequired, Answers: core.OK(tenantQuotas{}), Codes: []string{"tenant_not_found", "invalid_quota"},
		}.Handle(core.WithBody(h.putTenantQuotas)),
		// PUT: the request states all actions that the key or user has afterwards.
		core.Route{
			Method: http.MethodPut, Path: "/v1/grants", ID: "putGrant", Tag: "access", Summary: "Give a key or a user exactly these actions on one workflow",
			Action: access.Admin, On: core.OnTenant, Body: core.BodyRequired, Answers: core.OK(grantBody{}),
			Codes: []string{"key_not_found", "user_not_found", "workflow_not_found", "invalid_actions"},
		}.Handle(core.WithBody(h.putGrant)),
		core.Route{
			Method: http.MethodGet, Path: "/v1/grants", ID: "listGrants", Tag: "access", Summary: "List the grants of a key or a user, or all",
			Action: access.Admin, On: core.OnTenant, Query: append([]core.Param{
				{Name: "key_id", Description: "The id of the key that has the grants."}, {Name: "user_id", Description: "The id of the user that has them."},
			}, core.CursorPaging()...), Answers: core.OK(grantList{}), Codes: []string{"key_not_found", "user_not_found"},
		}.Handle(core.NoBody(h.listGrants)),
		// A grant has no id: its holder and its workflow name it.
		core.Route{
			Method: http.MethodDelete, Path: "/v1/grants", ID: "deleteGrant", Tag: "access", Summary: "Take a key's or a user's actions on one workflow away",
			Action: access.Admin, On: core.OnTenant, Query: []core.Param{
				{Name: "key_id", Description: "The id of the key that has the grant."},
				{Name: "user_id", Description: "The id of the user that has it."},
				{Name: "workflow", Required: true, Description: "The workflow's id or slug."},
			}, Answers: core.NoContent(),
			Codes: []string{"key_not_found", "user_not_found", "workflow_not_found", "grant_not_found"},
		}.Handle(core.NoBody(h.deleteGrant)),
	}
}
