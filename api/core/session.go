package core

import (
	"context"
	"heddle/access"
	"heddle/fault"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// The names of the cookie that holds a session's token. A browser takes the first one from this
// origin alone, over HTTPS, so that no neighbouring host can plant a session of its own. The second
// one is for plain HTTP on this machine, where browsers differ in what they take for secure.
const (
	hostCookie     = "__Host-heddle"
	loopbackCookie = "heddle"
)

// onLoopback reports whether the request is plain HTTP to this machine itself, by the name that
// the client used. A proxy that ends TLS says so, or is called by another name.
func onLoopback(r *http.Request) bool {
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") != "" {
		return false
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.IsLoopback()
}

// cookieOf returns a cookie of that name as this server sets it: for the whole origin, out of
// scripts' reach, and kept for maxAge seconds; below 0 it is removed.
func cookieOf(r *http.Request, name, value string, maxAge int, site http.SameSite) *http.Cookie {
	c := &http.Cookie{Name: "__Host-" + name, Value: value, Path: "/", MaxAge: maxAge, Secure: true, HttpOnly: true, SameSite: site} //nolint:gosec // every caller gives one of Strict and Lax
	if onLoopback(r) {
		c.Name, c.Secure = name, false
	}
	return c
}

// cookieValue returns the value of a cookie that cookieOf made with that name; "" where there is
// not exactly one.
func cookieValue(r *http.Request, name string) string {
	if !onLoopback(r) {
		name = "__Host-" + name
	}
	if found := r.CookiesNamed(name); len(found) == 1 {
		return found[0].Value
	}
	return ""
}

// Browser is the client of a call as far as it keeps cookies: what signing in is about. Other
// clients have none, and pass.
type Browser struct{ c *Call }

// BrowserOf returns the browser that makes a call.
func BrowserOf(c *Call) Browser { return Browser{c} }

// SetSession makes the browser send the session with every request of this origin.
// SameSite=Strict: no request that another site makes carries it, a GET neither, so that no stream
// or export is had that way; and there is no CORS by which a page of another origin on the same
// site could read an answer.
func (b Browser) SetSession(s access.NewSession) {
	http.SetCookie(b.c.Writer, cookieOf(b.c.Request, loopbackCookie, s.Token, int(access.SessionLife.Seconds()), http.SameSiteStrictMode))
}

// ClearSession makes the browser forget its session.
func (b Browser) ClearSession() {
	http.SetCookie(b.c.Writer, cookieOf(b.c.Request, loopbackCookie, "", -1, http.SameSiteStrictMode))
}

// authenticate returns the caller: the bearer token where there is an Authorization, whatever
// cookies are beside it, else the session of the cookie. A write by cookie must come from this
// origin. The error for what is neither is fault.Unauthenticated, and a cookie that is good for
// nothing is cleared. An unavailable store is fault.Unavailable.
func (h *Server) authenticate(c *Call) (access.Principal, error) {
	who := credentialOf(c.Request)
	if who.session != "" {
		if err := BrowserOf(c).CheckOrigin(); err != nil {
			return access.Principal{}, err
		}
	}
	p, err := who.principal(c.Ctx(), h.cfg.Access)
	if who.session != "" && fault.KindOf(err) == fault.Unauthenticated {
		BrowserOf(c).ClearSession()
	}
	return p, err
}

// credential is what a request shows of its caller: a bearer token or a session's, at most one.
// What goes on for long keeps it and checks it again.
type credential struct{ bearer, session string }

// credentialOf returns the credential of a request. Where there is an Authorization, no cookie is
// read.
func credentialOf(r *http.Request) credential {
	if len(r.Header["Authorization"]) > 0 {
		return credential{bearer: bearer(r)}
	}
	return credential{session: cookieValue(r, loopbackCookie)}
}

// principal returns whose credential it is now; the errors are those of access.Service.Authenticate.
func (w credential) principal(ctx context.Context, in *access.Service) (access.Principal, error) {
	if w.session != "" {
		return in.AuthenticateSession(ctx, w.session)
	}
	return in.Authenticate(ctx, w.bearer)
}

// CheckOrigin refuses a request that a browser made for a page of another origin and that may
// change something: fault.Denied cross_origin. Clients that are not browsers say nothing of their
// origin and pass.
func (b Browser) CheckOrigin() error {
	var protection http.CrossOriginProtection
	if protection.Check(b.c.Request) == nil {
		return nil
	}
	return fault.New(fault.Denied, "cross_origin", "A page of another origin made this request with the browser's session; it is taken from pages of this server alone.")
}

// signInRate bounds the sign-ins that fail, for each address at this process.
var signInRate = Rate{Requests: 10, Per: time.Minute}

// AttemptSignIn counts an attempt to sign in from the caller's address; succeeded gives it back, so
// that only those that fail are counted. The error is fault.TooMany rate_limited. Of IPv6 an
// address is a network of 64 bits, of which one customer has them all. Behind a proxy all callers
// have the proxy's address.
func (b Browser) AttemptSignIn() (succeeded func(), err error) {
	key := b.Address()
	if addr, err := netip.ParseAddr(key); err == nil && addr.Is6() {
		if network, err := addr.Prefix(64); err == nil {
			key = network.String()
		}
	}
	a := b.c.server.signIns.take(key, b.c.server.cfg.Now())
	if a.retryAfter == 0 {
		return func() { b.c.server.signIns.giveBack(key) }, nil
	}
	b.c.retryAfter = wholeSeconds(a.retryAfter)
	return nil, fault.New(fault.TooMany, "rate_limited", "More than %d sign-ins from this address failed within a minute; wait %d s.",
		signInRate.Requests, b.c.retryAfter)
}

// Address returns the address of the client's connection; "" where it has none.
func (b Browser) Address() string {
	host, _, err := net.SplitHostPort(b.c.Request.RemoteAddr)
	if err != nil {
		return ""
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	return addr.Unmap().WithZone("").String()
}

// Where returns where a session is begun: the client's words about itself, shortened, and its
// address.
func (b Browser) Where() access.Browser {
	return access.Browser{Agent: Truncate(b.c.Request.UserAgent()), Address: b.Address()}
}

// ticketCookie is the name of the cookie that holds a sign-in at a provider while it lasts.
const ticketCookie = "heddle-signin"

// SetTicket makes the browser keep a ticket for a time; below 0 it forgets the one that it
// has. SameSite=Lax: the provider's page sends the browser back, and that request has to carry it.
func (b Browser) SetTicket(ticket string, life time.Duration) {
	seconds := int(life.Seconds())
	if life < 0 {
		seconds = -1
	}
	http.SetCookie(b.c.Writer, cookieOf(b.c.Request, ticketCookie, ticket, seconds, http.SameSiteLaxMode))
}

// Ticket returns the ticket that the browser keeps; "" for none.
func (b Browser) Ticket() string { return cookieValue(b.c.Request, ticketCookie) }

// Redirect sends the browser elsewhere: 303. A session that the same answer sets comes with the
// requests that the page there makes, but not with the request for the page: another site has begun
// that navigation, and the cookie is SameSite=Strict.
func (b Browser) Redirect(to string) error {
	head := b.c.Writer.Header()
	head.Set("Location", to)
	head.Set("Cache-Control", "no-store")
	return b.c.ReplyStatus(http.StatusSeeOther)
}
