package steps_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// authority is a certificate authority of a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := authority{key: key, cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	a.pem = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return a
}

// issue makes a certificate for a name and returns it with its key, in PEM.
func (a authority) issue(t *testing.T, name string) (cert, key string) {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, &own.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}

// serveTLS starts a server with a certificate for a name; change may alter its
// settings.
func serveTLS(t *testing.T, a authority, name string, h http.HandlerFunc, change func(*tls.Config)) *httptest.Server {
	t.Helper()
	cert, key := a.issue(t, name)
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	if change != nil {
		change(s.TLS)
	}
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// mutual makes a server demand a client certificate of the authority.
func mutual(a authority) func(*tls.Config) {
	return func(c *tls.Config) {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		c.ClientCAs.AppendCertsFromPEM([]byte(a.pem))
	}
}

func secureCall(url string, settings map[string]string) string {
	raw, _ := json.Marshal(map[string]any{"url": url, "tls": settings})
	return string(raw)
}

func TestHTTPRequestOverMutualTLS(t *testing.T) {
	house, other := newAuthority(t, "house"), newAuthority(t, "other")
	cert, key := house.issue(t, "client")
	wrongCert, wrongKey := other.issue(t, "client")
	var seen []http.Header
	s := serveTLS(t, house, "shop.internal", func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"client": r.TLS.PeerCertificates[0].Subject.CommonName, "name": r.TLS.ServerName, "version": r.TLS.Version})
	}, mutual(house))
	r := open(t, "127.0.0.1")
	good := map[string]string{"ca": house.pem, "cert": cert, "key": key, "server_name": "shop.internal"}
	for range 2 {
		out := succeed(t, r, "http_request", secureCall(s.URL, good))
		if body := out["body"].(map[string]any); body["client"] != "client" || body["name"] != "shop.internal" || body["version"] != float64(tls.VersionTLS13) {
			t.Errorf("body %v", body)
		}
	}
	for _, h := range seen {
		if h.Get("Idempotency-Key") != "run_1/s/0" || len(h.Get("Traceparent")) != 55 {
			t.Errorf("headers %v", h)
		}
	}
	with := func(change ...string) map[string]string {
		m := map[string]string{}
		maps.Copy(m, good)
		for i := 0; i < len(change); i += 2 {
			m[change[i]] = change[i+1]
		}
		return m
	}
	for name, test := range map[string]struct {
		settings map[string]string
		says     string
	}{
		"no client certificate":        {map[string]string{"ca": house.pem, "server_name": "shop.internal"}, "certificate required"},
		"another's client certificate": {with("cert", wrongCert, "key", wrongKey), "the server refused"},
		"the system's authorities":     {with("ca", ""), "unknown authority"},
		"another authority":            {with("ca", other.pem), "unknown authority"},
		"another name":                 {with("server_name", "bank.internal"), "for another name"},
		"the url's name":               {with("server_name", ""), "for another name"},
	} {
		t.Run(name, func(t *testing.T) {
			f := fail(t, r, "http_request", secureCall(s.URL, test.settings), "connection_failed", false)
			if !strings.Contains(f.Message, test.says) {
				t.Errorf("message %s", f.Message)
			}
		})
	}
	for name, settings := range map[string]map[string]string{
		"a ca that is none":    with("ca", "-----BEGIN CERTIFICATE-----"),
		"a key of another":     with("key", wrongKey),
		"a cert without a key": with("key", ""),
	} {
		t.Run(name, func(t *testing.T) {
			f := fail(t, r, "http_request", secureCall(s.URL, settings), "invalid_config", true)
			if strings.Contains(f.Message, "BEGIN") {
				t.Errorf("message %s", f.Message)
			}
		})
	}
	fail(t, r, "http_request", `{"url":`+quoted(s.URL)+`,"tls":{"insecure_skip_verify":true}}`, "invalid_config", true)
	fail(t, r, "http_request", `{"url":`+quoted("http"+s.URL[5:])+`,"tls":{}}`, "invalid_config", true)
}

