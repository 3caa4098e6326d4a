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

var tenantSlug = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// CreateTenant makes a tenant and its first admin key, whose text is returned
// this once.
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

// CreateKey makes a key for the principal's tenant; its text is returned this
// once. expires may be zero (never), else it lies in the future.
func (s *Service) CreateKey(ctx context.Context, p Principal, name string, role Role, expires time.Time) (Key, string, error) {
	name, err := checkName(name)
	if err != nil {
		return Key{}, "", err
	}
	if !role.Known() {
		return Key{}, "", fault.New(fault.Unacceptable, "invalid_role",
			"Unknown role %q; use viewer, editor, operator, admin or none.", role)
	}
	now := s.now()
	if expired(expires, now) {
		return Key{}, "", fault.New(fault.Unacceptable, "invalid_expires_at", "expires_at must lie in the future.")
	}
	secret := newSecret()
	k := Key{
		ID: s.newID("key_"), TenantID: p.TenantID, TenantSlug: p.TenantSlug, Name: name, Role: role,
		Hash: hexDigest(secret), Last4: lastFour(secret), CreatedAt: now, ExpiresAt: expires,
	}
	if err := s.store.CreateKey(ctx, k); err != nil {
		return Key{}, "", err
	}
	return k, secret, nil
}

// Keys lists the tenant's keys, newest first, revoked ones too.
func (s *Service) Keys(ctx context.Context, tenantID, cursor string, limit int) ([]Key, string, error) {
	return s.store.Keys(ctx, tenantID, cursor, limit)
}

// Recover makes a new admin key for a tenant, whose text is returned this once,
// for somebody who has the server's machine and no key. The audit trail says so.
// An unknown tenant is fault.NotFound tenant_not_found.
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
	ctx = audit.With(ctx, audit.NewTrail(audit.Entry{
		TenantID: t.ID, ActorType: audit.System, Actor: "heddle keys recover", Action: "key.recover",
	}, s.now, s.newID))
	if err := s.store.CreateKey(ctx, k); err != nil {
		return Key{}, "", err
	}
	return k, secret, nil
}

// MinAdminKeyLifetime is how much longer an admin key must be valid to be the one that a
// tenant keeps when another is revoked, unless it outlasts that one anyway.
const MinAdminKeyLifetime = 24 * time.Hour

// RevokeKey ends a key, unless its tenant keeps no other admin key that lasts
// (fault.Conflict last_admin_key); on this node it is refused from
// the next request on, on others within two seconds.
func (s *Service) RevokeKey(ctx context.Context, tenantID, keyID string) error {
	if err := s.store.RevokeKey(ctx, tenantID, keyID, s.now()); err != nil {
		return err
	}
	s.cache.invalidate()
	return nil
}

// PutGrant gives a key exactly these actions on one workflow.
func (s *Service) PutGrant(ctx context.Context, tenantID string, g Grant) error {
	if len(g.Actions) == 0 {
		return fault.New(fault.Unacceptable, "invalid_actions", "Name at least one action, or delete the grant.")
	}
	for _, a := range g.Actions {
		if !a.Grantable() {
			return fault.New(fault.Unacceptable, "invalid_actions",
				"%q cannot be granted on a workflow; use view, edit, execute or operate.", a)
		}
	}
	if err := s.store.PutGrant(ctx, tenantID, g); err != nil {
		return err
	}
	s.cache.invalidate()
	return nil
}

// DeleteGrant takes a key's actions on one workflow away.
func (s *Service) DeleteGrant(ctx context.Context, tenantID, keyID, workflowID string) error {
	if err := s.store.DeleteGrant(ctx, tenantID, keyID, workflowID); err != nil {
		return err
	}
	s.cache.invalidate()
	return nil
}

// Grants lists a key's grants.
func (s *Service) Grants(ctx context.Context, tenantID, keyID string) ([]Grant, error) {
	return s.store.Grants(ctx, tenantID, keyID)
}

// Trail begins a request of the principal; an empty action leaves no line.
func (s *Service) Trail(p Principal, action, requestID string) *audit.Trail {
	a := p.Actor()
	return audit.NewTrail(audit.Entry{
		TenantID: p.TenantID, ActorType: a.Type, ActorID: a.ID, Actor: a.Name, Action: action, RequestID: requestID,
	}, s.now, s.newID)
}

// auditTimeout is how long writing a line by itself may take.
const auditTimeout = 5 * time.Second

// RecordAudit adds a request's line by itself, for what was not a change of one
// transaction. It is written also when ctx has ended.
func (s *Service) RecordAudit(ctx context.Context, t *audit.Trail, o audit.Object) error {
	e, wanted, err := t.Draft(o, nil)
	if err != nil || !wanted {
		return err
	}
	// The budget of the request may be spent on the deed.
	ctx, cancel := context.WithTimeout(deadline.With(context.WithoutCancel(ctx), auditTimeout), auditTimeout)
	defer cancel()
	if err := s.store.AppendAudit(ctx, e); err != nil {
		return err
	}
	t.Mark()
	return nil
}

// Audit lists audit entries, newest first.
func (s *Service) Audit(ctx context.Context, q AuditQuery) ([]audit.Entry, string, error) {
	return s.store.Audit(ctx, q)
}

func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n < 1 || n > 200 {
		return "", fault.New(fault.Unacceptable, "invalid_name", "A name has 1 to 200 characters.")
	}
	return name, nil
}
