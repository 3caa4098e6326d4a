package api_test

import (
	"heddle/api"
	"heddle/executor"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"
)

// browser is a client with a jar of cookies, as a page of this server is loaded in.
type browser struct {
	*stack
	jar http.CookieJar
}

func (s *stack) browser() *browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{s, jar}
}

// do sends a request with the jar's cookies and keeps those of the answer. from is the site of the
// page that makes it, as Sec-Fetch-Site says; "": not a browser.
func (b *browser) do(r request, from string) response {
	b.t.Helper()
	at, err := url.Parse(b.url)
	if err != nil {
		b.t.Fatal(err)
	}
	if r.key == "" {
		r.key = "-"
	}
	if r.header == nil {
		r.header = map[string]string{}
	}
	var pairs []string
	for _, c := range b.jar.Cookies(at) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	if len(pairs) > 0 {
		r.header["Cookie"] = strings.Join(pairs, "; ")
	}
	if from != "" {
		r.header["Sec-Fetch-Site"] = from
	}
	got := b.stack.do(r)
	b.jar.SetCookies(at, (&http.Response{Header: got.header}).Cookies())
	return got
}

func (b *browser) get(path string) response {
	b.t.Helper()
	return b.do(request{method: http.MethodGet, path: path}, "same-origin")
}

func (b *browser) signIn(key string) response {
	b.t.Helper()
	return b.do(request{method: http.MethodPost, path: "/v1/session", body: `{"key":"` + key + `"}`}, "same-origin")
}

// TestABrowserSignsInAndOut over a real connection, on both stores: the cookie is the key's rights,
// reads and writes, until the browser signs out; both are lines of the audit trail.
func TestABrowserSignsInAndOut(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		b := s.browser()
		b.get("/v1/session").wantCode(t, http.StatusUnauthorized, "unauthenticated")
		b.signIn(s.key("editor")).want(t, http.StatusNoContent)
		who := b.get("/v1/session").want(t, http.StatusOK)
		if who.text(t, "principal", "type") != "key" || who.text(t, "principal", "name") != "editor key" || who.text(t, "role") != "editor" ||
			who.can(t) != `["view","edit","execute","answer"]` || who.field(t, "session_id") == nil {
			t.Errorf("%s", who.body)
		}
		if info := b.get("/v1/info").want(t, http.StatusOK); info.field(t, "auth", "session") != true {
			t.Errorf("%s", info.body)
		}
		write := request{method: http.MethodPost, path: "/api/workflows", body: `{"definition":` + trivial + `}`}
		flow := b.do(write, "same-origin").want(t, http.StatusCreated).text(t, "id")
		b.get("/v1/keys").wantCode(t, http.StatusForbidden, "acl_denied")
		if line := s.get("/v1/audit?object=workflow:"+flow).text(t, "entries", 0, "actor"); line != "editor key" {
			t.Errorf("the line of the audit trail is %q's", line)
		}
		all := s.get("/v1/sessions").want(t, http.StatusOK)
		if all.text(t, "sessions", 0, "principal", "name") != "editor key" || all.field(t, "sessions", 0, "current") != false || all.text(t, "sessions", 0, "address") != "127.0.0.1" {
			t.Errorf("%s", all.body)
		}
		b.do(request{method: http.MethodDelete, path: "/v1/session", body: `{"reason":"Going home."}`}, "same-origin").want(t, http.StatusNoContent)
		b.get("/v1/session").wantCode(t, http.StatusUnauthorized, "unauthenticated")
		lines := s.get("/v1/audit?object=session:"+all.text(t, "sessions", 0, "id")).want(t, http.StatusOK)
		if lines.text(t, "entries", 0, "action") != "session.delete" || lines.text(t, "entries", 0, "reason") != "Going home." ||
			lines.text(t, "entries", 1, "action") != "session.create" || lines.text(t, "entries", 1, "actor_type") != "key" {
			t.Errorf("%s", lines.body)
		}
	})
}

