package steps_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"heddle/steps"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// delivery is one request that a receiver got.
type delivery struct {
	header http.Header
	body   string
}

func receiver(t *testing.T, status int, header ...string) (url string, got func() delivery) {
	t.Helper()
	deliveries := make(chan delivery, 10)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		deliveries <- delivery{r.Header, string(body)}
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
	})
	return s.URL, func() delivery { return <-deliveries }
}

// verify is the receiver's side of Standard Webhooks, written independently of the step.
func verify(t *testing.T, d delivery, key []byte) {
	t.Helper()
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, d.header.Get("webhook-id")+"."+d.header.Get("webhook-timestamp")+"."+d.body)
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); d.header.Get("webhook-signature") != want {
		t.Errorf("signature %s, want %s", d.header.Get("webhook-signature"), want)
	}
}

func TestWebhookIsSigned(t *testing.T) {
	key := []byte("\x00\x01two and more bytes")
	for secret, bytes := range map[string][]byte{
		"whsec_" + base64.StdEncoding.EncodeToString(key): key,
		"plain text secret": []byte("plain text secret"),
	} {
		url, got := receiver(t, 204)
		out := succeed(t, open(t, "127.0.0.1"), "webhook", `{"url":`+quoted(url)+`,"event":"order.paid","payload":{"n":9007199254740993},"headers":{"X-Shop":"a"},"secret":`+quoted(secret)+`}`)
		d := got()
		verify(t, d, bytes)
		if want := `{"type":"order.paid","timestamp":"2026-03-08T07:00:00.000Z","data":{"n":9007199254740993}}`; d.body != want {
			t.Errorf("body %s, want %s", d.body, want)
		}
		if d.header.Get("Content-Type") != "application/json" || d.header.Get("X-Shop") != "a" || d.header.Get("webhook-timestamp") != "1772953200" {
			t.Errorf("headers %v", d.header)
		}
		if out["status_code"] != 204.0 || out["attempts"] != 1.0 || out["webhook_id"] != d.header.Get("webhook-id") || out["delivered_at"] != "2026-03-08T07:00:00.000Z" {
			t.Errorf("output %v", out)
		}
	}
}

func TestWebhookIDStaysOverRetries(t *testing.T) {
	url, got := receiver(t, 200)
	r := open(t, "127.0.0.1")
	ids := map[string]bool{}
	for attempt := 1; attempt <= 3; attempt++ {
		c := call("webhook", `{"url":`+quoted(url)+`,"event":"e"}`)
		c.Attempt = attempt
		if _, f := perform(t.Context(), t, r, c); f != nil {
			t.Fatalf("failed: %+v", f)
		}
		d := got()
		ids[d.header.Get("webhook-id")] = true
		if !strings.Contains(d.body, `"data":{}`) || d.header.Get("webhook-signature") != "" {
			t.Errorf("delivery %+v", d)
		}
	}
	if len(ids) != 1 {
		t.Errorf("ids %v, want one", ids)
	}
	c := call("webhook", `{"url":`+quoted(url)+`,"event":"e"}`)
	c.Key = "run_2/s/0"
	if _, f := perform(t.Context(), t, r, c); f != nil || ids[got().header.Get("webhook-id")] {
		t.Errorf("another effect must have another id (%v)", f)
	}
}

// A receiver may refuse the same Idempotency-Key with another body, as this server does.
func TestAWebhooksBodyIsTheSameOnEveryAttempt(t *testing.T) {
	url, got := receiver(t, 503)
	bodies, stamps := map[string]bool{}, map[string]bool{}
	for n := range 3 {
		now := at.Add(time.Duration(n) * time.Minute)
		r := open(t, "127.0.0.1", func(d *steps.Deps) { d.Now = func() time.Time { return now } })
		c := call("webhook", `{"url":`+quoted(url)+`,"event":"order.paid","payload":{"b":1,"a":2},"secret":"plain text secret"}`)
		c.Attempt, c.Since = n+1, at.Add(-time.Second)
		if _, f := perform(t.Context(), t, r, c); f == nil {
			t.Fatal("it succeeded")
		}
		d := got()
		verify(t, d, []byte("plain text secret"))
		bodies[d.body], stamps[d.header.Get("webhook-timestamp")] = true, true
	}
	if want := `{"type":"order.paid","timestamp":"2026-03-08T06:59:59.000Z","data":{"b":1,"a":2}}`; len(bodies) != 1 || !bodies[want] {
		t.Errorf("bodies %v, want %s", bodies, want)
	}
	if len(stamps) != 3 {
		t.Errorf("attempts at %v", stamps)
	}
}

func TestWebhookAnswers(t *testing.T) {
	tests := []struct {
		status    int
		code      string
		permanent bool
		after     time.Duration
	}{
		{410, "webhook_gone", true, 0},
		{404, "unexpected_status", true, 0},
		{301, "unexpected_status", true, 0},
		{429, "unexpected_status", false, 30 * time.Second},
		{503, "unexpected_status", false, 30 * time.Second},
	}
	for _, tt := range tests {
		url, _ := receiver(t, tt.status, "Retry-After", "30", "Location", "/")
		f := fail(t, open(t, "127.0.0.1"), "webhook", `{"url":`+quoted(url)+`,"event":"e"}`, tt.code, tt.permanent)
		if !tt.permanent && f.RetryAfter != tt.after {
			t.Errorf("%d: retry after %v, want %v", tt.status, f.RetryAfter, tt.after)
		}
	}
	fail(t, open(t, ""), "webhook", `{"url":"http://example.com","event":"e","secret":"whsec_!"}`, "invalid_config", true)
}

func TestWebhooksCrowdTheirHost(t *testing.T) {
	r := open(t, "")
	for config, want := range map[string]string{
		`{"url":"https://Hooks.Example.com./a","event":"e"}`:  "hooks.example.com:443",
		`{"url":"http://hooks.example.com:81/b","event":"e"}`: "hooks.example.com:81",
		`{"url":"http://[::1]/b","event":"e"}`:                "::1:80",
		`{"url":"http://%zz","event":"e"}`:                    "",
		`[]`:                                                  "",
	} {
		if got := r.HostOf(call("webhook", config)); got != want {
			t.Errorf("%s: %q, want %q", config, got, want)
		}
	}
	if !r.NamesHost("webhook") || r.NamesHost("http_request") || r.NamesHost("none") || r.HostOf(call("script", `{}`)) != "" {
		t.Error("webhooks alone have a place")
	}
}
