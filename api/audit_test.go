package api_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestTheTrailTellsWhoDidWhat walks a workflow through its life and reads the
// entries, newest first.
func TestTheTrailTellsWhoDidWhat(t *testing.T) {
	s := newStack(t)
	const definition = `{"definition":{"name":"Wait","steps":[{"id":"w","type":"wait","config":{"seconds":3600}}]},"slug":"wait"}`
	s.post("/api/workflows", definition).want(t, http.StatusCreated)
	s.post("/api/workflows", definition).wantCode(t, http.StatusConflict, "slug_taken") // no entry
	started := s.post("/api/workflows/wait/run", `{}`).want(t, http.StatusAccepted)
	var run struct {
		RunID string `json:"run_id"`
	}
	if err := json.Unmarshal([]byte(started.body), &run); err != nil {
		t.Fatal(err)
	}
	s.post("/api/workflows/validate", definition) // no entry
	s.post("/api/workflows/runs/"+run.RunID+"/cancel", `{}`).want(t, http.StatusOK)
	var trail struct {
		Entries []struct{ Actor, Action, Object string }
	}
	if err := json.Unmarshal([]byte(s.get("/v1/audit").want(t, http.StatusOK).body), &trail); err != nil {
		t.Fatal(err)
	}
	want := []string{"run.cancel run:" + run.RunID, "workflow.create workflow:wf_"}
	if len(trail.Entries) != len(want) {
		t.Fatalf("entries %+v", trail.Entries)
	}
	for i, e := range trail.Entries {
		if got := e.Action + " " + e.Object; !strings.HasPrefix(got, want[i]) || e.Actor == "" {
			t.Errorf("entry %d is %s by %q, want %s", i, got, e.Actor, want[i])
		}
	}
}

// Whoever steers a run, in whatever dialect, leaves the same entry.
func TestSteeringIsOnTheTrailInEveryDialect(t *testing.T) {
	s := newStack(t)
	s.create(approval, `"slug":"flow"`)
	for _, d := range dialects() {
		id := d.start(s, "flow")
		for _, deed := range []struct {
			action string
			by     verb
		}{{"run.pause", d.pause}, {"run.resume", d.resume}, {"run.cancel", d.cancel}, {"run.terminate", d.terminate}} {
			if deed.by == nil {
				continue
			}
			if deed.action == "run.terminate" {
				id = d.start(s, "flow")
			}
			s.do(deed.by(s, id))
			if got := s.get("/v1/audit?limit=1").want(t, http.StatusOK); got.text(t, "entries", 0, "action") != deed.action || got.text(t, "entries", 0, "object") != "run:"+id {
				t.Errorf("%s by %s: %s", deed.action, d.name, got.body)
			}
		}
	}
}

// A parameter that a route does not have, and its dialect passes over, hides
// nothing from the trail.
func TestOnlyDryRunsAreNotOnTheTrail(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.create(approval, `"slug":"flow"`)
	s.post(instances, `{"id":"one"}`).want(t, http.StatusOK)
	for _, deed := range []string{"pause", "resume", "terminate"} {
		s.post(instances+"/one/"+deed+"?dry_run=true", "").want(t, http.StatusOK)
		if got := s.get("/v1/audit?limit=1").want(t, http.StatusOK); got.text(t, "entries", 0, "action") != "run."+deed {
			t.Errorf("%s: %s", deed, got.body)
		}
	}
}

