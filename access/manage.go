package access

import (
	"context"
	"heddle/audit"
	"heddle/deadline"
	"heddle/fault"
	"strings"
	"time"
	"unicode/utf8"

	regexp "heddle/internal/lazyregexp"
)

// tenantSlug is the form of a tenant's slug: 1 to 64 characters.
var tenantSlug = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// CreateTenant creates a tenant and its first admin key and returns the key's
// text, which cannot be read again later. Errors: fault.Unacceptable
// invalid_slug, invalid_name; fault.Conflict slug_taken.
func (s *Service) CreateTenant(ctx context.Context, slug, name string) (Tenant, string, error) {
	if !tenantSlug.MatchString(slug) {
		return Tenant{}, "", fault.New(fault.Unacceptable, "invalid_slug",
			"A tenant's slug is 1 to 64 of a-z, 0-9, _ and -, and starts with a letter or digit.")
	}
	name, err := checkName(name)
	if err != nil {
		return Tenant{}, "", err
	}
	secret := newSecret()
	t := Tenant{ID: s.newID("ten_"), Slug: slug, Name: name, CreatedAt: s.now()}
	if err := s.store.CreateTenant(ctx, t, s.adminKey(t, "admin", secret)); err != nil {
		return Tenant{}, "", err
	}
	return t, secret, nil
}

// CreateKey creates a key for the principal's tenant and returns it with its
// text, which cannot be read again later. expires is zero for never, otherwise
// in the future. Errors: fault.Unacceptable invalid_name, invalid_role,
// invalid_expires_at.
func (s *Service) CreateKey(ctx context.Context, p Principal, name string, role Role, expires time.Time) (Key, string, error) {
	name, err := checkName(name)
	if err != nil {
		return Key{}, "", err
	}
	if err := checkRole(role); err != nil {
		return Key{}, "", err
	}
	now := s.now()
	if err := checkExpiry(expires, now); err != nil {
		return Key{}, "", err
	}
	secret := newSecret()
	k := Key{
		ID: s.newID("key_"), TenantID: p.TenantID, TenantSlug: p.TenantSlug, Name: name, Role: role,
		Hash: hexDigest(secret), Last4: lastFour(secret), CreatedAt: now, ExpiresAt: expires,
		CreatedBy: p.Actor, Revision: 1,
	}
	if err := s.store.CreateKey(ctx, k); err != nil {
		return Key{}, "", err
	}
	return k, secret, nil
}

// Keys lists at most limit of the tenant's keys, newest first, including revoked
// and expired ones, and returns the cursor of the next page, "" on the last.
func (s *Service) Keys(ctx context.Context, tenantID, cursor string, limit int) ([]Key, string, error) {
	return s.store.Keys(ctx, tenantID, cursor, limit)
}

// Recover creates a new admin key for a tenant and returns it with its text, for
// an operator who has access to the server's machine but no key. The audit trail
// names the command as the actor. An unknown tenant is fault.NotFound
// tenant_not_found.
func (s *Service) Recover(ctx context.Context, tenantSlug, name string) (Key, string, error) {
	name, err := checkName(name)
	if err != nil {
		return Key{}, "", err
	}
	t, err := s.store.TenantBySlug(ctx, tenantSlug)
	if err != nil {
		return Key{}, "", err
	}
	secret := newSecret()
	k := s.adminKey(t, name, secret)
	k.CreatedBy.Name = "heddle keys recover"
	ctx = audit.WithTrail(ctx, audit.NewTrail(audit.Entry{
		TenantID: t.ID, ActorType: audit.System, Actor: "heddle keys recover", Action: "key.recover",
	}, s.now, s.newID))
	if err := s.store.CreateKey(ctx, k); err != nil {
		return Key{}, "", err
	}
	return k, secret, nil
}

// MinAdminKeyLifetime is how much longer an admin key must be valid to count as
// the tenant's remaining one when another is revoked, unless it outlasts the
// revoked one anyway.
const MinAdminKeyLifetime = 24 * time.Hour

