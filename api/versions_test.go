package api_test

import (
	"encoding/json"
	"heddle/definitions/source"
	"net/http"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
)

const (
	fetchOne = `{"name":"My Workflow","steps":[` +
		`{"id":"fetch","type":"http_request","config":{"url":"https://api.example.com/data"}},` +
		`{"id":"notify","type":"webhook","config":{"url":"https://example.com/hook","event":"done"},"depends_on":["fetch"]}]}`
	fetchTwo = `{"name":"My Workflow","input":{"type":"object","required":["order"]},"steps":[` +
		`{"id":"fetch","type":"http_request","config":{"url":"https://new-url.com"}},` +
		`{"id":"notify","type":"webhook","config":{"url":"https://example.com/hook","event":"done"},"depends_on":["fetch"]},` +
		`{"id":"alarm","type":"webhook","config":{"url":"https://example.com/alarm","event":"failed"}}]}`
)

// history makes a workflow with fetchOne, then fetchTwo, both published.
func (s *stack) history() string {
	s.t.Helper()
	wf := "/api/workflows/" + s.create(fetchOne, `"slug":"flow"`)
	s.do(request{method: "PUT", path: wf, body: `{"definition":` + fetchTwo + `,"change_summary":"Alarm"}`}).want(s.t, http.StatusOK)
	return wf
}

func TestGoldenHistory(t *testing.T) {
	s := newStack(t)
	g := &scrub{seen: map[string]string{}}
	wf := s.history()
	g.golden(t, "diff", s.get(wf+"/diff?v1=1&v2=2"))
	g.golden(t, "diff_draft", s.post(wf+"/diff", `{"definition":`+fetchOne+`}`))
	g.golden(t, "label", s.do(request{method: "PATCH", path: wf + "/versions/1", body: `{"label":"v2.4"}`}))
	if labelled := s.get(wf + "/diff?v1=v2.4&v2=v2"); labelled.body != s.get(wf+"/diff?v1=1&v2=2").body {
		t.Errorf("by label: %s", labelled.body)
	}
	g.golden(t, "publish_dry_run", s.post(wf+"/versions/v2.4/publish?dry_run=true", ""))
	g.golden(t, "publish", s.post(wf+"/versions/v2.4/publish", ""))
	g.golden(t, "rollback_dry_run", s.post(wf+"/rollback?dry_run=true", `{"version":2}`))
	g.golden(t, "rollback", s.post(wf+"/rollback", `{"version":2}`))
	g.golden(t, "history", s.get(wf+"/versions"))
}

func TestAPatchGivesTheOtherVersionExactly(t *testing.T) {
	s := newStack(t)
	wf := s.history()
	definitionOf := func(v string) json.RawMessage {
		var body struct{ Definition json.RawMessage }
		if err := json.Unmarshal([]byte(s.get(wf+"/versions/"+v).body), &body); err != nil {
			t.Fatal(err)
		}
		return body.Definition
	}
	for _, pair := range [][2]string{{"1", "2"}, {"2", "1"}, {"1", "1"}} {
		var body struct {
			Diff    json.RawMessage
			Summary string
		}
		got := s.get(wf+"/diff?v1="+pair[0]+"&v2="+pair[1]).want(t, http.StatusOK)
		if err := json.Unmarshal([]byte(got.body), &body); err != nil {
			t.Fatal(err)
		}
		patch, err := jsonpatch.DecodePatch(body.Diff)
		if err != nil {
			t.Fatal(err)
		}
		after, err := patch.Apply(definitionOf(pair[0]))
		if err != nil {
			t.Fatal(err)
		}
		if canonical, err := source.Canonical(after); err != nil || string(canonical) != string(definitionOf(pair[1])) {
			t.Errorf("%v: %s, %v", pair, canonical, err)
		}
		if same := pair[0] == pair[1]; same != (body.Summary == "No changes") || same != (string(body.Diff) == "[]") {
			t.Errorf("%v: %s", pair, got.body)
		}
	}
	if other := s.get("/api/workflows/flow/diff?v1=1&v2=2"); other.body != s.get(wf+"/diff?v1=1&v2=2").body {
		t.Error("the slug gives another diff than the id")
	}
}

