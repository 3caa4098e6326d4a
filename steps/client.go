package steps

import (
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"heddle/executor"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	maxBody      = 64 << 20 // bytes of a response's body, and of an output
	maxHeader    = 64 << 10 // bytes of a response's header
	maxRedirects = 5
)

// client sends the requests of all step types through the guard. It is safe for
// concurrent use. Steps without TLS settings of their own share one transport, and so
// its idle connections.
type client struct {
	guard     *Guard           // judges each url and each address that is dialled
	transport *http.Transport  // dials through guard
	own       transports       // of requests with TLS settings of their own
	agent     string           // the default User-Agent
	now       func() time.Time // the clock for Retry-After and timestamps
	bodies    *spool           // receives bodies larger than executor.MaxInline
}

// newClient returns a client that dials through g only. It uses no proxy, because the
// guard would see only the proxy's address. version is appended to the User-Agent and
// may be empty. idlePerHost is Deps.IdlePerHost.
func newClient(g *Guard, version string, now func() time.Time, idlePerHost int) *client {
	agent := "heddle"
	if version != "" {
		agent += "/" + version
	}
	return &client{guard: g, agent: agent, now: now, bodies: newSpool(), transport: &http.Transport{
		Proxy:                  notRepeated,
		DialContext:            g.dialContext,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // plainBody undoes it
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    15 * time.Second,
		MaxIdleConns:           4 * idlePerHost,
		MaxIdleConnsPerHost:    idlePerHost,
		MaxConnsPerHost:        0,
		IdleConnTimeout:        60 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxHeader,
	}}
}

// close frees idle connections, also those with TLS settings of their own. Connections
// in use end with their requests.
func (c *client) close() {
	c.transport.CloseIdleConnections()
	c.own.mu.Lock()
	defer c.own.mu.Unlock()
	c.own.closeAll()
}

// answer is a response that was read whole. body has at most maxBody bytes; its content
// codings are removed and, where it is a text, it is in UTF-8. header no longer names a
// coding that was removed.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do sends one request over the shared transport and reads the answer whole. follow says
// whether redirects are followed, at most maxRedirects; otherwise the redirect itself is
// the answer. reserve is Call.ReserveMemory; nil: memory is not limited. Any status is
// an answer. Errors are failures of this package whose texts hold nothing of the request
// but its host.
func (c *client) do(req *http.Request, follow bool, reserve func(int64) error) (answer, error) {
	return c.send(req, c.transport, follow, reserve)
}

// send is do over the connections of via. It sets User-Agent and Accept-Encoding on req
// where its author left them out. A request for a range is not compressed, since the
// range would count coded bytes.
func (c *client) send(req *http.Request, via http.RoundTripper, follow bool, reserve func(int64) error) (answer, error) {
	if err := c.guard.checkURL(req.URL); err != nil {
		return answer{}, err
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", c.agent)
	}
	if req.Header.Get("Accept-Encoding") == "" && req.Header.Get("Range") == "" && req.Method != http.MethodHead {
		req.Header.Set("Accept-Encoding", defaultAcceptEncoding)
	}
	req.URL.RawQuery = escapeURL(req.URL.RawQuery)
	// A client for each request: it holds nothing but the policy of redirects.
	h := &http.Client{Transport: oneRequest{via}, CheckRedirect: c.redirect}
	if !follow {
		h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	res, err := h.Do(req)
	if err != nil {
		return answer{}, c.explain(req, err)
	}
	defer res.Body.Close()
	body, err := c.bodies.read(req.Context(), res, reserve)
	if err != nil {
		return answer{}, c.explain(req, err)
	}
	return answer{status: res.StatusCode, header: res.Header, body: body}, nil
}

// redirect is the CheckRedirect of the client: it judges each hop anew. Once any hop has
// left the origin of the first request, only headers that cannot be credentials go on,
// also when a later hop leads back.
func (c *client) redirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return permanent("too_many_redirects", "The server redirected more than %d times.", maxRedirects)
	}
	if err := c.guard.checkURL(req.URL); err != nil {
		return err
	}
	req.URL.RawQuery = escapeURL(req.URL.RawQuery) // of a Location that has spaces in it
	// All hops are looked at: the headers of the first request are copied anew for each
	// hop.
	strayed := !sameOrigin(req.URL, via[0].URL)
	for _, hop := range via[1:] {
		strayed = strayed || !sameOrigin(hop.URL, via[0].URL)
	}
	if strayed {
		stripCredentials(req.Header)
	}
	return nil
}

