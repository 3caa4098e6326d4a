package access

import (
	"context"
	"heddle/audit"
	"heddle/deadline"
	"heddle/fault"
	"log/slog"
	"sync/atomic"
	"time"
)

// Config holds what New needs. Log may be nil.
type Config struct {
	Store Store
	Now   func() time.Time
	NewID func(prefix string) string
	Log   *slog.Logger
	// Quotas apply to tenants that have none of their own.
	Quotas Quotas
}

// Service authenticates keys and sessions and manages tenants, keys, users, grants,
// quotas and the audit trail. It is safe for concurrent use.
type Service struct {
	store Store
	now   func() time.Time
	newID func(prefix string) string
	log   *slog.Logger

	keys         *keyCache
	sessions     *keyCache
	quotas       quotaCache
	serverQuotas Quotas
	// bootstrap is the digest of the configured first key, the only one that is
	// accepted without the form of a generated key; nil: none is configured.
	bootstrap atomic.Pointer[[32]byte]
}

// New returns a Service. It reads nothing: Bootstrap creates the first key.
func New(cfg Config) *Service {
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Service{store: cfg.Store, now: cfg.Now, newID: cfg.NewID, log: log, keys: newKeyCache(), sessions: newKeyCache(), serverQuotas: cfg.Quotas}
}

// errUnauthenticated returns the one error for a key that is missing, malformed,
// unknown, expired or revoked, so that a caller who tries keys learns nothing
// about them.
func errUnauthenticated() *fault.Error {
	return fault.New(fault.Unauthenticated, "unauthenticated",
		"Send a valid API key as \"Authorization: Bearer iw_live_…\".")
}

// Authenticate returns the principal of a bearer token (RFC 6750). For every
// token that is not a valid key the error is the same fault.Unauthenticated; an
// error of the store is returned as it is, so that an outage does not look like a
// wrong key.
func (s *Service) Authenticate(ctx context.Context, bearer string) (Principal, error) {
	if bearer == "" {
		return Principal{}, errUnauthenticated()
	}
	sum := digest(bearer)
	if !s.isBootstrapKey(sum) && !wellFormed(bearer) {
		return Principal{}, errUnauthenticated()
	}
	return s.authenticate(ctx, s.keys, sum, s.loadKey)
}

// authenticate returns the principal of a credential with that digest from the cache, or
// reads it by load and caches it if it is valid. Invalid ones are not cached: a flood of
// them could displace the valid ones. load also returns what notes the use.
func (s *Service) authenticate(ctx context.Context, cache *keyCache, sum [32]byte,
	load func(ctx context.Context, hash string, now time.Time) (Principal, func(), error),
) (Principal, error) {
	now := s.now()
	if p, ok := cache.get(sum, now); ok {
		if expired(p.expires, now) {
			return Principal{}, errUnauthenticated()
		}
		return p, nil
	}
	generation := cache.currentGeneration()
	p, markUsed, err := load(ctx, hexString(sum), now)
	if err != nil {
		return Principal{}, err
	}
	cache.put(sum, p, now, generation)
	markUsed()
	return p, nil
}

// loadKey reads a key from the store. An unknown, revoked or expired one is
// fault.Unauthenticated; an error of the store is returned as it is.
func (s *Service) loadKey(ctx context.Context, hash string, now time.Time) (Principal, func(), error) {
	k, err := s.store.KeyByHash(ctx, hash)
	switch {
	case fault.KindOf(err) == fault.NotFound || err == nil && !k.valid(now):
		return Principal{}, nil, errUnauthenticated()
	case err != nil:
		return Principal{}, nil, err
	}
	return k.principal(), func() { s.markUsed(ctx, k, now) }, nil
}

// PrincipalOf returns what a key or a user of a tenant may do now, for work that goes on after
// its request. It reads the store. fault.Unauthenticated: nothing any more, as after a
// revocation.
func (s *Service) PrincipalOf(ctx context.Context, tenantID string, who audit.Actor) (Principal, error) {
	if who.Type == audit.User {
		u, err := s.store.UserByID(ctx, tenantID, who.ID)
		if err == nil && u.DisabledAt.IsZero() {
			return u.principal(), nil
		}
		return Principal{}, unlessMissing(err)
	}
	k, err := s.store.KeyByID(ctx, tenantID, who.ID)
	if err == nil && k.valid(s.now()) {
		return k.principal(), nil
	}
	return Principal{}, unlessMissing(err)
}

// unlessMissing returns an error of the store, or fault.Unauthenticated where it says that
// something is not there, or is nil.
func unlessMissing(err error) error {
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	return errUnauthenticated()
}

// valid reports whether the key may be used at that time.
func (k Key) valid(now time.Time) bool { return k.RevokedAt.IsZero() && !expired(k.ends(), now) }

// ends returns when the text that the key was found by is no longer accepted; zero: never.
func (k Key) ends() time.Time {
	if k.SecretEndsAt.IsZero() {
		return k.ExpiresAt
	}
	return earlier(k.ExpiresAt, k.SecretEndsAt)
}

// principal returns what the key may do.
func (k Key) principal() Principal {
	return Principal{
		Actor: audit.Actor{Type: audit.Key, ID: k.ID, Name: k.Name}, TenantID: k.TenantID, TenantSlug: k.TenantSlug, TenantName: k.TenantName,
		Role: k.Role, Grants: k.Grants, expires: k.ends(),
	}
}

// invalidate makes the next request of every key and session read the store: keys,
// users, roles, grants or sessions have changed.
func (s *Service) invalidate() {
	s.keys.invalidate()
	s.sessions.invalidate()
}

// markUsed stores when a key was last used, at most once a minute per node. A
// failure is logged and does not refuse the request.
func (s *Service) markUsed(ctx context.Context, k Key, now time.Time) {
	if now.Sub(k.LastUsedAt) < time.Minute || !s.keys.claimMarkUsed(k.ID, now) {
		return
	}
	// The caller that claimed the write is the only one to do it, so the end of
	// its request must not cancel it.
	ctx, cancel := context.WithTimeout(deadline.WithBudget(context.WithoutCancel(ctx), auditTimeout), auditTimeout)
	defer cancel()
	if err := s.store.MarkKeyUsed(ctx, k.ID, now); err != nil {
		s.log.WarnContext(ctx, "could not write when a key was last used", "key", k.ID, "error", err)
	}
}

// expired reports whether a key that ends at that time (zero: never) has ended.
func expired(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }
