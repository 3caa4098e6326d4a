package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"
)

// can returns the rights that an answer names at a place, in one text.
func (r response) can(t testing.TB, path ...any) string {
	t.Helper()
	text, err := json.Marshal(r.field(t, append(path, "can")...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestAnswersSayWhatTheCallerMay: a key with the role none and a grant on one workflow is told the
// grant's actions on that workflow, its runs and its schedules, in lists and alone, and none on the
// tenant; an admin is told all.
func TestAnswersSayWhatTheCallerMay(t *testing.T) {
	s := newStack(t)
	flow := s.create(parked, "")
	run := s.start(flow, "")
	schedule := s.post("/api/workflows/"+flow+"/schedules", `{"cron_expression":"0 2 * * *"}`).want(t, http.StatusCreated)
	id := schedule.text(t, "schedule_id")
	made := s.post("/v1/keys", `{"name":"ci","role":"none"}`).want(t, http.StatusCreated)
	s.do(request{method: "PUT", path: "/v1/grants", body: `{"key_id":"` + made.text(t, "id") + `","workflow":"` + flow + `","actions":["operate","view"]}`}).want(t, http.StatusOK)
	for _, at := range []struct {
		path  string
		place []any
	}{
		{"/api/workflows", []any{"workflows", 0}},
		{"/api/workflows/" + flow, []any{"workflow"}},
		{"/api/workflows/" + flow + "/runs", []any{"runs", 0}},
		{"/api/workflows/runs", []any{"runs", 0}},
		{"/api/workflows/runs/" + run, []any{"run"}},
		{"/api/workflows/schedules", []any{"schedules", 0}},
		{"/api/workflows/" + flow + "/schedules", []any{"schedules", 0}},
		{"/api/workflows/schedules/" + id, []any{"schedule"}},
	} {
		if got := s.get(at.path).want(t, http.StatusOK).can(t, at.place...); got != `["view","edit","execute","answer","operate"]` {
			t.Errorf("%s: an admin can %s", at.path, got)
		}
		granted := s.do(request{method: http.MethodGet, path: at.path, key: made.text(t, "key")}).want(t, http.StatusOK)
		if got := granted.can(t, at.place...); got != `["view","operate"]` {
			t.Errorf("%s: a key with a grant can %s", at.path, got)
		}
	}
	if got := schedule.can(t, "schedule"); got != `["view","edit","execute","answer","operate"]` {
		t.Errorf("a new schedule: %s", got)
	}
	if got := s.do(request{method: http.MethodGet, path: "/v1/info", key: made.text(t, "key")}).want(t, http.StatusOK).can(t); got != `[]` {
		t.Errorf("a key with one grant can on the tenant: %s", got)
	}
}

// TestInfoSaysWhereOneIs: tenant, time, ways to sign in, and what the server is set up for.
func TestInfoSaysWhereOneIs(t *testing.T) {
	s := newStack(t)
	before := time.Now().Truncate(time.Millisecond)
	info := s.get("/v1/info").want(t, http.StatusOK)
	if got := info.can(t); got != `["view","edit","execute","answer","operate","admin"]` {
		t.Errorf("an admin can %s", got)
	}
	if info.text(t, "tenant") != "default" || info.text(t, "tenant_name") != "Default" {
		t.Errorf("tenant: %s", info.body)
	}
	now, err := time.Parse(time.RFC3339, info.text(t, "time"))
	if err != nil || now.Before(before) || now.After(time.Now()) {
		t.Errorf("time %s (%v), between %s and now", now, err, before)
	}
	if methods := info.field(t, "auth", "methods").([]any); !slices.Contains(methods, any("key")) || info.field(t, "auth", "session") != false {
		t.Errorf("auth: %s", info.body)
	}
	if !slices.Equal(info.field(t, "features").([]any), []any{"sessions", "oidc"}) {
		t.Errorf("the tests' server has neither scripts nor a runner's tick: %s", info.body)
	}
}
