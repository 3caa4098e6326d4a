package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// broken is a text that no version can be made of.
const broken = "name: Half\nsteps:\n  - id: a\n    typ"

func TestADraftIsKeptWhateverItsText(t *testing.T) {
	s := newStack(t)
	wf := "/api/workflows/" + s.create(definition("One"), "")
	draft := wf + "/draft"
	put := func(body, match string) response {
		r := request{method: "PUT", path: draft, body: body}
		if match != "" {
			r.header = map[string]string{"If-Match": match}
		}
		return s.do(r)
	}
	s.get(draft).wantCode(t, http.StatusNotFound, "draft_not_found")
	put(sourceBody("yaml", broken, ""), `"r1"`).wantCode(t, http.StatusPreconditionFailed, "precondition_failed")
	first := put(sourceBody("yaml", broken, `,"note":"half"`), "").want(t, http.StatusOK)
	if first.text(t, "source", "text") != broken || first.text(t, "diagnostics", 0, "code") != "syntax" || first.field(t, "base_is_latest") != true ||
		first.header.Get("ETag") != `"r1"` || first.text(t, "etag") != `"r1"` || first.text(t, "note") != "half" {
		t.Error(first.body)
	}
	put(sourceBody("yaml", commented, ""), `"r1"`).want(t, http.StatusOK)
	put(sourceBody("yaml", broken, ""), `"r1"`).wantCode(t, http.StatusPreconditionFailed, "precondition_failed")
	read := s.get(draft).want(t, http.StatusOK)
	if read.text(t, "source", "text") != commented || len(read.field(t, "diagnostics").([]any)) != 0 || read.header.Get("ETag") != `"r2"` {
		t.Error(read.body)
	}
	// No draft is a version, a run or a line of the audit trail.
	if s.get(wf).field(t, "workflow", "latest_version") != jsonNumber(1) || strings.Contains(s.get("/v1/audit").body, "draft") {
		t.Error("a draft changed the workflow or the trail")
	}
	s.post(wf+"/versions/1/publish", "").want(t, http.StatusOK)

	// Another person sees it, has one of their own, and writes no other.
	editor := s.key("editor")
	as := func(method, path, body string) response {
		return s.do(request{method: method, path: path, body: body, key: editor})
	}
	as("GET", draft, "").wantCode(t, http.StatusNotFound, "draft_not_found")
	owner := read.text(t, "owner", "id")
	if got := as("GET", draft+"?of="+owner, "").want(t, http.StatusOK); got.text(t, "source", "text") != commented {
		t.Error(got.body)
	}
	as("PUT", draft, sourceBody("yaml", broken, "")).want(t, http.StatusOK)
	if all := s.get(draft+"?of=all").want(t, http.StatusOK); len(all.field(t, "drafts").([]any)) != 2 || strings.Contains(all.body, "Half") {
		t.Error(all.body)
	}
	if own := s.get("/api/workflows/drafts").want(t, http.StatusOK); len(own.field(t, "drafts").([]any)) != 1 {
		t.Error(own.body)
	}
	as("DELETE", draft, "").want(t, http.StatusNoContent)
	as("DELETE", draft, "").wantCode(t, http.StatusNotFound, "draft_not_found")
	s.do(request{method: "PUT", path: "/v1/secrets/TOKEN", body: `{"value":"tok-123456789"}`}).want(t, http.StatusNoContent)
	put(sourceBody("yaml", "# tok-123456789", ""), "").wantCode(t, http.StatusUnprocessableEntity, "secret_in_definition")
	put(sourceBody("yaml", "a: 1", `,"base_version":9`), "").wantCode(t, http.StatusUnprocessableEntity, "invalid_draft")
	s.do(request{method: "DELETE", path: wf}).want(t, http.StatusNoContent)
	if own := s.get("/api/workflows/drafts").want(t, http.StatusOK); len(own.field(t, "drafts").([]any)) != 0 {
		t.Errorf("the draft outlives its workflow: %s", own.body)
	}
}

func TestADraftIsPublished(t *testing.T) {
	s := newStack(t)
	wf := "/api/workflows/" + s.create(definition("One"), "")
	put := func(path, body string) response {
		return s.do(request{method: "PUT", path: path, body: body})
	}
	put(wf, `{"from_draft":true}`).wantCode(t, http.StatusNotFound, "draft_not_found")
	put(wf+"/draft", sourceBody("yaml", broken, "")).want(t, http.StatusOK)
	put(wf, `{"from_draft":true}`).wantCode(t, http.StatusUnprocessableEntity, "invalid_definition")
	put(wf+"/draft", sourceBody("yaml", commented, "")).want(t, http.StatusOK)
	put(wf, `{"from_draft":true,"definition":`+trivial+`}`).wantCode(t, http.StatusBadRequest, "invalid_request")
	put(wf+"?dry_run=true", `{"from_draft":true}`).want(t, http.StatusOK)
	s.get(wf+"/draft").want(t, http.StatusOK)
	// Somebody else saves meanwhile.
	put(wf, `{"definition":`+definition("Two")+`}`).want(t, http.StatusOK)
	late := put(wf, `{"from_draft":true}`).wantCode(t, http.StatusConflict, "draft_outdated")
	if late.field(t, "latest_version") != jsonNumber(2) {
		t.Error(late.body)
	}
	if got := s.get(wf + "/draft"); got.field(t, "base_is_latest") != false {
		t.Error(got.body)
	}
	done := put(wf, `{"from_draft":true,"force":true}`).want(t, http.StatusOK)
	if done.field(t, "workflow", "version") != jsonNumber(3) || s.yaml(wf).body != commented {
		t.Error(done.body)
	}
	s.get(wf+"/draft").wantCode(t, http.StatusNotFound, "draft_not_found")
}

