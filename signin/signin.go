// Package signin signs people in whom a provider of identities knows, by OpenID
// Connect's authorization code flow with PKCE, state and nonce. It decides what binds a
// sign-in to the browser that began it, where the browser goes afterwards, and which
// role a person has here; the provider's protocol is a Provider, and sessions are those
// of access.
//
// It promises that a sign-in is completed by the browser that began it alone, and once;
// that nobody gets in without a role; and that nobody is sent to another site.
package signin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"heddle/access"
	"heddle/fault"
	"strings"
	"time"
)

// Provider is a provider of identities. Its methods may be called concurrently. A
// provider that does not answer is fault.Unavailable oidc_unavailable.
type Provider interface {
	// AuthURL returns where the browser is sent to sign in.
	AuthURL(ctx context.Context, e Exchange) (string, error)
	// Identify exchanges a code for the claims about the person who signed in, whose
	// signature, issuer, audience, times and nonce have been checked: fault.Denied
	// identity_rejected where anything is wrong with them or the code.
	Identify(ctx context.Context, code string, e Exchange) (Claims, error)
	// Issuer returns the provider's name for itself.
	Issuer() string
}

// Exchange is what the two halves of a sign-in share. Verifier is PKCE's (RFC 7636), which
// only the browser that began the sign-in makes known again.
type Exchange struct {
	Callback string // the URL that the provider sends the browser back to
	State    string
	Nonce    string
	Verifier string
}

// Claims are what a provider says of a person.
type Claims struct {
	Subject string
	Email   string // "" unless the provider has verified it, or does not say
	Name    string
	// All has every claim, decoded from JSON.
	All map[string]any
}

// Users is where a person who was identified gets a session: access.Service.
type Users interface {
	SignInUser(ctx context.Context, tenantSlug string, who access.Identity, signIn string, from access.Browser, requestID string) (access.NewSession, error)
}

// Config holds what New needs.
type Config struct {
	Provider Provider
	Users    Users
	Tenant   string // the slug of the tenant that people sign in to
	Roles    Roles
	// PublicURL is where browsers reach the server, without a slash at its end.
	PublicURL string
}

// Service signs people in. It is safe for concurrent use and holds nothing between the
// halves of a sign-in: the browser's ticket has all of it, so that any node completes it.
type Service struct{ cfg Config }

// New returns a Service. It asks the provider nothing.
func New(cfg Config) *Service { return &Service{cfg} }

// TicketLife is how long a sign-in may take.
const TicketLife = 10 * time.Minute

// Begun is a sign-in that was begun: where the browser is to go, and the ticket that it
// has to bring back in a cookie.
type Begun struct{ URL, Ticket string }

// Begin begins a sign-in. returnTo is where the browser goes when it is complete, a path
// of this server: fault.Malformed invalid_request for anything else; "" is "/".
func (s *Service) Begin(ctx context.Context, returnTo string) (Begun, error) {
	if returnTo == "" {
		returnTo = "/"
	}
	if !LocalPath(returnTo) {
		return Begun{}, fault.New(fault.Malformed, "invalid_request", "return_to must be a path of this server, such as /runs.")
	}
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	t := ticket{base64.RawURLEncoding.EncodeToString(random[:]), returnTo}
	url, err := s.cfg.Provider.AuthURL(ctx, s.exchange(t))
	if err != nil {
		return Begun{}, err
	}
	return Begun{url, t.String()}, nil
}

// Answer is what the browser brings back from the provider.
type Answer struct {
	Ticket string // of the cookie
	State  string
	Issuer string // RFC 9207; "": the provider does not say
	Code   string
	Error  string // instead of a code, such as access_denied
}

// Attempt is a sign-in that came back in the browser that began it.
type Attempt struct {
	service *Service
	ticket  ticket
	code    string
}

// Resume finds the sign-in that an answer belongs to. Errors: fault.Malformed
// sign_in_expired where the browser has no ticket for this state; fault.Denied
// sign_in_refused where the provider says so; fault.Denied identity_rejected for another
// provider's answer.
func (s *Service) Resume(a Answer) (*Attempt, error) {
	t, err := parseTicket(a.Ticket)
	if err != nil || subtle.ConstantTimeCompare([]byte(t.derive("state")), []byte(a.State)) != 1 {
		return nil, fault.New(fault.Malformed, "sign_in_expired", "This sign-in was begun in another browser, more than %d minutes ago, or is complete; begin again.", int(TicketLife.Minutes()))
	}
	if a.Issuer != "" && a.Issuer != s.cfg.Provider.Issuer() {
		return nil, fault.New(fault.Denied, "identity_rejected", "The answer comes from another provider than the one that was asked.")
	}
	if a.Error != "" || a.Code == "" {
		return nil, fault.New(fault.Denied, "sign_in_refused", "The provider did not sign you in.").With("provider_error", excerpt(a.Error))
	}
	return &Attempt{s, t, a.Code}, nil
}

