package api_test

import (
	"encoding/json"
	"heddle/events"
	"heddle/executor/machine"
	"net/http"
	"slices"
	"strings"
	"testing"
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

// The one who starts, pauses, resumes, cancels or signals a run in whatever dialect
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

// A version says who made it, by whichever request it came to be; one that was
// imported has only the name that its line holds.
func TestAVersionSaysWhoMadeIt(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		other := *s
		ci := s.post("/v1/keys", `{"name":"ci","role":"admin"}`).want(t, 201)
		other.admin = ci.text(t, "key")
		s.create(trivial, `"slug":"flow"`)
		other.do(request{method: "PUT", path: "/api/workflows/flow", body: `{"definition":` + parked + `}`}).want(t, 200)
		other.post("/api/workflows/flow/rollback", `{"version":1}`).want(t, 200)
		template := other.post("/api/workflows/templates", `{"name":"T","definition":`+trivial+`}`).want(t, 201).text(t, "template_id")
		other.post("/api/workflows/templates/"+template+"/install", `{"name":"Made","slug":"made"}`).want(t, 201)
		byCI := func(v response, at ...any) {
			t.Helper()
			if v.text(t, append(at, "created_by")...) != "ci" || v.text(t, append(at, "created_by_id")...) != ci.text(t, "id") ||
				v.text(t, append(at, "actor", "type")...) != "key" || v.text(t, append(at, "actor", "id")...) != ci.text(t, "id") || v.text(t, append(at, "actor", "name")...) != "ci" {
				t.Errorf("%v: %s", at, v.body)
			}
		}
		list := s.get("/api/workflows/flow/versions").want(t, 200)
		byCI(list, "versions", 0)
		byCI(list, "versions", 1)
		byCI(s.get("/api/workflows/flow/versions/3").want(t, 200))
		byCI(s.do(request{method: "PATCH", path: "/api/workflows/flow/versions/2", body: `{"label":"two"}`}).want(t, 200))
		if list.text(t, "versions", 2, "actor", "name") != "bootstrap" {
			t.Errorf("%s", list.body)
		}
		byCI(s.get("/api/workflows/made/versions/1").want(t, 200))
		lines := s.export("?id=flow")
		s.do(request{method: "DELETE", path: "/api/workflows/flow"}).want(t, 204)
		s.imports("", lines).want(t, 200)
		imported := s.get("/api/workflows/flow/versions/3").want(t, 200)
		if strings.Contains(imported.body, `"actor"`) || strings.Contains(imported.body, `"created_by_id"`) || imported.text(t, "created_by") != "ci" {
			t.Errorf("imported: %s", imported.body)
		}
	})
}

// A signal leaves its line, by whichever dialect it is sent, once however often
// it is delivered, and a refused one leaves none.
func TestASignalIsOnTheTrail(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(approval, `"slug":"flow"`)
		for _, d := range dialects() {
			if d.signal == nil {
				continue
			}
			id := d.start(s, "flow")
			s.eventually(d.name+" waits", func() bool { return s.row(id).State == machine.WaitingSignal })
			before := len(s.trailOf("run:" + id))
			if got := s.do(withReason(d.signal(s, id), "I looked")); got.status >= 300 {
				t.Fatalf("%s: %d %s", d.name, got.status, got.body)
			}
			lines := s.trailOf("run:" + id)
			if len(lines) != before+1 || lines[0].Action != "signal.deliver" || lines[0].Reason != "I looked" || !strings.Contains(string(lines[0].Detail), `"signal":"approve"`) {
				t.Errorf("%s: %+v", d.name, lines)
			}
			for _, e := range s.journal(id) {
				if detail, err := machine.ReadDetail(e); err != nil || e.Kind == events.SignalReceived && (detail.Reason != "I looked" || detail.Actor.Name != "bootstrap") {
					t.Errorf("%s: %v %s", d.name, err, e.Data)
				}
			}
		}
		id := s.start("flow", "")
		s.eventually("it waits", func() bool { return s.row(id).State == machine.WaitingSignal })
		signal := "/v1/runs/" + id + "/signals/"
		s.post(signal+"other", `{"request_id":"k","reason":"first"}`).want(t, 202)
		s.post(signal+"other", `{"request_id":"k","reason":"again"}`).want(t, 202)
		s.post(signal+"approve", `{"payload":{"approved":3},"reason":"refused"}`)
		wait := s.get("/v1/runs/"+id).want(t, 200).text(t, "current", 0, "wait", "request_id")
		s.post(signal+"approve", `{"request_id":"`+wait+`","payload":{"approved":true},"reason":"the answer"}`).want(t, 202)
		s.eventually("it has ended", func() bool { return s.row(id).State.Terminal() })
		s.post(signal+"approve", `{"request_id":"`+wait+`","payload":{"approved":true},"reason":"again"}`).want(t, 202)
		s.post(signal+"late", `{"reason":"too late"}`).wantCode(t, 409, "run_finished")
		var got []string
		for _, l := range s.trailOf("run:" + id) {
			got = append(got, l.Action+" "+l.Reason)
		}
		if want := "signal.deliver the answer, signal.deliver first"; strings.Join(got, ", ") != want {
			t.Errorf("%v, want %s", got, want)
		}
	})
}