// TLS 1.1 is refused, with TLS settings and without.
func TestHTTPRequestNeedsTLS12(t *testing.T) {
	house := newAuthority(t, "house")
	for _, version := range []uint16{tls.VersionTLS11, tls.VersionTLS12} {
		s := serveTLS(t, house, "localhost", func(http.ResponseWriter, *http.Request) {}, func(c *tls.Config) {
			c.MinVersion, c.MaxVersion = tls.VersionTLS10, version
		})
		_, f := attempt(t, open(t, "127.0.0.1"), "http_request", secureCall(s.URL, map[string]string{"ca": house.pem, "server_name": "localhost"}))
		if refused := f != nil; refused != (version == tls.VersionTLS11) {
			t.Errorf("%s: %v", tls.VersionName(version), f)
		}
	}
}

// A redirect to another host gets neither the client's certificate, nor its
// authority, nor the key's header.
func TestARedirectLosesTheClientCertificate(t *testing.T) {
	house := newAuthority(t, "house")
	cert, key := house.issue(t, "client")
	var there []string
	elsewhere := serve(t, func(_ http.ResponseWriter, r *http.Request) { there = append(there, r.Header.Get("X-Api-Key")) })
	strange := serveTLS(t, house, "shop.internal", func(http.ResponseWriter, *http.Request) { there = append(there, "tls") }, nil)
	var target string
	s := serveTLS(t, house, "shop.internal", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/there" {
			_, _ = io.WriteString(w, r.Header.Get("X-Api-Key"))
			return
		}
		http.Redirect(w, r, target, http.StatusFound)
	}, mutual(house))
	r := open(t, "127.0.0.1")
	config, _ := json.Marshal(map[string]any{
		"url": s.URL, "tls": map[string]string{"ca": house.pem, "cert": cert, "key": key, "server_name": "shop.internal"},
		"auth": map[string]string{"type": "header", "name": "X-Api-Key", "value": "k-1"},
	})
	target = "/there"
	if out := succeed(t, r, "http_request", string(config)); out["body"] != "k-1" {
		t.Errorf("on the same host: %v", out)
	}
	target = elsewhere.URL
	succeed(t, r, "http_request", string(config))
	target = strange.URL
	fail(t, r, "http_request", string(config), "connection_failed", false)
	if len(there) != 1 || there[0] != "" {
		t.Errorf("the other hosts got %q", there)
	}
}

func TestHTTPRequestChecksTLSAndParts(t *testing.T) {
	for config, want := range map[string]string{
		`{"url":"https://x.example","tls":{"insecure_skip_verify":true}}`:                                             "error invalid_value /steps/0/config/tls/insecure_skip_verify",
		`{"url":"https://x.example","tls":{"insecure_skip_verify":false,"server_name":"y"}}`:                          "",
		`{"url":"https://x.example","tls":{"skip_verify":true}}`:                                                      "error unknown_field /steps/0/config/tls/skip_verify",
		`{"url":"https://x.example","tls":{"cert":"{{ secrets.C }}"}}`:                                                "error missing_field /steps/0/config/tls",
		`{"url":"https://x.example","tls":{"key":"{{ secrets.C }}"}}`:                                                 "error missing_field /steps/0/config/tls",
		`{"url":"https://x.example","tls":{"cert":"{{ secrets.C }}","key":"{{ secrets.K }}"}}`:                        "",
		`{"url":"https://x.example","tls":{"cert":"{{ secrets.C }}","key":"abc"}}`:                                    "warning secret_in_definition /steps/0/config/tls/key",
		`{"url":"https://x.example","tls":{"ca":"abc"}}`:                                                              "error invalid_value /steps/0/config/tls/ca",
		`{"url":"http://x.example","tls":{}}`:                                                                         "error invalid_value /steps/0/config/tls",
		`{"url":"https://x.example","auth":{"type":"header","name":"X-Key"}}`:                                         "error missing_field /steps/0/config/auth",
		`{"url":"https://x.example","auth":{"type":"header","name":"Host","value":"x"}}`:                              "error invalid_value /steps/0/config/auth/name",
		`{"url":"https://x.example","auth":{"type":"header","name":"X-Key","value":"{{ secrets.K }}"}}`:               "",
		`{"url":"https://x.example","multipart":[{"name":"a","value":1}],"body":1}`:                                   "error invalid_value /steps/0/config/multipart",
		`{"url":"https://x.example","multipart":[]}`:                                                                  "error invalid_value /steps/0/config/multipart",
		`{"url":"https://x.example","multipart":[{"value":1}]}`:                                                       "error missing_field /steps/0/config/multipart/0",
		`{"url":"https://x.example","multipart":[{"name":"a","value":{"$base64":"AAE="},"filename":"{{ run.id }}"}]}`: "",
	} {
		_, found := validation.Check([]byte(`{"name":"N","steps":[{"id":"s","type":"http_request","config":`+config+`}]}`), source.JSON, open(t, ""))
		got := ""
		for _, d := range found {
			got += d.Severity + " " + d.Code + " " + d.Pointer
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", config, got, want)
		}
	}
}

