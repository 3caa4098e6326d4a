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

// tlsConfig is how a request's TLS connection differs from the usual one.
// Certificates are always verified, and TLS is 1.2 or later.
type tlsConfig struct {
	CA         printed `json:"ca,omitempty" doc:"Certificates in PEM of the authorities that are trusted, instead of the system's."`
	Cert       printed `json:"cert,omitempty" doc:"The client's certificate in PEM, with its chain."`
	Key        printed `json:"key,omitempty" doc:"The client's key in PEM; from a secret."`
	ServerName string  `json:"server_name,omitempty" doc:"The name that the server's certificate must have, where it is not the url's host."`
	SkipVerify bool    `json:"insecure_skip_verify,omitempty" doc:"Refused where it is true: certificates are always verified. Trust a private authority with ca."`
}

const alwaysVerified = "certificates are always verified: give the authority's certificate in tls.ca, or the certificate's name in tls.server_name"

// client makes the settings of the connection.
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

// fingerprint tells two settings apart.
func (t *tlsConfig) fingerprint() [sha256.Size]byte {
	h := sha256.New()
	for _, part := range []string{string(t.CA), string(t.Cert), string(t.Key), t.ServerName} {
		sum := sha256.Sum256([]byte(part))
		h.Write(sum[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// maxTransports is how many settings keep their connections.
const maxTransports = 64

// transports are connections with settings of their own, by their fingerprint.
type transports struct {
	mu            sync.Mutex                            // guards byFingerprint
	byFingerprint map[[sha256.Size]byte]*http.Transport // at most maxTransports; nil until the first
}

// transport returns the connections with these settings.
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
	if len(c.own.byFingerprint) >= maxTransports {
		c.own.closeAll()
	}
	fresh := c.transport.Clone()
	fresh.TLSClientConfig = settings
	if c.own.byFingerprint == nil {
		c.own.byFingerprint = make(map[[sha256.Size]byte]*http.Transport)
	}
	c.own.byFingerprint[mark] = fresh
	return fresh, nil
}

// closeAll forgets the connections; those in use end with their requests.
func (t *transports) closeAll() {
	for mark, transport := range t.byFingerprint {
		transport.CloseIdleConnections()
		delete(t.byFingerprint, mark)
	}
}

// secured sends requests to one origin with settings of their own, and those
// that redirects lead elsewhere without: another host has no business with the
// client's certificate.
type secured struct {
	origin *url.URL
	own    *http.Transport
	usual  *http.Transport
}

// RoundTrip sends a request with the own settings where it goes to their origin.
func (s secured) RoundTrip(req *http.Request) (*http.Response, error) {
	if sameOrigin(req.URL, s.origin) {
		return s.own.RoundTrip(req)
	}
	return s.usual.RoundTrip(req)
}

// roundTripper returns what sends a request under a config; nil is the usual.
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

// checkTLS returns the diagnostics of tls: a url without it, half of a key pair,
// verification switched off, a certificate that is not PEM, and a key in the open.
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
