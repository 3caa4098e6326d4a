package api_test

import (
	"fmt"
	"heddle/api"
	"heddle/executor"
	"heddle/executor/machine"
	"net/http"
	"strings"
	"testing"
)

const instances = "/api/workflows/workflows/flow/instances"

// row is one line of the contract: a request, and the status, code and keys of
// its answer.
type row struct {
	method, path, body string
	status             int
	code               string // of a refusal
	keys               string // of a success
}

func (s *stack) expect(rows []row) {
	s.t.Helper()
	for _, r := range rows {
		got := s.do(request{method: r.method, path: r.path, body: r.body})
		about := fmt.Sprintf("%s %s %s: %d %s", r.method, r.path, r.body, got.status, got.body)
		switch {
		case got.status != r.status:
			s.t.Errorf("%s, want %d", about, r.status)
		case r.code != "":
			got.wantCode(s.t, r.status, r.code)
			if issues := got.field(s.t, "issues"); (issues != nil) != (r.code == "FRAGNO_VALIDATION_ERROR" || r.code == "WORKFLOW_PARAMS_INVALID") {
				s.t.Errorf("%s: issues %v", about, issues)
			}
		case got.keysOf(s.t) != r.keys:
			s.t.Errorf("%s, want the keys %s", about, r.keys)
		}
	}
}

// typed has an input with a schema, and waits.
const typed = `{"name":"Typed","input":{"type":"object","properties":{"n":{"type":"integer"}},"additionalProperties":false},` +
	`"output":"{{ steps.ask.output.payload }}","steps":[{"id":"ask","name":"The question","type":"wait","config":{"signal":{"name":"approve",` +
	`"schema":{"type":"object","required":["approved"]}},"timeout_seconds":7200}}]}`

