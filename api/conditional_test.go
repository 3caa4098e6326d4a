package api_test

import (
	"net/http"
	"testing"
)

func TestReadsAreConditional(t *testing.T) {
	s := newStack(t)
	p := s.place()
	for _, path := range []string{
		"/api/workflows/" + p.workflow, "/api/workflows/" + p.workflow + "/versions/1", "/api/workflows/runs/" + p.finished,
	} {
		tag := s.get(path).want(t, http.StatusOK).header.Get("ETag")
		if tag == "" {
			t.Fatalf("%s has no ETag", path)
		}
		for given, want := range map[string]int{
			tag: 304, "W/" + tag: 304, `"other", ` + tag: 304, "*": 304, `"r999"`: 200, "junk": 200,
		} {
			got := s.do(request{method: "GET", path: path, header: map[string]string{"If-None-Match": given}}).want(t, want)
			if got.header.Get("ETag") != tag {
				t.Errorf("%s: ETag %q", path, got.header.Get("ETag"))
			}
		}
	}
}

func TestWritesHonourIfMatch(t *testing.T) {
	s := newStack(t)
	id := s.create(trivial, "")
	wf := "/api/workflows/" + id
	put := func(tag, body string) response {
		return s.do(request{method: "PUT", path: wf, body: body, header: map[string]string{"If-Match": tag}})
	}
	first := put(`"r1"`, `{"tags":["a"]}`).want(t, http.StatusOK)
	if first.header.Get("ETag") != `"r2"` {
		t.Errorf("ETag %q", first.header.Get("ETag"))
	}
	late := put(`"r1"`, `{"definition":`+parked+`}`).wantCode(t, http.StatusPreconditionFailed, "precondition_failed")
	if late.field(t, "current_version") != jsonNumber(1) || late.text(t, "current_etag") != `"r2"` {
		t.Error(late.body)
	}
	put(`W/"r2"`, `{"tags":[]}`).wantCode(t, http.StatusPreconditionFailed, "precondition_failed")
	put(`"r1", "r2"`, `{"tags":["b"]}`).want(t, http.StatusOK)
	put(`*`, `{"tags":["c"]}`).want(t, http.StatusOK)
	status := s.do(request{method: "PATCH", path: wf + "/status", body: `{"status":"paused"}`, header: map[string]string{"If-Match": `"r1"`}})
	status.wantCode(t, http.StatusPreconditionFailed, "precondition_failed")
	gone := s.do(request{method: "DELETE", path: wf, header: map[string]string{"If-Match": `"r3"`}})
	gone.wantCode(t, http.StatusPreconditionFailed, "precondition_failed")
	s.do(request{method: "DELETE", path: wf, header: map[string]string{"If-Match": `"r4"`}}).want(t, http.StatusNoContent)
}

func TestRunsAreDeletedAsTheyWereRead(t *testing.T) {
	s := newStack(t)
	p := s.place()
	path := "/api/workflows/runs/" + p.finished
	tag := s.get(path).header.Get("ETag")
	s.do(request{method: "DELETE", path: path, header: map[string]string{"If-Match": `"r1"`}}).
		wantCode(t, http.StatusPreconditionFailed, "precondition_failed")
	s.do(request{method: "DELETE", path: path, header: map[string]string{"If-Match": tag}}).want(t, http.StatusNoContent)
}

func TestNothingChangedKeepsTheRevision(t *testing.T) {
	s := newStack(t)
	wf := "/api/workflows/" + s.create(trivial, `"tags":["a"]`)
	before := s.get(wf)
	for _, body := range []string{`{}`, `{"tags":["a"]}`, `{"definition":` + trivial + `}`, `{"trigger_type":"manual"}`} {
		after := s.do(request{method: "PUT", path: wf, body: body}).want(t, http.StatusOK)
		if after.body != before.body || after.header.Get("ETag") != before.header.Get("ETag") {
			t.Errorf("%s changed something: %s", body, after.body)
		}
	}
}