// sameOrigin reports whether two URLs have the same scheme, host and port (RFC 6454).
// The port that a scheme implies equals the same port written out.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && portOf(a) == portOf(b) && strings.EqualFold(a.Hostname(), b.Hostname())
}

// stripCredentials removes every header that may carry credentials. It keeps a list of
// harmless ones rather than removing a list of dangerous ones, because an author's own
// header, such as X-Api-Key, may be a credential too.
func stripCredentials(h http.Header) {
	for name := range h {
		switch name {
		case "Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "Range", "User-Agent",
			"If-None-Match", "If-Modified-Since", "Traceparent", "Tracestate":
		default:
			h.Del(name)
		}
	}
}

// explain returns the failure for an error of sending req or of reading its answer. The
// text names the host that the author wrote, never the rest of the url or the address
// that the name resolved to. The order of the cases matters: an ended context shows as a
// network error of any kind, so it is looked at before those.
func (c *client) explain(req *http.Request, err error) error {
	var (
		off     *deniedError
		dns     *net.DNSError
		wrapped *url.Error
		disk    *diskError
	)
	host := req.URL.Host
	switch {
	case errors.As(err, &off):
		return denied(off)
	case errors.Is(err, errTooLarge):
		return permanent("output_too_large", "The response is larger than %d MiB.", maxBody>>20)
	case req.Context().Err() != nil:
		return stopped(req.Context())
	case errors.As(err, &disk):
		return transient("response_not_kept", "The response of %s came, and the server's disk could not take it: %s. The request may be sent again.", host, ownText(disk.Error()))
	case headerTooLarge(err):
		return permanent("header_too_large", "The header of the response of %s is larger than %d KiB.", host, maxHeader>>10)
	case errors.As(err, &dns):
		return transient("connection_failed", "The host name of %s could not be resolved.", host)
	case isTLS(err):
		return transient("connection_failed", "No trusted TLS connection to %s: %s.", host, ownText(tlsReason(err)))
	}
	// A failure of redirect comes back wrapped, with the whole url in its text.
	if errors.As(err, &wrapped) {
		if f := asFailure(wrapped.Err); f != nil {
			return f
		}
	}
	return transient("connection_failed", "The request to %s failed: %s.", host, ownText(reason(err)))
}

// stopped returns the failure of an attempt whose context ended: timeout after its
// deadline, else stopped. Both are transient.
func stopped(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return transient("timeout", "The attempt took longer than its timeout.")
	}
	return transient("stopped", "The attempt was stopped.")
}

// reason describes a network error without the addresses in it. Errors of net/http
// without a type are recognized by their text.
func reason(err error) string {
	var (
		errno   syscall.Errno
		timeout net.Error
		corrupt flate.CorruptInputError
	)
	switch {
	// "connection refused" and the like, in the system's words.
	case errors.As(err, &errno):
		return errno.Error()
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, errNotRepeated),
		strings.Contains(err.Error(), "server closed idle connection"), strings.Contains(err.Error(), "sent GOAWAY"):
		return "the server closed the connection"
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, zlib.ErrHeader), errors.Is(err, zlib.ErrChecksum),
		errors.Is(err, zlib.ErrDictionary), errors.As(err, &corrupt):
		return "the response's body is not what its Content-Encoding says"
	default:
		return "the server's answer is not a valid HTTP response"
	}
}

// headerTooLarge reports whether the transport refused a response because its header has
// more than maxHeader bytes, over HTTP/1 or HTTP/2. net/http has no type for that error.
func headerTooLarge(err error) bool {
	text := err.Error()
	return strings.Contains(text, "server response headers exceeded") || strings.Contains(text, "response header list larger")
}

// isTLS reports whether a request failed in the TLS handshake: by our verification
// of the certificate, by the protocol, or by an alert of the server.
func isTLS(err error) bool {
	var (
		verify *tls.CertificateVerificationError
		record tls.RecordHeaderError
		alert  tls.AlertError
	)
	return errors.As(err, &verify) || errors.As(err, &record) || errors.As(err, &alert) || remoteAlert(err) != nil
}

// remoteAlert returns the alert by which the server ended the handshake; nil where it
// sent none.
func remoteAlert(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" {
		return op.Err
	}
	return nil
}