func TestEachRowOfTheInstancesDialect(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(typed, `"slug":"flow"`)
		s.create(trivial, `"slug":"trivial"`)
		plain := s.start("flow", "")
		const nowhere = "/api/workflows/workflows/nowhere/instances"
		bad := strings.Repeat("x", 101)
		s.expect([]row{
			{"GET", "/api/workflows/workflows", "", 200, "", "workflows"},
			{"GET", "/api/workflows/workflows/", "", 200, "", "workflows"},
			{"POST", instances, `{"id":"a-1","params":{"n":1}}`, 200, "", "details id"},
			{"POST", instances, `{"id":"a-1"}`, 409, "INSTANCE_ID_ALREADY_EXISTS", ""},
			{"POST", instances, `{}`, 200, "", "details id"},
			{"POST", instances, `{"params":{"n":"one"}}`, 400, "WORKFLOW_PARAMS_INVALID", ""},
			{"POST", instances, `{"params":[1]}`, 400, "WORKFLOW_PARAMS_INVALID", ""},
			{"POST", instances, `{"id":"-a"}`, 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"POST", instances, `{"id":""}`, 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"POST", instances, `{"id":"` + bad + `"}`, 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"POST", instances, `{"id":7}`, 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"POST", instances, `{"id":"run_000000000000000000000000"}`, 400, "INVALID_INSTANCE_ID", ""},
			{"POST", instances, `{"more":1}`, 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"POST", instances, `{`, 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"POST", instances, ``, 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"POST", nowhere, `{}`, 404, "WORKFLOW_NOT_FOUND", ""},
			{"POST", instances + "/batch", `{"instances":[{"id":"b"},{"id":"b"},{"id":"a-1"},{"id":"c","params":{"n":2}}]}`, 200, "", "instances"},
			{"POST", instances + "/batch", `{"instances":[]}`, 200, "", "instances"},
			{"POST", instances + "/batch", `{}`, 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"POST", instances + "/batch", `{"instances":[{"params":{}}]}`, 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"POST", instances + "/batch", `{"instances":[{"id":"d"},{"id":"e","params":{"n":""}}]}`, 400, "WORKFLOW_PARAMS_INVALID", ""},
			{"POST", instances + "/batch", `{"instances":[` + strings.TrimSuffix(strings.Repeat(`{"id":"z"},`, 101), ",") + `]}`, 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"POST", nowhere + "/batch", `{"instances":[]}`, 404, "WORKFLOW_NOT_FOUND", ""},
			{"GET", instances, "", 200, "", "hasNextPage instances"},
			{"GET", instances + "?pageSize=1", "", 200, "", "cursor hasNextPage instances"},
			{"GET", instances + "?pageSize=0&cursor=junk", "", 200, "", "hasNextPage instances"},
			{"GET", instances + "?status=waiting", "", 200, "", "hasNextPage instances"},
			{"GET", instances + "?status=unknown", "", 200, "", "hasNextPage instances"},
			{"GET", instances + "?status=running&pageSize=many", "", 200, "", "hasNextPage instances"},
			{"GET", instances + "?status=succeeded", "", 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"GET", nowhere, "", 404, "WORKFLOW_NOT_FOUND", ""},
			{"GET", instances + "/a-1", "", 200, "", "details id meta"},
			{"GET", instances + "/" + plain, "", 200, "", "details id meta"},
			{"GET", instances + "/nobody", "", 404, "INSTANCE_NOT_FOUND", ""},
			{"GET", instances + "/d", "", 404, "INSTANCE_NOT_FOUND", ""},
			{"GET", "/api/workflows/workflows/trivial/instances/" + plain, "", 404, "INSTANCE_NOT_FOUND", ""},
			{"GET", instances + "/" + bad, "", 400, "INVALID_INSTANCE_ID", ""},
			{"GET", instances + "/a.b", "", 400, "INVALID_INSTANCE_ID", ""},
			{"GET", nowhere + "/a-1", "", 404, "WORKFLOW_NOT_FOUND", ""},
			{"GET", instances + "/a-1/history", "", 200, "", "events eventsHasNextPage runNumber steps stepsHasNextPage"},
			{
				"GET", instances + "/a-1/history?includeLogs=true&runNumber=0&order=asc&pageSize=200&logLevel=info&logCategory=x&stepsCursor=x&eventsCursor=x&logsCursor=x", "", 200, "",
				"events eventsHasNextPage logs logsHasNextPage runNumber steps stepsHasNextPage",
			},
			{"GET", instances + "/a-1/history?runNumber=7&includeLogs=true", "", 200, "", "events eventsHasNextPage logs logsHasNextPage runNumber steps stepsHasNextPage"},
			{"GET", instances + "/a-1/history?runNumber=-1", "", 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"GET", instances + "/a-1/history?order=up", "", 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"GET", instances + "/a-1/history?includeLogs=yes", "", 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"GET", instances + "/a-1/history?logLevel=loud", "", 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"GET", instances + "/nobody/history", "", 404, "INSTANCE_NOT_FOUND", ""},
			{"POST", instances + "/a-1/pause", "", 200, "", "ok"},
			{"POST", instances + "/a-1/pause", `{}`, 200, "", "ok"},
			{"POST", instances + "/a-1/events", `{"type":"early"}`, 200, "", "status"},
			{"POST", instances + "/a-1/resume", "", 200, "", "ok"},
			{"POST", instances + "/a-1/resume", "", 200, "", "ok"},
			{"POST", instances + "/a-1/pause", `{"why":1}`, 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"POST", instances + "/a-1/restart", "", 200, "", "ok"},
			{"POST", instances + "/c/events", `{"type":"approve","payload":{"no":1}}`, 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"POST", instances + "/a-1/events", `{"type":"not a type"}`, 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"POST", instances + "/a-1/events", `{"payload":1}`, 400, "FRAGNO_VALIDATION_ERROR", ""},
			{"POST", instances + "/a-1/terminate", "", 200, "", "ok"},
			{"POST", instances + "/a-1/terminate", "", 409, "INSTANCE_TERMINAL", ""},
			{"POST", instances + "/a-1/pause", "", 409, "INSTANCE_TERMINAL", ""},
			{"POST", instances + "/a-1/events", `{"type":"approve"}`, 409, "INSTANCE_TERMINAL", ""},
			{"POST", instances + "/a-1/resume", "", 200, "", "ok"},
			{"POST", instances + "/nobody/pause", "", 404, "INSTANCE_NOT_FOUND", ""},
			{"POST", instances + "/nobody/restart", "", 404, "INSTANCE_NOT_FOUND", ""},
			{"POST", instances + "/nobody/events", `{"type":"x"}`, 404, "INSTANCE_NOT_FOUND", ""},
			{"POST", "/api/workflows/_runner/tick", `{}`, 403, "RUNNER_TICK_DISABLED", ""},
			{"POST", "/api/workflows/workflows/_runner/tick", `{}`, 403, "RUNNER_TICK_DISABLED", ""},
		})
		if got := s.get(instances+"/a-1").field(t, "meta", "runNumber"); got != jsonNumber(1) {
			t.Errorf("run number %v after one restart", got)
		}
	})
}