// RevokeKey revokes a key. Requests with it are refused at once on this node and
// within cacheTTL on others. Errors: fault.NotFound key_not_found;
// fault.Conflict last_admin_key where the tenant would keep no other admin key
// for MinAdminKeyLifetime.
func (s *Service) RevokeKey(ctx context.Context, tenantID, keyID string) error {
	if err := s.store.RevokeKey(ctx, tenantID, keyID, s.now()); err != nil {
		return err
	}
	s.invalidate()
	return nil
}

// PutGrant replaces what a key is granted on one workflow by exactly these
// actions. Errors: fault.Unacceptable invalid_actions; fault.NotFound for an
// unknown key or workflow.
func (s *Service) PutGrant(ctx context.Context, tenantID string, g Grant) error {
	if len(g.Actions) == 0 {
		return fault.New(fault.Unacceptable, "invalid_actions", "Name at least one action, or delete the grant.")
	}
	for _, a := range g.Actions {
		if !a.grantable() {
			return fault.New(fault.Unacceptable, "invalid_actions",
				"%q cannot be granted on a workflow; use view, edit, execute, answer or operate.", a)
		}
	}
	if err := s.store.PutGrant(ctx, tenantID, g); err != nil {
		return err
	}
	s.invalidate()
	return nil
}

// DeleteGrant removes what a key is granted on one workflow; its role is not
// affected.
func (s *Service) DeleteGrant(ctx context.Context, tenantID, keyID, workflowID string) error {
	if err := s.store.DeleteGrant(ctx, tenantID, keyID, workflowID); err != nil {
		return err
	}
	s.invalidate()
	return nil
}

// Grants lists at most limit grants of a key or a user, or with "" of the whole tenant,
// and returns the cursor of the next page, "" on the last.
func (s *Service) Grants(ctx context.Context, tenantID, holderID, cursor string, limit int) ([]Grant, string, error) {
	return s.store.Grants(ctx, tenantID, holderID, cursor, limit)
}

// Trail returns the audit trail of one request of the principal. With an empty
// action the request leaves no entry.
func (s *Service) Trail(p Principal, action, requestID string) *audit.Trail {
	a := p.Actor
	return audit.NewTrail(audit.Entry{
		TenantID: p.TenantID, ActorType: a.Type, ActorID: a.ID, Actor: a.Name, Action: action, RequestID: requestID,
	}, s.now, s.newID)
}

// auditTimeout bounds a write that happens after the request's own work: an
// audit entry by itself, or when a key was last used.
const auditTimeout = 5 * time.Second

// RecordAudit stores a request's audit entry in a transaction of its own, for
// actions that were not one transaction in the store, and marks the trail as
// recorded. The entry is written even if ctx has ended: what was done must be in
// the trail although the client has gone.
func (s *Service) RecordAudit(ctx context.Context, t *audit.Trail, o audit.Object) error {
	e, wanted, err := t.NewEntry(o, nil)
	if err != nil || !wanted {
		return err
	}
	// The request's own database budget may be spent already.
	ctx, cancel := context.WithTimeout(deadline.WithBudget(context.WithoutCancel(ctx), auditTimeout), auditTimeout)
	defer cancel()
	if err := s.store.AppendAudit(ctx, e); err != nil {
		return err
	}
	t.MarkWritten()
	return nil
}

// Audit lists one page of audit entries, newest first, and returns the cursor of
// the next page, "" on the last.
func (s *Service) Audit(ctx context.Context, q AuditQuery) ([]audit.Entry, string, error) {
	return s.store.Audit(ctx, q)
}

// checkName returns the name without surrounding spaces; a name of 0 or more
// than 200 characters is fault.Unacceptable invalid_name.
func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n < 1 || n > 200 {
		return "", fault.New(fault.Unacceptable, "invalid_name", "A name has 1 to 200 characters.")
	}
	return name, nil
}