// What is deleted says why, in the query or in the body.
func TestADeletionSaysWhy(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		things := func() map[string]string { // path by object
			slug := "flow"
			wf := s.create(parked, `"slug":"`+slug+`"`)
			done := s.start(s.create(trivial, ""), "")
			s.eventually("it has ended", func() bool { return s.row(done).State.Terminal() })
			sched := s.post("/api/workflows/"+wf+"/schedules", `{"cron_expression":"0 8 * * *"}`).want(t, 201).text(t, "schedule_id")
			tpl := s.post("/api/workflows/templates", `{"name":"T","definition":`+trivial+`}`).want(t, 201).text(t, "template_id")
			key := s.post("/v1/keys", `{"name":"ci","role":"none"}`).want(t, 201).text(t, "id")
			granted := s.post("/v1/keys", `{"name":"ci","role":"none"}`).want(t, 201).text(t, "id")
			s.do(request{method: "PUT", path: "/v1/grants", body: `{"key_id":"` + granted + `","workflow":"flow","actions":["view"]}`}).want(t, 200)
			s.do(request{method: "PUT", path: "/v1/secrets/TOKEN", body: `{"value":"hunter2hunter2"}`}).want(t, 204)
			s.do(request{method: "PUT", path: "/v1/agents/a1", body: `{"provider":"openai","base_url":"https://models.example/v1","model":"m"}`}).want(t, 200)
			s.post("/v1/session", `{"key":"`+s.admin+`"}`).want(t, 204)
			session := s.get("/v1/sessions").want(t, 200).text(t, "sessions", 0, "id")
			return map[string]string{
				"session:" + session: "/v1/sessions/" + session,
				"schedule:" + sched:  "/api/workflows/schedules/" + sched, "template:" + tpl: "/api/workflows/templates/" + tpl,
				"run:" + done: "/api/workflows/runs/" + done, "key:" + key: "/v1/keys/" + key, "secret:TOKEN": "/v1/secrets/TOKEN", "agent:a1": "/v1/agents/a1",
				"key:" + granted: "/v1/grants?workflow=flow&key_id=" + granted, "workflow:" + wf: "/api/workflows/flow?force=true",
			}
		}
		routes := 0
		for _, inBody := range []bool{false, true} {
			all := things()
			routes = len(all)
			last := ""
			remove := func(object, path string) {
				t.Helper()
				r := request{method: http.MethodDelete, path: path, body: `{"reason":"no longer \u00fcsed"}`}
				if !inBody {
					r.body, r.path = "", path+map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]+"reason=no+longer+%C3%BCsed"
				}
				s.do(r).want(t, 204)
				if lines := s.trailOf(object); len(lines) == 0 || lines[0].Reason != "no longer üsed" || !strings.HasSuffix(lines[0].Action, ".delete") && !strings.HasSuffix(lines[0].Action, ".revoke") {
					t.Errorf("%s in the body %t: %+v", object, inBody, lines)
				}
			}
			for object, path := range all {
				if strings.HasPrefix(object, "workflow:") {
					last = object
					continue
				}
				remove(object, path)
			}
			open := s.start("flow", "")
			remove(last, all[last])
			if run := s.get("/api/workflows/runs/"+open).want(t, 200); run.text(t, "run", "reason") != "The workflow was deleted: no longer üsed" {
				t.Errorf("its run: %s", run.body)
			}
		}
		// Drafts are not on the trail at all.
		// That a browser signs out has a line only where there is a session (TestABrowserSignsInAndOut).
		if n := len(s.deletes()) - 3; n != routes {
			t.Errorf("%d kinds of things were deleted, and there are %d routes that delete", routes, n)
		}
		for name, r := range map[string]request{
			"two":      {path: "/v1/keys/key_x?reason=a", body: `{"reason":"b"}`},
			"another":  {path: "/v1/keys/key_x", body: `{"why":"b"}`},
			"nearest":  {path: "/v1/keys/key_x?reasn=b"},
			"no text":  {path: "/v1/keys/key_x", body: `{"reason":1}`},
			"two such": {path: "/v1/keys/key_x?reason=a&reason=b"},
		} {
			r.method = http.MethodDelete
			if got := s.do(r); got.status != 400 {
				t.Errorf("%s: %d %s", name, got.status, got.body)
			}
		}
		s.do(request{method: "PUT", path: "/v1/secrets/TOKEN", body: `{"value":"hunter2hunter2"}`}).want(t, 204)
		s.do(request{method: "DELETE", path: "/v1/keys/key_x?reason=it+was+hunter2hunter2"}).wantCode(t, 422, "secret_in_text")
		s.do(request{method: "DELETE", path: "/v1/keys/key_x", body: `{"reason":"` + strings.Repeat("x", 1001) + `"}`}).wantCode(t, 422, "invalid_reason")
	})
}

