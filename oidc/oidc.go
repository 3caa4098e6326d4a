// Package oidc speaks OpenID Connect to the one provider of identities that the settings
// name: discovery, the exchange of a code, and the checks of an ID token.
//
// It connects to the provider alone, and not before somebody signs in: a provider that
// does not answer neither stops the start nor those who have keys or sessions. It knows
// neither users nor roles.
package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"heddle/fault"
	"heddle/signin"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Config names the provider and this client of it.
type Config struct {
	Issuer       string
	ClientID     string
	ClientSecret string // "": a public client, which PKCE alone protects
	Scopes       []string
	Now          func() time.Time
}

// Limits of what the provider may take: one of its answers, and all of a request.
const (
	maxAnswer = 1 << 20
	patience  = 10 * time.Second
)

// skew is how far the provider's clock may be from ours.
const skew = time.Minute

// retryDiscovery is how long a discovery that failed stands for those that follow: a
// provider that does not answer is not asked by each of many browsers in turn.
const retryDiscovery = 2 * time.Second

// Provider is a client of the provider. It is safe for concurrent use.
type Provider struct {
	cfg    Config
	client *http.Client

	// turn has one place: who holds it may discover, and touch what follows.
	turn   chan struct{}
	found  *oidc.Provider
	failed error
	at     time.Time // of failed
}

// New returns a Provider. It connects to nothing.
func New(cfg Config) *Provider {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // documented to be one
	return &Provider{
		cfg: cfg, client: &http.Client{Transport: bounded{transport}, Timeout: patience}, turn: make(chan struct{}, 1),
	}
}

// Close closes the connections that are kept open.
func (p *Provider) Close() { p.client.CloseIdleConnections() }

// Issuer returns the issuer of the settings.
func (p *Provider) Issuer() string { return p.cfg.Issuer }

// AuthURL returns the provider's page for signing in, with the code challenge of the
// verifier. It asks for the provider's metadata at first.
func (p *Provider) AuthURL(ctx context.Context, e signin.Exchange) (string, error) {
	found, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	return p.oauth(found, e).AuthCodeURL(e.State, oidc.Nonce(e.Nonce), oauth2.S256ChallengeOption(e.Verifier)), nil
}

// Identify exchanges the code and checks the ID token: signature, issuer, audience, times
// with a minute of skew, nonce. The keys of the signature are fetched anew where the token
// names one that is not known, so that the provider may rotate them.
func (p *Provider) Identify(ctx context.Context, code string, e signin.Exchange) (signin.Claims, error) {
	found, err := p.discover(ctx)
	if err != nil {
		return signin.Claims{}, err
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), patience)
	defer cancel()
	tokens, err := p.oauth(found, e).Exchange(ctx, code, oauth2.VerifierOption(e.Verifier))
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response.StatusCode < http.StatusInternalServerError {
		return signin.Claims{}, rejected(fmt.Errorf("the code was refused: %s", refused.ErrorCode))
	}
	if err != nil {
		return signin.Claims{}, unavailable(err)
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return signin.Claims{}, rejected(errors.New("there is no ID token in the answer"))
	}
	return p.verify(ctx, found, raw, e.Nonce)
}

// verify checks an ID token and returns its claims.
func (p *Provider) verify(ctx context.Context, found *oidc.Provider, raw, nonce string) (signin.Claims, error) {
	now := p.cfg.Now()
	verifier := found.Verifier(&oidc.Config{ClientID: p.cfg.ClientID, Now: func() time.Time { return now.Add(-skew) }})
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		// The library has no type for keys that could not be fetched.
		if strings.Contains(err.Error(), "fetching keys") {
			return signin.Claims{}, unavailable(err)
		}
		return signin.Claims{}, rejected(err)
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1 {
		return signin.Claims{}, rejected(errors.New("the nonce is that of another sign-in"))
	}
	if token.IssuedAt.After(now.Add(skew)) {
		return signin.Claims{}, rejected(errors.New("the token is of the future"))
	}
	var c claims
	if err := errors.Join(token.Claims(&c), token.Claims(&c.all)); err != nil {
		return signin.Claims{}, rejected(fmt.Errorf("read the claims: %w", err))
	}
	// A token for several clients says which of them asked for it.
	if len(token.Audience) > 1 && c.AuthorizedParty == "" || c.AuthorizedParty != "" && c.AuthorizedParty != p.cfg.ClientID {
		return signin.Claims{}, rejected(errors.New("the token was issued to another client"))
	}
	if token.Subject == "" || len(token.Subject) > 255 {
		return signin.Claims{}, rejected(errors.New("sub is not 1 to 255 characters"))
	}
	return c.of(token.Subject), nil
}

// claims are those that a token of a person has by the standard.
type claims struct {
	Email             string `json:"email"`
	EmailVerified     any    `json:"email_verified"` // some providers send a text
	Name              string `json:"name"`
	PreferredUsername string `json:"preferred_username"`
	AuthorizedParty   string `json:"azp"`
	all               map[string]any
}

// of returns the claims as this server uses them. An address that the provider has not
// verified could be anybody's and is left out.
func (c claims) of(subject string) signin.Claims {
	if v := c.EmailVerified; v == false || v == "false" {
		c.Email = ""
	}
	names := []string{printable(c.Name), printable(c.PreferredUsername), printable(c.Email), printable(subject)}
	i := slices.IndexFunc(names, func(s string) bool { return s != "" })
	name := subject
	if i >= 0 {
		name = names[i]
	}
	return signin.Claims{Subject: subject, Email: printable(c.Email), Name: name, All: c.all}
}

// printable returns a text without control characters, at most 200 characters of it.
func printable(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return -1
		}
		return r
	}, s))
	if r := []rune(s); len(r) > 200 {
		return string(r[:200])
	}
	return s
}

// oauth returns the client's side of one exchange.
func (p *Provider) oauth(found *oidc.Provider, e signin.Exchange) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret, Endpoint: found.Endpoint(), RedirectURL: e.Callback, Scopes: p.cfg.Scopes,
	}
}

// discover returns the provider's metadata, which are read once. One caller at a time asks
// for them. Where the provider does not answer it is fault.Unavailable oidc_unavailable,
// which stands for two seconds.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if p.found != nil {
		return p.found, nil
	}
	if p.failed != nil && p.cfg.Now().Sub(p.at) < retryDiscovery {
		return nil, p.failed
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), patience)
	defer cancel()
	found, err := oidc.NewProvider(ctx, p.cfg.Issuer)
	if err != nil {
		p.failed, p.at = unavailable(err), p.cfg.Now()
		return nil, p.failed
	}
	p.found = found
	return found, nil
}

// unavailable is the error for a provider that does not answer as it should.
func unavailable(err error) error {
	return fault.Wrap(err, fault.Unavailable, "oidc_unavailable", "The provider of identities does not answer. Try again in a moment, or use a key.")
}

// rejected is the error for an identity that cannot be trusted. The cause is for the log
// alone.
func rejected(err error) error {
	return fault.Wrap(err, fault.Denied, "identity_rejected", "What the provider said about you could not be verified; begin again, and tell the operator the request id if it happens twice.")
}

// bounded is a transport whose answers end with an error after maxAnswer.
type bounded struct{ http.RoundTripper }

// RoundTrip bounds the body of the answer.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	}
	return resp, err
}
