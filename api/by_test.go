package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"heddle/events"
	"heddle/executor/machine"
)

// withReason adds a reason to a steering request of any dialect.
func withReason(r request, reason string) request {
	quoted, _ := json.Marshal(reason)
	if r.body == "" || r.body == "{}" {
		r.body = `{"reason":` + string(quoted) + `}`
	} else {
		r.body = strings.TrimSuffix(r.body, "}") + `,"reason":` + string(quoted) + `}`
	}
	return r
}

// Whoever starts, pauses, resumes, cancels or signals a run in whatever dialect
// is named by its journal, its streams and the run itself, with the reason.
func TestARunSaysWhoDidWhatToItAndWhy(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(approval, `"slug":"flow"`)
		for _, d := range dialects() {
			id := d.start(s, "flow")
			s.eventually(d.name+" waits", func() bool { return s.row(id).State == machine.WaitingSignal })
			if d.pause != nil {
				s.do(withReason(d.pause(s, id), "for a pause"))
				s.do(withReason(d.resume(s, id), "for a resume"))
			}
			end := d.cancel
			if end == nil {
				end = d.terminate
			}
			if got := s.do(withReason(end(s, id), "no longer wanted")); got.status >= 300 {
				t.Fatalf("%s: cancel %d %s", d.name, got.status, got.body)
			}
			s.eventually(d.name+" has ended", func() bool { return s.row(id).State.Terminal() })
			seen := map[string]string{}
			for _, e := range s.journal(id) {
				detail, err := machine.ReadDetail(e)
				if err != nil {
					t.Fatal(err)
				}
				if a := detail.Actor; a.Known() && (a.Type != "key" || a.Name != "bootstrap" || !strings.HasPrefix(a.ID, "key_")) {
					t.Errorf("%s: event %d is by %+v", d.name, e.Seq, a)
				} else if a.Known() {
					seen[string(e.Kind)+" "+string(detail.State)] = detail.Reason
				}
			}
			want := map[string]string{"state_changed queued": "", "state_changed running": "", "run_cancelled ": "no longer wanted"}
			if d.pause != nil {
				want["state_changed paused"], want["state_changed queued"] = "for a pause", "for a resume"
			}
			for key, reason := range want {
				if got, there := seen[key]; !there || got != reason {
					t.Errorf("%s: %s is %q (%v), want %q; all: %v", d.name, key, got, there, reason, seen)
				}
			}
			run := s.get("/api/workflows/runs/"+id).want(t, 200)
			if run.text(t, "run", "started_by", "name") != "bootstrap" || run.text(t, "run", "cancelled_by", "type") != "key" || run.text(t, "run", "reason") != "no longer wanted" {
				t.Errorf("%s: the run says %s", d.name, run.body)
			}
			if line := s.trailOf("run:" + id)[0]; line.Reason != "no longer wanted" {
				t.Errorf("%s: the trail says %+v", d.name, line)
			}
			v1 := s.get("/v1/runs/"+id).want(t, 200)
			if v1.text(t, "cancelled_by", "name") != "bootstrap" || v1.text(t, "started_by", "id") == "" {
				t.Errorf("%s: the runs dialect says %s", d.name, v1.body)
			}
			for _, path := range []string{"/api/workflows/runs/" + id + "/stream", "/v1/runs/" + id + "/events"} {
				if body := s.get(path).want(t, 200).body; !strings.Contains(body, `"actor":{"type":"key"`) || !strings.Contains(body, `"reason":"no longer wanted"`) {
					t.Errorf("%s: %s says %s", d.name, path, body)
				}
			}
		}
	})
}

func TestASignalSaysWhoSentIt(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.create(approval, `"slug":"flow"`)
	id := s.start("flow", "")
	s.eventually("it waits", func() bool { return s.row(id).State == machine.WaitingSignal })
	s.post("/v1/runs/"+id+"/signals/approve", `{"payload":{"approved":true},"reason":"I looked"}`).want(t, 202)
	found := false
	for _, e := range s.journal(id) {
		if e.Kind != events.SignalReceived {
			continue
		}
		found = true
		if d, err := machine.ReadDetail(e); err != nil || d.Actor.Name != "bootstrap" || d.Reason != "I looked" {
			t.Errorf("%v: %s", err, e.Data)
		}
	}
	if !found {
		t.Error("no signal in the journal")
	}
}