func TestPublishMovesTheActivePointer(t *testing.T) {
	s := newStack(t)
	wf := "/api/workflows/" + s.create(definition("One"), "")
	s.do(request{method: "PUT", path: wf, body: `{"definition":` + definition("Two") + `,"publish":false}`}).want(t, http.StatusOK)
	got := s.post(wf+"/versions/2/publish", "").want(t, http.StatusOK)
	if got.text(t, "workflow", "name") != "Two" || got.field(t, "workflow", "version") != jsonNumber(2) || got.header.Get("ETag") != `"r3"` {
		t.Error(got.body)
	}
	again := s.post(wf+"/versions/v2/publish", `{}`).want(t, http.StatusOK)
	if again.body != got.body || again.header.Get("ETag") != `"r3"` {
		t.Errorf("publishing the active version changed something: %s", again.body)
	}
	back := s.post(wf+"/versions/1/publish", "").want(t, http.StatusOK)
	if back.text(t, "workflow", "definition", "name") != "One" || back.field(t, "workflow", "latest_version") != jsonNumber(2) {
		t.Error(back.body)
	}
	run := s.start(strings.TrimPrefix(wf, "/api/workflows/"), "")
	if got := s.get("/api/workflows/runs/" + run); got.field(t, "run", "version") != jsonNumber(1) {
		t.Error(got.body)
	}
}

func TestRollbackAlwaysMakesAVersion(t *testing.T) {
	s := newStack(t)
	wf := s.history()
	one := s.get(wf + "/versions/1")
	for n, c := range []struct{ body, summary string }{
		{`{"version":1}`, "Rollback to version 1"},
		{`{"version":"v1","change_summary":"Back"}`, "Back"},
		{`{"version":"4"}`, "Rollback to version 4"}, // also to what is active
	} {
		got := s.post(wf+"/rollback", c.body).want(t, http.StatusOK)
		made := s.get(wf + "/versions/" + string(jsonNumber(n+3)))
		if got.field(t, "workflow", "version") != jsonNumber(n+3) || made.text(t, "change_summary") != c.summary ||
			made.text(t, "definition_hash") != one.text(t, "definition_hash") || made.field(t, "active") != true ||
			made.text(t, "created_by") != "bootstrap" {
			t.Errorf("%s: %s\n%s", c.body, got.body, made.body)
		}
	}
}

func TestADryRunWritesNothing(t *testing.T) {
	s := newStack(t)
	wf := s.history()
	before := s.get(wf+"/versions").body + s.get(wf).body
	for _, r := range []request{
		{method: "POST", path: wf + "/versions/1/publish?dry_run=true"},
		{method: "POST", path: wf + "/rollback?dry_run=true", body: `{"version":1}`},
		{method: "PUT", path: wf + "?dry_run=true", body: `{"definition":` + fetchOne + `,"tags":["x"]}`},
	} {
		got := s.do(r).want(t, http.StatusOK)
		if got.field(t, "dry_run") != true || got.text(t, "summary") != "Removed 1 step, modified 1 step, changed settings" ||
			len(got.field(t, "breaking").([]any)) != 0 || len(got.field(t, "schedules").([]any)) != 0 {
			t.Errorf("%s: %s", r.path, got.body)
		}
	}
	none := s.do(request{method: "PUT", path: wf + "?dry_run=true", body: `{"tags":["x"]}`}).want(t, http.StatusOK)
	if none.text(t, "summary") != "No changes" {
		t.Error(none.body)
	}
	if s.get(wf+"/versions").body+s.get(wf).body != before {
		t.Error("a dry run changed the workflow")
	}
}

func TestADryRunNamesOpenRunsAndBreakingInputs(t *testing.T) {
	s := newStack(t)
	id := s.create(parked, "")
	wf := "/api/workflows/" + id
	first := []string{s.start(id, ""), s.start(id, "")}
	strict := `{"name":"Parked","input":{"type":"object","required":["order"]},"steps":[{"id":"nap","type":"wait","config":{"seconds":7200}}]}`
	s.do(request{method: "PUT", path: wf, body: `{"definition":` + strict + `,"publish":false}`}).want(t, http.StatusOK)
	s.start(id, `{"version":2,"input_data":{"order":1}}`)
	for _, run := range first {
		s.until(run, "waiting")
	}
	got := s.post(wf+"/versions/2/publish?dry_run=true", "").want(t, http.StatusOK)
	runs, _ := json.Marshal(got.field(t, "open_runs"))
	if string(runs) != `[{"count":2,"version":1},{"count":1,"version":2}]` {
		t.Errorf("open runs: %s", runs)
	}
	if got.text(t, "breaking", 0, "pointer") != "/input/type" || got.text(t, "breaking", 1, "pointer") != "/input/required/0" {
		t.Errorf("breaking: %s", got.body)
	}
	s.post("/api/workflows/runs/"+first[0]+"/cancel", "")
	s.until(first[0], "cancelled")
	if got := s.post(wf+"/versions/2/publish?dry_run=true", ""); got.field(t, "open_runs", 0, "count") != jsonNumber(1) {
		t.Error(got.body)
	}
}

