package api_test

import (
	"context"
	"heddle/fault"
	"heddle/signin"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// idProvider is a provider of identities without a network: a code is a person's subject, a colon
// and their group. Package oidc is tested with providers that speak the protocol.
type idProvider struct{}

const idIssuer = "https://id.example"

func (idProvider) AuthURL(_ context.Context, e signin.Exchange) (string, error) {
	return idIssuer + "/authorize?" + url.Values{"state": {e.State}, "nonce": {e.Nonce}, "redirect_uri": {e.Callback}}.Encode(), nil
}

func (idProvider) Identify(_ context.Context, code string, e signin.Exchange) (signin.Claims, error) {
	subject, group, ok := strings.Cut(code, ":")
	switch {
	case subject == "away":
		return signin.Claims{}, fault.New(fault.Unavailable, "oidc_unavailable", "Away.")
	case !ok || e.Verifier == "" || e.Verifier == e.State || e.Nonce == e.State:
		return signin.Claims{}, fault.New(fault.Denied, "identity_rejected", "No.")
	}
	return signin.Claims{Subject: subject, Email: subject + "@example.com", Name: "Ada", All: map[string]any{"groups": []any{group}}}, nil
}

func (idProvider) Issuer() string { return idIssuer }

// people is what the tests' servers sign people in with.
func people(users signin.Users) *signin.Service {
	roles, err := signin.ParseRoles("groups", "admins=admin,staff=editor,guests=none")
	if err != nil {
		panic(err)
	}
	return signin.New(signin.Config{Provider: idProvider{}, Users: users, Tenant: "default", Roles: roles, PublicURL: "https://heddle.example/base"})
}

// begin begins a sign-in and returns the state that the provider sends back.
func (b *browser) begin(returnTo string) string {
	b.t.Helper()
	to := b.get("/v1/session/oidc?return_to="+url.QueryEscape(returnTo)).want(b.t, http.StatusSeeOther).header.Get("Location")
	at, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, idIssuer) || at.Query().Get("redirect_uri") != "https://heddle.example/base/v1/session/oidc/callback" {
		b.t.Fatalf("sent to %q", to)
	}
	return at.Query().Get("state")
}

// comeBack is the request that the provider's page makes the browser do.
func (b *browser) comeBack(query url.Values, accept string) response {
	b.t.Helper()
	return b.do(request{method: http.MethodGet, path: "/v1/session/oidc/callback?" + query.Encode(), header: map[string]string{"Accept": accept}}, "cross-site")
}

// person signs a person of a group in.
func (b *browser) person(subject, group string) *browser {
	b.t.Helper()
	state := b.begin("/")
	b.comeBack(url.Values{"state": {state}, "code": {subject + ":" + group}}, "text/html").want(b.t, http.StatusSeeOther)
	return b
}

// TestAPersonIsNamedInAllThatIsDone: who signs in at the provider returns to where it was begun, and
// is the user on every version, run, event and line of the audit trail.
func TestAPersonIsNamedInAllThatIsDone(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		b := s.browser()
		state := b.begin("/runs?status=failed#top")
		back := b.comeBack(url.Values{"state": {state}, "code": {"ada:admins"}, "iss": {idIssuer}, "session_state": {"theirs"}}, "text/html")
		if back.want(t, http.StatusSeeOther).header.Get("Location") != "/runs?status=failed#top" {
			t.Errorf("returns to %q", back.header.Get("Location"))
		}
		who := b.get("/v1/session").want(t, http.StatusOK)
		id := who.text(t, "principal", "id")
		if who.text(t, "principal", "type") != "user" || !strings.HasPrefix(id, "user_") || who.text(t, "role") != "admin" {
			t.Fatalf("%s", who.body)
		}
		named := func(what string, r response, path ...any) {
			t.Helper()
			if got := r.field(t, path...).(map[string]any); got["type"] != "user" || got["id"] != id || got["name"] != "Ada" {
				t.Errorf("%s: %v, want the user %s", what, got, id)
			}
		}
		write := func(method, path, body string, status int) response {
			t.Helper()
			return b.do(request{method: method, path: path, body: body}, "same-origin").want(t, status)
		}
		flow := write("POST", "/api/workflows", `{"definition":`+parked+`}`, http.StatusCreated).text(t, "id")
		named("a version", b.get("/api/workflows/"+flow+"/versions/1"), "actor")
		run := write("POST", "/api/workflows/"+flow+"/run", "", http.StatusAccepted).text(t, "run_id")
		s.until(run, "waiting")
		write("POST", "/v1/runs/"+run+"/signals/go", "", http.StatusAccepted)
		write("POST", "/api/workflows/runs/"+run+"/cancel", `{"reason":"Enough."}`, http.StatusOK)
		ended := s.until(run, "cancelled")
		named("a run's start", ended, "run", "started_by")
		named("a run's end", ended, "run", "cancelled_by")
		frames := b.get("/api/workflows/runs/"+run+"/stream").want(t, http.StatusOK).body
		if n := strings.Count(frames, `"actor":{"type":"user","id":"`+id+`"`); n < 2 {
			t.Errorf("%d events name the user: %s", n, frames)
		}
		lines := b.get("/v1/audit").want(t, http.StatusOK).field(t, "entries").([]any)
		for _, line := range lines {
			if l := line.(map[string]any); l["actor_type"] != "user" || l["actor_id"] != id {
				t.Errorf("a line of %v: %v", l["actor_type"], l)
			}
		}
		if len(lines) < 4 {
			t.Errorf("%d lines", len(lines))
		}
	})
}