func TestDraftsOfWorkflowsThatAreNotThereYet(t *testing.T) {
	s := newStack(t)
	made := s.post("/api/workflows/drafts", sourceBody("yaml", broken, "")).want(t, http.StatusCreated)
	at := made.header.Get("Location")
	if at != "/api/workflows/drafts/"+made.text(t, "id") || made.field(t, "workflow_id") != nil {
		t.Error(made.body)
	}
	s.do(request{method: "PUT", path: at, body: sourceBody("yaml", commented, ""), header: map[string]string{"If-Match": `"r1"`}}).want(t, http.StatusOK)
	if got := s.get(at).want(t, http.StatusOK); got.text(t, "source", "text") != commented {
		t.Error(got.body)
	}
	s.do(request{method: "GET", path: at, key: s.key("editor")}).wantCode(t, http.StatusNotFound, "draft_not_found")
	if list := s.get("/api/workflows/drafts").want(t, http.StatusOK); list.text(t, "drafts", 0, "id") != made.text(t, "id") {
		t.Error(list.body)
	}
	s.do(request{method: "DELETE", path: at}).want(t, http.StatusNoContent)
	s.get(at).wantCode(t, http.StatusNotFound, "draft_not_found")
	// A repetition with the same key is the same draft.
	first := s.do(keyed("/api/workflows/drafts", sourceBody("yaml", broken, ""), "k1")).want(t, http.StatusCreated)
	again := s.do(keyed("/api/workflows/drafts", sourceBody("yaml", broken, ""), "k1")).want(t, http.StatusCreated)
	if again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" || again.header.Get("Location") != first.header.Get("Location") || first.header.Get("ETag") != `"r1"` {
		t.Errorf("%s %v\n%s %v", first.body, first.header, again.body, again.header)
	}
	if list := s.get("/api/workflows/drafts").want(t, http.StatusOK).field(t, "drafts").([]any); len(list) != 1 {
		t.Errorf("%d drafts", len(list))
	}
}

func TestDefinitionsThatAreNotStoredAreTried(t *testing.T) {
	s := newStack(t)
	text := "name: Tried\nsteps:\n  - id: a # mocked\n    type: http_request\n    config: {url: https://a.example/}\noutput: \"{{ steps.a.output.body }}\"\n"
	wf := "/api/workflows/" + s.create(definition("One"), "")
	mocks := `,"mocks":{"a":{"output":{"status_code":200,"headers":{},"body":"seen"}}}`
	for _, path := range []string{"/api/workflows/dry-run", wf + "/dry-run"} {
		if got := s.post(path, sourceBody("yaml", text, mocks)).want(t, http.StatusOK); got.text(t, "output") != "seen" || got.text(t, "status") != "completed" {
			t.Errorf("%s: %s", path, got.body)
		}
		s.post(path, sourceBody("yaml", broken, mocks)).wantCode(t, http.StatusUnprocessableEntity, "invalid_definition")
	}
	s.post("/api/workflows/dry-run", `{}`).wantCode(t, http.StatusBadRequest, "invalid_request")
	step := "name: Tried\nsteps:\n  - {id: a, type: condition, config: {expression: \"steps.b.output.result && input.x == 1\"}, depends_on: [b]}\n  - {id: b, type: condition, config: {expression: \"true\"}}\n"
	test := wf + "/steps/a/test"
	if got := s.post(test, sourceBody("yaml", step, `,"input_data":{"x":1},"steps":{"b":{"result":true}}`)).want(t, http.StatusOK); !strings.Contains(got.body, `"result":true`) {
		t.Error(got.body)
	}
	// It would be performed, so the right to start runs is not enough.
	s.do(request{method: "POST", path: test, key: s.key("operator"), body: sourceBody("yaml", step, "")}).wantCode(t, http.StatusForbidden, "acl_denied")
	s.do(request{method: "PUT", path: wf, body: sourceBody("yaml", step, "")}).want(t, http.StatusOK)
	run := s.start(strings.TrimPrefix(wf, "/api/workflows/"), `{"input_data":{"x":1}}`)
	s.until(run, "completed")
	if got := s.post(test, `{"from_run":"`+run+`"}`).want(t, http.StatusOK); !strings.Contains(got.body, `"result":true`) {
		t.Error(got.body)
	}
	if got := s.post(test, `{"from_run":"`+run+`","input_data":{"x":2}}`).want(t, http.StatusOK); !strings.Contains(got.body, `"result":false`) {
		t.Error(got.body)
	}
	other := s.create(definition("Other"), "")
	s.post("/api/workflows/"+other+"/steps/a/test", `{"from_run":"`+run+`"}`).wantCode(t, http.StatusNotFound, "run_not_found")
}