func TestAnInstanceInItsOwnWords(t *testing.T) {
	s := newStack(t)
	s.create(typed, `"slug":"flow"`)
	if got := s.get("/api/workflows/workflows").want(t, 200); got.body != `{"workflows":[{"name":"flow"}]}`+"\n" {
		t.Errorf("names %s", got.body)
	}
	if got := s.post(instances, `{"id":"a","params":{"n":9007199254740993}}`).want(t, 200); got.body != `{"id":"a","details":{"status":"queued"}}`+"\n" {
		t.Errorf("created %s", got.body)
	}
	if got := s.post(instances+"/batch", `{"instances":[{"id":"c"},{"id":"a"},{"id":"b"},{"id":"c"}]}`).want(t, 200); got.body !=
		`{"instances":[{"id":"c","details":{"status":"queued"}},{"id":"b","details":{"status":"queued"}}]}`+"\n" {
		t.Errorf("batch %s", got.body)
	}
	if made := s.instantiate("flow", `{}`); !strings.HasPrefix(made, "inst_") || len(made) != 29 {
		t.Errorf("made up %s", made)
	}
	s.untilInstance("a", "waiting")
	got := s.get(instances+"/a").want(t, 200)
	if keys := got.keysOf(t, "meta"); keys != "completedAt createdAt currentStep params pauseRequested runNumber startedAt startedBy updatedAt workflowName" {
		t.Errorf("meta has %s", keys)
	}
	step := got.keysOf(t, "meta", "currentStep")
	if step != "attempts maxAttempts name nextRetryAt status stepKey timeoutMs type waitEventType wakeAt" ||
		got.text(t, "meta", "currentStep", "waitEventType") != "approve" || got.text(t, "meta", "currentStep", "name") != "The question" ||
		got.field(t, "meta", "currentStep", "timeoutMs") != jsonNumber(7_200_000) || got.text(t, "meta", "currentStep", "status") != "waiting" ||
		!strings.Contains(got.body, `"params":{"n":9007199254740993}`) || got.text(t, "meta", "workflowName") != "flow" {
		t.Errorf("instance %s", got.body)
	}
	if got := s.post(instances+"/a/events", `{"type":"approve","payload":{"approved":true}}`).want(t, 200); !strings.Contains(got.body, `{"status":{"status":"`) {
		t.Errorf("event %s", got.body)
	}
	done := s.untilInstance("a", "complete")
	if !strings.Contains(done.body, `"details":{"status":"complete","output":{"approved":true}}`) || done.text(t, "meta", "currentStep", "status") != "completed" {
		t.Errorf("done %s", done.body)
	}
	history := s.get(instances+"/a/history").want(t, 200)
	if history.keysOf(t, "steps", 0) != "attempts createdAt id maxAttempts name nextRetryAt result runNumber status stepKey timeoutMs type updatedAt waitEventType wakeAt" ||
		history.keysOf(t, "events", 0) != "consumedByStepKey createdAt deliveredAt id payload runNumber type" ||
		history.keysOf(t, "steps", 0, "result") != "payload timestamp type" || history.text(t, "steps", 0, "result", "type") != "approve" ||
		history.text(t, "events", 0, "consumedByStepKey") != "ask" || history.field(t, "events", 0, "deliveredAt") == nil {
		t.Errorf("history %s", history.body)
	}
}

