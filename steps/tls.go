package steps

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"heddle/fault"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// tlsConfig is how a request's TLS connection differs from the usual one. Certificates
// are always verified, and TLS is 1.2 or later.
type tlsConfig struct {
	CA         printed `json:"ca,omitempty" doc:"Certificates in PEM of the authorities that are trusted, instead of the system's."`
	Cert       printed `json:"cert,omitempty" doc:"The client's certificate in PEM, with its chain."`
	Key        printed `json:"key,omitempty" doc:"The client's key in PEM; from a secret."`
	ServerName string  `json:"server_name,omitempty" doc:"The name that the server's certificate must have, where it is not the url's host."`
	SkipVerify bool    `json:"insecure_skip_verify,omitempty" doc:"Refused where it is true: certificates are always verified. Trust a private authority with ca."`
}

// alwaysVerified completes the refusals of insecure_skip_verify.
const alwaysVerified = "certificates are always verified: give the authority's certificate in tls.ca, or the certificate's name in tls.server_name"

// client returns the connection's settings for crypto/tls. Its errors are the permanent
// failure invalid_config and never quote a certificate or key.
func (t *tlsConfig) client() (*tls.Config, error) {
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.SkipVerify {
		return nil, permanent("invalid_config", "tls.insecure_skip_verify cannot be used; %s.", alwaysVerified)
	}
	if t.CA != "" {
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM([]byte(t.CA)) {
			return nil, permanent("invalid_config", "tls.ca holds no certificate in PEM.")
		}
	}
	if t.Cert == "" && t.Key == "" {
		return out, nil
	}
	pair, err := tls.X509KeyPair([]byte(t.Cert), []byte(t.Key))
	if err != nil {
		return nil, permanent("invalid_config", "tls.cert and tls.key are not a certificate and its key, both in PEM.")
	}
	out.Certificates = []tls.Certificate{pair}
	return out, nil
}

// fingerprint returns a hash that differs for settings that differ. It leaves SkipVerify
// out, which is refused anyway. Each part is hashed by itself, so that a text moved from
// one field to the next makes a difference.
func (t *tlsConfig) fingerprint() [sha256.Size]byte {
	h := sha256.New()
	for _, part := range []string{string(t.CA), string(t.Cert), string(t.Key), t.ServerName} {
		sum := sha256.Sum256([]byte(part))
		h.Write(sum[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// maxTransports is how many settings keep their connections. Beyond it all are dropped
// and made anew as they are needed.
const maxTransports = 64

// transports holds the connections of requests with TLS settings of their own, by the
// fingerprint of the settings.
type transports struct {
	mu            sync.Mutex                            // guards byFingerprint
	byFingerprint map[[sha256.Size]byte]*http.Transport // at most maxTransports; nil until the first
}

// transportFor returns the transport with these settings, which later requests with the
// same settings share. It may be called concurrently.
func (c *client) transportFor(t *tlsConfig) (*http.Transport, error) {
	mark := t.fingerprint()
	c.own.mu.Lock()
	defer c.own.mu.Unlock()
	if known := c.own.byFingerprint[mark]; known != nil && !t.SkipVerify {
		return known, nil
	}
	settings, err := t.client()
	if err != nil {
		return nil, err
	}
	// Settings change when a certificate is renewed; old ones would stay forever.
	if len(c.own.byFingerprint) >= maxTransports {
		c.own.closeAll()
	}
	// The clone keeps the guard's dialling and the bounds; only TLS differs.
	fresh := c.transport.Clone()
	fresh.TLSClientConfig = settings
	if c.own.byFingerprint == nil {
		c.own.byFingerprint = make(map[[sha256.Size]byte]*http.Transport)
	}
	c.own.byFingerprint[mark] = fresh
	return fresh, nil
}

// closeAll drops all transports; connections in use end with their requests. The caller
// holds mu.
func (t *transports) closeAll() {
	for mark, transport := range t.byFingerprint {
		transport.CloseIdleConnections()
		delete(t.byFingerprint, mark)
	}
}

// secured sends requests to one origin over connections with the config's settings, and
// those that redirects lead elsewhere over the usual ones: another host must not see the
// client's certificate.
type secured struct {
	origin *url.URL
	own    *http.Transport
	usual  *http.Transport
}

// RoundTrip sends a request with the config's settings if it goes to their origin.
func (s secured) RoundTrip(req *http.Request) (*http.Response, error) {
	if sameOrigin(req.URL, s.origin) {
		return s.own.RoundTrip(req)
	}
	return s.usual.RoundTrip(req)
}

// roundTripper returns what sends a request to target under t; nil settings are the
// shared transport. Settings for a url without TLS are the permanent failure
// invalid_config.
func (c *client) roundTripper(target *url.URL, t *tlsConfig) (http.RoundTripper, error) {
	if t == nil {
		return c.transport, nil
	}
	if target.Scheme != "https" {
		return nil, permanent("invalid_config", "tls needs a url that begins with https://.")
	}
	own, err := c.transportFor(t)
	if err != nil {
		return nil, err
	}
	return secured{origin: target, own: own, usual: c.transport}, nil
}

// checkTLS returns the diagnostics of tls: a url without TLS, half of a key pair,
// verification switched off, an authority that is not PEM, and a key written in the
// definition.
func checkTLS(c fields) []fault.Issue {
	t, ok := readFields(c["tls"])
	if !ok || !c.has("tls") {
		return nil
	}
	var out []fault.Issue
	if target, ok := c.text("url"); ok && strings.HasPrefix(strings.ToLower(strings.TrimSpace(target)), "http://") {
		out = append(out, problem("invalid_value", "/tls", "tls needs a url that begins with https://"))
	}
	for _, pair := range [][2]string{{"cert", "key"}, {"key", "cert"}} {
		if t.has(pair[0]) && !t.has(pair[1]) {
			out = append(out, problem("missing_field", "/tls", "tls with %s needs %s too", pair[0], pair[1]))
		}
	}
	var skip bool
	if json.Unmarshal(t["insecure_skip_verify"], &skip) == nil && skip || templated(string(t["insecure_skip_verify"])) {
		out = append(out, problem("invalid_value", "/tls/insecure_skip_verify", "%s", alwaysVerified))
	}
	if pem, ok := t.literal("ca"); ok && !x509.NewCertPool().AppendCertsFromPEM([]byte(pem)) {
		out = append(out, problem("invalid_value", "/tls/ca", "ca holds no certificate in PEM"))
	}
	if _, ok := t.literal("key"); ok {
		out = append(out, suggest(
			warning("secret_in_definition", "/tls/key", "a key written here is readable by everyone who may view the workflow"),
			"{{ secrets.CLIENT_KEY }}"))
	}
	return out
}