func TestHistoryRefusesWhatItCannotDo(t *testing.T) {
	s := newStack(t)
	wf := s.history()
	s.do(request{method: "PATCH", path: wf + "/versions/1", body: `{"label":"first"}`}).want(t, http.StatusOK)
	label := strings.Repeat("l", 64)
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", "/diff", "", 400, "invalid_request"},
		{"GET", "/diff?v1=1", "", 400, "invalid_request"},
		{"GET", "/diff?v1=v0&v2=2", "", 400, "invalid_request"},
		{"GET", "/diff?v1=first+one&v2=2", "", 400, "invalid_request"},
		{"GET", "/diff?v1=third&v2=2", "", 404, "version_not_found"},
		{"GET", "/diff?v1=0&v2=2", "", 400, "invalid_request"},
		{"GET", "/diff?v1=-1&v2=2", "", 400, "invalid_request"},
		{"GET", "/diff?v1=1&v2=2.0", "", 400, "invalid_request"},
		{"GET", "/diff?v1=1&v1=1&v2=2", "", 400, "invalid_request"},
		{"GET", "/diff?v1=1&v2=99999999999999999999", "", 400, "invalid_request"},
		{"GET", "/diff?v1=1&v2=3", "", 404, "version_not_found"},
		{"GET", "/diff?v1=3&v2=1", "", 404, "version_not_found"},
		{"POST", "/diff", ``, 400, "invalid_request"},
		{"POST", "/diff", `{}`, 400, "invalid_request"},
		{"POST", "/diff", `{"definition":{},"x":1}`, 400, "invalid_request"},
		{"POST", "/diff", `{"definition":[]}`, 422, "invalid_definition"},
		{"POST", "/diff", `{"definition":{"name":"a","name":"b"}}`, 422, "invalid_definition"},
		{"POST", "/versions/3/publish", "", 404, "version_not_found"},
		{"POST", "/versions/nope/publish", "", 404, "version_not_found"},
		{"POST", "/versions/a%20b/publish", "", 404, "version_not_found"},
		{"POST", "/versions/1/publish", `{"x":1}`, 400, "invalid_request"},
		{"POST", "/versions/1/publish?dry_run=maybe", "", 400, "invalid_request"},
		{"POST", "/versions/3/publish?dry_run=true", "", 404, "version_not_found"},
		{"POST", "/rollback", ``, 400, "invalid_request"},
		{"POST", "/rollback", `{}`, 400, "invalid_request"},
		{"POST", "/rollback", `{"version":9}`, 404, "version_not_found"},
		{"POST", "/rollback", `{"version":0}`, 404, "version_not_found"},
		{"POST", "/rollback", `{"version":1.5}`, 400, "invalid_request"},
		{"POST", "/rollback", `{"version":true}`, 400, "invalid_request"},
		{"POST", "/rollback", `{"version":"a b"}`, 400, "invalid_request"},
		{"POST", "/rollback", `{"version":1,"change_summary":"` + strings.Repeat("x", 2001) + `"}`, 422, "invalid_change_summary"},
		{"POST", "/rollback?dry_run=true", `{"version":1,"change_summary":"` + strings.Repeat("x", 2001) + `"}`, 422, "invalid_change_summary"},
		{"PATCH", "/versions/2", `{}`, 400, "invalid_request"},
		{"PATCH", "/versions/2", `{"label":1}`, 400, "invalid_request"},
		{"PATCH", "/versions/2", `{"label":"first"}`, 409, "label_taken"},
		{"PATCH", "/versions/2", `{"label":"v3"}`, 422, "invalid_label"},
		{"PATCH", "/versions/2", `{"label":"3"}`, 422, "invalid_label"},
		{"PATCH", "/versions/2", `{"label":"a b"}`, 422, "invalid_label"},
		{"PATCH", "/versions/2", `{"label":"a\n"}`, 422, "invalid_label"},
		{"PATCH", "/versions/2", `{"label":"` + label + `l"}`, 422, "invalid_label"},
		{"PATCH", "/versions/9", `{"label":"x"}`, 404, "version_not_found"},
	} {
		got := s.do(request{method: c.method, path: wf + c.path, body: c.body})
		if got.status != c.status || got.text(t, "code") != c.code {
			t.Errorf("%s %s %.80s: %s", c.method, c.path, c.body, got.body)
		}
	}
	broken := s.post(wf+"/diff", `{"definition":{"name":"x","steps":[{"id":"a","type":"nonsense"},{"id":"a"}],"more":1}}`)
	if broken.want(t, http.StatusOK).text(t, "changes", 0, "change") != "settings" {
		t.Errorf("a draft that is not sound: %s", broken.body)
	}
	for _, l := range []string{label, "a", "v2.4", "V", "vx1", "release-2026_01"} {
		s.do(request{method: "PATCH", path: wf + "/versions/first", body: `{"label":"` + l + `"}`}).want(t, http.StatusOK)
		s.do(request{method: "PATCH", path: wf + "/versions/" + l, body: `{"label":"first"}`}).want(t, http.StatusOK)
	}
	cleared := s.do(request{method: "PATCH", path: wf + "/versions/first", body: `{"label":null}`}).want(t, http.StatusOK)
	if cleared.field(t, "label") != nil {
		t.Error(cleared.body)
	}
	s.get(wf+"/versions/first").wantCode(t, http.StatusNotFound, "version_not_found")
}