// TestASignInIsOfItsBrowser: what comes back in another browser, twice, with another state, from
// another provider or without an identity that has a role begins no session; a person is told so on
// the page for signing in, another client by the error.
func TestASignInIsOfItsBrowser(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	disabled := s.browser().person("bob", "staff").get("/v1/session").text(t, "principal", "id")
	s.do(request{method: http.MethodPatch, path: "/v1/users/" + disabled, body: `{"disabled":true,"reason":"Left."}`}).want(t, http.StatusOK)
	for name, c := range map[string]struct {
		query  func(state string) url.Values
		status int
		code   string
	}{
		"state": {func(string) url.Values { return url.Values{"state": {strings.Repeat("A", 43)}, "code": {"ada:admins"}} }, 400, "sign_in_expired"},
		"none":  {func(string) url.Values { return url.Values{"code": {"ada:admins"}} }, 400, "sign_in_expired"},
		"provider": {func(s string) url.Values {
			return url.Values{"state": {s}, "code": {"ada:admins"}, "iss": {"https://evil.example"}}
		}, 403, "identity_rejected"},
		"refused":  {func(s string) url.Values { return url.Values{"state": {s}, "error": {"access_denied"}} }, 403, "sign_in_refused"},
		"code":     {func(s string) url.Values { return url.Values{"state": {s}, "code": {"wrong"}} }, 403, "identity_rejected"},
		"no role":  {func(s string) url.Values { return url.Values{"state": {s}, "code": {"eve:others"}} }, 403, "no_role"},
		"disabled": {func(s string) url.Values { return url.Values{"state": {s}, "code": {"bob:staff"}} }, 403, "user_disabled"},
		"away":     {func(s string) url.Values { return url.Values{"state": {s}, "code": {"away:staff"}} }, 503, "oidc_unavailable"},
	} {
		for _, page := range []bool{true, false} {
			b := s.browser()
			state := b.begin("/")
			if page {
				got := b.comeBack(c.query(state), "text/html,*/*").want(t, http.StatusSeeOther)
				if to := got.header.Get("Location"); to != "/base/login?error="+c.code {
					t.Errorf("%s: sent to %q", name, to)
				}
			} else {
				b.comeBack(c.query(state), "application/json").wantCode(t, c.status, c.code)
			}
			b.get("/v1/session").wantCode(t, http.StatusUnauthorized, "unauthenticated")
			// Whatever went wrong, the ticket is used up.
			b.comeBack(url.Values{"state": {state}, "code": {"ada:admins"}}, "").wantCode(t, http.StatusBadRequest, "sign_in_expired")
		}
	}
	mine, other := s.browser(), s.browser()
	state := mine.begin("/")
	other.begin("/")
	other.comeBack(url.Values{"state": {state}, "code": {"ada:admins"}}, "").wantCode(t, http.StatusBadRequest, "sign_in_expired")
	// A copy of the ticket is no second sign-in.
	at, _ := url.Parse(s.url)
	ticket := mine.jar.Cookies(at)
	mine.comeBack(url.Values{"state": {state}, "code": {"ada:admins"}}, "").want(t, http.StatusSeeOther)
	other.jar.SetCookies(at, ticket)
	other.comeBack(url.Values{"state": {state}, "code": {"ada:admins"}}, "").wantCode(t, http.StatusConflict, "sign_in_used")
}

// TestNobodyIsSentElsewhere after signing in.
func TestNobodyIsSentElsewhere(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for _, path := range []string{
		"//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "https:evil.example", "javascript:alert(1)", "evil.example",
		"/\t/evil.example", "/\n/evil.example", "/ok\\..", "/\u00e9", " /runs", "/" + strings.Repeat("a", 2000),
	} {
		b := s.browser()
		b.get("/v1/session/oidc?return_to="+url.QueryEscape(path)).wantCode(t, http.StatusBadRequest, "invalid_request")
		// Nor where the browser's own cookie says so.
		if signin.LocalPath(path) {
			t.Errorf("%q is taken for a path of this server", path)
		}
	}
	for _, path := range []string{"/", "/runs", "/runs/run_1?tab=log&x=//y#at", "/a//b"} {
		s.browser().begin(path)
	}
}

