package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func definition(name string) string {
	return `{"name":"` + name + `","steps":[{"id":"a","type":"condition","config":{"expression":"true"}}]}`
}

func TestSlugs(t *testing.T) {
	s := newStack(t)
	for slug, fine := range map[string]bool{
		"a": true, "0-9_z": true, strings.Repeat("s", 64): true, "wf_short": true, "0123456789abcdef0123456": true,
		strings.Repeat("s", 65): false, "A": false, "-a": false, "_a": false, "a.b": false, "a b": false, "ä": false,
		"workflows": false, "runs": false, "templates": false, "schedules": false, "validate": false,
		"search": false, "export": false, "import": false,
		"0123456789abcdef01234567": false, "wf_0123456789abcdef01234567": false, "run_0123456789abcdef01234567": false,
	} {
		got := s.post("/api/workflows", `{"definition":`+trivial+`,"slug":"`+slug+`"}`)
		if fine {
			if got.want(t, http.StatusCreated).text(t, "workflow", "slug") != slug {
				t.Errorf("%q: %s", slug, got.body)
			}
			continue
		}
		got.wantCode(t, http.StatusUnprocessableEntity, "invalid_slug")
	}
	id := s.create(trivial, "")
	if got := s.get("/api/workflows/"+id).text(t, "workflow", "slug"); got != id {
		t.Errorf("without a slug it is the id, not %q", got)
	}
}

func TestVersionsComeFromChangedDefinitions(t *testing.T) {
	s := newStack(t)
	wf := "/api/workflows/" + s.create(definition("One"), `"change_summary":"first"`)
	put := func(body string) response {
		t.Helper()
		return s.do(request{method: "PUT", path: wf, body: body}).want(t, http.StatusOK)
	}
	want := func(r response, name string, active, latest int) {
		t.Helper()
		if r.text(t, "workflow", "name") != name || r.field(t, "workflow", "version") != jsonNumber(active) ||
			r.field(t, "workflow", "latest_version") != jsonNumber(latest) || r.text(t, "workflow", "definition", "name") != name {
			t.Errorf("want %s, %d of %d: %s", name, active, latest, r.body)
		}
	}
	want(put(`{"definition":`+definition("Two")+`,"change_summary":"second"}`), "Two", 2, 2)
	want(put(`{"definition":`+definition("Two")+`}`), "Two", 2, 2)
	want(put(`{"definition":`+definition("Three")+`,"publish":false}`), "Two", 2, 3)
	want(put(`{"tags":["x"]}`), "Two", 2, 3) // what is not published stays so
	want(put(`{"definition":`+definition("Three")+`,"publish":false}`), "Two", 2, 3)
	want(put(`{"definition":`+definition("Three")+`}`), "Three", 3, 3) // the latest, now published
	want(put(`{"definition":`+definition("One")+`}`), "One", 4, 4)     // an old one is a new one
	want(s.get(wf), "One", 4, 4)

	list := s.get(wf+"/versions").want(t, http.StatusOK)
	for i, summary := range []string{"", "", "second", "first"} {
		if list.field(t, "versions", i, "version") != jsonNumber(4-i) || list.text(t, "versions", i, "change_summary") != summary ||
			list.field(t, "versions", i, "active") != (i == 0) || list.text(t, "versions", i, "created_by") != "bootstrap" {
			t.Errorf("version %d: %s", 4-i, list.body)
		}
	}
	if list.text(t, "versions", 0, "definition_hash") != list.text(t, "versions", 3, "definition_hash") {
		t.Error("equal definitions, other hashes")
	}
	two := s.get(wf+"/versions/v2").want(t, http.StatusOK)
	if two.text(t, "definition", "name") != "Two" || two.field(t, "label") != nil {
		t.Error(two.body)
	}
	old := s.get(wf+"?version=2").want(t, http.StatusOK)
	if old.text(t, "workflow", "definition", "name") != "Two" || old.field(t, "workflow", "definition_version") != jsonNumber(2) {
		t.Error(old.body)
	}
	s.get(wf+"/versions/5").wantCode(t, http.StatusNotFound, "version_not_found")
	run := s.start(strings.TrimPrefix(wf, "/api/workflows/"), `{"version":"2"}`)
	ran := s.get("/api/workflows/runs/"+run+"/definition").want(t, http.StatusOK)
	if ran.text(t, "definition", "name") != "Two" || ran.text(t, "definition_hash") != two.text(t, "definition_hash") {
		t.Error(ran.body)
	}
}

