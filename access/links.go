package access

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"heddle/audit"
	"heddle/fault"
	"sync"
	"time"
)

// LinkLife is how long a sign-in link is accepted if it is not used.
const LinkLife = 10 * time.Minute

// Links are the sign-in links of this process. They are in its memory alone, as their digests:
// a link names the node that printed it, and ends with that node's process. Its methods may be
// called concurrently.
type Links struct {
	service *Service
	mu      sync.Mutex
	open    map[[32]byte]time.Time // when each ends, by the digest of its token; guarded by mu
}

// NewLinks returns links whose sessions are the service's. There are none at first.
func NewLinks(s *Service) *Links { return &Links{service: s, open: map[[32]byte]time.Time{}} }

// add keeps a link until it ends.
func (l *Links) add(sum [32]byte, ends time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[sum] = ends
}

// take removes a link and returns when it ends; zero where there is none, as after its use.
func (l *Links) take(sum [32]byte) (ends time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ends = l.open[sum]
	delete(l.open, sum)
	return ends
}

// New returns the token of a link that signs a browser in once at this process, within
// LinkLife, as an admin of the tenant default. It is for the operator who starts the server,
// and who could make a key on its machine as well (Recover). Only its digest is kept.
func (l *Links) New() (token string) {
	var random [tokenBytes]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	token = base64.RawURLEncoding.EncodeToString(random[:])
	l.add(digest(token), l.service.now().Add(LinkLife))
	return token
}

// SignIn begins a session with a link's token, which is used up. The session is that of
// the oldest valid admin key of the tenant default, and ends with it. Errors:
// fault.Unauthenticated for a link that is none, was used or is too old, and where no such key
// is left; one of the store leaves the link as it was.
func (l *Links) SignIn(ctx context.Context, token string, from Browser, requestID string) (NewSession, error) {
	sum := digest(token)
	ends := l.take(sum)
	if ends.IsZero() || expired(ends, l.service.now()) {
		return NewSession{}, fault.New(fault.Unauthenticated, "unauthenticated",
			"The link was used already, is older than %d minutes, or is of another start of the server: sign in with a key, or start the server anew for another link.", int(LinkLife.Minutes()))
	}
	made, err := l.begin(ctx, from, requestID)
	if err != nil && fault.KindOf(err) != fault.Unauthenticated {
		l.add(sum, ends)
	}
	return made, err
}

// begin stores the session of a link.
func (l *Links) begin(ctx context.Context, from Browser, requestID string) (NewSession, error) {
	s := l.service
	tenant, err := s.store.TenantBySlug(ctx, DefaultTenant)
	if err != nil {
		return NewSession{}, err
	}
	k, err := l.oldestAdminKey(ctx, tenant.ID)
	if err != nil {
		return NewSession{}, err
	}
	p := k.principal()
	made := s.newSession(tenant.ID, p.Actor, from)
	if !p.expires.IsZero() && p.expires.Before(made.ExpiresAt) {
		made.ExpiresAt = p.expires
	}
	trail := s.Trail(p, "session.create", requestID)
	trail.SetReason("By the link that the server printed when it started.")
	return made, s.store.CreateSession(audit.WithTrail(ctx, trail), made.Session)
}

// oldestAdminKey returns the tenant's oldest admin key that is valid; fault.Unauthenticated
// where there is none.
func (l *Links) oldestAdminKey(ctx context.Context, tenantID string) (oldest Key, err error) {
	s := l.service
	const page = 200
	for cursor := ""; ; {
		list, next, err := s.store.Keys(ctx, tenantID, cursor, page)
		if err != nil {
			return Key{}, err
		}
		for _, k := range list {
			if k.Role == RoleAdmin && k.valid(s.now()) {
				oldest = k // the newest come first
			}
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	if oldest.ID == "" {
		return Key{}, fault.New(fault.Unauthenticated, "unauthenticated",
			"The tenant %s has no valid admin key for the link to stand for; heddle keys recover makes one.", DefaultTenant)
	}
	return oldest, nil
}
