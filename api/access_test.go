package api_test

import (
	"net/http"
	"testing"
)

// A key is read, changed under If-Match and rotated; the answer to the rotation alone has
// its new text.
func TestKeysAreChangedAndRotated(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		made := s.post("/v1/keys", `{"name":"ci","role":"viewer"}`).want(t, http.StatusCreated)
		path, first := "/v1/keys/"+made.text(t, "id"), made.text(t, "key")
		if got := s.get(path).want(t, http.StatusOK); got.text(t, "created_by", "name") != "bootstrap" || got.header.Get("ETag") != `"r1"` {
			t.Errorf("%s", got.body)
		}
		patch := func(body, match string) response {
			return s.do(request{method: http.MethodPatch, path: path, body: body, header: map[string]string{"If-Match": match}})
		}
		if got := patch(`{"name":"CI","role":"editor","expires_at":"2100-01-01T00:00:00.0004Z","reason":"It deploys now."}`, `"r1"`).want(t, http.StatusOK); got.header.Get("ETag") != `"r2"` ||
			got.text(t, "name") != "CI" || got.text(t, "role") != "editor" || got.text(t, "expires_at") != "2100-01-01T00:00:00.000Z" {
			t.Errorf("%s", got.body)
		}
		patch(`{"name":"late"}`, `"r1"`).wantCode(t, http.StatusPreconditionFailed, "precondition_failed")
		if got := patch(`{"expires_at":null}`, "*").want(t, http.StatusOK); got.field(t, "expires_at") != nil || got.text(t, "name") != "CI" {
			t.Errorf("%s", got.body)
		}
		patch(`{"reason":"none"}`, "*").wantCode(t, http.StatusBadRequest, "invalid_request")
		patch(`{"role":null}`, "*").wantCode(t, http.StatusBadRequest, "invalid_request")
		if audit := s.get("/v1/audit?action=key.update").want(t, http.StatusOK); audit.text(t, "entries", 1, "reason") != "It deploys now." {
			t.Errorf("%s", audit.body)
		}
		rotated := s.post(path+"/rotate", `{"grace_seconds":3600}`).want(t, http.StatusOK)
		second := rotated.text(t, "key")
		for _, key := range []string{first, second} {
			if got := s.do(request{method: http.MethodGet, path: "/v1/info", key: key}).want(t, http.StatusOK); got.text(t, "key", "role") != "editor" {
				t.Errorf("%s", got.body)
			}
		}
		third := s.post(path+"/rotate", "").want(t, http.StatusOK).text(t, "key")
		for _, key := range []string{first, second} {
			s.do(request{method: http.MethodGet, path: "/v1/info", key: key}).want(t, http.StatusUnauthorized)
		}
		s.do(request{method: http.MethodGet, path: "/v1/info", key: third}).want(t, http.StatusOK)
		s.post(path+"/rotate", `{"grace_seconds":86401}`).wantCode(t, http.StatusUnprocessableEntity, "invalid_grace")
		admin := s.get("/v1/session").text(t, "principal", "id")
		s.do(request{method: http.MethodPatch, path: "/v1/keys/" + admin, body: `{"role":"viewer"}`}).wantCode(t, http.StatusConflict, "last_admin_key")
		s.do(request{method: http.MethodDelete, path: path}).want(t, http.StatusNoContent)
		patch(`{"name":"x"}`, "*").wantCode(t, http.StatusConflict, "key_revoked")
	})
}

// The role that an administrator gives a user holds in the sessions that there are, and
// through the next sign-in.
func TestAnAdministratorSetsAUsersRole(t *testing.T) {
	s := newStack(t)
	b := s.browser().person("ada", "staff")
	id := b.get("/v1/session").want(t, http.StatusOK).text(t, "principal", "id")
	before := b.get("/v1/session").text(t, "role")
	patch := func(body string) response {
		return s.do(request{method: http.MethodPatch, path: "/v1/users/" + id, body: body})
	}
	if got := patch(`{"role":"operator"}`).want(t, http.StatusOK); got.text(t, "role") != "operator" || got.field(t, "role_set") != true {
		t.Errorf("%s", got.body)
	}
	for _, session := range []*browser{b, s.browser().person("ada", "staff")} {
		if got := session.get("/v1/session").want(t, http.StatusOK); got.text(t, "role") != "operator" {
			t.Errorf("%s", got.body)
		}
	}
	if got := patch(`{"role":null}`).want(t, http.StatusOK); got.text(t, "role") != before || got.field(t, "role_set") != false {
		t.Errorf("%s", got.body)
	}
	patch(`{"role":"owner"}`).wantCode(t, http.StatusUnprocessableEntity, "invalid_role")
	patch(`{"role":""}`).wantCode(t, http.StatusBadRequest, "invalid_request")
	patch(`{}`).wantCode(t, http.StatusBadRequest, "invalid_request")
}

// Grants are listed in pages, of all holders or of one.
func TestGrantsAreListedInPages(t *testing.T) {
	s := newStack(t)
	for _, slug := range []string{"one", "two", "three"} {
		s.create(trivial, `"slug":"`+slug+`"`)
	}
	key := s.post("/v1/keys", `{"name":"ci","role":"none"}`).want(t, http.StatusCreated).text(t, "id")
	for _, slug := range []string{"one", "two", "three"} {
		s.do(request{method: http.MethodPut, path: "/v1/grants", body: `{"key_id":"` + key + `","workflow":"` + slug + `","actions":["view"]}`}).want(t, http.StatusOK)
	}
	seen := 0
	for path := "/v1/grants?limit=2"; path != ""; {
		page := s.get(path).want(t, http.StatusOK)
		seen += len(page.field(t, "grants").([]any))
		path = ""
		if next, ok := page.field(t, "next_cursor").(string); ok {
			path = "/v1/grants?limit=2&cursor=" + next
		}
	}
	if seen != 3 {
		t.Errorf("%d grants", seen)
	}
}
