// Package access decides who may do what: it authenticates API keys and browsers'
// sessions, keeps tenants, keys, users, grants, quotas and the audit trail, and answers
// the one question, Can. Access is closed by default: an action needs a role or a grant
// that allows it.
//
// It promises that neither a key's nor a session's text is ever stored, that nothing
// crosses tenants, and that a revoked key, with all of its sessions, is refused at once
// on the node that revoked it and within two seconds (cacheTTL) on every other. It knows nothing of HTTP, SQL or
// of what workflows are.
package access

import (
	"context"
	"heddle/audit"
	"time"
)

// Action is what a principal wants to do.
type Action string

// The actions. All but Admin can be granted on a single workflow.
const (
	View    Action = "view"    // read definitions, versions, runs and schedules
	Edit    Action = "edit"    // change definitions, versions, schedules and templates
	Execute Action = "execute" // start runs, pause, resume, signal and cancel them
	Answer  Action = "answer"  // see and answer approvals; whoever may execute may, too
	Operate Action = "operate" // terminate, restart, redrive, backfill and delete runs
	Admin   Action = "admin"   // keys, grants, secrets, agents, quotas, audit trail
)

// Role is a fixed set of actions on every workflow of the tenant.
type Role string

// The roles and what each allows.
const (
	RoleViewer   Role = "viewer"   // view
	RoleEditor   Role = "editor"   // view, edit, execute
	RoleOperator Role = "operator" // view, execute, operate
	RoleAdmin    Role = "admin"    // all
	RoleNone     Role = "none"     // its grants alone
)

// DefaultTenant is the slug of the tenant that Bootstrap creates.
const DefaultTenant = "default"

// Tenant owns workflows, runs and keys. No principal of one tenant sees or
// changes anything of another. Slug is unique.
type Tenant struct {
	ID        string
	Slug      string
	Name      string
	CreatedAt time.Time
}

// Key is an API key as it is stored: the SHA-256 of its text, for finding it,
// and the last four characters, so that people recognize it.
type Key struct {
	ID         string
	TenantID   string
	TenantSlug string
	TenantName string // as the tenant is called now
	Name       string
	Role       Role
	Hash       string // hex SHA-256 of the whole key
	Last4      string
	CreatedAt  time.Time
	ExpiresAt  time.Time // zero: never
	LastUsedAt time.Time // zero: never; written at most once a minute per node
	RevokedAt  time.Time // zero: valid
	// CreatedBy is who made it, named as then; the zero Actor for keys of earlier versions.
	CreatedBy audit.Actor
	RotatedAt time.Time // when its text was replaced last; zero: never
	Revision  int64     // from 1, raised by each change of name, role, expiry or text
	Grants    []Grant   // filled by KeyByHash and KeyByID
	// SecretEndsAt is set by KeyByHash for a text that was replaced: until when that is
	// accepted still. Zero: it is the present one.
	SecretEndsAt time.Time
}

// Grant allows one key or one user some actions on one workflow, in addition to what
// its role allows. One of KeyID and UserID is set.
type Grant struct {
	KeyID      string
	UserID     string
	WorkflowID string
	Actions    []Action
}

// Holder returns the id of the key or user that has the grant.
func (g Grant) Holder() string {
	if g.UserID != "" {
		return g.UserID
	}
	return g.KeyID
}

// AuditQuery selects audit entries of one tenant, newest first. Empty fields do
// not filter.
type AuditQuery struct {
	TenantID string
	Actor    string // the name of the key or other actor
	Action   string // such as "key.create"
	// Object names one object: its kind and id ("workflow:wf_…"), or its kind
	// and the slug that it has, or was the last to have.
	Object string
	// ObjectPrefix is the beginning of the objects' names: "run:".
	ObjectPrefix string
	From, To     time.Time // the first moment, and the first one behind; zero: no bound
	// Text is what an entry holds anywhere, whatever the case.
	Text   string
	Limit  int
	Cursor string // the next of the page before; "": from the newest
}

// Store is everything that access needs from persistence; every method of its
// six parts is one transaction.
type Store interface {
	TenantStore
	KeyStore
	GrantStore
	SessionStore
	UserStore
	AuditStore
}

