package templates_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"heddle/executor/machine"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

type params = map[string]any

func TestFetchAndNotifyRuns(t *testing.T) {
	s := newStack(t)
	s.world.on("/orders", always(200, `{"orders":9007199254740993}`))
	w := s.install("Fetch and notify", params{"source_url": "/orders", "notify_url": "/told", "event": "orders.fetched"})
	s.ends(s.start(w, nil), machine.Completed)
	told := s.world.at("/told")
	if len(told) != 1 || field(t, told[0].Body, "type") != "orders.fetched" || !strings.Contains(told[0].Body, `"data":{"orders":9007199254740993}`) {
		t.Errorf("told %+v", told)
	}
}

func TestScheduledReportRuns(t *testing.T) {
	s := newStack(t)
	if s.builtin("Scheduled report").SuggestedSchedule == "" {
		t.Error("no schedule is suggested")
	}
	s.world.on("/tickets", always(200, `[{"priority":"high"},{"priority":"low"},{"priority":"high"},{}]`))
	w := s.install("Scheduled report", params{"source_url": "/tickets", "report_url": "/wiki", "title": "Open \"tickets\"", "group_by": "priority"})
	rec := s.ends(s.start(w, nil), machine.Completed)
	if string(rec.Output) != `{"total":4}` {
		t.Errorf("output %s", rec.Output)
	}
	posted := s.world.at("/wiki")
	if len(posted) != 1 || !strings.HasPrefix(posted[0].Body, `# Open "tickets", 20`) ||
		!strings.Contains(posted[0].Body, "| high | 2 |\n| low | 1 |\n| none | 1 |\n") || posted[0].Header.Get("Content-Type") != "text/markdown; charset=utf-8" {
		t.Errorf("posted %+v", posted)
	}
}

var deploy = params{"deploy_url": "/deploy", "rollback_url": "/rollback", "health_url": "/health", "notify_url": "/chat", "health_checks": 3, "health_delay_seconds": 0.01}

// approve answers the open approval of a run.
func approve(t *testing.T, s *stack, runID, payload string) {
	t.Helper()
	s.eventually("approval is waited for", func() bool {
		view, err := s.exec.Get(t.Context(), tenant, runID)
		return err == nil && len(view.Waits) == 1
	})
	if _, err := s.exec.Signal(t.Context(), tenant, runID, machine.Signal{Name: "approval", RequestID: "answer-1", Payload: []byte(payload)}); err != nil {
		t.Fatal(err)
	}
}

func TestApprovalBeforeDeployRuns(t *testing.T) {
	s := newStack(t)
	s.world.on("/health", func(n int) (int, string) { // unhealthy at first
		if n < 2 {
			return 503, ""
		}
		return 200, ""
	})
	w := s.install("Approval before deploy", copyOf(deploy))
	run := s.start(w, params{"service": "shop", "version": "1.2"})
	approve(t, s, run, `{"approved":true}`)
	s.ends(run, machine.Completed)
	if got, want := s.world.paths(), []string{"/chat", "/deploy", "/health", "/health", "/chat"}; !slices.Equal(got, want) {
		t.Errorf("asked %v", got)
	}
	if body := s.world.at("/deploy")[0].Body; body != `{"service":"shop","version":"1.2"}` {
		t.Errorf("deployed %s", body)
	}
}

func TestApprovalBeforeDeployTakesNo(t *testing.T) {
	s := newStack(t)
	run := s.start(s.install("Approval before deploy", copyOf(deploy)), params{"service": "shop", "version": "1.2"})
	approve(t, s, run, `{"approved":false,"comment":"not today"}`)
	s.ends(run, machine.Completed)
	chat := s.world.at("/chat")
	if len(s.world.at("/deploy")) != 0 || len(chat) != 2 || field(t, chat[1].Body, "data", "answer", "comment") != "not today" {
		t.Errorf("asked %v %+v", s.world.paths(), chat)
	}
}