func TestHistoryIsWrittenAsItWasRead(t *testing.T) {
	s := newStack(t)
	wf := s.history() // r2
	writes := []request{
		{method: "PATCH", path: wf + "/versions/1", body: `{"label":"first"}`},
		{method: "POST", path: wf + "/versions/1/publish"},
		{method: "POST", path: wf + "/versions/1/publish?dry_run=true"},
		{method: "POST", path: wf + "/rollback", body: `{"version":1}`},
		{method: "POST", path: wf + "/rollback?dry_run=true", body: `{"version":1}`},
		{method: "PUT", path: wf + "?dry_run=true", body: `{"tags":["x"]}`},
	}
	for _, r := range writes {
		r.header = map[string]string{"If-Match": `"r1"`}
		late := s.do(r).wantCode(t, http.StatusPreconditionFailed, "precondition_failed")
		if late.field(t, "current_version") != jsonNumber(2) || late.text(t, "current_etag") != `"r2"` {
			t.Errorf("%s: %s", r.path, late.body)
		}
	}
	s.do(request{method: "PATCH", path: wf + "/status", body: `{"status":"archived"}`}).want(t, http.StatusOK)
	for _, r := range writes {
		s.do(r).wantCode(t, http.StatusConflict, "workflow_archived")
	}
	s.get(wf+"/diff?v1=1&v2=2").want(t, http.StatusOK)
	s.do(request{method: "PATCH", path: wf + "/status", body: `{"status":"active"}`}).want(t, http.StatusOK)
	tag := s.get(wf).header.Get("ETag")
	for _, r := range writes {
		r.header = map[string]string{"If-Match": tag}
		tag = s.do(r).want(t, http.StatusOK).header.Get("ETag")
	}
	if tag != `"r7"` {
		t.Errorf("after three writes: %s", tag)
	}
}

// The list of versions says what each one changed, and a preview how many approvals are open.
func TestVersionsSayWhatTheyChanged(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.create(asks, `"slug":"asking"`)
	s.start("asking", "")
	s.eventually("an approval is open", func() bool {
		return len(s.get("/api/workflows/approvals?status=open").want(t, http.StatusOK).field(t, "approvals").([]any)) == 1
	})
	s.do(request{method: http.MethodPut, path: "/api/workflows/asking", body: `{"definition":` + trivial + `}`}).want(t, http.StatusOK)
	s.do(request{method: http.MethodPut, path: "/api/workflows/asking", body: `{"definition":` + strings.Replace(trivial, `"name":"`, `"name":"Another `, 1) + `}`}).want(t, http.StatusOK)
	for range 2 { // compared, then remembered
		list := s.get("/api/workflows/asking/versions").want(t, http.StatusOK)
		if !strings.HasPrefix(list.text(t, "versions", 0, "summary"), "Changed settings") || !strings.HasPrefix(list.text(t, "versions", 1, "summary"), "Added ") || strings.Count(list.body, `"summary":`) != 2 || list.header.Get("ETag") == "" {
			t.Errorf("%s", list.body)
		}
		if page := s.get("/api/workflows/asking/versions?limit=1").want(t, http.StatusOK); !strings.HasPrefix(page.text(t, "versions", 0, "summary"), "Changed settings") {
			t.Errorf("%s", page.body)
		}
	}
	p := s.do(request{method: http.MethodPut, path: "/api/workflows/asking?dry_run=true", body: `{"definition":` + asks + `}`}).want(t, http.StatusOK)
	if p.field(t, "open_approvals") != jsonNumber(1) {
		t.Errorf("%s", p.body)
	}
}