func TestHTTPRequestSendsMultipart(t *testing.T) {
	var bodies []string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(raw))
		r.Body = io.NopCloser(strings.NewReader(string(raw)))
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			t.Error(err)
			return
		}
		files := map[string]any{}
		for name, list := range r.MultipartForm.File {
			f, _ := list[0].Open()
			data, _ := io.ReadAll(f)
			files[name] = []string{list[0].Filename, list[0].Header.Get("Content-Type"), string(data)}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"values": r.MultipartForm.Value, "files": files})
	})
	r := open(t, "127.0.0.1")
	config := `{"method":"POST","url":` + quoted(s.URL) + `,"multipart":[
		{"name":"no\"te","value":"plain\r\ntext"},{"name":"meta","value":{"n":9007199254740993}},
		{"name":"photo","value":{"$base64":"/w=="},"filename":"a\"b.png","content_type":"image/png"},
		{"name":"log","value":"lines","filename":"a.log"}]}`
	for range 2 {
		out := succeed(t, r, "http_request", config)
		raw, _ := json.Marshal(out["body"])
		want := `{"files":{"log":["a.log","application/octet-stream","lines"],"photo":["a%22b.png","image/png","�"]},"values":{"meta":["{\"n\":9007199254740993}"],"no%22te":["plain\r\ntext"]}}`
		if string(raw) != want {
			t.Errorf("received %s\nwant     %s", raw, want)
		}
	}
	if len(bodies) != 2 || bodies[0] != bodies[1] {
		t.Error("two attempts sent different bytes")
	}
	fail(t, r, "http_request", `{"url":`+quoted(s.URL)+`,"multipart":[{"name":"a","value":1}],"raw":"x"}`, "invalid_config", true)
	fail(t, r, "http_request", `{"url":`+quoted(s.URL)+`,"multipart":[{"name":"a","value":"x","content_type":"no type"}]}`, "invalid_config", true)
}

func TestHTTPRequestSendsAHeaderOfItsOwn(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Header.Get("X-Api-Key")) })
	r := open(t, "127.0.0.1")
	if out := succeed(t, r, "http_request", `{"url":`+quoted(s.URL)+`,"auth":{"type":"header","name":"X-Api-Key","value":"k-1"}}`); out["body"] != "k-1" {
		t.Errorf("output %v", out)
	}
	fail(t, r, "http_request", `{"url":`+quoted(s.URL)+`,"auth":{"type":"header","name":"X-Api-Key","value":""}}`, "invalid_config", true)
	fail(t, r, "http_request", `{"url":`+quoted(s.URL)+`,"auth":{"type":"header","name":"Host","value":"x"}}`, "invalid_config", true)
}
