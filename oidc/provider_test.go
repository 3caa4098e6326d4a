package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"heddle/signin"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// provider is a small provider of identities, which tests make say what they want.
type provider struct {
	t      *testing.T
	server *httptest.Server

	mu     sync.Mutex
	keys   []signingKey // that it publishes; it signs with the last one
	signer *signingKey  // nil: the last of keys
	claims map[string]any
	// challenge is that of the sign-in which the code is for; codes are used once.
	challenge string
	used      map[string]bool
	asked     map[string]int // by path
	broken    map[string]int // the status that a path answers; 0: none
	huge      bool           // its answers never end
}

// signingKey is a key of the provider.
type signingKey struct {
	id  string
	key any
	alg jose.SignatureAlgorithm
}

const (
	clientID = "heddle"
	secret   = "the client's secret"
)

// newProvider starts a provider whose tokens are good.
func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{t: t, used: map[string]bool{}, asked: map[string]int{}, broken: map[string]int{}, claims: map[string]any{}}
	p.rotate("first")
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{
			"issuer": p.issuer(), "authorization_endpoint": p.issuer() + "/authorize", "token_endpoint": p.issuer() + "/token",
			"jwks_uri": p.issuer() + "/jwks", "id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"},
		})
	})
	mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
		var set jose.JSONWebKeySet
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, k := range p.keys {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.key.(*ecdsa.PrivateKey).Public(), KeyID: k.id, Algorithm: string(k.alg), Use: "sig"})
		}
		reply(w, set)
	})
	mux.HandleFunc("/token", p.token)
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked[r.URL.Path]++
		status, huge := p.broken[r.URL.Path], p.huge
		p.mu.Unlock()
		switch {
		case huge:
			for chunk := make([]byte, 64<<10); ; {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		case status != 0:
			w.WriteHeader(status)
		default:
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(p.server.Close)
	return p
}

func (p *provider) issuer() string { return p.server.URL }

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

// rotate makes the provider sign with a new key and forget the others.
func (p *provider) rotate(id string) {
	p.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = []signingKey{{id, key, jose.ES256}}
}

// breaks makes a path answer with a status; 0: as usual.
func (p *provider) breaks(path string, status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken[path] = status
}

// count returns how often a path was asked.
func (p *provider) count(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[path]
}

// says makes the next tokens say these claims, besides those of a good one; a nil value leaves one
// out.
func (p *provider) says(e signin.Exchange, now time.Time, more map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := sha256.Sum256([]byte(e.Verifier))
	p.challenge = base64.RawURLEncoding.EncodeToString(sum[:])
	p.claims = map[string]any{
		"iss": p.issuer(), "sub": "ada", "aud": clientID, "exp": now.Add(5 * time.Minute).Unix(), "iat": now.Unix(), "nonce": e.Nonce,
		"name": "Ada", "email": "ada@example.com", "groups": []string{"staff"},
	}
	maps.Copy(p.claims, more)
	maps.DeleteFunc(p.claims, func(_ string, v any) bool { return v == nil })
}

// token exchanges a code as RFC 6749 and 7636 say, once.
func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = r.ParseForm()
	id, password, basic := r.BasicAuth()
	if basic {
		id, _ = url.QueryUnescape(id)
		password, _ = url.QueryUnescape(password)
	} else {
		id, password = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	code := r.PostForm.Get("code")
	if id != clientID || password != secret || base64.RawURLEncoding.EncodeToString(sum[:]) != p.challenge || p.used[code] ||
		!strings.HasSuffix(r.PostForm.Get("redirect_uri"), signin.CallbackPath) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	p.used[code] = true
	reply(w, map[string]any{"access_token": "opaque", "token_type": "Bearer", "id_token": p.sign()})
}

// sign returns the claims as a token. mu is held.
func (p *provider) sign() string {
	payload, err := json.Marshal(p.claims)
	if err != nil {
		p.t.Error(err)
	}
	k := p.keys[len(p.keys)-1]
	if p.signer != nil {
		k = *p.signer
	}
	if k.alg == "none" {
		head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
		return head + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: k.alg, Key: k.key}, (&jose.SignerOptions{}).WithHeader("kid", k.id))
	if err != nil {
		p.t.Error(err)
		return ""
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		p.t.Error(err)
		return ""
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		p.t.Error(err)
	}
	return text
}
