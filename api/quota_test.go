package api_test

import (
	"encoding/json"
	"net/http"
	"strconv"
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
			{method: "POST", path: "/api/workflows/flow/run"},
			{method: "POST", path: "/v1/runs", body: `{"workflow_id":"flow"}`},
			{method: "POST", path: "/v1/workflows/flow/execute", body: `{"run_input":{}}`},
			{method: "POST", path: "/api/workflows/workflows/flow/instances", body: `{}`},
			{method: "POST", path: "/api/workflows/workflows/flow/instances/batch", body: `{"instances":[{"id":"b1"}]}`},
			{method: "POST", path: "/api/workflows/schedules/" + sched + "/trigger"},
			{method: "POST", path: "/api/workflows/runs/" + failed + "/resume"},
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

// Of many starts at once exactly the quota is admitted.
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

// refusesBytes requests everything that stores something, and wants it refused for the
// quota of stored bytes.
func (s *stack) refusesBytes(requests []request, limit int) {
	s.t.Helper()
	for _, r := range requests {
		got := s.do(r)
		if got.status != http.StatusTooManyRequests {
			s.t.Errorf("%s %s: %d %s", r.method, r.path, got.status, got.body)
			continue
		}
		used, err := got.field(s.t, "used").(json.Number).Int64()
		if after, _ := strconv.Atoi(got.header.Get("Retry-After")); err != nil || used <= 0 || used > 10*int64(limit) || after < 10 ||
			got.text(s.t, "code") != "quota_exceeded" || got.text(s.t, "quota") != "stored_bytes" || got.field(s.t, "limit") != jsonNumber(limit) ||
			!strings.Contains(got.header.Get("RateLimit"), `"stored_bytes";r=0`) || !strings.Contains(got.header.Get("RateLimit-Policy"), `"stored_bytes";q=200000`) ||
			!strings.Contains(got.text(s.t, "message"), "delete runs") {
			s.t.Errorf("%s %s: %v %s", r.method, r.path, got.header, got.body)
		}
	}
}

// What starts a run or saves a definition is refused when the tenant has stored
// as much as it may; runs go on, and what reads, steers and deletes works. What is
// deleted makes room.
func TestAQuotaOfStoredBytes(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		flow := s.create(parked, `"slug":"flow"`)
		s.put("/api/workflows/"+flow, `{"definition":`+trivial+`,"publish":false}`).want(t, http.StatusOK)
		tpl := s.template(napping("1", ""))
		made := s.install(tpl, `{}`)
		sched := s.post("/api/workflows/flow/schedules", `{"cron_expression":"@daily"}`).want(t, http.StatusCreated).text(t, "schedule_id")
		waiting := s.start("flow", "")
		s.post("/api/workflows/workflows/flow/instances", `{"id":"i1"}`).want(t, http.StatusOK)
		keyed := request{method: "POST", path: "/api/workflows", body: `{"slug":"keyed","definition":` + trivial + `}`, header: map[string]string{"Idempotency-Key": "k"}}
		s.do(keyed).want(t, http.StatusCreated)
		ended := s.start("flow", "")
		s.do(request{method: "POST", path: "/api/workflows/runs/" + ended + "/cancel"}).want(t, http.StatusOK)
		s.until(ended, "cancelled")
		asking := s.start(s.create(`{"name":"Ask","steps":[{"id":"ask","type":"wait","config":{"signal":{"name":"go"}}}]}`, `"slug":"ask"`), "")
		s.until(asking, "waiting")
		big := s.post("/api/workflows/flow/run", `{"input_data":{"text":"`+strings.Repeat("x", 300_000)+`"}}`).want(t, http.StatusAccepted).text(t, "run_id")

		const limit = 200_000
		s.limit("default", `{"stored_bytes":200000}`)
		trivially := `{"definition":` + trivial + `}`
		refused := []request{
			{method: "POST", path: "/api/workflows/flow/run"},
			{method: "POST", path: "/v1/runs", body: `{"workflow_id":"flow"}`},
			{method: "POST", path: "/v1/workflows/flow/execute", body: `{"run_input":{}}`},
			{method: "POST", path: "/api/workflows/workflows/flow/instances", body: `{}`},
			{method: "POST", path: "/api/workflows/workflows/flow/instances/batch", body: `{"instances":[{"id":"b1"}]}`},
			{method: "POST", path: "/api/workflows/workflows/flow/instances/i1/restart"},
			{method: "POST", path: "/api/workflows/schedules/" + sched + "/trigger"},
			{method: "POST", path: "/api/workflows", body: trivially},
			{method: "PUT", path: "/api/workflows/flow", body: `{"definition":` + trivial + `}`},
			{method: "POST", path: "/api/workflows/flow/rollback", body: `{"version":1}`},
			{method: "POST", path: "/api/workflows/import", body: line("one")},
			{method: "POST", path: "/api/workflows/templates", body: `{"name":"t",` + trivially[1:]},
			{method: "POST", path: "/api/workflows/templates", body: `{"name":"t","workflow_id":"flow"}`},
			{method: "PUT", path: "/api/workflows/templates/" + tpl, body: `{` + napping("2", "") + `}`},
			{method: "POST", path: "/api/workflows/templates/" + tpl + "/install", body: `{}`},
			{method: "POST", path: "/api/workflows/" + made + "/template-update"},
			{method: "POST", path: "/api/workflows/flow/schedules", body: `{"cron_expression":"@daily"}`},
			{method: "PATCH", path: "/api/workflows/schedules/" + sched, body: `{"input_data":{"a":1}}`},
			{method: "PUT", path: "/api/workflows/flow", body: `{"tags":["t"]}`},
			{method: "PATCH", path: "/api/workflows/flow/versions/1", body: `{"label":"first"}`},
			{method: "POST", path: "/v1/runs/" + waiting + "/signals/go", body: `{"request_id":"r","payload":{}}`},
			{method: "POST", path: "/api/workflows/workflows/flow/instances/i1/events", body: `{"type":"go","payload":{}}`},
			{method: "POST", path: "/v1/workflows/ask/execute", body: `{"run_id":"` + asking + `","run_input":{"command":"data","dynamic_variables":{"a":1}}}`},
			{method: "POST", path: "/api/workflows/runs/" + ended + "/resume"},
			{method: "POST", path: "/api/workflows/runs/" + waiting + "/pause", body: `{"reason":"because"}`},
			{method: "POST", path: "/api/workflows/runs/" + waiting + "/resume", body: `{"reason":"because"}`},
			{method: "POST", path: "/api/workflows/workflows/flow/instances/i1/pause", body: `{"reason":"because"}`},
			{method: "POST", path: "/api/workflows/workflows/flow/instances/i1/resume", body: `{"reason":"because"}`},
			{method: "PUT", path: "/v1/agents/a", body: `{"provider":"openai","base_url":"https://example.com/v1","model":"m"}`},
			{method: "PUT", path: "/v1/secrets/NAME", body: `{"value":"long enough"}`},
		}
		s.refusesBytes(refused, limit)

		// What is not refused.
		for _, r := range []request{
			{method: "GET", path: "/api/workflows/flow"},
			{method: "GET", path: "/api/workflows/runs/" + big},
			{method: "GET", path: "/api/workflows/export"},
			{method: "POST", path: "/api/workflows/validate", body: trivially},
			{method: "PUT", path: "/api/workflows/flow?dry_run=true", body: trivially},
			{method: "POST", path: "/api/workflows/flow/rollback?dry_run=true", body: `{"version":1}`},
			{method: "PUT", path: "/api/workflows/flow", body: `{"trigger_type":"api"}`},
			{method: "POST", path: "/api/workflows/flow/versions/2/publish"},
			{method: "PATCH", path: "/api/workflows/flow/status", body: `{"status":"active"}`},
			{method: "POST", path: "/api/workflows/runs/" + waiting + "/pause"},
			{method: "POST", path: "/api/workflows/runs/" + waiting + "/resume"},
			{method: "POST", path: "/v1/runs/" + asking + "/cancel", body: `{"reason":"because"}`},
			{method: "PATCH", path: "/api/workflows/flow/versions/1", body: `{"label":null}`},
			{method: "PATCH", path: "/api/workflows/schedules/" + sched, body: `{"status":"paused"}`},
			{method: "DELETE", path: "/api/workflows/schedules/" + sched},
		} {
			if got := s.do(r); got.status >= 400 {
				t.Errorf("%s %s: %d %s", r.method, r.path, got.status, got.body)
			}
		}
		if got := s.do(keyed).want(t, http.StatusCreated); got.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("a repeated request: %v", got.header)
		}

		// Another tenant is not held to it.
		other := s.tenant("other")
		s.do(request{method: "POST", path: "/api/workflows", body: trivially, key: other}).want(t, http.StatusCreated)

		s.do(request{method: "POST", path: "/api/workflows/runs/" + big + "/cancel"}).want(t, http.StatusOK)
		s.until(big, "cancelled")
		s.do(request{method: "DELETE", path: "/api/workflows/runs/" + big}).want(t, http.StatusNoContent)
		s.eventually("there is room again", func() bool { return s.do(refused[0]).status == http.StatusAccepted })
		s.post("/api/workflows", trivially).want(t, http.StatusCreated)
		s.limit("default", `{"stored_bytes":0}`)
		s.post("/api/workflows/flow/run", `{"input_data":{"text":"`+strings.Repeat("x", 300_000)+`"}}`).want(t, http.StatusAccepted)
	})
}