func TestApprovalBeforeDeployRollsBack(t *testing.T) {
	s := newStack(t)
	s.world.on("/health", always(503, ""))
	run := s.start(s.install("Approval before deploy", copyOf(deploy)), params{"service": "shop", "version": "1.2"})
	approve(t, s, run, `{"approved":true}`)
	s.ends(run, machine.Failed)
	if got, want := s.world.paths(), []string{"/chat", "/deploy", "/health", "/health", "/health", "/rollback"}; !slices.Equal(got, want) {
		t.Errorf("asked %v", got)
	}
}

func copyOf(p params) params {
	out := params{}
	maps.Copy(out, p)
	return out
}

func TestFanOutRunsAndToleratesFailures(t *testing.T) {
	s := newStack(t)
	s.world.on("/item", func(n int) (int, string) {
		if n == 3 {
			return 400, ""
		}
		return 200, ""
	})
	fanOut := params{"item_url": "/item", "summary_url": "/done", "tolerate_failures": "25%", "retry_delay_seconds": 0}
	w := s.install("Fan out over a list", fanOut)
	rec := s.ends(s.start(w, params{"items": []int{1, 2, 3, 4}}), machine.Completed)
	if field(t, string(rec.Output), "completed") != 3.0 || field(t, string(rec.Output), "failed") != 1.0 {
		t.Errorf("output %s", rec.Output)
	}
	if done := s.world.at("/done"); len(done) != 1 || field(t, done[0].Body, "data", "failed") != 1.0 || len(s.world.at("/item")) != 4 {
		t.Errorf("asked %v", s.world.paths())
	}
	s.world.on("/item", always(400, ""))
	s.ends(s.start(w, params{"items": []int{1, 2, 3, 4}}), machine.Failed)
}

var order = params{
	"reserve_url": "/reserve", "release_url": "/release", "charge_url": "/charge", "backup_charge_url": "/backup",
	"refund_url": "/refund", "confirm_url": "/confirm", "attempts": 2, "retry_delay_seconds": 0,
}

func TestFallbackRunsWhenRetriesAreUsedUp(t *testing.T) {
	s := newStack(t)
	s.world.on("/charge", always(503, ""))
	s.world.on("/backup", always(200, `{"charge":"c-2"}`))
	run := s.start(s.install("Retry, fall back, undo", copyOf(order)), params{"order_id": "o-1", "amount": 12.5})
	rec := s.ends(run, machine.Completed)
	if got, want := s.world.paths(), []string{"/reserve", "/charge", "/charge", "/backup", "/confirm"}; !slices.Equal(got, want) {
		t.Errorf("asked %v", got)
	}
	if string(rec.Output) != `{"charge":{"charge":"c-2"},"order_id":"o-1"}` {
		t.Errorf("output %s", rec.Output)
	}
	if step := s.step(run, "charge"); step.Fallback != "charge_backup" || step.Status != machine.StepCompleted {
		t.Errorf("charge %+v", step)
	}
}

func TestCompensationsUndoInReverse(t *testing.T) {
	s := newStack(t)
	s.world.on("/confirm", always(500, ""))
	s.ends(s.start(s.install("Retry, fall back, undo", copyOf(order)), params{"order_id": "o-1", "amount": 12.5}), machine.Failed)
	if got, want := s.world.paths(), []string{"/reserve", "/charge", "/confirm", "/confirm", "/refund", "/release"}; !slices.Equal(got, want) {
		t.Errorf("asked %v", got)
	}
}

const completion = `{"choices":[{"message":{"role":"assistant","content":"{\"summary\":\"All is well.\",\"highlights\":[\"one\"]}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":100}}`

