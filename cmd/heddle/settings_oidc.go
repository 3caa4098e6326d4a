package main

import (
	"fmt"
	"heddle/access"
	"heddle/oidc"
	"heddle/signin"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// oidcSettings say where people sign in. Without an issuer there is no provider, and the
// others are not used.
type oidcSettings struct {
	Issuer       string
	ClientID     string
	ClientSecret string
	Scopes       []string
	RoleClaim    string
	Roles        string // as signin.ParseRoles takes them
	Tenant       string // its slug
}

// oidcTable returns the settings of the provider of identities.
func oidcTable() []setting {
	return []setting{
		{
			Name: "HEDDLE_PUBLIC_URL", Flag: "public-url",
			Help: "where browsers reach this server; the provider of identities sends them back there", Allowed: "an https URL without query, or http to a loopback address",
			set: func(s *settings, v string) error { s.PublicURL = strings.TrimRight(v, "/"); return checkSecureURL(v) },
		},
		{
			// The provider's name for itself, compared exactly with what its answers say.
			Name: "HEDDLE_OIDC_ISSUER", Flag: "oidc-issuer",
			Help: "the provider of identities (OpenID Connect) at which people sign in; without it there are keys alone", Allowed: "an https URL without query, or http to a loopback address",
			set: func(s *settings, v string) error { s.OIDC.Issuer = v; return checkSecureURL(v) },
		},
		{
			Name: "HEDDLE_OIDC_CLIENT_ID", Flag: "oidc-client-id",
			Help: "what the provider calls this server", Allowed: "1-256 printable characters",
			set: func(s *settings, v string) error { s.OIDC.ClientID = v; return checkPrintable(v) },
		},
		{
			Name: "HEDDLE_OIDC_CLIENT_SECRET", Secret: true,
			Help: "this server's secret at the provider; without one it is a public client", Allowed: "1-256 printable characters",
			set: func(s *settings, v string) error { s.OIDC.ClientSecret = v; return checkPrintable(v) },
		},
		{
			Name: "HEDDLE_OIDC_SCOPES", Flag: "oidc-scopes", Default: "openid profile email",
			Help: "what the provider is asked for; some need groups for the claim of roles", Allowed: "words with spaces between them, openid among them",
			set: func(s *settings, v string) error {
				s.OIDC.Scopes = strings.Fields(v)
				return oneOf("openid", s.OIDC.Scopes...)
			},
		},
		{
			Name: "HEDDLE_OIDC_ROLE_CLAIM", Flag: "oidc-role-claim", Default: "groups",
			Help: "the claim of the ID token that HEDDLE_OIDC_ROLES reads", Allowed: "a claim's name, or names with dots between them as in realm_access.roles",
			set: func(s *settings, v string) error { s.OIDC.RoleClaim = v; return checkPrintable(v) },
		},
		{
			Name: "HEDDLE_OIDC_ROLES", Flag: "oidc-roles",
			Help:    "which role the values of the claim stand for; the first one that a person has counts, * is for all others, and without it they do not get in",
			Allowed: "value=role with commas between them, as heddle-admins=admin,staff=viewer; the roles are viewer, editor, operator, admin, none",
			set: func(s *settings, v string) error {
				s.OIDC.Roles = v
				_, err := signin.ParseRoles("", v)
				return err
			},
		},
		{
			Name: "HEDDLE_OIDC_TENANT", Flag: "oidc-tenant", Default: access.DefaultTenant,
			Help: "the tenant that people sign in to", Allowed: "a tenant's slug",
			set: func(s *settings, v string) error { s.OIDC.Tenant = v; return checkPrintable(v) },
		},
	}
}

// provider returns the client of the provider of identities; nil where none is set. It
// connects to nothing. The error names the setting that is missing.
func (s settings) provider(now func() time.Time) (*oidc.Provider, error) {
	if s.OIDC.Issuer == "" {
		return nil, nil
	}
	for _, need := range [][2]string{{"HEDDLE_PUBLIC_URL", s.PublicURL}, {"HEDDLE_OIDC_CLIENT_ID", s.OIDC.ClientID}, {"HEDDLE_OIDC_ROLES", s.OIDC.Roles}} {
		if need[1] == "" {
			return nil, fmt.Errorf("%s is missing: HEDDLE_OIDC_ISSUER needs it", need[0])
		}
	}
	return oidc.New(oidc.Config{
		Issuer: s.OIDC.Issuer, ClientID: s.OIDC.ClientID, ClientSecret: s.OIDC.ClientSecret, Scopes: s.OIDC.Scopes, Now: now,
	}), nil
}

// checkSecureURL refuses what is not an https URL with a host and at most a path; plain
// http is for this machine alone, since tokens and cookies pass there.
func checkSecureURL(v string) error {
	u, err := url.Parse(v)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("it is not a URL of a host and a path")
	case u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("it is not https")
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// checkPrintable refuses what is not 1 to 256 printable characters of ASCII.
func checkPrintable(v string) error {
	if len(v) < 1 || len(v) > 256 {
		return fmt.Errorf("it has %d characters", len(v))
	}
	if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fmt.Errorf("it holds a character that is not printable ASCII")
	}
	return nil
}
