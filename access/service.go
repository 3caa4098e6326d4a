package access

import (
	"context"
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

// Service authenticates keys and manages tenants, keys, grants, quotas and the
// audit trail. It is safe for concurrent use.
type Service struct {
	store Store
	now   func() time.Time
	newID func(prefix string) string
	log   *slog.Logger

	cache        *keyCache
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
	return &Service{store: cfg.Store, now: cfg.Now, newID: cfg.NewID, log: log, cache: newKeyCache(), serverQuotas: cfg.Quotas}
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
	now := s.now()
	if p, expires, ok := s.cache.get(sum, now); ok {
		if expired(expires, now) {
			return Principal{}, errUnauthenticated()
		}
		return p, nil
	}
	return s.load(ctx, sum, now)
}

// load reads a key from the store and caches it if it is valid. Invalid keys are
// not cached: a flood of them could displace the valid ones. Its errors are
// Authenticate's.
func (s *Service) load(ctx context.Context, sum [32]byte, now time.Time) (Principal, error) {
	generation := s.cache.currentGeneration()
	k, err := s.store.KeyByHash(ctx, hexString(sum))
	if fault.KindOf(err) == fault.NotFound {
		return Principal{}, errUnauthenticated()
	}
	if err != nil {
		return Principal{}, err
	}
	if !k.RevokedAt.IsZero() || expired(k.ExpiresAt, now) {
		return Principal{}, errUnauthenticated()
	}
	p := Principal{
		KeyID: k.ID, KeyName: k.Name, TenantID: k.TenantID, TenantSlug: k.TenantSlug, TenantName: k.TenantName,
		Role: k.Role, Grants: k.Grants,
	}
	s.cache.put(sum, p, k.ExpiresAt, now, generation)
	s.markUsed(ctx, k, now)
	return p, nil
}

// markUsed stores when a key was last used, at most once a minute per node. A
// failure is logged and does not refuse the request.
func (s *Service) markUsed(ctx context.Context, k Key, now time.Time) {
	if now.Sub(k.LastUsedAt) < time.Minute || !s.cache.claimMarkUsed(k.ID, now) {
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