func TestAgentSummaryRunsWithinItsBudget(t *testing.T) {
	s := newStack(t)
	s.world.on("/incident", always(200, "A long story."))
	s.world.on("/v1/chat/completions", always(200, completion))
	summary := params{"agent_id": "writer", "source_url": "/incident", "deliver_url": "/told", "max_tokens": 200}
	run := s.start(s.install("Agent summary with a budget", copyOf(summary)), nil)
	rec := s.ends(run, machine.Completed)
	told := s.world.at("/told")
	if len(told) != 1 || field(t, told[0].Body, "data", "summary") != "All is well." || rec.Usage.Tokens != 1100 || rec.Usage.CostMicroUSD != 650 {
		t.Errorf("told %+v, usage %+v", told, rec.Usage)
	}
	if question := s.world.at("/v1/chat/completions")[0].Body; !strings.Contains(question, "A long story.") || field(t, question, "max_tokens") != 200.0 {
		t.Errorf("asked %s", question)
	}
	summary["budget_micro_usd"] = 100
	rec = s.ends(s.start(s.install("Agent summary with a budget", summary), nil), machine.Failed)
	if rec.Error.Code != "budget_exceeded" || len(s.world.at("/told")) != 1 {
		t.Errorf("error %+v", rec.Error)
	}
}

func TestWebhookRelaySignsAndGoesOn(t *testing.T) {
	s := newStack(t)
	s.world.on("/two", always(500, ""))
	secret := base64.StdEncoding.EncodeToString([]byte("a secret of 24 bytes !!!"))
	w := s.install("Signed webhook relay", params{
		"receivers": []string{s.world.url + "/one", s.world.url + "/two", s.world.url + "/three"}, "signing_secret": "whsec_" + secret,
		"events": []string{"order.paid"}, "attempts": 2, "retry_delay_seconds": 0,
	})
	rec := s.ends(s.start(w, params{"event": "order.paid", "data": params{"id": 7}}), machine.Completed)
	if field(t, string(rec.Output), "deliveries", "completed") != 2.0 || field(t, string(rec.Output), "deliveries", "failed") != 1.0 {
		t.Errorf("output %s", rec.Output)
	}
	if len(s.world.at("/one")) != 1 || len(s.world.at("/two")) != 2 || len(s.world.at("/three")) != 1 {
		t.Errorf("asked %v", s.world.paths())
	}
	got := s.world.at("/one")[0]
	mac := hmac.New(sha256.New, []byte("a secret of 24 bytes !!!"))
	mac.Write([]byte(got.Header.Get("Webhook-Id") + "." + got.Header.Get("Webhook-Timestamp") + "." + got.Body))
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); got.Header.Get("Webhook-Signature") != want {
		t.Errorf("signed %q, want %q", got.Header.Get("Webhook-Signature"), want)
	}
	asked := len(s.world.paths())
	rec = s.ends(s.start(w, params{"event": "order.sent", "data": nil}), machine.Completed)
	if len(s.world.paths()) != asked || field(t, string(rec.Output), "relayed") != false {
		t.Errorf("an event that nobody asked for: %s", rec.Output)
	}
}

func TestDataPipelineRuns(t *testing.T) {
	s := newStack(t)
	s.world.on("/export", always(200, `[{"id":1,"name":" Ada "},{"id":2,"name":"Bob"},{"name":"nobody"},{"id":2,"name":"Rob"}]`))
	pipeline := params{"source_url": "/export", "sink_url": "/table", "alert_url": "/alert", "key": "id"}
	rec := s.ends(s.start(s.install("Data pipeline with Python", copyOf(pipeline)), nil), machine.Completed)
	if string(rec.Output) != `{"count":2,"dropped":1,"loaded":true}` {
		t.Errorf("output %s", rec.Output)
	}
	loaded := s.world.at("/table")
	if len(loaded) != 1 || loaded[0].Method != http.MethodPut || !strings.Contains(loaded[0].Body, `"Ada"`) || !strings.Contains(loaded[0].Body, `"Rob"`) {
		t.Errorf("loaded %+v", loaded)
	}
	pipeline["min_rows"] = 3
	s.ends(s.start(s.install("Data pipeline with Python", pipeline), nil), machine.Completed)
	if alerts := s.world.at("/alert"); len(alerts) != 1 || field(t, alerts[0].Body, "data", "wanted") != 3.0 || len(s.world.at("/table")) != 1 {
		t.Errorf("alerts %+v", alerts)
	}
}