// untilInstance waits until an instance of flow shows a status.
func (s *stack) untilInstance(id, status string) response {
	s.t.Helper()
	var got response
	s.eventually(id+" is "+status, func() bool {
		got = s.get(instances+"/"+id).want(s.t, http.StatusOK)
		return got.text(s.t, "details", "status") == status
	})
	return got
}

func TestHowAnInstanceFails(t *testing.T) {
	s := newStack(t)
	s.create(`{"name":"Late","steps":[{"id":"ask","type":"wait","config":{"signal":{"name":"go"},"timeout_seconds":0.01}}]}`, `"slug":"flow"`)
	s.instantiate("flow", `{"id":"late"}`)
	got := s.untilInstance("late", "errored")
	const want = `"error":{"name":"WaitForEventTimeoutError","message":"WAIT_FOR_EVENT_TIMEOUT"}`
	if strings.Count(got.body, want) != 2 {
		t.Errorf("an errored instance: %s", got.body)
	}
	if steps := s.get(instances + "/late/history"); steps.text(t, "steps", 0, "status") != "failed" || !strings.Contains(steps.body, want) {
		t.Errorf("its history: %s", steps.body)
	}
	s.create(single(gated("a", "later", `,"retry":{"max_attempts":3,"delay_seconds":0.001,"backoff":"fixed"}`)), `"slug":"tries"`)
	id := s.start("tries", "")
	s.becomes(id, machine.Failed)
	step := s.get("/api/workflows/workflows/tries/instances/" + id)
	if step.field(t, "meta", "currentStep", "attempts") != jsonNumber(3) || step.field(t, "meta", "currentStep", "maxAttempts") != jsonNumber(3) ||
		step.text(t, "details", "error", "name") != "http_status" {
		t.Errorf("tried %s", step.body)
	}
}

// A running step lets the pause wait; then nothing goes on until the resume,
// and what was sent meanwhile is taken.
func TestPauseOfAnInstance(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(`{"name":"P","steps":[`+gated("a", "hold", "")+`,{"id":"ask","type":"wait","config":{"signal":{"name":"go"}},"depends_on":["a"]}]}`, `"slug":"flow"`)
		s.instantiate("flow", `{"id":"p"}`)
		s.gate.holds(t, "a")
		s.post(instances+"/p/pause", "").want(t, 200)
		if got := s.untilInstance("p", "waitingForPause"); got.field(t, "meta", "pauseRequested") != true {
			t.Errorf("pausing %s", got.body)
		}
		s.post(instances+"/p/resume", "").want(t, 200) // of what is not paused yet: no effect
		s.gate.open()
		if got := s.untilInstance("p", "paused"); got.field(t, "meta", "pauseRequested") != false {
			t.Errorf("paused %s", got.body)
		}
		if got := s.post(instances+"/p/events", `{"type":"go","payload":1}`).want(t, 200); got.body != `{"status":{"status":"paused"}}`+"\n" {
			t.Errorf("an event while paused: %s", got.body)
		}
		seq := s.latest("flow", "p").Seq
		if history := s.get(instances + "/p/history"); history.field(t, "events", 0, "deliveredAt") != nil || s.latest("flow", "p").Seq != seq {
			t.Errorf("it advanced while paused: %s", history.body)
		}
		s.post(instances+"/p/resume", "").want(t, 200)
		s.untilInstance("p", "complete")
		if history := s.get(instances + "/p/history"); history.text(t, "events", 0, "consumedByStepKey") != "ask" {
			t.Errorf("history %s", history.body)
		}
	})
}