// excerpt returns the beginning of a provider's error code, with what is not printable
// ASCII left out.
func excerpt(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), 100)]
}

// ReturnTo returns the path where the browser goes once the attempt has succeeded.
func (a *Attempt) ReturnTo() string { return a.ticket.returnTo }

// Complete identifies the person and begins a session. Errors: those of
// Provider.Identify; fault.Denied no_role; those of access.Service.SignInUser.
func (a *Attempt) Complete(ctx context.Context, from access.Browser, requestID string) (access.NewSession, error) {
	cfg := a.service.cfg
	claims, err := cfg.Provider.Identify(ctx, a.code, a.service.exchange(a.ticket))
	if err != nil {
		return access.NewSession{}, err
	}
	role, ok := cfg.Roles.Of(claims.All)
	if !ok {
		return access.NewSession{}, fault.New(fault.Denied, "no_role", "The provider knows you, but none of your groups has a role here; ask an administrator.")
	}
	who := access.Identity{Issuer: cfg.Provider.Issuer(), Subject: claims.Subject, Email: claims.Email, Name: claims.Name, Role: role}
	return cfg.Users.SignInUser(ctx, cfg.Tenant, who, a.ticket.digest("session"), from, requestID)
}

// exchange returns what a ticket stands for at the provider.
func (s *Service) exchange(t ticket) Exchange {
	return Exchange{
		Callback: s.cfg.PublicURL + CallbackPath,
		State:    t.derive("state"), Nonce: t.derive("nonce"), Verifier: t.derive("verifier"),
	}
}

// CallbackPath is the path that the provider sends browsers back to, below PublicURL.
const CallbackPath = "/v1/session/oidc/callback"

// FailurePath returns the path of the page that tells a person what went wrong.
func (s *Service) FailurePath(code string) string {
	return s.basePath() + "/login?error=" + code
}

// basePath returns the path of PublicURL, "" for none.
func (s *Service) basePath() string {
	_, rest, _ := strings.Cut(s.cfg.PublicURL, "://")
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[i:]
	}
	return ""
}

// ticket binds a sign-in to a browser: 256 random bits that the browser alone has, and
// where it goes afterwards. State, nonce and verifier are digests of the random part, so
// that who sees one of them knows neither another nor the ticket, and the server needs
// neither a row nor a key of its own for a sign-in that may never come back.
type ticket struct{ random, returnTo string }

// String returns the ticket as the cookie holds it.
func (t ticket) String() string {
	return t.random + "." + base64.RawURLEncoding.EncodeToString([]byte(t.returnTo))
}

// parseTicket is the inverse of String. The path is checked anew: cookies are the
// browser's.
func parseTicket(text string) (ticket, error) {
	random, path, _ := strings.Cut(text, ".")
	returnTo, err := base64.RawURLEncoding.DecodeString(path)
	if err != nil || len(random) != 43 || !LocalPath(string(returnTo)) {
		return ticket{}, fault.New(fault.Malformed, "invalid_request", "This is not a ticket.")
	}
	return ticket{random, string(returnTo)}, nil
}

// digest returns the hex SHA-256 of the random part for one purpose.
func (t ticket) digest(purpose string) string {
	sum := sha256.Sum256([]byte(purpose + "\x00" + t.random))
	return hex.EncodeToString(sum[:])
}

// derive is digest in 43 characters of base64url, which is what PKCE takes.
func (t ticket) derive(purpose string) string {
	sum := sha256.Sum256([]byte(purpose + "\x00" + t.random))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// maxPath is how long a path to return to may be, so that the ticket fits in a cookie.
const maxPath = 1500

// LocalPath reports whether a browser that is sent there stays on this server: it begins
// with one slash, and nothing in it is read by a browser as a host (//, /\) or dropped
// by it on the way (control characters).
func LocalPath(p string) bool {
	if len(p) > maxPath || !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") {
		return false
	}
	return !strings.ContainsFunc(p, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' })
}