// A caller that floods is stopped by what this node accepted, not by the next
// count: of what comes at once as much is admitted as fits.
func TestAQuotaOfStoredBytesAtOnce(t *testing.T) {
	t.Parallel()
	const size = 50_000
	large := strings.Repeat("x", size)
	for name, r := range map[string]request{
		"runs":        {method: "POST", path: "/api/workflows/flow/run", body: `{"input_data":{"text":"` + large + `"}}`},
		"signals":     {method: "POST", path: "/api/workflows/workflows/flow/instances/i1/events", body: `{"type":"go","payload":"` + large + `"}`},
		"secrets":     {method: "PUT", path: "/v1/secrets/NAME", body: `{"value":"` + large + `"}`},
		"definitions": {method: "POST", path: "/api/workflows", body: `{"definition":{"description":"` + large + `",` + trivial[1:] + `}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			s.create(parked, `"slug":"flow"`)
			s.post("/api/workflows/workflows/flow/instances", `{"id":"i1"}`).want(t, http.StatusOK)
			s.limit("default", `{"stored_bytes":`+strconv.Itoa(12*size)+`}`)
			var all sync.WaitGroup
			codes := make([]int, 40)
			for i := range codes {
				all.Go(func() { codes[i] = s.do(r).status })
			}
			all.Wait()
			let := 0
			for _, code := range codes {
				switch code {
				case http.StatusAccepted, http.StatusCreated, http.StatusOK, http.StatusNoContent:
					let++
				case http.StatusTooManyRequests:
				default:
					t.Errorf("answered %d", code)
				}
			}
			// What is stored while it is counted may count twice until the next count:
			// a few more may fit.
			for let <= 12 && s.do(r).status != http.StatusTooManyRequests {
				let++
			}
			if let == 0 || let > 12 {
				t.Errorf("%d times %d bytes were let in", let, size)
			}
		})
	}
}

// A PUT that makes no new version stores none, and is not counted as one.
func TestTheSameDefinitionIsNotCountedAgain(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	large := `{"definition":{"description":"` + strings.Repeat("x", 50_000) + `",` + trivial[1:] + `}`
	id := s.post("/api/workflows", large).want(t, http.StatusCreated).text(t, "id")
	s.limit("default", `{"stored_bytes":200000}`)
	for range 10 {
		s.put("/api/workflows/"+id, large).want(t, http.StatusOK)
	}
}

// So is one whose short requests store much.
func TestShortRequestsAreHeldToWhatTheyStore(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	more := `,{"id":"two","type":"condition","config":{"expression":"'` + strings.Repeat("x", 3000) + `' != ''"},"depends_on":["nap"]}`
	tpl := s.template(napping("1", more))
	flow := s.install(tpl, `{}`)
	limit := 60_000
	s.limit("default", `{"stored_bytes":60000}`)
	for _, r := range []request{
		{method: "POST", path: "/api/workflows/templates/" + tpl + "/install", body: `{}`},
		{method: "POST", path: "/api/workflows/" + flow + "/rollback", body: `{"version":1}`},
	} {
		let := 0
		for let < 40 && s.do(r).status != http.StatusTooManyRequests {
			let++
		}
		if let > limit/3000 || let == 0 {
			t.Errorf("%s: %d were let in", r.path, let)
		}
		exceeded(t, s.do(r), "stored_bytes", limit)
		limit *= 2
		s.limit("default", `{"stored_bytes":`+strconv.Itoa(limit)+`}`)
	}
}

// An import ends at the line that does not fit, and says so.
func TestAnImportBeyondTheQuotaOfStoredBytes(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.limit("default", `{"stored_bytes":`+strconv.Itoa(3*len(line("one")))+`}`)
	lines := ""
	for _, slug := range []string{"a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9"} {
		lines += line(slug)
	}
	got := s.do(request{method: "POST", path: "/api/workflows/import", body: lines})
	exceeded(t, got, "stored_bytes", 3*len(line("one")))
	stored := len(got.field(t, "imported").([]any))
	if got.field(t, "line") != jsonNumber(stored+1) || stored == 0 || stored != s.workflows() {
		t.Errorf("%d lines stored: %s", stored, got.body)
	}
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
		!strings.Contains(got.body, `"quotas":{"open_runs":7,"streams":0},"effective":{"open_runs":7,"streams":0,"schedules":0,"stored_bytes":0}`) {
		t.Errorf("set %s, then %s", set.body, got.body)
	}
	if got := s.limit("other", `{"open_runs":null}`); !strings.Contains(got.body, `"quotas":{},"effective":{"open_runs":0,`) {
		t.Errorf("cleared: %s", got.body)
	}
	for body, status := range map[string]int{
		`{"stored_bytes":-1}`: 422, `{"stored_bytes":100000000000001}`: 422, `{"stored_bytes":1e30}`: 400, `{"stored_bytes":100000000000000}`: 200,
		`{"open_runs":-1}`: 422, `{"open_runs":-2}`: 422, `{"schedules":1000000001}`: 422, `{"streams":1.5}`: 400, `{"streams":"1"}`: 400, `{"stream":1}`: 400, `{"Streams":1}`: 400,
	} {
		s.do(request{method: "PUT", path: "/v1/tenants/other/quotas", body: body}).want(t, status)
	}
	if trail := s.get("/v1/audit?action=tenant_quotas.put").want(t, http.StatusOK); len(trail.field(t, "entries").([]any)) != 3 {
		t.Errorf("trail %s", trail.body)
	}
}
