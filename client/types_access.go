package client

import (
	"time"
)

// Key is a key without its text, of which only a hash is stored.
type Key struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// One of viewer, editor, operator, admin, none.
	Role string `json:"role"`
	// The last four characters, to tell keys apart.
	Last4     string     `json:"last4"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	// To the minute.
	LastUsedAt *time.Time `json:"last_used_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
	// Null for keys of earlier versions.
	CreatedBy *Actor `json:"created_by"`
	// When its text was replaced last; null: never.
	RotatedAt *time.Time `json:"rotated_at"`
}

// CreateKey is a request for an API key of the caller's tenant.
type CreateKey struct {
	Name string `json:"name"`
	// One of viewer, editor, operator, admin, none.
	Role      string     `json:"role"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// CreatedKey answers the creation of a key, with its text.
type CreatedKey struct {
	Key
	// Shown this once.
	// Text is the key itself.
	Text string `json:"key"`
}

// UpdateKey is a change of a key.
type UpdateKey struct {
	// Reason is kept in the audit trail and the history.
	Reason string  `json:"reason,omitempty"`
	Name   *string `json:"name,omitempty"`
	// One of viewer, editor, operator, admin, none.
	Role      *string             `json:"role,omitempty"`
	ExpiresAt Optional[time.Time] `json:"expires_at,omitzero"`
}

// RotateKey is a request for a new text of a key.
type RotateKey struct {
	// Reason is kept in the audit trail and the history.
	Reason string `json:"reason,omitempty"`
	// For how long the former text stays valid: 0 (default) to 86400.
	GraceSeconds int `json:"grace_seconds,omitempty"`
}

// RotatedKey answers the rotation of a key, with its new text.
type RotatedKey struct {
	CreatedKey
	// When the former text is no longer accepted.
	FormerEndsAt time.Time `json:"former_ends_at"`
}

// Grant names a key or a user, a workflow and all actions that it has there afterwards, beyond
// those of its role.
type Grant struct {
	KeyID string `json:"key_id,omitempty"`
	// In place of key_id.
	UserID string `json:"user_id,omitempty"`
	// Id or slug.
	Workflow string `json:"workflow"`
	// One of view, edit, execute, answer, operate.
	Actions []string `json:"actions"`
}

// GrantOf is what a key or a user may do with one workflow beyond its role.
type GrantOf struct {
	// Empty where a user has the grant.
	KeyID string `json:"key_id"`
	// Left out where a key has the grant.
	UserID     string `json:"user_id,omitempty"`
	WorkflowID string `json:"workflow_id"`
	// One of view, edit, execute, answer, operate.
	Actions []string `json:"actions"`
}

// User is a person whom the provider of identities signed in.
type User struct {
	ID      string `json:"id"`
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`
	// Empty where the provider does not vouch for it.
	Email string `json:"email"`
	Name  string `json:"name"`
	// As of the last sign-in, by HEDDLE_OIDC_ROLES, unless role_set.
	Role string `json:"role"`
	// Whether an administrator gave the role, so that sign-ins do not change it.
	RoleSet  bool `json:"role_set"`
	Disabled bool `json:"disabled"`
	// When the person signed in first.
	CreatedAt time.Time `json:"created_at"`
	// To the minute.
	LastSeenAt time.Time  `json:"last_seen_at"`
	DisabledAt *time.Time `json:"disabled_at"`
}

// UpdateUser changes a user: what the provider says of a person cannot be changed here.
type UpdateUser struct {
	// Reason is kept in the audit trail and the history.
	Reason   string           `json:"reason,omitempty"`
	Disabled *bool            `json:"disabled,omitempty"`
	Role     Optional[string] `json:"role,omitzero"`
}

// Caller is who makes a request, as GET /v1/session says it.
type Caller struct {
	Principal Actor `json:"principal"`
	// One of viewer, editor, operator, admin, none.
	Role string `json:"role"`
	// The slug of the caller's tenant.
	Tenant     string `json:"tenant"`
	TenantName string `json:"tenant_name"`
	// What the caller's role allows on everything of the tenant.
	Can []string `json:"can"`
	// Null where the request carried a key.
	SessionID *string `json:"session_id"`
}

// Session is a session as lists show it.
type Session struct {
	ID        string `json:"id"`
	Principal Actor  `json:"principal"`
	// Whether this request was made with it.
	Current   bool      `json:"current"`
	CreatedAt time.Time `json:"created_at"`
	// Of its last request, to the minute; it ends 12 hours later.
	SeenAt time.Time `json:"seen_at"`
	// When it ends at the latest.
	ExpiresAt time.Time `json:"expires_at"`
	// What the browser called itself, shortened.
	Agent string `json:"agent"`
	// Where the sign-in came from.
	Address string `json:"address"`
}

// CreateTenant is a request for a tenant.
type CreateTenant struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// Tenant is a tenant as answers show it.
type Tenant struct {
	ID        string    `json:"id"`
	Slug      string    `json:"slug"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
}

// CreatedTenant answers the creation of a tenant.
type CreatedTenant struct {
	Tenant Tenant `json:"tenant"`
	// The tenant's first admin key, shown this once.
	Key string `json:"key"`
}

// Quotas is a tenant's own quotas.
type Quotas struct {
	// Runs that have not ended; 0: as many as it likes; absent: what the server's settings say.
	OpenRuns *int `json:"open_runs,omitempty"`
	// Open event streams, at each node.
	Streams *int `json:"streams,omitempty"`
	// Schedules that have not ended.
	Schedules *int `json:"schedules,omitempty"`
	// Bytes of what it has stored: definitions, templates, and runs with inputs, outputs,
	// journals, logs and large values.
	StoredBytes *int64 `json:"stored_bytes,omitempty"`
}

// QuotasInForce is what holds for a tenant; 0: no limit.
type QuotasInForce struct {
	// 0: as many as it likes.
	OpenRuns    int   `json:"open_runs"`
	Streams     int   `json:"streams"`
	Schedules   int   `json:"schedules"`
	StoredBytes int64 `json:"stored_bytes"`
}

// TenantQuotas is a tenant's own quotas, and those in force.
type TenantQuotas struct {
	TenantID string `json:"tenant_id"`
	Slug     string `json:"slug"`
	// The tenant's own.
	Quotas Quotas `json:"quotas"`
	// With those of the server's settings where the tenant has none of its own.
	Effective QuotasInForce `json:"effective"`
}
