package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"heddle/fault"
	"heddle/oidc"
	"heddle/signin"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// world is a client of a provider, with a clock that tests move.
type world struct {
	*oidc.Provider
	t  *testing.T
	at *provider

	mu  sync.Mutex
	now time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, at: newProvider(t), now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	w.Provider = oidc.New(oidc.Config{Issuer: w.at.issuer(), ClientID: clientID, ClientSecret: secret, Scopes: []string{"openid", "email"}, Now: w.clock})
	t.Cleanup(w.Close)
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// exchange is one sign-in; each test's code is its own.
func exchange() signin.Exchange {
	return signin.Exchange{
		Callback: "https://heddle.example" + signin.CallbackPath, State: "state", Nonce: "nonce",
		Verifier: strings.Repeat("v", 43),
	}
}

// identify signs a person in of whom the provider says this.
func (w *world) identify(code string, more map[string]any) (signin.Claims, error) {
	w.t.Helper()
	e := exchange()
	w.at.says(e, w.clock(), more)
	return w.Identify(w.t.Context(), code, e)
}

// TestTheProviderIsAskedWithPKCEAndNonce, for the client and the scopes of the settings.
func TestTheProviderIsAskedWithPKCEAndNonce(t *testing.T) {
	w := newWorld(t)
	to, err := w.AuthURL(t.Context(), exchange())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(to, w.at.issuer()+"/authorize?") {
		t.Errorf("sent to %s", to)
	}
	for name, want := range map[string]string{
		"response_type": "code", "client_id": clientID, "scope": "openid email", "state": "state", "nonce": "nonce", "code_challenge_method": "S256",
		"redirect_uri": exchange().Callback,
	} {
		if got := u.Query().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if c := u.Query().Get("code_challenge"); len(c) != 43 || strings.Contains(to, exchange().Verifier) {
		t.Errorf("the challenge is %q in %s", c, to)
	}
}

// TestAPersonIsIdentified with the claims of the token; an address that is not verified is not told,
// and the name is the best that there is.
func TestAPersonIsIdentified(t *testing.T) {
	w := newWorld(t)
	for code, c := range map[string]struct {
		more  map[string]any
		email string
		name  string
	}{
		"plain":      {nil, "ada@example.com", "Ada"},
		"verified":   {map[string]any{"email_verified": true}, "ada@example.com", "Ada"},
		"unverified": {map[string]any{"email_verified": false}, "", "Ada"},
		"as text":    {map[string]any{"email_verified": "false"}, "", "Ada"},
		"username":   {map[string]any{"name": nil, "preferred_username": "ada.l"}, "ada@example.com", "ada.l"},
		"address":    {map[string]any{"name": " \n"}, "ada@example.com", "ada@example.com"},
		"subject":    {map[string]any{"name": nil, "email": nil}, "", "ada"},
		"controls":   {map[string]any{"name": "A\x00d\na"}, "ada@example.com", "Ada"},
		"two":        {map[string]any{"aud": []string{"other", clientID}, "azp": clientID}, "ada@example.com", "Ada"},
	} {
		got, err := w.identify(code, c.more)
		if err != nil || got.Subject != "ada" || got.Email != c.email || got.Name != c.name || got.All["groups"] == nil {
			t.Errorf("%s: %+v %v", code, got, err)
		}
	}
	if n := w.at.count("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("the metadata were read %d times", n)
	}
}

// TestWhatIsNotAnIdentity is refused, and the caller learns nothing of why.
func TestWhatIsNotAnIdentity(t *testing.T) {
	w := newWorld(t)
	now := w.clock()
	for name, more := range map[string]map[string]any{
		"nonce of another":     {"nonce": "another"},
		"no nonce":             {"nonce": nil},
		"audience":             {"aud": "other"},
		"no audience":          {"aud": nil},
		"several, no azp":      {"aud": []string{clientID, "other"}},
		"azp":                  {"azp": "other"},
		"issuer":               {"iss": "https://evil.example"},
		"expired":              {"exp": now.Add(-61 * time.Second).Unix()},
		"no expiry":            {"exp": nil},
		"of the future":        {"iat": now.Add(61 * time.Second).Unix()},
		"not before":           {"nbf": now.Add(time.Hour).Unix()},
		"no subject":           {"sub": nil},
		"a subject of no text": {"sub": 7},
		"a long subject":       {"sub": strings.Repeat("s", 256)},
	} {
		_, err := w.identify(name, more)
		if f, ok := err.(*fault.Error); !ok || f.Code != "identity_rejected" || f.Kind != fault.Denied || strings.Contains(f.Message, "nonce") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A minute of skew either way is not a fault.
	for name, more := range map[string]map[string]any{
		"late": {"exp": now.Add(-59 * time.Second).Unix()}, "early": {"iat": now.Add(59 * time.Second).Unix()}, "not before": {"nbf": now.Add(59 * time.Second).Unix()},
	} {
		if _, err := w.identify("skew "+name, more); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOnlyTheProvidersKeysSign: not another key of the same name, not the client's secret, and not
// nobody, whatever the metadata offer.
func TestOnlyTheProvidersKeysSign(t *testing.T) {
	w := newWorld(t)
	stolen, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, k := range map[string]signingKey{
		"another key":  {"first", stolen, jose.ES256},
		"unknown name": {"second", stolen, jose.ES256},
		"the secret":   {"first", []byte(secret + secret), jose.HS256},
		"none":         {"", nil, "none"},
	} {
		w.at.mu.Lock()
		w.at.signer = &k
		w.at.mu.Unlock()
		if _, err := w.identify(name, nil); fault.CodeOf(err) != "identity_rejected" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTheProviderMayRotateItsKeys: a token of a new key is taken at once, and keys that are known are
// not fetched again.
func TestTheProviderMayRotateItsKeys(t *testing.T) {
	w := newWorld(t)
	for _, code := range []string{"one", "two"} {
		if _, err := w.identify(code, nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.at.count("/jwks"); n != 1 {
		t.Errorf("the keys were fetched %d times for one key", n)
	}
	w.at.rotate("second")
	if _, err := w.identify("three", nil); err != nil {
		t.Fatal(err)
	}
	if n := w.at.count("/jwks"); n != 2 {
		t.Errorf("the keys were fetched %d times for two keys", n)
	}
}

// TestACodeThatIsRefused is no identity: used twice, or with another verifier than that of the
// challenge.
func TestACodeThatIsRefused(t *testing.T) {
	w := newWorld(t)
	if _, err := w.identify("once", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.identify("once", nil); fault.CodeOf(err) != "identity_rejected" {
		t.Errorf("twice: %v", err)
	}
	e := exchange()
	w.at.says(e, w.clock(), nil)
	e.Verifier = strings.Repeat("w", 43)
	if _, err := w.Identify(t.Context(), "verifier", e); fault.CodeOf(err) != "identity_rejected" {
		t.Errorf("another verifier: %v", err)
	}
}

// TestAProviderThatIsAway is 503, at each of its endpoints, and asked again soon; while it does not
// answer, not every browser asks it.
func TestAProviderThatIsAway(t *testing.T) {
	w := newWorld(t)
	away := func(what string, err error) {
		t.Helper()
		if fault.CodeOf(err) != "oidc_unavailable" || fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: %v", what, err)
		}
	}
	const metadata = "/.well-known/openid-configuration"
	w.at.breaks(metadata, http.StatusBadGateway)
	for range 3 {
		_, err := w.AuthURL(t.Context(), exchange())
		away("metadata", err)
	}
	if n := w.at.count(metadata); n != 1 {
		t.Errorf("asked %d times within two seconds", n)
	}
	w.at.breaks(metadata, 0)
	w.pass(2 * time.Second)
	if _, err := w.AuthURL(t.Context(), exchange()); err != nil {
		t.Fatal(err)
	}
	w.at.breaks("/token", http.StatusServiceUnavailable)
	_, err := w.identify("token", nil)
	away("token", err)
	w.at.breaks("/token", 0)
	w.at.breaks("/jwks", http.StatusInternalServerError)
	_, err = w.identify("keys", nil)
	away("keys", err)
	w.at.breaks("/jwks", 0)
	if _, err := w.identify("again", nil); err != nil {
		t.Error(err)
	}
	w.at.server.Close()
	_, err = w.identify("closed", nil)
	away("closed", err)
}

// TestAnAnswerWithoutEnd is given up after a mebibyte.
func TestAnAnswerWithoutEnd(t *testing.T) {
	w := newWorld(t)
	w.at.mu.Lock()
	w.at.huge = true
	w.at.mu.Unlock()
	if _, err := w.AuthURL(t.Context(), exchange()); fault.CodeOf(err) != "oidc_unavailable" {
		t.Error(err)
	}
}

// TestAnotherIssuersMetadata are not taken.
func TestAnotherIssuersMetadata(t *testing.T) {
	w := newWorld(t)
	other := oidc.New(oidc.Config{Issuer: w.at.issuer() + "/", ClientID: clientID, Now: w.clock})
	t.Cleanup(other.Close)
	if _, err := other.AuthURL(t.Context(), exchange()); fault.CodeOf(err) != "oidc_unavailable" {
		t.Error(err)
	}
}
