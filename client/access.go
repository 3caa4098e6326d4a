package client

import (
	"context"
	"iter"
	"net/http"
)

// AccessService has what keys and people may do: tenants, quotas, grants, users, sessions.
type AccessService struct{ c *Client }

// CreateTenant makes a tenant with its first admin key; for admins of the tenant default.
func (s *AccessService) CreateTenant(ctx context.Context, in CreateTenant, opts ...CallOption) (*CreatedTenant, error) {
	r := request{method: http.MethodPost, path: "/v1/tenants", body: in}
	return call[CreatedTenant](ctx, s.c, r, opts)
}

// Quotas returns what a tenant may have at one time.
func (s *AccessService) Quotas(ctx context.Context, tenant string, opts ...CallOption) (*TenantQuotas, error) {
	r := request{method: http.MethodGet, path: pathOf("/v1/tenants/{tenant}/quotas", tenant)}
	return call[TenantQuotas](ctx, s.c, r, opts)
}

// SetQuotas sets what a tenant may have at one time.
func (s *AccessService) SetQuotas(ctx context.Context, tenant string, in Quotas, opts ...CallOption) (*TenantQuotas, error) {
	r := request{method: http.MethodPut, path: pathOf("/v1/tenants/{tenant}/quotas", tenant), body: in}
	return call[TenantQuotas](ctx, s.c, r, opts)
}

// Grant gives a key or a user exactly these actions on one workflow.
func (s *AccessService) Grant(ctx context.Context, in Grant, opts ...CallOption) (*GrantOf, error) {
	r := request{method: http.MethodPut, path: "/v1/grants", body: in}
	return call[GrantOf](ctx, s.c, r, opts)
}

// Grants returns a page of the grants of a key or a user, or all.
func (s *AccessService) Grants(ctx context.Context, q GrantQuery, opts ...CallOption) (*Page[GrantOf], error) {
	r := request{method: http.MethodGet, path: "/v1/grants", query: queryOf(q)}
	return page[GrantOf](ctx, s.c, r, "grants", opts)
}

// AllGrants iterates over all that Grants returns, page by page as they are wanted. It ends with the first
// error.
func (s *AccessService) AllGrants(ctx context.Context, q GrantQuery, opts ...CallOption) iter.Seq2[GrantOf, error] {
	return every(q.Cursor, func(cursor string) (*Page[GrantOf], error) {
		q.Cursor = cursor
		return s.Grants(ctx, q, opts...)
	})
}

// TakeGrant takes a key's or a user's actions on one workflow away.
func (s *AccessService) TakeGrant(ctx context.Context, q TakeGrantQuery, opts ...CallOption) error {
	r := request{method: http.MethodDelete, path: "/v1/grants", query: queryOf(q)}
	return s.c.into(ctx, r, opts, nil)
}

// Users returns a page of the people whom the provider of identities signed in.
func (s *AccessService) Users(ctx context.Context, q CursorQuery, opts ...CallOption) (*Page[User], error) {
	r := request{method: http.MethodGet, path: "/v1/users", query: queryOf(q)}
	return page[User](ctx, s.c, r, "users", opts)
}

// AllUsers iterates over all that Users returns, page by page as they are wanted. It ends with the first
// error.
func (s *AccessService) AllUsers(ctx context.Context, q CursorQuery, opts ...CallOption) iter.Seq2[User, error] {
	return every(q.Cursor, func(cursor string) (*Page[User], error) {
		q.Cursor = cursor
		return s.Users(ctx, q, opts...)
	})
}

// UpdateUser disables or enables a user, or changes the role.
func (s *AccessService) UpdateUser(ctx context.Context, userID string, in UpdateUser, opts ...CallOption) (*User, error) {
	r := request{method: http.MethodPatch, path: pathOf("/v1/users/{user_id}", userID), body: in}
	return call[User](ctx, s.c, r, opts)
}

// Caller returns who makes the request.
func (s *AccessService) Caller(ctx context.Context, opts ...CallOption) (*Caller, error) {
	r := request{method: http.MethodGet, path: "/v1/session"}
	return call[Caller](ctx, s.c, r, opts)
}

// Sessions returns a page of the sessions of browsers.
func (s *AccessService) Sessions(ctx context.Context, q CursorQuery, opts ...CallOption) (*Page[Session], error) {
	r := request{method: http.MethodGet, path: "/v1/sessions", query: queryOf(q)}
	return page[Session](ctx, s.c, r, "sessions", opts)
}

// AllSessions iterates over all that Sessions returns, page by page as they are wanted. It ends with the first
// error.
func (s *AccessService) AllSessions(ctx context.Context, q CursorQuery, opts ...CallOption) iter.Seq2[Session, error] {
	return every(q.Cursor, func(cursor string) (*Page[Session], error) {
		q.Cursor = cursor
		return s.Sessions(ctx, q, opts...)
	})
}

// EndSession ends a session of a browser.
func (s *AccessService) EndSession(ctx context.Context, sessionID string, opts ...CallOption) error {
	r := request{method: http.MethodDelete, path: pathOf("/v1/sessions/{session_id}", sessionID)}
	return s.c.into(ctx, r, opts, nil)
}

// Audit returns a page of the audit trail, newest first.
func (s *AccessService) Audit(ctx context.Context, q AuditQuery, opts ...CallOption) (*Page[AuditEntry], error) {
	r := request{method: http.MethodGet, path: "/v1/audit", query: queryOf(q)}
	return page[AuditEntry](ctx, s.c, r, "entries", opts)
}

// AllAudit iterates over all that Audit returns, page by page as they are wanted. It ends with the first
// error.
func (s *AccessService) AllAudit(ctx context.Context, q AuditQuery, opts ...CallOption) iter.Seq2[AuditEntry, error] {
	return every(q.Cursor, func(cursor string) (*Page[AuditEntry], error) {
		q.Cursor = cursor
		return s.Audit(ctx, q, opts...)
	})
}
