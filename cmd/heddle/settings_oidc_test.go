package main

import (
	"strings"
	"testing"
	"time"
)

// TestAProviderNeedsItsSettings: without an issuer there is none; with one, what is missing is named.
func TestAProviderNeedsItsSettings(t *testing.T) {
	t.Parallel()
	if p, err := (settings{}).provider(time.Now); p != nil || err != nil {
		t.Errorf("%v %v", p, err)
	}
	whole := settings{PublicURL: "https://heddle.example", OIDC: oidcSettings{Issuer: "https://id.example", ClientID: "heddle", Roles: "*=viewer"}}
	p, err := whole.provider(time.Now)
	if err != nil || p == nil {
		t.Fatal(err)
	}
	p.Close()
	for name, without := range map[string]func(*settings){
		"HEDDLE_PUBLIC_URL":     func(s *settings) { s.PublicURL = "" },
		"HEDDLE_OIDC_CLIENT_ID": func(s *settings) { s.OIDC.ClientID = "" },
		"HEDDLE_OIDC_ROLES":     func(s *settings) { s.OIDC.Roles = "" },
	} {
		s := whole
		without(&s)
		if _, err := s.provider(time.Now); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

// TestURLsOfSignInAreSecure, but for this machine.
func TestURLsOfSignInAreSecure(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"https://id.example", "https://id.example:8443/realms/work", "http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:8080/base"} {
		if err := checkSecureURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "id.example", "http://id.example", "http://127.0.0.1.example", "https://", "https://a@id.example", "https://id.example?x=1", "https://id.example#x", "ftp://localhost", "//id.example"} {
		if checkSecureURL(bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
