package access

import (
	"context"
	"crypto/subtle"
	"fmt"
	"heddle/audit"
	"heddle/fault"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bootstrap ensures that the tenant "default" exists and has an admin key. given
// is the configured first key (16 to 256 printable characters, accepted as it
// is). Where it is "" and the tenant is new, an admin key is generated and
// returned, to be shown this once; otherwise made is "". A later call with
// another given key replaces the former one as the key that needs no particular
// form. A given key that was revoked stays revoked.
//
// Several processes may call it at the same time: the tenant's slug is unique,
// so one of them creates it and the others find it. The error for an unusable
// given key is fault.Unacceptable invalid_bootstrap_key.
func (s *Service) Bootstrap(ctx context.Context, given string) (made string, err error) {
	if given != "" {
		if err := checkBootstrapKey(given); err != nil {
			return "", err
		}
	}
	tenant, err := s.store.TenantBySlug(ctx, DefaultTenant)
	if fault.KindOf(err) == fault.NotFound {
		made, failed := s.firstTenant(ctx, given)
		if fault.CodeOf(failed) != "slug_taken" {
			return made, failed
		}
		// Another process created the tenant in between.
		tenant, err = s.store.TenantBySlug(ctx, DefaultTenant)
	}
	if err != nil {
		return "", fmt.Errorf("find the tenant %s: %w", DefaultTenant, err)
	}
	return "", s.ensureBootstrapKey(ctx, tenant, given)
}

// firstTenant creates the tenant with its first key: the given one, or a new
// one, which is returned.
func (s *Service) firstTenant(ctx context.Context, given string) (made string, err error) {
	secret := given
	if given == "" {
		secret = newSecret()
		made = secret
	}
	t := Tenant{ID: s.newID("ten_"), Slug: DefaultTenant, Name: "Default", CreatedAt: s.now()}
	if err := s.store.CreateTenant(ctx, t, s.adminKey(t, "bootstrap", secret)); err != nil {
		return "", fmt.Errorf("create the tenant %s: %w", DefaultTenant, err)
	}
	s.acceptBootstrapKey(given)
	return made, nil
}

// ensureBootstrapKey stores the given key in a tenant that exists already, unless
// it is stored, and accepts it from now on.
func (s *Service) ensureBootstrapKey(ctx context.Context, t Tenant, given string) error {
	if given == "" {
		return nil
	}
	k, err := s.store.KeyByHash(ctx, hexDigest(given))
	switch {
	case fault.KindOf(err) == fault.NotFound:
		if err := s.store.CreateKey(ctx, s.adminKey(t, "bootstrap", given)); err != nil {
			return fmt.Errorf("store the bootstrap key: %w", err)
		}
	case err != nil:
		return fmt.Errorf("find the bootstrap key: %w", err)
	case !k.RevokedAt.IsZero():
		s.log.WarnContext(ctx, "the configured bootstrap key was revoked and stays so; set another one", "key", k.ID)
	case !k.SecretEndsAt.IsZero():
		s.log.WarnContext(ctx, "the configured bootstrap key was rotated and is not accepted any more; set another one", "key", k.ID)
	}
	s.acceptBootstrapKey(given)
	return nil
}

// adminKey returns a new admin key, not yet stored, whose text is secret.
func (s *Service) adminKey(t Tenant, name, secret string) Key {
	return Key{
		ID: s.newID("key_"), TenantID: t.ID, TenantSlug: t.Slug, Name: name, Role: RoleAdmin,
		Hash: hexDigest(secret), Last4: lastFour(secret), CreatedAt: s.now(),
		CreatedBy: audit.Actor{Type: audit.System}, Revision: 1,
	}
}

// acceptBootstrapKey lets Authenticate take the given key although it lacks the
// form of a generated one. It still has to be in the store, and valid.
func (s *Service) acceptBootstrapKey(given string) {
	if given != "" {
		sum := digest(given)
		s.bootstrap.Store(&sum)
	}
}

// isBootstrapKey reports whether sum is the digest of the configured key. It
// compares in constant time, so that the time taken reveals nothing about the key.
func (s *Service) isBootstrapKey(sum [32]byte) bool {
	b := s.bootstrap.Load()
	return b != nil && subtle.ConstantTimeCompare(b[:], sum[:]) == 1
}

// checkBootstrapKey refuses a configured key that is too short, too long, or
// hard to send in a header: fault.Unacceptable invalid_bootstrap_key.
func checkBootstrapKey(given string) error {
	n := utf8.RuneCountInString(given)
	ok := utf8.ValidString(given) && n >= 16 && n <= 256 && given == strings.TrimSpace(given)
	for _, r := range given {
		ok = ok && unicode.IsPrint(r)
	}
	if !ok {
		return fault.New(fault.Unacceptable, "invalid_bootstrap_key",
			"HEDDLE_BOOTSTRAP_KEY must be 16 to 256 printable characters, none of them a space at either end; it has %d characters.", n)
	}
	return nil
}