func TestRunNumbersOfAnInstance(t *testing.T) {
	s := newStack(t)
	s.create(typed, `"slug":"flow"`)
	s.instantiate("flow", `{"id":"a","params":{"n":5}}`)
	first := s.get(instances+"/a").text(t, "meta", "createdAt")
	s.untilInstance("a", "waiting")
	s.post(instances+"/a/events", `{"type":"kept","payload":1}`).want(t, 200)
	for n := 1; n <= 3; n++ {
		s.post(instances+"/a/restart", `{}`).want(t, 200)
		got := s.untilInstance("a", "waiting")
		if got.field(t, "meta", "runNumber") != jsonNumber(n) || got.field(t, "meta", "params", "n") != jsonNumber(5) || got.text(t, "meta", "createdAt") != first {
			t.Fatalf("after restart %d: %s", n, got.body)
		}
	}
	// Each run has a history of its own; the latest is shown unless another is requested.
	latest, old := s.get(instances+"/a/history"), s.get(instances+"/a/history?runNumber=0")
	if latest.field(t, "runNumber") != jsonNumber(3) || latest.body == old.body || len(latest.field(t, "events").([]any)) != 0 {
		t.Errorf("latest %s", latest.body)
	}
	if old.field(t, "runNumber") != jsonNumber(0) || old.text(t, "events", 0, "type") != "kept" || old.text(t, "steps", 0, "status") != "cancelled" {
		t.Errorf("first %s", old.body)
	}
	// An Idempotency-Key makes a restart that is repeated one.
	again := request{method: "POST", path: instances + "/a/restart", header: map[string]string{"Idempotency-Key": "k"}}
	s.do(again).want(t, 200)
	if got := s.do(again).want(t, 200); got.header.Get("Idempotency-Replayed") != "true" || s.latest("flow", "a").Number != 4 {
		t.Errorf("repeated: %v, run %d", got.header, s.latest("flow", "a").Number)
	}
	// The next run is on the version that is active by then.
	s.do(request{method: "PUT", path: "/api/workflows/flow", body: `{"definition":` + parked + `}`}).want(t, 200)
	s.post(instances+"/a/restart", "").want(t, 200)
	if got := s.latest("flow", "a"); got.Version != 2 || got.Number != 5 {
		t.Errorf("run %d is on version %d", got.Number, got.Version)
	}
	list := s.get(instances).want(t, 200)
	if n := len(list.field(t, "instances").([]any)); n != 1 || list.text(t, "instances", 0, "createdAt") != first {
		t.Errorf("listed %s", list.body)
	}
}

func TestATickAdvancesQueuedInstances(t *testing.T) {
	tick := func(a *api.Config, e *executor.Config) { a.RunnerTick, e.HoldNamed = true, true }
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(trivial, `"slug":"flow"`)
		for i := range 4 {
			s.instantiate("flow", fmt.Sprintf(`{"id":"t%d"}`, i))
		}
		s.becomes(s.start("flow", ""), machine.Completed) // what other dialects start goes on
		const path = "/api/workflows/_runner/tick"
		paths := []string{path, "/api/workflows/workflows/_runner/tick"}
		for i, r := range []struct {
			body string
			n    int
		}{{`{"maxInstances":1}`, 1}, {`{"maxInstances":"10","maxSteps":3}`, 1}, {"", 2}, {`{}`, 0}} {
			before := len(s.get(instances+"?status=queued").field(t, "instances").([]any))
			got := s.post(paths[i%2], r.body).want(t, 200)
			left := len(s.get(instances+"?status=queued").field(t, "instances").([]any))
			if got.body != fmt.Sprintf(`{"processed":%d}`+"\n", r.n) || before-left != r.n {
				t.Errorf("tick %s: %s, %d left of %d", r.body, got.body, left, before)
			}
		}
		s.untilInstance("t3", "complete")
		for _, bad := range []string{`{"maxInstances":0}`, `{"maxSteps":-1}`, `{"maxSteps":1.5}`, `{"maxInstances":"x"}`, `{"more":1}`} {
			s.post(path, bad).wantCode(t, 400, "FRAGNO_VALIDATION_ERROR")
		}
	}, tick)
}