// Lines name objects by their ids, whatever the caller wrote, and say which
// version and status became which. A slug that is used again is another object.
func TestTheTrailNamesOneObjectByOneName(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	first := s.create(trivial, `"slug":"flow"`)
	flow := "/api/workflows/flow"
	s.do(request{method: "PUT", path: flow, body: `{"definition":` + parked + `,"publish":false}`}).want(t, 200)
	s.post("/api/workflows/"+first+"/versions/2/publish", "").want(t, 200)
	s.post(flow+"/rollback", `{"version":1}`).want(t, 200)
	s.do(request{method: "PATCH", path: flow + "/status", body: `{"status":"paused"}`}).want(t, 200)
	s.do(request{method: "PATCH", path: flow + "/versions/2", body: `{"label":"old"}`}).want(t, 200)
	s.do(request{method: "PUT", path: flow, body: `{"tags":[]}`}).want(t, 200) // changes nothing
	byID, bySlug := s.trailOf("workflow:"+first), s.trailOf("workflow:flow")
	if len(byID) != 7 || len(bySlug) != 7 {
		t.Fatalf("by id %d, by slug %d lines: %+v", len(byID), len(bySlug), byID)
	}
	at := func(i int) struct {
		From, To struct {
			Version      int
			Hash, Status string
		}
	} {
		var d struct {
			From, To struct {
				Version      int
				Hash, Status string
			}
		}
		if err := json.Unmarshal(byID[i].Detail, &d); err != nil {
			t.Fatalf("line %d: %s", i, byID[i].Detail)
		}
		return d
	}
	if d := at(4); byID[4].Action != "version.publish" || d.From.Version != 1 || d.To.Version != 2 || d.From.Hash == d.To.Hash || d.From.Hash == "" {
		t.Errorf("publish: %s", byID[4].Detail)
	}
	if d := at(3); byID[3].Action != "workflow.rollback" || d.From.Version != 2 || d.To.Version != 3 || d.To.Hash != at(4).From.Hash {
		t.Errorf("rollback: %s", byID[3].Detail)
	}
	if d := at(2); byID[2].Action != "workflow_status.set" || d.From.Status != "active" || d.To.Status != "paused" {
		t.Errorf("status: %s", byID[2].Detail)
	}
	if !strings.Contains(string(byID[1].Detail), `"version":2`) || !strings.Contains(string(byID[1].Detail), `"to":"old"`) {
		t.Errorf("label: %s", byID[1].Detail)
	}
	for _, e := range byID {
		if e.ObjectSlug != "flow" || e.Object != "workflow:"+first {
			t.Errorf("%s is about %s, %s", e.Action, e.Object, e.ObjectSlug)
		}
	}
	s.do(request{method: "DELETE", path: flow}).want(t, 204)
	second := s.create(trivial, `"slug":"flow"`)
	if got := s.trailOf("workflow:flow"); len(got) != 1 || got[0].Object != "workflow:"+second {
		t.Errorf("the slug's lines now: %+v", got)
	}
	if got := s.trailOf("workflow:" + first); len(got) != 8 {
		t.Errorf("%d lines of the first", len(got))
	}
}

// Every kind of object has its lines under its id.
func TestTheTrailKnowsEveryKindOfObject(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	wf := s.create(parked, `"slug":"flow"`)
	key := s.post("/v1/keys", `{"name":"ci","role":"none"}`).want(t, 201).text(t, "id")
	sched := s.post("/api/workflows/flow/schedules", `{"cron_expression":"0 8 * * *"}`).want(t, 201).text(t, "schedule", "id")
	s.do(request{method: "PATCH", path: "/api/workflows/schedules/" + sched, body: `{"status":"paused"}`}).want(t, 200)
	s.do(request{method: "PUT", path: "/v1/grants", body: `{"key_id":"` + key + `","workflow":"flow","actions":["view"]}`}).want(t, 200)
	s.do(request{method: "DELETE", path: "/v1/grants?workflow=flow&key_id=" + key}).want(t, 204)
	s.do(request{method: "DELETE", path: "/v1/keys/" + key}).want(t, 204)
	tenant := s.post("/v1/tenants", `{"slug":"other","name":"Other"}`).want(t, 201).text(t, "tenant", "id")
	s.do(request{method: "PUT", path: "/v1/secrets/TOKEN", body: `{"value":"a value of a secret"}`})
	s.do(request{method: "DELETE", path: "/v1/secrets/TOKEN"}).want(t, 204)
	for object, actions := range map[string]string{
		"key:" + key: "key.revoke grant.delete grant.put key.create", "key:ci": "key.revoke grant.delete grant.put key.create",
		"schedule:" + sched: "schedule.update schedule.create", "tenant:" + tenant: "tenant.create", "tenant:other": "tenant.create",
		"secret:TOKEN": "secret.delete secret.put", "workflow:" + wf: "workflow.create",
	} {
		var got []string
		for _, e := range s.trailOf(object) {
			got = append(got, e.Action)
		}
		if strings.Join(got, " ") != actions {
			t.Errorf("%s: %v, want %s", object, got, actions)
		}
	}
}