func TestPagesOfVersions(t *testing.T) {
	s := newStack(t)
	wf := "/api/workflows/" + s.create(definition("V1"), "")
	for i := 2; i <= 7; i++ {
		s.do(request{method: "PUT", path: wf, body: `{"definition":` + definition(fmt.Sprint("V", i)) + `}`}).want(t, http.StatusOK)
	}
	first := s.get(wf + "/versions?limit=3")
	if first.field(t, "total") != jsonNumber(7) || first.field(t, "versions", 2, "version") != jsonNumber(5) {
		t.Error(first.body)
	}
	second := s.get(wf + "/versions?limit=3&cursor=" + first.text(t, "next_cursor"))
	if second.field(t, "total") != nil || second.field(t, "versions", 0, "version") != jsonNumber(4) {
		t.Error(second.body)
	}
	third := s.get(wf + "/versions?limit=3&cursor=" + second.text(t, "next_cursor"))
	if third.field(t, "next_cursor") != nil || third.field(t, "versions", 0, "version") != jsonNumber(1) {
		t.Error(third.body)
	}
	if got := s.get(wf + "/versions?limit=2&offset=5"); got.field(t, "versions", 0, "version") != jsonNumber(2) || got.field(t, "next_cursor") != nil {
		t.Error(got.body)
	}
}

func TestStatusSaysWhatMayHappen(t *testing.T) {
	s := newStack(t)
	id := s.create(trivial, `"status":"draft"`)
	wf := "/api/workflows/" + id
	set := func(status string) response {
		t.Helper()
		return s.do(request{method: "PATCH", path: wf + "/status", body: `{"status":"` + status + `"}`}).want(t, http.StatusOK)
	}
	s.post(wf+"/run", `{"trigger":"manual"}`).want(t, http.StatusAccepted)
	s.post(wf+"/run", `{"trigger":"schedule"}`).wantCode(t, http.StatusConflict, "workflow_not_runnable")
	set("active")
	s.post(wf+"/run", `{"trigger":"schedule"}`).want(t, http.StatusAccepted)
	set("paused")
	s.post(wf+"/run", "").wantCode(t, http.StatusConflict, "workflow_not_runnable")
	s.do(request{method: "PUT", path: wf, body: `{"tags":["a"]}`}).want(t, http.StatusOK)
	if got := set("archived"); got.text(t, "workflow", "status") != "archived" {
		t.Error(got.body)
	}
	s.post(wf+"/run", "").wantCode(t, http.StatusConflict, "workflow_not_runnable")
	s.do(request{method: "PUT", path: wf, body: `{"tags":["b"]}`}).wantCode(t, http.StatusConflict, "workflow_archived")
	set("active")
	s.do(request{method: "PUT", path: wf, body: `{"tags":["b"]}`}).want(t, http.StatusOK)
}

func TestDeletingAWorkflow(t *testing.T) {
	s := newStack(t)
	id := s.create(parked, `"slug":"gone"`)
	run := s.start("gone", "")
	s.do(request{method: "DELETE", path: "/api/workflows/gone"}).wantCode(t, http.StatusConflict, "workflow_has_open_runs")
	s.do(request{method: "DELETE", path: "/api/workflows/gone?force=true"}).want(t, http.StatusNoContent)
	s.until(run, "cancelled")
	for _, path := range []string{"/api/workflows/gone", "/api/workflows/" + id, "/api/workflows/" + id + "/runs", "/api/workflows/" + id + "/versions"} {
		s.get(path).wantCode(t, http.StatusNotFound, "workflow_not_found")
	}
	s.post("/api/workflows/gone/run", "").wantCode(t, http.StatusNotFound, "workflow_not_found")
	s.post("/api/workflows/"+id+"/run", "").wantCode(t, http.StatusNotFound, "workflow_not_found")
	s.get("/api/workflows/runs/"+run+"/definition").want(t, http.StatusOK)
	s.create(trivial, `"slug":"gone"`) // the slug is free again
	s.do(request{method: "DELETE", path: "/api/workflows/" + id}).wantCode(t, http.StatusNotFound, "workflow_not_found")
}