// deletes lists the document's operations that delete, each of which names the
// reason as a parameter and in its body.
func (s *stack) deletes() []string {
	s.t.Helper()
	type operation struct {
		OperationID string
		Parameters  []struct{ Name, In string }
		RequestBody struct{ Content map[string]any }
	}
	var doc struct {
		Paths map[string]map[string]operation
	}
	if err := json.Unmarshal([]byte(s.get("/openapi.json").want(s.t, 200).body), &doc); err != nil {
		s.t.Fatal(err)
	}
	var ids []string
	for _, item := range doc.Paths {
		op, there := item["delete"]
		if !there {
			continue
		}
		ids = append(ids, op.OperationID)
		if !slices.ContainsFunc(op.Parameters, func(p struct{ Name, In string }) bool { return p.Name == "reason" && p.In == "query" }) || len(op.RequestBody.Content) == 0 {
			s.t.Errorf("%s takes no reason", op.OperationID)
		}
	}
	return ids
}

// Whatever steers something that is there takes a reason and keeps it.
func TestSchedulesAndVersionsAreSteeredForAReason(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	wf := s.create(trivial, `"slug":"flow"`)
	sched := s.post("/api/workflows/flow/schedules", `{"cron_expression":"0 8 * * *"}`).want(t, 201).text(t, "schedule_id")
	one := "/api/workflows/schedules/" + sched
	run := s.post(one+"/trigger", `{"reason":"by hand"}`).want(t, 202).text(t, "run_id")
	s.post(one+"/backfill", `{"from":"2025-12-01T00:00:00Z","to":"2025-12-03T00:00:00Z","reason":"we were down"}`).want(t, 202)
	s.do(request{method: "PATCH", path: one, body: `{"status":"paused","reason":"holidays"}`}).want(t, 200)
	var got []string
	for _, l := range s.trailOf("schedule:" + sched) {
		got = append(got, l.Action+" "+l.Reason)
	}
	if want := "schedule.update holidays, schedule.backfill we were down, schedule.trigger by hand, schedule.create "; strings.Join(got, ", ") != want {
		t.Errorf("%q, want %q", got, want)
	}
	if lines := s.trailOf("schedule:" + sched); !strings.Contains(string(lines[2].Detail), run) {
		t.Errorf("the trigger's line does not name the run: %s", lines[2].Detail)
	}
	s.do(request{method: "PATCH", path: "/api/workflows/flow/versions/1", body: `{"label":"one","reason":"for the audit"}`}).want(t, 200)
	if l := s.trailOf("workflow:" + wf)[0]; l.Reason != "for the audit" {
		t.Errorf("%+v", l)
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