type trailLine struct {
	Action, Object string
	ObjectSlug     string `json:"object_slug"`
	Reason         string
	Detail         json.RawMessage
}

// trailOf reads an object's lines, newest first.
func (s *stack) trailOf(object string) []trailLine {
	s.t.Helper()
	var trail struct{ Entries []trailLine }
	if err := json.Unmarshal([]byte(s.get("/v1/audit?limit=200&object="+object).want(s.t, http.StatusOK).body), &trail); err != nil {
		s.t.Fatal(err)
	}
	return trail.Entries
}

// The trail is filtered by time, text and the beginning of the object, and sent as CSV in
// which no cell is a formula.
func TestTheTrailIsFilteredAndDownloaded(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.create(parked, `"slug":"flow","tags":["x"]`)
	key := s.post("/v1/keys", `{"name":"=cmd|calc","role":"none"}`).want(t, 201).text(t, "id")
	s.do(request{method: "DELETE", path: "/v1/keys/" + key + "?reason=" + url.QueryEscape("-1+1, \"no\" longer")}).want(t, 204)
	actions := func(query string) string {
		t.Helper()
		var trail struct{ Entries []trailLine }
		if err := json.Unmarshal([]byte(s.get("/v1/audit?"+query).want(t, http.StatusOK).body), &trail); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range trail.Entries {
			got = append(got, e.Action)
		}
		return strings.Join(got, " ")
	}
	for query, want := range map[string]string{
		"object_prefix=key:": "key.revoke key.create", "q=LONGER": "key.revoke", "q=nothing": "", "object_prefix=key:&q=CALC": "key.revoke key.create",
		"object_prefix=workflow:": "workflow.create", "to=2001-01-01T00:00:00Z": "", "from=2001-01-01T00:00:00Z&to=2100-01-01T00:00:00Z": "key.revoke key.create workflow.create",
	} {
		if got := actions(query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for _, query := range []string{"from=yesterday", "to=2001", "q=" + strings.Repeat("x", 201)} {
		s.get("/v1/audit?"+query).wantCode(t, http.StatusBadRequest, "invalid_request")
	}
	sheet := func(query string) response {
		return s.do(request{method: "GET", path: "/v1/audit?" + query, header: map[string]string{"Accept": "text/csv"}})
	}
	got := sheet("object_prefix=key:").want(t, http.StatusOK)
	lines, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil || len(lines) != 3 || !strings.HasPrefix(got.header.Get("Content-Type"), "text/csv") {
		t.Fatalf("%v: %s", err, got.body)
	}
	if lines[0][4] != "action" || lines[1][4] != "key.revoke" || lines[1][6] != "'=cmd|calc" || lines[1][7] != `'-1+1, "no" longer` || lines[2][8] != `{"role":"none"}` {
		t.Errorf("%q", lines)
	}
	sheet("limit=1").wantCode(t, http.StatusBadRequest, "invalid_request")
	s.do(request{method: "GET", path: "/v1/audit", key: s.key("operator"), header: map[string]string{"Accept": "text/csv"}}).want(t, http.StatusForbidden)
}

// TestTheTrailOfAnObjectNamesItsKind: a text without one would list nothing in silence.
func TestTheTrailOfAnObjectNamesItsKind(t *testing.T) {
	s := newStack(t)
	id := s.create(trivial, `"slug":"hang"`)
	for _, object := range []string{"workflow:hang", "workflow:" + id} {
		if got := s.get("/v1/audit?object="+object).want(t, http.StatusOK).text(t, "entries", 0, "object"); got != "workflow:"+id {
			t.Errorf("%s: %s", object, got)
		}
	}
	for _, object := range []string{"hang", id, ":hang", "workflow:"} {
		refused := s.get("/v1/audit?object="+object).wantCode(t, http.StatusBadRequest, "invalid_request")
		if !strings.Contains(refused.body, "workflow:") {
			t.Errorf("%s: %s", object, refused.body)
		}
	}
}