func TestListsOfWorkflows(t *testing.T) {
	s := newStack(t)
	for i := range 5 {
		s.create(definition(fmt.Sprint("Flow ", i)), fmt.Sprintf(`"slug":"f%d","tags":["t%d","all"],"trigger_type":"%s"`, i, i%2, []string{"manual", "api"}[i%2]))
	}
	s.do(request{method: "PATCH", path: "/api/workflows/f3/status", body: `{"status":"paused"}`}).want(t, http.StatusOK)
	for query, want := range map[string]string{
		"":                           "f3 f4 f2 f1 f0",
		"?status=paused":             "f3",
		"?status=archived":           "",
		"?trigger_type=api":          "f3 f1",
		"?tag=t0":                    "f4 f2 f0",
		"?tag=all&trigger_type=api":  "f3 f1",
		"?q=FLOW%202":                "f2",
		"?q=%25":                     "",
		"?limit=2":                   "f3 f4",
		"?limit=2&offset=3":          "f1 f0",
		"?offset=99":                 "",
		"?tag=none":                  "",
		"?tag=t1&limit=1":            "f3",
		"?status=active&tag=t1":      "f1",
		"?status=active&q=flow&tag=": "f4 f2 f1 f0",
	} {
		got := s.get("/api/workflows"+query).want(t, http.StatusOK)
		var slugs []string
		for i := range got.field(t, "workflows").([]any) {
			slugs = append(slugs, got.text(t, "workflows", i, "slug"))
		}
		if strings.Join(slugs, " ") != want {
			t.Errorf("%s: %v, want %s", query, slugs, want)
		}
	}
	var walked []string
	for path := "/api/workflows?limit=2"; ; {
		got := s.get(path).want(t, http.StatusOK)
		for i := range got.field(t, "workflows").([]any) {
			walked = append(walked, got.text(t, "workflows", i, "slug"))
		}
		next, more := got.field(t, "next_cursor").(string)
		if !more {
			break
		}
		path = "/api/workflows?limit=2&cursor=" + next
	}
	if got := strings.Join(walked, " "); got != "f3 f4 f2 f1 f0" {
		t.Errorf("page by page: %s", got)
	}
	if got := s.get("/api/workflows?tag=all&limit=1"); got.field(t, "total") != jsonNumber(5) {
		t.Error(got.body)
	}
}

func TestInputIsCheckedAgainstItsSchema(t *testing.T) {
	s := newStack(t)
	id := s.create(`{"name":"In","input":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]},"steps":[{"id":"a","type":"condition","config":{"expression":"input.n > 1"}}]}`, "")
	s.start(id, `{"input_data":{"n":2}}`)
	for _, body := range []string{``, `{"input_data":{}}`, `{"input_data":{"n":"2"}}`, `{"input_data":[]}`} {
		got := s.post("/api/workflows/"+id+"/run", body).wantCode(t, http.StatusUnprocessableEntity, "invalid_input")
		if len(got.field(t, "diagnostics").([]any)) == 0 {
			t.Error(got.body)
		}
	}
}

func TestWithoutInputARunHasAnEmptyObject(t *testing.T) {
	s := newStack(t)
	id := s.create(`{"name":"In","input":{"type":"object","properties":{"n":{"type":"integer"}}},"steps":[{"id":"a","type":"condition","config":{"expression":"input.n == nil"}}]}`, "")
	for _, body := range []string{``, `{}`} {
		run := s.until(s.start(id, body), "completed")
		if !strings.Contains(run.body, `"input":{}`) {
			t.Error(run.body)
		}
	}
	s.post("/api/workflows/"+id+"/run", `{"input_data":null}`).wantCode(t, http.StatusUnprocessableEntity, "invalid_input")
}

func TestValuesOfTheirOwnFormAreRefusedInPlainWords(t *testing.T) {
	s := newStack(t)
	s.create(trivial, `"slug":"flow"`)
	for _, c := range []struct{ method, path, body, says string }{
		{"PATCH", "/api/workflows/flow/versions/1", `{"label":5}`, "label must be a string, or null to take it away."},
		{"POST", "/v1/keys", `{"name":"x","role":"viewer","expires_at":"soon"}`, "expires_at must be a time as in RFC 3339, such as 2026-03-01T08:00:00Z."},
	} {
		got := s.do(request{method: c.method, path: c.path, body: c.body}).wantCode(t, http.StatusBadRequest, "invalid_request")
		if message := got.field(t, "message"); message != c.says {
			t.Errorf("%s: %q", c.body, message)
		}
	}
}

func TestRunsAreListedByStatus(t *testing.T) {
	s := newStack(t)
	id := s.create(`{"name":"P","steps":[{"id":"nap","type":"wait","config":{"seconds":3600},"if":"input == 1"}]}`, "")
	waiting := s.start(id, `{"input_data":1}`)
	paused := s.start(id, `{"input_data":1}`)
	done := s.start(id, "")
	s.post("/api/workflows/runs/"+paused+"/pause", "").want(t, http.StatusAccepted)
	s.until(done, "completed")
	s.until(paused, "paused")
	s.until(waiting, "waiting")
	for query, want := range map[string]string{
		"": done + " " + paused + " " + waiting, "?status=waiting": waiting, "?status=paused": paused,
		"?status=completed": done, "?status=failed": "", "?limit=1&offset=1": paused,
	} {
		got := s.get("/api/workflows/"+id+"/runs"+query).want(t, http.StatusOK)
		var ids []string
		for i := range got.field(t, "runs").([]any) {
			ids = append(ids, got.text(t, "runs", i, "id"))
		}
		if strings.Join(ids, " ") != want {
			t.Errorf("%s: %v", query, ids)
		}
	}
	if got := s.get("/api/workflows/runs/" + waiting); got.text(t, "run", "step_runs", 0, "wait", "kind") != "timer" || got.field(t, "run", "duration_seconds") != nil {
		t.Error(got.body)
	}
}
