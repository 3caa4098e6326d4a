package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

func (s *stack) limit(tenant, quotas string) response {
	s.t.Helper()
	return s.do(request{method: "PUT", path: "/v1/tenants/" + tenant + "/quotas", body: quotas}).want(s.t, http.StatusOK)
}

func exceeded(t *testing.T, got response, quota string, limit int) {
	t.Helper()
	got.wantCode(t, http.StatusTooManyRequests, "quota_exceeded")
	if got.text(t, "quota") != quota || got.field(t, "limit") != jsonNumber(limit) || got.header.Get("Retry-After") == "" ||
		!strings.Contains(got.header.Get("RateLimit"), `"`+quota+`";r=0`) || !strings.Contains(got.header.Get("RateLimit-Policy"), `"`+quota+`";q=`) {
		t.Errorf("%v %s", got.header, got.body)
	}
}

// Whatever starts or opens a run is held to the tenant's quota of open runs;
// another tenant is not, and what ends makes room.
func TestAQuotaOfOpenRuns(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(parked, `"slug":"flow"`)
		sched := s.post("/api/workflows/flow/schedules", `{"cron_expression":"@daily"}`).want(t, http.StatusCreated).text(t, "schedule_id")
		failed := s.start("flow", "")
		s.do(request{method: "POST", path: "/api/workflows/runs/" + failed + "/cancel"}).want(t, http.StatusOK)
		s.until(failed, "cancelled")
		s.limit("default", `{"open_runs":2}`)
		first := s.start("flow", "")
		s.post("/api/workflows/workflows/flow/instances", `{"id":"i1"}`).want(t, http.StatusOK)
		refused := []request{
			{method: "POST", path: "/api/workflows/flow/run"}, {method: "POST", path: "/v1/runs", body: `{"workflow_id":"flow"}`},
			{method: "POST", path: "/v1/workflows/flow/execute", body: `{"run_input":{}}`}, {method: "POST", path: "/api/workflows/workflows/flow/instances", body: `{}`},
			{method: "POST", path: "/api/workflows/workflows/flow/instances/batch", body: `{"instances":[{"id":"b1"}]}`},
			{method: "POST", path: "/api/workflows/schedules/" + sched + "/trigger"}, {method: "POST", path: "/api/workflows/runs/" + failed + "/resume"},
		}
		for _, r := range refused {
			exceeded(t, s.do(r), "open_runs", 2)
		}
		// A restart takes the place of what it ends.
		s.post("/api/workflows/workflows/flow/instances/i1/restart", "").want(t, http.StatusOK)
		other := s.tenant("other")
		s.do(request{method: "POST", path: "/api/workflows", body: `{"slug":"flow","definition":` + parked + `}`, key: other}).want(t, http.StatusCreated)
		for range 3 {
			s.do(request{method: "POST", path: "/api/workflows/flow/run", key: other}).want(t, http.StatusAccepted)
		}
		s.do(request{method: "POST", path: "/api/workflows/runs/" + first + "/cancel"}).want(t, http.StatusOK)
		s.until(first, "cancelled")
		s.post("/api/workflows/schedules/"+sched+"/trigger", "").want(t, http.StatusAccepted)
		exceeded(t, s.do(refused[0]), "open_runs", 2)
		s.limit("default", `{"open_runs":0}`)
		for _, r := range refused {
			if strings.HasSuffix(r.path, "/execute") {
				continue // would follow its run for a turn's time
			}
			if got := s.do(r); got.status == http.StatusTooManyRequests {
				t.Errorf("%s without a quota: %s", r.path, got.body)
			}
		}
	})
}