// TestTheCookieOfASession: out of scripts' reach, for this host alone, and secure but for plain HTTP
// to this machine, where a cookie of the other name counts for nothing either way.
func TestTheCookieOfASession(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for host, want := range map[string]string{
		"":                     "heddle=",
		"localhost:8080":       "heddle=",
		"[::1]:8080":           "heddle=",
		"heddle.example":       "__Host-heddle=",
		"127.0.0.1.example:80": "__Host-heddle=",
		"192.0.2.1":            "__Host-heddle=",
	} {
		at := func(r request) response { return s.do(request{r.method, r.path, r.body, "-", r.header, host}) }
		cookie := at(request{method: http.MethodPost, path: "/v1/session", body: `{"key":"` + s.admin + `"}`}).want(t, http.StatusNoContent).header.Get("Set-Cookie")
		secure := strings.HasPrefix(want, "__Host-")
		if !strings.HasPrefix(cookie, want) || strings.Contains(cookie, "Secure") != secure || strings.Contains(cookie, "Domain") ||
			!strings.Contains(cookie, "; Path=/;") || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") || !strings.Contains(cookie, "Max-Age=604800") {
			t.Errorf("%q: %s", host, cookie)
		}
		pair, _, _ := strings.Cut(cookie, ";")
		at(request{method: http.MethodGet, path: "/v1/session", header: map[string]string{"Cookie": pair}}).want(t, http.StatusOK)
		other := "__Host-" + pair
		if secure {
			other = strings.TrimPrefix(pair, "__Host-")
		}
		for _, bad := range []string{other, pair + "; " + pair, pair + "x"} {
			at(request{method: http.MethodGet, path: "/v1/session", header: map[string]string{"Cookie": bad}}).wantCode(t, http.StatusUnauthorized, "unauthenticated")
		}
	}
}

// TestABearerWinsOverACookie, a wrong one too: what a client sends on purpose is not replaced.
func TestABearerWinsOverACookie(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	b := s.browser()
	b.signIn(s.admin).want(t, http.StatusNoContent)
	who := b.do(request{method: http.MethodGet, path: "/v1/session", key: s.key("viewer")}, "cross-site").want(t, http.StatusOK)
	if who.text(t, "role") != "viewer" || who.field(t, "session_id") != nil {
		t.Errorf("%s", who.body)
	}
	b.do(request{method: http.MethodGet, path: "/v1/session", key: "iw_live_nobody"}, "same-origin").wantCode(t, http.StatusUnauthorized, "unauthenticated")
	// A key needs no origin: no browser sends it by itself.
	b.do(request{method: http.MethodPost, path: "/api/workflows", body: `{"definition":` + trivial + `}`, key: s.admin}, "cross-site").want(t, http.StatusCreated)
}

// TestAnotherOriginWritesNothing with a browser's cookie, and signs no browser in; a client that is
// not a browser says nothing of an origin.
func TestAnotherOriginWritesNothing(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	b := s.browser()
	b.signIn(s.admin).want(t, http.StatusNoContent)
	write := request{method: http.MethodPost, path: "/api/workflows", body: `{"definition":` + trivial + `}`}
	for _, from := range []string{"cross-site", "same-site"} {
		b.do(write, from).wantCode(t, http.StatusForbidden, "cross_origin")
		b.do(request{method: http.MethodDelete, path: "/v1/session"}, from).wantCode(t, http.StatusForbidden, "cross_origin")
		b.do(request{method: http.MethodPost, path: "/v1/session", body: `{"key":"` + s.admin + `"}`}, from).wantCode(t, http.StatusForbidden, "cross_origin")
	}
	older := write
	older.header = map[string]string{"Origin": "https://evil.example"}
	b.do(older, "").wantCode(t, http.StatusForbidden, "cross_origin")
	older.header = map[string]string{"Origin": b.url}
	b.do(older, "").want(t, http.StatusCreated)
	b.do(write, "").want(t, http.StatusCreated)
	b.get("/api/workflows").want(t, http.StatusOK)
}

// TestSignInsThatFailAreFew: ten a minute from one address; those that succeed are not counted, and
// a key as a bearer is taken all the same.
func TestSignInsThatFailAreFew(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	b := s.browser()
	for range 12 {
		b.signIn(s.admin).want(t, http.StatusNoContent)
	}
	for range 10 {
		b.signIn("iw_live_nobody").wantCode(t, http.StatusUnauthorized, "unauthenticated")
	}
	refused := b.signIn(s.admin).wantCode(t, http.StatusTooManyRequests, "rate_limited")
	if refused.header.Get("Retry-After") == "" {
		t.Errorf("no Retry-After: %v", refused.header)
	}
	s.get("/v1/session").want(t, http.StatusOK)
}

