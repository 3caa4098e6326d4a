package access

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"heddle/audit"
	"heddle/deadline"
	"heddle/fault"
	"time"
)

// How long a session lasts: SessionIdle after its last request, which is noted to
// the minute, and at most SessionLife.
const (
	SessionIdle = 12 * time.Hour
	SessionLife = 7 * 24 * time.Hour
)

// Session is one sign-in of a browser, with a key or by a user. It holds the SHA-256
// of its token, which alone is in the browser's cookie.
type Session struct {
	ID       string
	TenantID string
	Hash     string      // hex SHA-256 of the token
	Holder   audit.Actor // the key or user, named as it is now
	// SignIn is the hex SHA-256 of what bound a sign-in at a provider to the browser;
	// "" where a key was given. No two sessions have the same, so that a sign-in is
	// completed once.
	SignIn    string
	CreatedAt time.Time
	SeenAt    time.Time // of its last request, to the minute
	ExpiresAt time.Time // at the latest, whatever is done
	Browser
}

// ends returns when the session ends if no further request is made.
func (s Session) ends() time.Time {
	if idle := s.SeenAt.Add(SessionIdle); idle.Before(s.ExpiresAt) {
		return idle
	}
	return s.ExpiresAt
}

// Browser is where a session was begun, for people to recognize it; nothing is
// decided by it.
type Browser struct {
	Agent   string // as its User-Agent said, shortened
	Address string // the address that the sign-in came from
}

// Credential is a session as Authenticate needs it: with the key or the user that
// holds it, of which exactly one is set.
type Credential struct {
	Session Session
	Key     *Key
	User    *User
}

// SessionStore keeps sessions and the users that hold them.
type SessionStore interface {
	// CreateSession stores a key's session.
	CreateSession(ctx context.Context, s Session) error
	// SessionByHash finds a session, ended ones too, with its holder and that one's
	// grants as of one moment; fault.NotFound session_not_found.
	SessionByHash(ctx context.Context, hash string) (Credential, error)
	// MarkSessionSeen notes a request of a session, for its holder too.
	MarkSessionSeen(ctx context.Context, s Session, at time.Time) error
	// Sessions lists the tenant's sessions that have not ended at that time, newest
	// first.
	Sessions(ctx context.Context, tenantID string, at time.Time, cursor string, limit int) (list []Session, next string, err error)
	// DeleteSession removes a session; fault.NotFound session_not_found.
	DeleteSession(ctx context.Context, tenantID, id string) error
	// PurgeSessions removes the sessions of all tenants that ended before that time.
	PurgeSessions(ctx context.Context, before time.Time) error
}

// NewSession is a session with its token, which cannot be read again later.
type NewSession struct {
	Session
	Token string
}

// SignIn begins a session with a key's text. For what is not a valid key the error is
// Authenticate's. The session ends with the key, if that expires earlier.
func (s *Service) SignIn(ctx context.Context, secret string, from Browser, requestID string) (NewSession, error) {
	p, err := s.Authenticate(ctx, secret)
	if err != nil {
		return NewSession{}, err
	}
	made := s.newSession(p.TenantID, p.Actor, from)
	if !p.expires.IsZero() && p.expires.Before(made.ExpiresAt) {
		made.ExpiresAt = p.expires
	}
	ctx = audit.WithTrail(ctx, s.Trail(p, "session.create", requestID))
	return made, s.store.CreateSession(ctx, made.Session)
}

// newSession returns a session that is not yet stored, with a token of 256 random bits.
func (s *Service) newSession(tenantID string, holder audit.Actor, from Browser) NewSession {
	now := s.now().Truncate(time.Millisecond)
	var random [tokenBytes]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	token := base64.RawURLEncoding.EncodeToString(random[:])
	return NewSession{Token: token, Session: Session{
		ID: s.newID("ses_"), TenantID: tenantID, Hash: hexDigest(token), Holder: holder,
		CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(SessionLife), Browser: from,
	}}
}

// tokenBytes is how many random bytes a session's token has.
const tokenBytes = 32

// sessionToken reports whether text has the form of a session's token. Everything else
// is refused without reading the store.
func sessionToken(text string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(b) == tokenBytes
}

// AuthenticateSession returns the principal of a session's token. The errors are those
// of Authenticate, and what ends a key or a user ends its sessions too.
func (s *Service) AuthenticateSession(ctx context.Context, token string) (Principal, error) {
	if !sessionToken(token) {
		return Principal{}, errUnauthenticated()
	}
	return s.authenticate(ctx, s.sessions, digest(token), s.loadSession)
}

// loadSession reads a session from the store; its errors are those of loadKey.
func (s *Service) loadSession(ctx context.Context, hash string, now time.Time) (Principal, func(), error) {
	c, err := s.store.SessionByHash(ctx, hash)
	if fault.KindOf(err) == fault.NotFound {
		return Principal{}, nil, errUnauthenticated()
	}
	if err != nil {
		return Principal{}, nil, err
	}
	var p Principal
	switch ends := c.Session.ends(); {
	case expired(ends, now):
		return Principal{}, nil, errUnauthenticated()
	case c.Key != nil && c.Key.valid(now):
		p = c.Key.principal()
	case c.User != nil && c.User.DisabledAt.IsZero():
		p = c.User.principal()
	default:
		return Principal{}, nil, errUnauthenticated()
	}
	p.SessionID, p.expires = c.Session.ID, earlier(p.expires, c.Session.ends())
	return p, func() { s.markSeen(ctx, c.Session, now) }, nil
}

// earlier returns the earlier of two ends, of which a may be zero for never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// markSeen stores when a session was last used, as markUsed does for a key.
func (s *Service) markSeen(ctx context.Context, session Session, now time.Time) {
	if now.Sub(session.SeenAt) < time.Minute || !s.sessions.claimMarkUsed(session.ID, now) {
		return
	}
	ctx, cancel := context.WithTimeout(deadline.WithBudget(context.WithoutCancel(ctx), auditTimeout), auditTimeout)
	defer cancel()
	if err := s.store.MarkSessionSeen(ctx, session, now); err != nil {
		s.log.WarnContext(ctx, "could not write when a session was last used", "session", session.ID, "error", err)
	}
}

// Sessions lists at most limit of the tenant's sessions that have not ended, newest
// first, and returns the cursor of the next page, "" on the last.
func (s *Service) Sessions(ctx context.Context, tenantID, cursor string, limit int) ([]Session, string, error) {
	return s.store.Sessions(ctx, tenantID, s.now(), cursor, limit)
}

// EndSession ends a session: at once on this node, within cacheTTL on others.
// fault.NotFound session_not_found.
func (s *Service) EndSession(ctx context.Context, tenantID, id string) error {
	if err := s.store.DeleteSession(ctx, tenantID, id); err != nil {
		return err
	}
	s.invalidate()
	return nil
}