// tlsReason describes a failure of the TLS handshake without names or addresses.
func tlsReason(err error) string {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		alert    tls.AlertError
	)
	switch {
	case errors.As(err, &unknown):
		return "its certificate is signed by an unknown authority"
	case errors.As(err, &hostname):
		return "its certificate is for another name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate is not valid at this time"
	case errors.As(err, &alert):
		return alert.Error()
	case remoteAlert(err) != nil:
		return "the server refused (" + remoteAlert(err).Error() + ")"
	default:
		return "the server does not speak TLS as expected"
	}
}

// setRequestHeaders sets what every attempt of one effect carries: Idempotency-Key and a
// trace context (W3C Trace Context). Headers that the author set stay. Where the run has
// no trace context, one is derived from the run's id and marked as not sampled, so that
// all requests of a run share a trace id.
func setRequestHeaders(h http.Header, call executor.Call) {
	if h.Get("Idempotency-Key") == "" && call.Key != "" {
		h.Set("Idempotency-Key", call.Key)
	}
	if h.Get("Traceparent") != "" {
		return
	}
	parent := call.TraceParent
	if parent == "" {
		// Derived and not random, so that a repeated attempt is the same trace.
		trace := sha256.Sum256([]byte("trace/" + call.RunID))
		span := sha256.Sum256([]byte("span/" + call.Key + "/" + strconv.Itoa(call.Attempt)))
		parent = "00-" + hex.EncodeToString(trace[:16]) + "-" + hex.EncodeToString(span[:8]) + "-00"
	}
	h.Set("Traceparent", parent)
	if call.TraceState != "" {
		h.Set("Tracestate", call.TraceState)
	}
}

// setHeaders copies an author's headers into h and returns the canonical names of those
// that it set. A header with an empty value is left out, so that a template can drop
// one. The permanent failure invalid_config refuses headers that the transport sets
// itself, two that differ in case only, and characters by which a value could begin
// another header.
func setHeaders(h http.Header, from map[string]printed) (set map[string]bool, err error) {
	set = make(map[string]bool, len(from))
	for name, value := range from {
		if reservedHeader(name) {
			return nil, permanent("invalid_config", "The header %q is set by the connection itself and cannot be given.", name)
		}
		if holdsLineBreak(string(value)) {
			return nil, permanent("invalid_config", "The text of the header %q holds a line break, and a header is one line.", name)
		}
		if !validHeaderName(name) || strings.ContainsFunc(string(value), func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return nil, permanent("invalid_config", "The header %q has characters that HTTP does not allow.", name)
		}
		if value == "" {
			continue
		}
		// Headers come from a map in any order: of two with one name either could win.
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		if set[canonical] {
			return nil, permanent("invalid_config", "Two headers have the name %s: upper and lower case are the same there.", canonical)
		}
		h.Set(name, string(value))
		set[canonical] = true
	}
	return set, nil
}

// reservedHeader reports whether the transport owns a header: those that frame the
// message or belong to one connection (RFC 9110, 7.6.1), and Host, which would send a
// request to another site than the one that the guard judged.
func reservedHeader(name string) bool {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Connection", "Content-Length", "Host", "Keep-Alive", "Proxy-Authorization",
		"Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	default:
		return false
	}
}

// validHeaderName reports whether a name is a token of RFC 9110, 5.6.2.
func validHeaderName(name string) bool {
	const others = "!#$%&'*+-.^_`|~"
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		alnum := r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !alnum && !strings.ContainsRune(others, r)
	})
}

// retryAfter returns how long the receiver asks to wait before the next attempt. It
// reads Retry-After-Ms, which servers of models send, or Retry-After (RFC 9110, 10.2.3):
// seconds, also with a fraction, or an HTTP date. 0 where there is none, where it is not
// readable, or where the date is past.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, ok := number(h.Get("Retry-After-Ms")); ok {
		return time.Duration(ms * float64(time.Millisecond))
	}
	v := strings.TrimSpace(h.Get("Retry-After"))
	if n, ok := number(v); ok {
		return time.Duration(n * float64(time.Second))
	}
	if at, err := http.ParseTime(v); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// number reads a decimal number without sign or exponent that is less than 2^31; false
// for anything else.
func number(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if s == "" || strings.Trim(s, "0123456789.") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil && n < 1<<31
}