// TestUsersAreListedAndDisabled by administrators of their tenant; a disabled user is out at once.
func TestUsersAreListedAndDisabled(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		b := s.browser().person("ada", "staff")
		id := b.get("/v1/session").want(t, http.StatusOK).text(t, "principal", "id")
		list := s.get("/v1/users").want(t, http.StatusOK)
		if list.text(t, "users", 0, "id") != id || list.text(t, "users", 0, "subject") != "ada" || list.text(t, "users", 0, "issuer") != idIssuer || list.text(t, "users", 0, "role") != "editor" {
			t.Errorf("%s", list.body)
		}
		other := s.tenant("other")
		if got := s.do(request{method: http.MethodGet, path: "/v1/users", key: other}).want(t, http.StatusOK); len(got.field(t, "users").([]any)) != 0 {
			t.Errorf("another tenant sees %s", got.body)
		}
		s.do(request{method: http.MethodPatch, path: "/v1/users/" + id, body: `{"disabled":true}`, key: other}).wantCode(t, http.StatusNotFound, "user_not_found")
		s.do(request{method: http.MethodPatch, path: "/v1/users/" + id, body: `{}`}).wantCode(t, http.StatusBadRequest, "invalid_request")
		got := s.do(request{method: http.MethodPatch, path: "/v1/users/" + id, body: `{"disabled":true,"reason":"Left."}`}).want(t, http.StatusOK)
		if got.field(t, "disabled") != true || got.field(t, "disabled_at") == nil {
			t.Errorf("%s", got.body)
		}
		b.get("/v1/session").wantCode(t, http.StatusUnauthorized, "unauthenticated")
		if line := s.get("/v1/audit?object=user:"+id).text(t, "entries", 0, "reason"); line != "Left." {
			t.Errorf("the reason in the audit trail is %q", line)
		}
		if s.do(request{method: http.MethodPatch, path: "/v1/users/" + id, body: `{"disabled":false}`}).want(t, http.StatusOK).field(t, "disabled") != false {
			t.Error("stays disabled")
		}
		b.person("ada", "staff").get("/v1/session").want(t, http.StatusOK)
	})
}

// TestAUserHasGrantsOfItsOwn, beside those of keys; the list without a holder has both.
func TestAUserHasGrantsOfItsOwn(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	flow := s.create(parked, "")
	b := s.browser().person("ada", "guests")
	who := b.get("/v1/session").want(t, http.StatusOK)
	if who.text(t, "role") != "none" || who.can(t) != `[]` {
		t.Errorf("%s", who.body)
	}
	id, key := who.text(t, "principal", "id"), s.get("/v1/keys").text(t, "keys", 0, "id")
	b.get("/api/workflows/"+flow).wantCode(t, http.StatusForbidden, "acl_denied")
	put := func(holder string, status int) response {
		return s.do(request{method: http.MethodPut, path: "/v1/grants", body: `{` + holder + `"workflow":"` + flow + `","actions":["view"]}`}).want(t, status)
	}
	if got := put(`"user_id":"`+id+`",`, http.StatusOK); got.text(t, "user_id") != id || got.text(t, "key_id") != "" {
		t.Errorf("%s", got.body)
	}
	put(`"key_id":"`+key+`",`, http.StatusOK)
	put(``, http.StatusBadRequest)
	put(`"user_id":"`+id+`","key_id":"`+key+`",`, http.StatusBadRequest)
	put(`"user_id":"`+key+`",`, http.StatusNotFound)
	put(`"key_id":"`+id+`",`, http.StatusNotFound)
	b.get("/api/workflows/"+flow).want(t, http.StatusOK)
	if got := b.get("/api/workflows/"+flow).can(t, "workflow"); got != `["view"]` {
		t.Errorf("can %s", got)
	}
	for query, want := range map[string][]any{"": {key, nil}, "?user_id=" + id: {nil}, "?key_id=" + key: {key}} {
		var holders []any
		for _, g := range s.get("/v1/grants"+query).want(t, http.StatusOK).field(t, "grants").([]any) {
			holder := g.(map[string]any)["key_id"]
			if holder == "" {
				holder = nil
			}
			holders = append(holders, holder)
		}
		if !slices.Equal(holders, want) {
			t.Errorf("%q lists %v, want %v", query, holders, want)
		}
	}
	s.do(request{method: http.MethodDelete, path: "/v1/grants?workflow=" + flow + "&user_id=" + id}).want(t, http.StatusNoContent)
	b.get("/api/workflows/"+flow).wantCode(t, http.StatusForbidden, "acl_denied")
}