func TestHealthCheckAlerts(t *testing.T) {
	s := newStack(t)
	check := params{"url": "/healthz", "alert_url": "/pager", "attempts": 2, "retry_delay_seconds": 0, "expect_status": 204}
	w := s.install("Health check with alert", check)
	s.world.on("/healthz", always(204, ""))
	if rec := s.ends(s.start(w, nil), machine.Completed); string(rec.Output) != `{"healthy":true}` || len(s.world.at("/pager")) != 0 {
		t.Errorf("healthy: %s, %v", rec.Output, s.world.paths())
	}
	s.world.on("/healthz", always(503, ""))
	rec := s.ends(s.start(w, nil), machine.Completed)
	pager := s.world.at("/pager")
	if string(rec.Output) != `{"healthy":false}` || len(s.world.at("/healthz")) != 3 || len(pager) != 1 ||
		field(t, pager[0].Body, "data", "error", "code") != "unexpected_status" {
		t.Errorf("down: %s, %v, %+v", rec.Output, s.world.paths(), pager)
	}
}

func TestBatchBackfillCoversEachDayOnce(t *testing.T) {
	s := newStack(t)
	w := s.install("Batch backfill", params{"job_url": "/job", "summary_url": "/done", "days_per_batch": 2, "concurrency": 1, "pause_seconds": 0.01})
	rec := s.ends(s.start(w, params{"from": "2026-02-27", "to": "2026-03-03"}), machine.Completed)
	var jobs []string
	for _, job := range s.world.at("/job") {
		jobs = append(jobs, job.Body)
	}
	want := []string{`{"from":"2026-02-27","to":"2026-02-28"}`, `{"from":"2026-03-01","to":"2026-03-02"}`, `{"from":"2026-03-03","to":"2026-03-03"}`}
	if !slices.EqualFunc(jobs, want, func(a, b string) bool { return strings.ReplaceAll(a, " ", "") == b }) {
		t.Errorf("jobs %v", jobs)
	}
	if field(t, string(rec.Output), "count") != 3.0 || len(s.world.at("/done")) != 1 {
		t.Errorf("output %s", rec.Output)
	}
}

func TestStartAndPollWaitsForTheJob(t *testing.T) {
	s := newStack(t)
	s.world.on("/start", always(200, `{"status_url":"`+s.world.url+`/status"}`))
	s.world.on("/status", func(n int) (int, string) {
		if n < 2 {
			return 200, `{"state":"busy"}`
		}
		return 200, `{"state":"done \"ok\"","result":42}`
	})
	w := s.install("Start a job and wait for it", params{"start_url": "/start", "notify_url": "/told", "poll_seconds": 1, "done_state": `done "ok"`})
	rec := s.ends(s.start(w, params{"size": 3}), machine.Completed)
	if field(t, string(rec.Output), "result") != 42.0 || len(s.world.at("/told")) != 1 || s.world.at("/start")[0].Body != `{"size":3}` {
		t.Errorf("output %s, asked %v", rec.Output, s.world.paths())
	}
}

// A template without required parameters installs with a name alone and calls nothing.
func TestFirstStepsNeedNoParameters(t *testing.T) {
	s := newStack(t)
	w := s.install("First steps", params{})
	for input, want := range map[string]string{
		`{}`:                      `{"greetings":["Hello, world!"],"many":false}`,
		`{"names":["Ada","Zoë"]}`: `{"greetings":["Hello, Ada!","Hello, Zoë!"],"many":true}`,
	} {
		var given params
		if err := json.Unmarshal([]byte(input), &given); err != nil {
			t.Fatal(err)
		}
		if rec := s.ends(s.start(w, given), machine.Completed); string(rec.Output) != want {
			t.Errorf("%s gives %s, want %s", input, rec.Output, want)
		}
	}
	if asked := s.world.paths(); len(asked) != 0 {
		t.Errorf("asked %v", asked)
	}
	greeting := s.install("First steps", params{"greeting": `Good "day"`})
	if rec := s.ends(s.start(greeting, params{}), machine.Completed); !strings.Contains(string(rec.Output), `Good \"day\", world!`) {
		t.Errorf("output %s", rec.Output)
	}
}
