package access

import (
	"context"
	"heddle/deadline"
	"heddle/fault"
	"log/slog"
	"sync/atomic"
	"time"
)

// Config is what a Service is made of; Log may be nil.
type Config struct {
	Store Store
	Now   func() time.Time
	NewID func(prefix string) string
	Log   *slog.Logger
	// Quotas are those of tenants that have none of their own.
	Quotas Quotas
}

// Service authenticates keys and keeps tenants, keys, grants and the audit
// trail.
type Service struct {
	store Store
	now   func() time.Time
	newID func(prefix string) string
	log   *slog.Logger

	cache        *keyCache
	quotas       quotaCache
	serverQuotas Quotas
	// bootstrap is the digest of the configured first key: it alone is accepted
	// without the form of a key.
	bootstrap atomic.Pointer[[32]byte]
}

// New makes a Service.
func New(cfg Config) *Service {
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Service{store: cfg.Store, now: cfg.Now, newID: cfg.NewID, log: log, cache: newKeyCache(), serverQuotas: cfg.Quotas}
}

// errUnauthenticated is one answer for a key that is missing, malformed,
// unknown, expired or revoked: whoever tries keys learns nothing.
func errUnauthenticated() *fault.Error {
	return fault.New(fault.Unauthenticated, "unauthenticated",
		"Send a valid API key as \"Authorization: Bearer iw_live_…\".")
}

// Authenticate tells who a bearer token speaks for. Every token that is not a
// valid key gives the same fault.Unauthenticated; a store that does not answer
// is passed on as it is.
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

// load reads a key from the store and remembers it.
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
		KeyID: k.ID, KeyName: k.Name, TenantID: k.TenantID, TenantSlug: k.TenantSlug,
		Role: k.Role, Grants: k.Grants,
	}
	s.cache.put(sum, p, k.ExpiresAt, now, generation)
	s.markUsed(ctx, k, now)
	return p, nil
}

// markUsed writes when a key was last used, at most once a minute. That it fails
// is no reason to refuse the request.
func (s *Service) markUsed(ctx context.Context, k Key, now time.Time) {
	if now.Sub(k.LastUsedAt) < time.Minute || !s.cache.claimMarkUsed(k.ID, now) {
		return
	}
	ctx, cancel := context.WithTimeout(deadline.With(context.WithoutCancel(ctx), auditTimeout), auditTimeout) // whoever claimed it is the only one to write it
	defer cancel()
	if err := s.store.MarkKeyUsed(ctx, k.ID, now); err != nil {
		s.log.WarnContext(ctx, "could not write when a key was last used", "key", k.ID, "error", err)
	}
}

func expired(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }
