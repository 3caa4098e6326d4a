package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// approval waits for a signal with a schema.
const approval = `{"name":"Approval","input":{"properties":{"n":{"type":"integer"}}},"output":"{{ steps.ask.output.payload }}","steps":[` +
	`{"id":"first","type":"condition","config":{"expression":"true"}},` +
	`{"id":"ask","type":"wait","config":{"signal":{"name":"approve","prompt":"Ship it?","schema":{"type":"object","required":["approved"],` +
	`"properties":{"approved":{"type":"boolean"}}}}},"depends_on":["first"]}]}`

// keysOf lists an object's keys in the order of the alphabet.
func (r response) keysOf(t testing.TB, path ...any) string {
	t.Helper()
	object, ok := r.field(t, path...).(map[string]any)
	if !ok {
		t.Fatalf("%v is not an object in %s", path, r.body)
	}
	var keys []string
	for k := range object {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

// begin starts a run in the runs dialect.
func (s *stack) begin(body string) string {
	s.t.Helper()
	return s.post("/v1/runs", body).want(s.t, http.StatusCreated).text(s.t, "run_id")
}

// untilV1 waits until a run shows a node in this state, or with node "" is in it.
func (s *stack) untilV1(runID, node, state string) response {
	s.t.Helper()
	var got response
	s.eventually(runID+" "+node+" is "+state, func() bool {
		got = s.get("/v1/runs/"+runID).want(s.t, http.StatusOK)
		if node == "" {
			return got.text(s.t, "state") == state
		}
		current, _ := got.field(s.t, "current").([]any)
		return len(current) > 0 && got.text(s.t, "current", 0, "node") == node && got.text(s.t, "current", 0, "state") == state
	})
	return got
}

func TestARunInTheWordsOfTheRunsDialect(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(approval, `"slug":"checkout-flow"`)
		made := s.post("/v1/runs", `{"workflow_id":"checkout-flow","input":{"n":9007199254740993}}`).want(t, http.StatusCreated)
		if got := made.keysOf(t); got != "created_at run_id started_at state workflow_id workflow_version" {
			t.Errorf("keys %s", got)
		}
		id := made.text(t, "run_id")
		if made.text(t, "workflow_id") != "checkout-flow" || made.text(t, "workflow_version") != "v1" || made.header.Get("Location") != "/v1/runs/"+id {
			t.Errorf("made %s %v", made.body, made.header)
		}
		s.do(request{method: "PATCH", path: "/api/workflows/checkout-flow/versions/1", body: `{"label":"stable.4"}`}).want(t, http.StatusOK)
		got := s.untilV1(id, "ask", "waiting")
		want := "cost_micro_usd created_at current definition_hash error finished_at input latency_ms nodes run_id started_at started_by state tokens trigger workflow_id workflow_version"
		if got.keysOf(t) != want {
			t.Errorf("keys %s", got.keysOf(t))
		}
		if !strings.Contains(got.body, `"nodes":{"total":2,"pending":0,"running":0,"waiting":1,"succeeded":1,"failed":0,"skipped":0,"cancelled":0}`) ||
			!strings.Contains(got.body, `{"n":9007199254740993}`) || got.text(t, "trigger") != "api" || got.text(t, "state") != "running" ||
			got.text(t, "workflow_version") != "stable.4" || got.text(t, "current", 0, "wait", "prompt") != "Ship it?" {
			t.Errorf("run %s", got.body)
		}
		s.get("/v1/runs/"+id+"/result").wantCode(t, http.StatusConflict, "run_not_finished")
		s.post("/v1/runs/"+id+"/signals/approve", `{"request_id":"apr_1","payload":{"approved":true,"note":"LGTM"}}`).want(t, http.StatusAccepted)
		s.untilV1(id, "", "succeeded")
		result := s.get("/v1/runs/"+id+"/result").want(t, http.StatusOK)
		if result.body != `{"run_id":"`+id+`","state":"succeeded","result":{"approved":true,"note":"LGTM"}}`+"\n" {
			t.Errorf("result %s", result.body)
		}
		if s.get("/api/workflows/runs/"+id).text(t, "run", "status") != "completed" {
			t.Error("the other dialect does not see it")
		}
		s.begin(`{"workflow_id":"checkout-flow","workflow_version":"stable.4"}`)
		s.begin(`{"workflow_id":"checkout-flow","workflow_version":1,"input":{}}`)
	})
}