// TestASessionDiesWithItsKey at once, and an administrator ends single ones; of another tenant none
// is seen.
func TestASessionDiesWithItsKey(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		made := s.post("/v1/keys", `{"name":"ci","role":"admin"}`).want(t, http.StatusCreated)
		b, other := s.browser(), s.browser()
		b.signIn(made.text(t, "key")).want(t, http.StatusNoContent)
		other.signIn(s.tenant("other")).want(t, http.StatusNoContent)
		id := b.get("/v1/session").want(t, http.StatusOK).text(t, "session_id")
		other.do(request{method: http.MethodDelete, path: "/v1/sessions/" + id}, "same-origin").wantCode(t, http.StatusNotFound, "session_not_found")
		if list := other.get("/v1/sessions").want(t, http.StatusOK); len(list.field(t, "sessions").([]any)) != 1 || list.field(t, "sessions", 0, "current") != true {
			t.Errorf("another tenant sees %s", list.body)
		}
		s.do(request{method: http.MethodDelete, path: "/v1/keys/" + made.text(t, "id")}).want(t, http.StatusNoContent)
		gone := b.get("/v1/session").wantCode(t, http.StatusUnauthorized, "unauthenticated")
		if !strings.Contains(gone.header.Get("Set-Cookie"), "Max-Age=0") {
			t.Errorf("the cookie stays: %v", gone.header)
		}
		ended := other.get("/v1/session").text(t, "session_id")
		other.do(request{method: http.MethodDelete, path: "/v1/sessions/" + ended}, "same-origin").want(t, http.StatusNoContent)
		other.get("/v1/session").wantCode(t, http.StatusUnauthorized, "unauthenticated")
	})
}

// TestASessionSharesTheRateOfItsKey: it is no second bucket.
func TestASessionSharesTheRateOfItsKey(t *testing.T) {
	t.Parallel()
	s := newStack(t, func(a *api.Config, _ *executor.Config) { a.Rate = api.Rate{Requests: 1, Per: time.Hour, Burst: 3} })
	b := s.browser()
	b.signIn(s.admin).want(t, http.StatusNoContent)
	for range 3 {
		b.get("/v1/session").want(t, http.StatusOK)
	}
	b.get("/v1/session").wantCode(t, http.StatusTooManyRequests, "rate_limited")
	s.get("/v1/session").wantCode(t, http.StatusTooManyRequests, "rate_limited")
}

// TestASessionFollowsARun: a stream is checked again as it goes on, and ends with the session.
func TestASessionFollowsARun(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	b := s.browser()
	b.signIn(s.admin).want(t, http.StatusNoContent)
	run := s.start(s.create(trivial, ""), "")
	s.until(run, "completed")
	for _, path := range []string{"/api/workflows/runs/" + run + "/stream", "/v1/runs/" + run + "/events"} {
		if got := b.get(path).want(t, http.StatusOK).body; !strings.Contains(got, "completed") {
			t.Errorf("%s says %q", path, got)
		}
	}
}

// TestAWrongKeyAtTheSignInIsNamed: the key is in the body, so the answer speaks of that.
func TestAWrongKeyAtTheSignInIsNamed(t *testing.T) {
	s := newStack(t)
	for _, key := range []string{"", "x", "iw_live_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		refused := s.do(request{method: http.MethodPost, path: "/v1/session", body: `{"key":"` + key + `"}`, header: map[string]string{"Sec-Fetch-Site": "same-origin"}}).
			wantCode(t, http.StatusUnauthorized, "unauthenticated")
		if text := refused.text(t, "message"); !strings.Contains(text, "key in the body") || strings.Contains(text, "Bearer") {
			t.Errorf("%q: %s", key, text)
		}
	}
}

// TestALinkSignsABrowserIn once, from pages of this server alone; links that are wrong count as
// wrong keys do.
func TestALinkSignsABrowserIn(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	b, link := s.browser(), s.links.New()
	by := func(body, from string) response {
		return b.do(request{method: http.MethodPost, path: "/v1/session", body: body}, from)
	}
	by(`{"link":"`+link+`"}`, "cross-site").wantCode(t, http.StatusForbidden, "cross_origin")
	by(`{"link":"`+link+`","key":"`+s.admin+`"}`, "same-origin").wantCode(t, http.StatusBadRequest, "invalid_request")
	by(`{"link":"`+link+`"}`, "same-origin").want(t, http.StatusNoContent)
	if who := b.get("/v1/session").want(t, http.StatusOK); who.text(t, "role") != "admin" || who.field(t, "session_id") == nil {
		t.Errorf("signed in as %s", who.body)
	}
	lines := s.get("/v1/audit?action=session.create").want(t, http.StatusOK)
	if !strings.Contains(lines.text(t, "entries", 0, "reason"), "link") {
		t.Errorf("the trail says %s", lines.body)
	}
	if used := by(`{"link":"`+link+`"}`, "same-origin").wantCode(t, http.StatusUnauthorized, "unauthenticated"); !strings.Contains(used.text(t, "message"), "used already") {
		t.Errorf("a used link is answered %s", used.body)
	}
	for range 8 {
		by(`{"link":"wrong"}`, "same-origin").wantCode(t, http.StatusUnauthorized, "unauthenticated")
	}
	by(`{"link":"`+s.links.New()+`"}`, "same-origin").wantCode(t, http.StatusTooManyRequests, "rate_limited")
	if strings.Contains(s.log.String(), link) {
		t.Error("the link is in the log")
	}
}
