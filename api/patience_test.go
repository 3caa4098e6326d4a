package api_test

import (
	"heddle/api"
	"heddle/executor"
	"heddle/internal/await"
	"heddle/store/storetest"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestNoRequestOutwaitsTheDatabase: while the database does not answer, every
// operation is answered with 503 and Retry-After, and so is readiness.
func TestNoRequestOutwaitsTheDatabase(t *testing.T) {
	proxy, url := storetest.NewProxy(t, storetest.Postgres(t))
	short := func(c *api.Config, _ *executor.Config) { c.StoreTime = 100 * time.Millisecond }
	s := newStackOn(t, url, short)
	id, run := s.startPatiently()
	// A node that has not run it: the other one may serve its streams from memory.
	other := newStackOn(t, url, short)
	proxy.Freeze()
	for _, r := range []request{
		{method: "GET", path: "/api/workflows"},
		{method: "GET", path: "/api/workflows/" + id},
		{method: "PUT", path: "/api/workflows/" + id, body: `{"definition":` + trivial + `}`},
		{method: "DELETE", path: "/api/workflows/" + id + "?force=true"},
		{method: "POST", path: "/api/workflows", body: `{"definition":` + trivial + `}`},
		{method: "POST", path: "/api/workflows/" + id + "/run"},
		{method: "GET", path: "/api/workflows/runs/" + run},
		{method: "POST", path: "/api/workflows/runs/" + run + "/cancel"},
		{method: "POST", path: "/api/workflows/runs/" + run + "/restart"},
		{method: "POST", path: "/v1/runs", body: `{"workflow_id":"` + id + `"}`},
		{method: "POST", path: "/v1/workflows/" + id + "/execute", body: `{"run_input":{}}`},
		{method: "GET", path: "/api/workflows/export"},
		{method: "GET", path: "/v1/keys"},
		{method: "GET", path: "/readyz", key: "-"},
	} {
		s.wantUnavailable(r)
	}
	other.wantUnavailable(request{method: "GET", path: "/api/workflows/runs/" + run + "/stream"})
	other.wantUnavailable(request{method: "GET", path: "/v1/runs/" + run + "/events"})
	proxy.Thaw()
	s.eventually("ready again", func() bool { return s.exec.Ready(t.Context()) == nil })
	s.eventually("requests are served again", func() bool { return s.get("/api/workflows/"+id).status == http.StatusOK })
}

// wantUnavailable makes a request, which must be answered with 503 and Retry-After.
func (s *stack) wantUnavailable(r request) {
	s.t.Helper()
	answer := make(chan response, 1)
	go func() { answer <- s.do(r) }()
	got := await.Receive(s.t, r.method+" "+r.path+" is answered", answer)
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		s.t.Errorf("%s %s: %d %s", r.method, r.path, got.status, got.body)
	}
}

// startPatiently makes a workflow and a run: the time for the database is so
// short here that a loaded machine may refuse a request now and then.
func (s *stack) startPatiently() (workflow, run string) {
	s.t.Helper()
	s.eventually("a workflow is made", func() bool {
		got := s.do(request{method: "POST", path: "/api/workflows", body: `{"definition":` + trivial + `}`})
		if got.status == http.StatusCreated {
			workflow = got.text(s.t, "id")
		}
		return workflow != ""
	})
	s.eventually("a run is started", func() bool {
		got := s.do(request{method: "POST", path: "/api/workflows/" + workflow + "/run", body: `{}`})
		if got.status == http.StatusAccepted {
			run = got.text(s.t, "run_id")
		}
		return run != ""
	})
	return workflow, run
}

// A start that waits for a file which another process has locked.
func TestAStartDoesNotOutwaitALockedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.db")
	s := newStackOn(t, "sqlite://"+path, func(c *api.Config, _ *executor.Config) { c.StoreTime = 100 * time.Millisecond })
	id, _ := s.startPatiently()
	unlock := storetest.LockFile(t, path)
	for _, r := range []request{
		{method: "POST", path: "/api/workflows/" + id + "/run"},
		{method: "PUT", path: "/api/workflows/" + id, body: `{"definition":{"name":"Other","steps":[{"id":"b","type":"condition","config":{"expression":"true"}}]}}`},
	} {
		s.wantUnavailable(r)
	}
	s.eventually("reads go on", func() bool { return s.get("/api/workflows/"+id).status == http.StatusOK })
	unlock()
	s.eventually("starts are taken again", func() bool {
		return s.do(request{method: "POST", path: "/api/workflows/" + id + "/run"}).status == http.StatusAccepted
	})
}

func TestLastingOperationsExist(t *testing.T) {
	s := newStack(t)
	var known []string
	for _, path := range s.doc.paths {
		for _, op := range path {
			known = append(known, op.OperationID)
		}
	}
	for _, id := range api.LastingOperations() {
		if !slices.Contains(known, id) {
			t.Errorf("there is no operation %s", id)
		}
	}
}