func TestAReasonIsShortText(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	wf := s.create(parked, `"slug":"flow"`)
	id := s.start(wf, "")
	cancel := "/api/workflows/runs/" + id + "/cancel"
	s.post(cancel, `{"reason":"`+strings.Repeat("é", 1001)+`"}`).wantCode(t, 422, "invalid_reason")
	s.post(cancel, `{"reason":3}`).wantCode(t, 400, "invalid_request")
	s.do(request{method: "PUT", path: "/v1/secrets/TOKEN", body: `{"value":"hunter2hunter2"}`})
	s.post(cancel, `{"reason":"it leaks hunter2hunter2 here"}`).wantCode(t, 422, "secret_in_text")
	if got := s.row(id).State; got.Terminal() {
		t.Fatalf("a refused cancel left the run %s", got)
	}
	s.post(cancel, `{"reason":"`+strings.Repeat("é", 1000)+`"}`).want(t, 200)
	for path, body := range map[string]string{
		"/versions/1/publish": `{"reason":"again"}`, "/rollback": `{"version":1,"reason":"back"}`,
	} {
		s.post("/api/workflows/flow"+path, body).want(t, 200)
	}
	s.do(request{method: "PATCH", path: "/api/workflows/flow/status", body: `{"status":"paused","reason":"holidays"}`}).want(t, 200)
	lines := s.trailOf("workflow:flow")
	if len(lines) < 3 || lines[0].Reason != "holidays" || !strings.Contains("again back", lines[1].Reason) || lines[1].Reason == "" {
		t.Errorf("%+v", lines)
	}
}

// Text that is stored and shown holds no secret, whichever field it is in; what
// stands for a secret by its name is not one.
func TestShownTextHoldsNoSecret(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	const secret = "hunter2hunter2"
	s.create(parked, `"slug":"flow"`)
	s.do(request{method: "PUT", path: "/v1/secrets/TOKEN", body: `{"value":"` + secret + `"}`})
	key := s.post("/v1/keys", `{"name":"ci","role":"none"}`).want(t, 201).text(t, "id")
	_ = key
	for name, r := range map[string]request{
		"tag":               {method: http.MethodPost, path: "/api/workflows", body: `{"definition":` + trivial + `,"tags":["x-` + secret + `"]}`},
		"summary":           {method: http.MethodPut, path: "/api/workflows/flow", body: `{"definition":` + trivial + `,"change_summary":"now with ` + secret + `"}`},
		"summary, rollback": {method: http.MethodPost, path: "/api/workflows/flow/rollback", body: `{"version":1,"change_summary":"` + secret + `"}`},
		"slug":              {method: http.MethodPost, path: "/api/workflows", body: `{"definition":` + trivial + `,"slug":"` + secret + `"}`},
		"label":             {method: http.MethodPatch, path: "/api/workflows/flow/versions/1", body: `{"label":"` + secret + `"}`},
		"key's name":        {method: http.MethodPost, path: "/v1/keys", body: `{"name":"` + secret + `","role":"none"}`},
		"tenant's name":     {method: http.MethodPost, path: "/v1/tenants", body: `{"slug":"other","name":"` + secret + `"}`},
		"pause's reason":    {method: http.MethodPost, path: "/api/workflows/flow/schedules", body: `{"cron_expression":"0 8 * * *","pause_reason":"` + secret + `"}`},
		"prompt":            {method: http.MethodPut, path: "/v1/agents/a1", body: `{"provider":"openai","base_url":"https://models.example/v1","model":"m","system_prompt":"Say ` + secret + `"}`},
		"base_url":          {method: http.MethodPut, path: "/v1/agents/a1", body: `{"provider":"openai","base_url":"https://u:` + secret + `@models.example/v1","model":"m"}`},
		"template's name":   {method: http.MethodPost, path: "/api/workflows/templates", body: `{"name":"` + secret + `","definition":` + trivial + `}`},
		"template's text":   {method: http.MethodPost, path: "/api/workflows/templates", body: `{"name":"T","description":"About ` + secret + `","definition":` + trivial + `}`},
		"parameter's text":  {method: http.MethodPost, path: "/api/workflows/templates", body: `{"name":"T","parameters":{"type":"object","properties":{"a":{"type":"string","default":"` + secret + `"}}},"definition":` + trivial + `}`},
		"instance's id":     {method: http.MethodPost, path: "/api/workflows/workflows/flow/instances", body: `{"id":"` + secret + `"}`},
		"encoded":           {method: http.MethodPost, path: "/v1/keys", body: `{"name":"\u0068unter2hunter2","role":"none"}`},
	} {
		got := s.do(r)
		var e struct{ Code, Message string }
		_ = json.Unmarshal([]byte(got.body), &e)
		if got.status != 422 && got.status != 404 || e.Code != "secret_in_text" && e.Code != "secret_in_definition" && got.status == 422 || strings.Contains(got.body, secret) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	s.post("/v1/keys", `{"name":"named TOKEN","role":"none"}`).want(t, 201)
}

// journal reads a run's events.
func (s *stack) journal(runID string) []events.Event {
	s.t.Helper()
	evs, err := s.db.Events(s.t.Context(), runID, 0, 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	return evs
}
