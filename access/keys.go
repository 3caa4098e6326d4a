package access

import (
	"context"
	"heddle/fault"
	"time"
)

// MaxGrace is how long the former text of a key that was rotated may stay valid.
const MaxGrace = 24 * time.Hour

// Rotation is a new text for a key, of which the store has the digest and the end.
type Rotation struct {
	Hash  string // hex SHA-256 of the new text
	Last4 string
	At    time.Time
	Until time.Time // when the former text is no longer accepted; At: at once
}

// KeyPatch changes a key; nil leaves what it is about as it is.
type KeyPatch struct {
	Name *string
	Role *Role
	// ExpiresAt is in the future, or the zero time for never.
	ExpiresAt *time.Time
}

// Key returns a key of the tenant, without its grants; fault.NotFound key_not_found.
func (s *Service) Key(ctx context.Context, tenantID, keyID string) (Key, error) {
	return s.store.Key(ctx, tenantID, keyID)
}

// ChangeKey changes a key's name, role or expiry, if allowed accepts its revision. It holds
// for the next request on this node and within cacheTTL on others, in sessions too. Errors:
// those of CreateKey; fault.Precondition precondition_failed; fault.NotFound key_not_found;
// fault.Conflict key_revoked, and last_admin_key where the tenant would keep no other admin
// key for MinAdminKeyLifetime.
func (s *Service) ChangeKey(ctx context.Context, tenantID, keyID string, p KeyPatch, allowed func(revision int64) bool) (Key, error) {
	now := s.now()
	k, err := s.store.ChangeKey(ctx, tenantID, keyID, now, func(k Key) (Key, error) {
		if !allowed(k.Revision) {
			return k, fault.New(fault.Precondition, "precondition_failed", "The key has changed since you read it; read it again and repeat the change.")
		}
		return p.applyTo(k, now)
	})
	if err != nil {
		return Key{}, err
	}
	s.invalidate()
	return k, nil
}

// applyTo returns the key as the patch makes it.
func (p KeyPatch) applyTo(k Key, now time.Time) (Key, error) {
	if !k.RevokedAt.IsZero() {
		return k, errRevoked()
	}
	if p.Name != nil {
		name, err := checkName(*p.Name)
		if err != nil {
			return k, err
		}
		k.Name = name
	}
	if p.Role != nil {
		if err := checkRole(*p.Role); err != nil {
			return k, err
		}
		k.Role = *p.Role
	}
	if p.ExpiresAt != nil {
		if err := checkExpiry(*p.ExpiresAt, now); err != nil {
			return k, err
		}
		k.ExpiresAt = *p.ExpiresAt
	}
	return k, nil
}

// RotateKey gives a key a new text and returns it, which cannot be read again later. The
// former texts are accepted for that many seconds at most, from 0 to MaxGrace; the sessions
// that the key has end then too. Errors: fault.Unacceptable invalid_grace; fault.NotFound
// key_not_found; fault.Conflict key_revoked.
func (s *Service) RotateKey(ctx context.Context, tenantID, keyID string, graceSeconds int) (Key, string, error) {
	if graceSeconds < 0 || graceSeconds > int(MaxGrace.Seconds()) {
		return Key{}, "", fault.New(fault.Unacceptable, "invalid_grace",
			"grace_seconds is from 0 to %d: a former key stays valid for a day at most.", int(MaxGrace.Seconds()))
	}
	grace := time.Duration(graceSeconds) * time.Second
	secret, now := newSecret(), s.now()
	k, err := s.store.RotateKey(ctx, tenantID, keyID, Rotation{Hash: hexDigest(secret), Last4: lastFour(secret), At: now, Until: now.Add(grace)})
	if err != nil {
		return Key{}, "", err
	}
	s.invalidate()
	return k, secret, nil
}

// errRevoked returns the error for a change of a key that was revoked.
func errRevoked() error {
	return fault.New(fault.Conflict, "key_revoked", "The key was revoked and stays so; create another one.")
}

// checkRole refuses what is not a role: fault.Unacceptable invalid_role.
func checkRole(r Role) error {
	if !r.known() {
		return fault.New(fault.Unacceptable, "invalid_role", "Unknown role %q; use viewer, editor, operator, admin or none.", r)
	}
	return nil
}

// checkExpiry refuses an end that is over: fault.Unacceptable invalid_expires_at.
func checkExpiry(at, now time.Time) error {
	if expired(at, now) {
		return fault.New(fault.Unacceptable, "invalid_expires_at", "expires_at must lie in the future.")
	}
	return nil
}