func TestTextsAreCompared(t *testing.T) {
	s := newStack(t)
	wf := "/api/workflows/" + s.create(definition("One"), "")
	s.do(request{method: "PUT", path: wf, body: `{"definition":` + definition("Two") + `}`}).want(t, http.StatusOK)
	one := "# one\nname: One\nsteps: [{id: a, type: condition, config: {expression: \"true\"}}]\n"
	if got := s.post(wf+"/diff", sourceBody("yaml", one, `,"base":1`)).want(t, http.StatusOK); got.text(t, "summary") != "No changes" || got.field(t, "v1") != jsonNumber(1) {
		t.Error(got.body)
	}
	if got := s.post(wf+"/diff", sourceBody("yaml", one, "")).want(t, http.StatusOK); got.text(t, "summary") == "No changes" || got.field(t, "v1") != jsonNumber(2) {
		t.Error(got.body)
	}
	s.post(wf+"/diff", sourceBody("yaml", one, `,"base":9`)).wantCode(t, http.StatusNotFound, "version_not_found")
	both := func(before, after string) response {
		return s.post("/api/workflows/diff", `{"before":`+before+`,"after":`+after+`}`)
	}
	if got := both(sourceBody("yaml", one, ""), `{"definition":`+definition("One")+`}`).want(t, http.StatusOK); got.text(t, "summary") != "No changes" {
		t.Error(got.body)
	}
	if got := both(sourceBody("yaml", one, ""), `{"definition":`+definition("Two")+`}`).want(t, http.StatusOK); got.text(t, "changes", 0, "change") != "settings" {
		t.Error(got.body)
	}
	both(sourceBody("yaml", broken, ""), sourceBody("yaml", one, "")).wantCode(t, http.StatusUnprocessableEntity, "invalid_definition")
	both(`{"text":1}`, sourceBody("yaml", one, "")).wantCode(t, http.StatusBadRequest, "invalid_request")
	s.post("/api/workflows/diff", `{"before":`+sourceBody("yaml", one, "")+`}`).wantCode(t, http.StatusBadRequest, "invalid_request")
}

func TestAPreviewSaysWhatIsMissingAndWhoCalls(t *testing.T) {
	s := newStack(t)
	wf := "/api/workflows/" + s.create(definition("One"), "")
	run := s.start(strings.TrimPrefix(wf, "/api/workflows/"), `{"trigger":"api"}`)
	s.until(run, "completed")
	s.do(request{method: "PUT", path: "/v1/secrets/THERE", body: `{"value":"tok-123456789"}`}).want(t, http.StatusNoContent)
	naming := `{"name":"N","steps":[
		{"id":"a","type":"http_request","config":{"url":"https://a.example/","headers":{"X":"{{ secrets.GONE }}","Y":"{{ secrets.THERE }}"}}},
		{"id":"l","type":"loop","config":{"items":"[1]","steps":[{"id":"b","type":"agent_task","config":{"agent_id":"nobody","goal":"{{ secrets.DEEP }}"}}]}}]}`
	got := s.do(request{method: "PUT", path: wf + "?dry_run=true", body: `{"definition":` + naming + `}`}).want(t, http.StatusOK)
	for path, want := range map[string]string{
		"secrets_missing": `["DEEP","GONE"]`, "agents_missing": `["nobody"]`, "resumable": `[]`, "callers": `[{"trigger":"api"`,
	} {
		if !strings.Contains(got.body, `"`+path+`":`+want) {
			t.Errorf("%s is not %s: %s", path, want, got.body)
		}
	}
	s.do(request{method: "PUT", path: wf, body: sourceBody("yaml", commented, "")}).want(t, http.StatusOK)
	changed := s.do(request{method: "PUT", path: wf + "?dry_run=true", body: sourceBody("yaml", commented+"# more\n", "")}).want(t, http.StatusOK)
	same := s.do(request{method: "PUT", path: wf + "?dry_run=true", body: sourceBody("yaml", commented, "")}).want(t, http.StatusOK)
	if changed.field(t, "source_changed") != true || strings.Contains(same.body, "source_changed") {
		t.Errorf("%s\n%s", changed.body, same.body)
	}
	waits := s.create(parked, "")
	s.start(waits, "")
	s.start(waits, "")
	if list := s.get("/api/workflows/"+waits+"/versions").want(t, http.StatusOK); list.field(t, "versions", 0, "runs", "open") != jsonNumber(2) || list.field(t, "versions", 0, "runs", "last_30d") != jsonNumber(2) {
		t.Error(list.body)
	}
}