// TenantStore keeps tenants and their quotas.
type TenantStore interface {
	// CreateTenant stores a tenant and its first key; a taken slug is
	// fault.Conflict slug_taken.
	CreateTenant(ctx context.Context, t Tenant, first Key) error
	// TenantBySlug finds a tenant, or fault.NotFound tenant_not_found.
	TenantBySlug(ctx context.Context, slug string) (Tenant, error)
	// Tenant finds a tenant by its id or slug, or fault.NotFound tenant_not_found.
	Tenant(ctx context.Context, ref string) (Tenant, error)
	// TenantQuotas returns a tenant's own quotas, Unset where it has none.
	TenantQuotas(ctx context.Context, tenantID string) (Quotas, error)
	// PutTenantQuotas replaces a tenant's own quotas.
	PutTenantQuotas(ctx context.Context, t Tenant, own Quotas) error
}

// KeyStore keeps API keys; of a key's text it knows only the hash.
type KeyStore interface {
	// CreateKey stores a new key.
	CreateKey(ctx context.Context, k Key) error
	// KeyByHash finds a key (revoked and expired ones too) with its tenant's
	// slug and its grants, or fault.NotFound key_not_found.
	KeyByHash(ctx context.Context, hash string) (Key, error)
	// KeyByID is KeyByHash by the id of a key of the tenant.
	KeyByID(ctx context.Context, tenantID, id string) (Key, error)
	// Keys lists the tenant's keys, newest first.
	Keys(ctx context.Context, tenantID, cursor string, limit int) (keys []Key, next string, err error)
	// RevokeKey marks a key as revoked at that time. Errors: fault.NotFound
	// key_not_found; fault.Conflict last_admin_key where no other admin key of
	// the tenant stays valid for long enough (MinAdminKeyLifetime). The check is
	// part of the transaction, so two requests cannot revoke the last two keys.
	RevokeKey(ctx context.Context, tenantID, keyID string, at time.Time) error
	// Key returns a key by its id, without grants; fault.NotFound key_not_found.
	Key(ctx context.Context, tenantID, keyID string) (Key, error)
	// ChangeKey stores what change makes of a key (its name, role and expiry) with the
	// next revision, and returns it. change is called in the transaction, which its error
	// ends. Errors beyond those of change are RevokeKey's, last_admin_key where the key
	// would no longer be the admin key that it was.
	ChangeKey(ctx context.Context, tenantID, keyID string, at time.Time, change func(Key) (Key, error)) (Key, error)
	// RotateKey replaces a key's text as of r.At. Its former texts are accepted until
	// r.Until at the latest, and sessions begun before then end. fault.NotFound
	// key_not_found; fault.Conflict key_revoked.
	RotateKey(ctx context.Context, tenantID, keyID string, r Rotation) (Key, error)
	// MarkKeyUsed notes when a key was last used.
	MarkKeyUsed(ctx context.Context, keyID string, at time.Time) error
}

// GrantStore keeps what single keys may do on single workflows.
type GrantStore interface {
	// PutGrant replaces a holder's actions on a workflow.
	PutGrant(ctx context.Context, tenantID string, g Grant) error
	// DeleteGrant removes a holder's actions on a workflow; holderID is a key's or a
	// user's.
	DeleteGrant(ctx context.Context, tenantID, holderID, workflowID string) error
	// Grants lists a holder's grants, or with "" all of the tenant's, by holder and
	// workflow; next is empty on the last page.
	Grants(ctx context.Context, tenantID, holderID, cursor string, limit int) (list []Grant, next string, err error)
}

// AuditStore keeps the audit trail.
type AuditStore interface {
	// AppendAudit adds an entry in a transaction of its own. A use case that
	// writes rows adds its entry in the same transaction as those instead.
	AppendAudit(ctx context.Context, e audit.Entry) error
	// Audit lists one page of entries, newest first; next is empty on the last. Others may
	// be short, or empty.
	Audit(ctx context.Context, q AuditQuery) (entries []audit.Entry, next string, err error)
}