func TestSignalsInTheRunsDialect(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(approval, `"slug":"flow"`)
		id := s.begin(`{"workflow_id":"flow"}`)
		s.untilV1(id, "ask", "waiting")
		approve := "/v1/runs/" + id + "/signals/approve"
		const fresh, double = `{"accepted":true,"duplicate":false}` + "\n", `{"accepted":true,"duplicate":true}` + "\n"
		// A refused delivery uses up no id, and the wait stays open.
		s.post(approve, `{"request_id":"r1","payload":{"approved":"yes"}}`).wantCode(t, 422, "invalid_payload")
		s.post(approve, "").wantCode(t, 422, "invalid_payload")
		open := s.untilV1(id, "ask", "waiting").text(t, "current", 0, "wait", "request_id")
		s.post("/v1/runs/"+id+"/signals/other", `{"request_id":"`+open+`"}`).wantCode(t, 422, "signal_mismatch")
		for _, c := range []struct{ path, body, want string }{
			{"/v1/runs/" + id + "/signals/kept%20for%20later", `{"payload":1}`, fresh},
			{"/v1/runs/" + id + "/signals/kept%20for%20later", `{"payload":1}`, fresh}, // no id: each call is new
			{approve, `{"request_id":"r1","payload":{"approved":true}}`, fresh},
			{approve, `{"request_id":"r1","payload":{"approved":true}}`, double},
		} {
			if got := s.post(c.path, c.body).want(t, http.StatusAccepted); got.body != c.want {
				t.Errorf("%s %s: %s", c.path, c.body, got.body)
			}
		}
		s.untilV1(id, "", "succeeded")
		if got := s.post(approve, `{"request_id":"r1"}`).want(t, http.StatusAccepted); got.body != double {
			t.Errorf("after the end: %s", got.body)
		}
		s.post(approve, `{"request_id":"r2","payload":{"approved":true}}`).wantCode(t, http.StatusConflict, "run_finished")
		s.post(approve, `{"payload":{"approved":true}}`).wantCode(t, http.StatusConflict, "run_finished")
		s.post(approve, `{"request_id":"`+strings.Repeat("x", 256)+`"}`).wantCode(t, 400, "invalid_request")
		s.post("/v1/runs/"+id+"/signals/%00", `{}`).wantCode(t, 400, "invalid_request")
	})
}

func TestEndsInTheRunsDialect(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(parked, `"slug":"flow"`)
		s.create(failing("input.n.m > 1"), `"slug":"fails"`)
		cancelled, terminated := s.begin(`{"workflow_id":"flow"}`), s.begin(`{"workflow_id":"flow"}`)
		failed := s.begin(`{"workflow_id":"fails","input":{"n":5}}`)
		s.untilV1(failed, "", "failed")
		s.post("/v1/runs/"+cancelled+"/cancel", "").want(t, http.StatusOK)
		s.post("/v1/runs/"+terminated+"/terminate", "").want(t, http.StatusOK)
		for id, word := range map[string]string{cancelled: "cancelled", terminated: "cancelled", failed: "failed"} {
			s.untilV1(id, "", word)
			for _, verb := range []string{"cancel", "terminate"} {
				want := `{"run_id":"` + id + `","state":"` + word + `"}` + "\n"
				if got := s.post("/v1/runs/"+id+"/"+verb, `{}`).want(t, http.StatusOK); got.body != want {
					t.Errorf("%s again: %s", verb, got.body)
				}
			}
			result := s.get("/v1/runs/"+id+"/result").want(t, http.StatusOK)
			if result.keysOf(t) != "error result run_id state" || result.field(t, "result") != nil || result.text(t, "error", "code") == "" {
				t.Errorf("%s: %s", word, result.body)
			}
		}
	})
}

func TestRunsAreStartedOncePerKey(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(trivial, `"slug":"flow"`)
		first := s.do(keyed("/v1/runs", `{"workflow_id":"flow","input":{}}`, "idem_9f2c41")).want(t, http.StatusCreated)
		again := s.do(keyed("/v1/runs", `{"input": {}, "workflow_id":"flow"}`, "idem_9f2c41")).want(t, http.StatusCreated)
		if again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("%s, then %s", first.body, again.body)
		}
		s.do(keyed("/v1/runs", `{"workflow_id":"flow","input":{"a":1}}`, "idem_9f2c41")).wantCode(t, http.StatusConflict, "idempotency_key_reused")
		if list := s.get("/v1/runs"); len(list.field(t, "runs").([]any)) != 1 {
			t.Errorf("runs %s", list.body)
		}
	})
}

// A hundred clients at once with one key: one run, and one answer to all.
func TestAHundredStartsWithOneKeyMakeOneRun(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(parked, `"slug":"flow"`)
		bodies := make([]string, 100)
		var all sync.WaitGroup
		for i := range bodies {
			all.Go(func() { bodies[i] = s.do(keyed("/v1/runs", `{"workflow_id":"flow"}`, "one")).body })
		}
		all.Wait()
		for _, body := range bodies {
			if body != bodies[0] || !strings.Contains(body, `"run_id":"run_`) {
				t.Fatalf("%s, and %s", bodies[0], body)
			}
		}
		if runs := s.get("/v1/runs").field(t, "runs").([]any); len(runs) != 1 {
			t.Errorf("%d runs", len(runs))
		}
	})
}

