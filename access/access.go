// Package access says who may do what: tenants, API keys, roles, grants, and
// the one decision, Can. Closed by default.
package access

import (
	"context"
	"heddle/audit"
	"time"
)

// Action is what a principal wants to do.
type Action string

// The actions (SEMANTICS, Objects).
const (
	View    Action = "view"
	Edit    Action = "edit"
	Execute Action = "execute"
	Operate Action = "operate"
	Admin   Action = "admin"
)

// Role is a fixed set of actions on every workflow of the tenant.
type Role string

// The roles.
const (
	RoleViewer   Role = "viewer"   // view
	RoleEditor   Role = "editor"   // view, edit, execute
	RoleOperator Role = "operator" // view, execute, operate
	RoleAdmin    Role = "admin"    // all
	RoleNone     Role = "none"     // its grants alone
)

// DefaultTenant is the slug of the tenant that the first key belongs to.
const DefaultTenant = "default"

// Tenant owns workflows, runs and keys; nothing crosses tenants.
type Tenant struct {
	ID        string
	Slug      string
	Name      string
	CreatedAt time.Time
}

// Key is an API key as stored: only the SHA-256 of the secret, its last four
// characters for people.
type Key struct {
	ID         string
	TenantID   string
	TenantSlug string
	Name       string
	Role       Role
	Hash       string // hex SHA-256 of the whole key
	Last4      string
	CreatedAt  time.Time
	ExpiresAt  time.Time // zero: never
	LastUsedAt time.Time // zero: never; written at most once a minute
	RevokedAt  time.Time // zero: valid
	Grants     []Grant   // filled by KeyByHash
}

// Grant gives actions on one workflow to one key.
type Grant struct {
	KeyID      string
	WorkflowID string
	Actions    []Action
}

// AuditQuery selects audit entries of one tenant, newest first.
type AuditQuery struct {
	TenantID string
	Actor    string
	Action   string
	// Object names one object, by its id ("workflow:wf_…") or by the slug that
	// it has, or was the last to have.
	Object string
	Limit  int
	Cursor string
}

// Store is what access asks of persistence. Every method is one transaction.
type Store interface {
	// CreateTenant stores a tenant and its first key; a taken slug is
	// fault.Conflict slug_taken.
	CreateTenant(ctx context.Context, t Tenant, first Key) error
	// TenantBySlug finds a tenant, or fault.NotFound tenant_not_found.
	TenantBySlug(ctx context.Context, slug string) (Tenant, error)
	// Tenant finds a tenant by its id or slug, or fault.NotFound tenant_not_found.
	Tenant(ctx context.Context, ref string) (Tenant, error)
	// TenantQuotas returns a tenant's own quotas, Unset where it has none.
	TenantQuotas(ctx context.Context, tenantID string) (Quotas, error)
	PutTenantQuotas(ctx context.Context, t Tenant, own Quotas) error
	CreateKey(ctx context.Context, k Key) error
	// KeyByHash finds a key (revoked and expired ones too) with its tenant's
	// slug and its grants, or fault.NotFound key_not_found.
	KeyByHash(ctx context.Context, hash string) (Key, error)
	// Keys lists the tenant's keys, newest first.
	Keys(ctx context.Context, tenantID, cursor string, limit int) (keys []Key, next string, err error)
	// RevokeKey marks a key as revoked; unknown: fault.NotFound key_not_found;
	// the last admin key of the tenant that lasts (MinAdminKeyLifetime): fault.Conflict
	// last_admin_key.
	RevokeKey(ctx context.Context, tenantID, keyID string, at time.Time) error
	MarkKeyUsed(ctx context.Context, keyID string, at time.Time) error
	// PutGrant replaces a key's actions on a workflow.
	PutGrant(ctx context.Context, tenantID string, g Grant) error
	DeleteGrant(ctx context.Context, tenantID, keyID, workflowID string) error
	Grants(ctx context.Context, tenantID, keyID string) ([]Grant, error)
	// AppendAudit adds a line by itself; what changes something adds its own.
	AppendAudit(ctx context.Context, e audit.Entry) error
	Audit(ctx context.Context, q AuditQuery) (entries []audit.Entry, next string, err error)
}
