package admin

import (
	"heddle/access"
	"heddle/api/core"
	"net/http"
)

// quotaBody is a tenant's own quotas. Nil: it has none of its own, and the server's setting
// holds; 0: no limit.
type quotaBody struct {
	// OpenRuns counts runs that have not ended, queued and paused ones too.
	OpenRuns    *int   `json:"open_runs,omitempty" doc:"Runs that have not ended; 0: as many as it likes; absent: what the server's settings say."`
	Streams     *int   `json:"streams,omitempty" doc:"Open event streams, at each node."`
	Schedules   *int   `json:"schedules,omitempty" doc:"Schedules that have not ended."`
	StoredBytes *int64 `json:"stored_bytes,omitempty" doc:"Bytes of what it has stored: definitions, templates, and runs with inputs, outputs, journals, logs and large values."`
}

// quotasInForce is what holds for a tenant; 0: no limit.
type quotasInForce struct {
	OpenRuns int `json:"open_runs" doc:"0: as many as it likes."`
	// Streams are counted by each node on its own.
	Streams int `json:"streams"`
	// Schedules and StoredBytes are counted in the store; 0: as for OpenRuns.
	Schedules   int   `json:"schedules"`
	StoredBytes int64 `json:"stored_bytes"`
}

// tenantQuotas is a tenant's own quotas, and those in force.
type tenantQuotas struct {
	TenantID string    `json:"tenant_id"`
	Slug     string    `json:"slug"`
	Quotas   quotaBody `json:"quotas" doc:"The tenant's own."`
	// Effective is what requests are held to.
	Effective quotasInForce `json:"effective" doc:"With those of the server's settings where the tenant has none of its own."`
}

// tenantQuotasOf returns quotas as answers show them: those that are unset are left out.
func tenantQuotasOf(t access.TenantQuotas) tenantQuotas {
	o := t.Own
	return tenantQuotas{
		t.Tenant.ID, t.Tenant.Slug,
		quotaBody{ownOrNull(o.OpenRuns), ownOrNull(o.Streams), ownOrNull(o.Schedules), ownOrNull(o.StoredBytes)},
		quotasInForce(t.Effective),
	}
}

// ownOrNull returns nil for a quota that the tenant has not set.
func ownOrNull[N int | int64](n N) *N {
	if n == access.Unset {
		return nil
	}
	return &n
}

// ownOrUnset is the reverse of ownOrNull. A negative number becomes one that the service refuses,
// so that it is not taken for Unset.
func ownOrUnset[N int | int64](n *N) N {
	switch {
	case n == nil:
		return access.Unset
	case *n < 0:
		return access.Unset - 1 // refused
	}
	return *n
}

// tenantRef returns the tenant of the path, an id or slug, which only the operator's keys see:
// fault.Denied acl_denied for all others, whether there is such a tenant or not.
func (h *handlers) tenantRef(c *core.Call) (string, error) {
	ref := c.Param("tenant")
	// Before the tenant is looked for: its existence is not shown.
	if c.Principal.TenantSlug != access.DefaultTenant {
		return "", access.Denied(access.Admin, "tenant:"+ref)
	}
	return ref, nil
}

// getTenantQuotas returns the quotas of any tenant, to the operator's keys only; fault.NotFound
// tenant_not_found.
func (h *handlers) getTenantQuotas(c *core.Call) error {
	ref, err := h.tenantRef(c)
	if err != nil {
		return err
	}
	t, err := h.Access.TenantQuotas(c.Ctx(), ref)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, tenantQuotasOf(t))
}

// putTenantQuotas replaces the quotas of any tenant, for the operator's keys only: one that is
// left out is unset. What the tenant has beyond a lower quota stays; it only gets no more. A
// negative one is fault.Unacceptable invalid_quota.
func (h *handlers) putTenantQuotas(c *core.Call, req quotaBody) error {
	ref, err := h.tenantRef(c)
	if err != nil {
		return err
	}
	t, err := h.Access.SetQuotas(c.Ctx(), ref, access.Quotas{
		OpenRuns: ownOrUnset(req.OpenRuns), Streams: ownOrUnset(req.Streams),
		Schedules: ownOrUnset(req.Schedules), StoredBytes: ownOrUnset(req.StoredBytes),
	})
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, tenantQuotasOf(t))
}