// Of many starts at once exactly the quota is let in.
func TestAQuotaOfOpenRunsAtOnce(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(parked, `"slug":"flow"`)
		s.limit("default", `{"open_runs":5}`)
		var wg sync.WaitGroup
		codes := make([]int, 30)
		for i := range codes {
			wg.Go(func() { codes[i] = s.post("/api/workflows/flow/run", "").status })
		}
		wg.Wait()
		let := 0
		for _, c := range codes {
			if c == http.StatusAccepted {
				let++
			}
		}
		if total := s.get("/api/workflows/flow/runs").field(t, "total"); let != 5 || total != jsonNumber(5) {
			t.Errorf("%d were let in, %v are there: %v", let, total, codes)
		}
	})
}

func TestAQuotaOfSchedules(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(parked, `"slug":"flow"`)
		s.limit("default", `{"schedules":1}`)
		add := func() response { return s.post("/api/workflows/flow/schedules", `{"cron_expression":"@daily"}`) }
		id := add().want(t, http.StatusCreated).text(t, "schedule_id")
		exceeded(t, add(), "schedules", 1)
		s.do(request{method: "DELETE", path: "/api/workflows/schedules/" + id}).want(t, http.StatusNoContent)
		add().want(t, http.StatusCreated)
	})
}

func TestAQuotaOfStreams(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.create(parked, `"slug":"flow"`)
	run := s.start("flow", "")
	s.limit("default", `{"streams":2}`)
	open := func(path string) *raw {
		r := s.dial()
		r.send(s.head("GET", path, ""))
		if line, err := r.in.ReadString('\n'); err != nil || !strings.Contains(line, "200") {
			t.Fatalf("%s: %q %v", path, line, err)
		}
		return r
	}
	first := open("/api/workflows/runs/" + run + "/stream")
	open("/v1/runs/" + run + "/events")
	exceeded(t, s.get("/v1/runs/"+run+"/events"), "streams", 2)
	exceeded(t, s.get("/api/workflows/runs/"+run+"/stream"), "streams", 2)
	_ = first.conn.Close()
	s.eventually("there is room again", func() bool {
		r := s.dial()
		r.send(s.head("GET", "/v1/runs/"+run+"/events", ""))
		line, err := r.in.ReadString('\n')
		return err == nil && strings.Contains(line, "200")
	})
}

// Only admins of the tenant default set quotas; null is what the server says.
func TestQuotasAreSetByTheOperator(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	other := s.tenant("other")
	id := s.get("/v1/tenants/other/quotas").want(t, http.StatusOK).text(t, "tenant_id")
	for _, method := range []string{"GET", "PUT"} {
		body := ""
		if method == "PUT" {
			body = `{"streams":1}`
		}
		s.do(request{method: method, path: "/v1/tenants/other/quotas", body: body, key: other}).wantCode(t, http.StatusForbidden, "acl_denied")
		s.do(request{method: method, path: "/v1/tenants/nobody/quotas", body: body}).wantCode(t, http.StatusNotFound, "tenant_not_found")
	}
	set := s.limit(id, `{"open_runs":7,"streams":0}`)
	if got := s.get("/v1/tenants/other/quotas"); got.body != set.body ||
		!strings.Contains(got.body, `"quotas":{"open_runs":7,"streams":0},"effective":{"open_runs":7,"streams":0,"schedules":0}`) {
		t.Errorf("set %s, then %s", set.body, got.body)
	}
	if got := s.limit("other", `{"open_runs":null}`); !strings.Contains(got.body, `"quotas":{},"effective":{"open_runs":0,`) {
		t.Errorf("cleared: %s", got.body)
	}
	for body, status := range map[string]int{
		`{"open_runs":-1}`: 422, `{"open_runs":-2}`: 422, `{"schedules":1000000001}`: 422, `{"streams":1.5}`: 400, `{"streams":"1"}`: 400, `{"stream":1}`: 400, `{"Streams":1}`: 400,
	} {
		s.do(request{method: "PUT", path: "/v1/tenants/other/quotas", body: body}).want(t, status)
	}
	if trail := s.get("/v1/audit?action=tenant_quotas.put").want(t, http.StatusOK); len(trail.field(t, "entries").([]any)) != 2 {
		t.Errorf("trail %s", trail.body)
	}
}