// A step that runs again on purpose counts its attempts anew.
func TestAttemptsOfAResumedInstance(t *testing.T) {
	s := newStack(t)
	s.create(single(gated("a", "later", `,"retry":{"max_attempts":2,"delay_seconds":0.001}`)), `"slug":"flow"`)
	s.instantiate("flow", `{"id":"a"}`)
	run := s.latest("flow", "a").RunID
	for range 3 {
		s.becomes(run, machine.Failed)
		shown, history := s.get(instances+"/a"), s.get(instances+"/a/history")
		if shown.field(t, "meta", "currentStep", "attempts") != jsonNumber(2) || history.field(t, "steps", 0, "attempts") != jsonNumber(2) {
			t.Errorf("instance %s, history %s", shown.body, history.body)
		}
		s.post("/api/workflows/runs/"+run+"/resume", "").want(t, http.StatusAccepted)
	}
	s.becomes(run, machine.Failed)
}

func TestLogsOfAnInstance(t *testing.T) {
	s := newStack(t, func(_ *api.Config, c *executor.Config) { c.Runner = talker{} })
	s.create(`{"name":"Talk","steps":[{"id":"each","type":"loop","config":{"items":"2","steps":[{"id":"b","type":"script","config":{"script":"x"}}]}}]}`, `"slug":"flow"`)
	s.instantiate("flow", `{"id":"l"}`)
	s.untilInstance("l", "complete")
	said := func(query string) string {
		return strings.Join(s.walk(t, instances+"/l/history?includeLogs=true"+query, "logs", "logsCursor",
			func(r response, i int) string { return r.text(t, "logs", i, "message") }, func() {}), ",")
	}
	for query, want := range map[string]string{
		"&pageSize=4&order=asc":                   "b one,b two,b three,b one,b two,b three",
		"&pageSize=1":                             "b three,b two,b one,b three,b two,b one",
		"&logLevel=warn":                          "b three,b three",
		"&logCategory=stdout&order=asc":           "b one,b two,b one,b two",
		"&logCategory=stdout&logLevel=warn":       "",
		"&logCategory=agent&pageSize=1&order=asc": "b three,b three",
	} {
		if got := said(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	line := s.get(instances + "/l/history?includeLogs=true&logLevel=warn")
	if line.keysOf(t, "logs", 0) != "attempt category createdAt data id level message runNumber stepKey" || line.text(t, "logs", 0, "stepKey") != "each[1].b" ||
		line.field(t, "logs", 0, "attempt") != jsonNumber(1) || line.field(t, "logs", 0, "data", "n") != jsonNumber(3) {
		t.Errorf("line %s", line.body)
	}
}

func TestATickThatDidNothingLeavesNoTrace(t *testing.T) {
	s := newStack(t, func(a *api.Config, e *executor.Config) { a.RunnerTick, e.HoldNamed = true, true })
	s.create(parked, `"slug":"flow"`)
	s.instantiate("flow", `{"id":"b"}`)
	for range 3 {
		s.post("/api/workflows/workflows/_runner/tick/", "").want(t, 200)
	}
	if ticks := s.get("/v1/audit?action=runner.tick").want(t, 200); len(ticks.field(t, "entries").([]any)) != 1 {
		t.Errorf("ticks %s", ticks.body)
	}
}