func TestTheListOfAllRuns(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(trivial, `"slug":"quick"`)
		s.create(parked, `"slug":"slow"`)
		var all []string
		for i := range 7 {
			id := s.begin(`{"workflow_id":"` + []string{"quick", "slow"}[i%2] + `"}`)
			all = append([]string{id}, all...)
			if i%2 == 0 {
				s.untilV1(id, "", "succeeded")
			}
		}
		byHand := s.start("quick", `{}`)
		s.until(byHand, "completed")
		all = append([]string{byHand}, all...)
		walk := func(filter string, limit int) (ids []string) {
			t.Helper()
			for cursor := ""; ; {
				page := s.get(fmt.Sprintf("/v1/runs?limit=%d%s%s", limit, filter, cursor)).want(t, http.StatusOK)
				list := page.field(t, "runs").([]any)
				for i := range list {
					ids = append(ids, page.text(t, "runs", i, "run_id"))
				}
				if page.field(t, "next_cursor") == nil {
					return ids
				}
				s.begin(`{"workflow_id":"quick"}`) // arrives meanwhile and is not seen
				cursor = "&cursor=" + url.QueryEscape(page.text(t, "next_cursor"))
			}
		}
		if got := walk("", 3); !slices.Equal(got, all) {
			t.Errorf("walked %v, want %v", got, all)
		}
		page := s.get("/v1/runs?limit=1").want(t, http.StatusOK)
		if got := page.keysOf(t, "runs", 0); got != "cost_micro_usd created_at error finished_at latency_ms run_id started_at started_by state tokens trigger workflow_id workflow_version" {
			t.Errorf("keys %s", got)
		}
		for filter, want := range map[string]int{
			"&status=running": 3, "&state=running&workflow_id=slow": 3, "&workflow_id=slow&status=succeeded": 0,
			"&trigger=manual": 1, "&trigger=webhook": 0, "&started_before=2020-01-01T00:00:00Z": 0,
			"&workflow_id=wf_ffffffffffffffffffffffff": 0, "&trigger=manual&started_after=2020-01-01T00:00:00%2B02:00": 1,
		} {
			if got := walk(filter, 200); len(got) != want {
				t.Errorf("%s: %d runs, want %d", filter, len(got), want)
			}
		}
		for _, bad := range []string{"status=completed", "status=running&state=failed", "trigger=cron", "started_after=yesterday", "limit=0", "cursor=x"} {
			s.get("/v1/runs?"+bad).wantCode(t, 400, "invalid_request")
		}
		s.get("/v1/runs?workflow_id=nope").wantCode(t, 404, "workflow_not_found")
		if got := s.do(request{method: "GET", path: "/v1/runs", key: s.key("none")}).want(t, http.StatusOK); got.body != `{"runs":[],"next_cursor":null}`+"\n" {
			t.Errorf("a key without rights sees %s", got.body)
		}
	})
}

func TestRefusalsInTheRunsDialect(t *testing.T) {
	s := newStack(t)
	s.create(approval, `"slug":"flow"`)
	id := s.begin(`{"workflow_id":"flow"}`)
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"POST", "/v1/runs", ``, 400, "invalid_request"},
		{"POST", "/v1/runs", `{}`, 400, "invalid_request"},
		{"POST", "/v1/runs", `{"workflow_id":"flow","input_data":{}}`, 400, "invalid_request"},
		{"POST", "/v1/runs", `{"workflow_id":"nope"}`, 404, "workflow_not_found"},
		{"POST", "/v1/runs", `{"workflow_id":"a/b"}`, 404, "workflow_not_found"},
		{"POST", "/v1/runs", `{"workflow_id":"flow","workflow_version":"v9"}`, 404, "version_not_found"},
		{"POST", "/v1/runs", `{"workflow_id":"flow","input":{"n":"x"}}`, 422, "invalid_input"},
		{"GET", "/v1/runs/run_0", ``, 404, "run_not_found"},
		{"GET", "/v1/runs/run_0/result", ``, 404, "run_not_found"},
		{"POST", "/v1/runs/run_0/cancel", ``, 404, "run_not_found"},
		{"POST", "/v1/runs/run_0/signals/x", ``, 404, "run_not_found"},
		{"POST", "/v1/runs/" + id + "/signals/x", `{"why":1}`, 400, "invalid_request"},
		{"POST", "/v1/runs/" + id + "/cancel", `{"why":1}`, 400, "invalid_request"},
		{"DELETE", "/v1/runs/" + id, ``, 405, "method_not_allowed"},
	} {
		s.do(request{method: c.method, path: c.path, body: c.body}).wantCode(t, c.status, c.code)
	}
}
