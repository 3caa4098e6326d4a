package api_test

import (
	"fmt"
	"heddle/events"
	"heddle/executor/machine"
	"net/http"
	"strings"
	"testing"
)

// ended waits until a job has ended and returns it.
func (s *stack) ended(job string) response {
	s.t.Helper()
	var got response
	s.eventually("the job has ended", func() bool {
		got = s.get("/api/workflows/jobs/"+job).want(s.t, http.StatusOK)
		return got.text(s.t, "job", "status") != "running"
	})
	return got
}

// A filter is that of the list; what it selects is changed as if the caller had asked for each,
// with one line in the trail.
func TestManyRunsAreChangedAtOnce(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(parked, `"slug":"flow"`)
		runs := make([]string, 30)
		for i := range runs {
			labels := `{"labels":{"odd":"` + fmt.Sprint(i%2) + `"}}`
			runs[i] = s.post("/api/workflows/flow/run", labels).want(t, http.StatusAccepted).text(t, "run_id")
		}
		for _, id := range runs {
			s.until(id, "waiting")
		}
		const path = "/api/workflows/runs/bulk"
		filter := `{"action":"cancel","filter":{"workflow":["flow"],"status":"waiting,running","label.odd":"1","min_duration":0},"reason":"called off"`
		dry := s.post(path, strings.Replace(filter, `,"min_duration":0`, "", 1)+`,"dry_run":true}`).want(t, http.StatusOK)
		if dry.field(t, "matched") != jsonNumber(15) || dry.field(t, "allowed") != jsonNumber(15) || len(dry.field(t, "sample").([]any)) != 10 ||
			dry.text(t, "sample", 0, "status") != "waiting" || dry.text(t, "sample", 0, "workflow_slug") != "flow" {
			t.Error(dry.body)
		}
		filter = strings.Replace(filter, `,"min_duration":0`, "", 1)
		s.post(path, filter+`,"expected":20}`).wantCode(t, http.StatusConflict, "count_changed")
		keyed := request{method: http.MethodPost, path: path, body: filter + `,"expected":15}`, header: map[string]string{"Idempotency-Key": "k"}}
		made := s.do(keyed).want(t, http.StatusAccepted)
		job := made.text(t, "job_id")
		if made.header.Get("Location") != "/api/workflows/jobs/"+job || s.do(keyed).text(t, "job_id") != job {
			t.Error(made.header, made.body)
		}
		got := s.ended(job)
		if got.text(t, "job", "status") != "completed" || got.field(t, "job", "progress", "done") != jsonNumber(15) || got.text(t, "job", "created_by", "name") != "bootstrap" ||
			got.text(t, "job", "reason") != "called off" || got.text(t, "job", "selection", "filter", "label.odd") != "1" {
			t.Error(got.body)
		}
		for i, id := range runs {
			want := machine.WaitingTimer
			if i%2 == 1 {
				want = machine.Cancelled
			}
			if s.row(id).State != want {
				t.Errorf("run %d is %s", i, s.row(id).State)
			}
		}
		for _, e := range s.journal(runs[1]) {
			if d, err := machine.ReadDetail(e); e.Kind == events.RunCancelled && (err != nil || d.Actor.Name != "bootstrap" || d.Reason != "called off") {
				t.Errorf("the run was cancelled by %+v, %v", d, err)
			}
		}
		if line := s.trailOf("job:" + job); len(line) != 1 || line[0].Action != "job.create" || line[0].Reason != "called off" {
			t.Errorf("the trail says %+v", line)
		}
		if len(s.trailOf("run:"+runs[1])) != 0 {
			t.Error("each run has a line in the trail")
		}
		for _, wrong := range []string{
			`{"action":"cancel"}`, `{"action":"cancel","filter":{},"run_ids":[]}`, `{"action":"cancel","filter":{"statuss":"failed"}}`, `{"action":"cancel","filter":{"order":"-ended"}}`,
			`{"action":"cancel","filter":{"status":"nonsense"}}`, `{"action":"cancel","filter":{"status":{}}}`, `{"action":"cancel","filter":[]}`, `{"action":"explode","filter":{}}`,
			`{"action":"cancel","filter":{"limit":5}}`, `{"action":"cancel","filter":{},"expected":-1}`, `{"action":"cancel","run_ids":[` + strings.Repeat(`"r",`, 1000) + `"r"]}`,
		} {
			s.post(path, wrong).wantCode(t, http.StatusBadRequest, "invalid_request")
		}
		for _, wrong := range []string{`{"action":"redrive","filter":{}}`, `{"action":"cancel","filter":{},"version":2}`} {
			s.post(path, wrong).wantCode(t, http.StatusUnprocessableEntity, "invalid_bulk")
		}
	})
}

// Schedules are paused with the reason and resumed; workflows get a status and tags.
func TestManySchedulesAndWorkflowsAreChangedAtOnce(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(trivial, `"slug":"one","tags":["old"]`)
		s.create(trivial, `"slug":"two"`)
		a := s.post("/api/workflows/one/schedules", `{"cron_expression":"0 2 * * *"}`).want(t, http.StatusCreated).text(t, "schedule_id")
		b := s.post("/api/workflows/two/schedules", `{"cron_expression":"0 3 * * *"}`).want(t, http.StatusCreated).text(t, "schedule_id")
		change := func(path, body string) {
			t.Helper()
			got := s.ended(s.post(path, body).want(t, http.StatusAccepted).text(t, "job_id"))
			if got.field(t, "job", "progress", "done") != got.field(t, "job", "progress", "total") {
				t.Error(got.body)
			}
		}
		status := func(id string) string { return s.get("/api/workflows/schedules/"+id).text(t, "schedule", "status") }
		const schedules = "/api/workflows/schedules/bulk"
		change(schedules, `{"action":"pause","filter":{"workflow":"one"},"reason":"holidays"}`)
		if status(a) != "paused" || status(b) != "active" || s.get("/api/workflows/schedules/"+a).text(t, "schedule", "pause_reason") != "holidays" {
			t.Error(s.get("/api/workflows/schedules/" + a).body)
		}
		s.post(schedules, `{"action":"pause","filter":{"health":"nonsense"}}`).wantCode(t, http.StatusBadRequest, "invalid_request")
		change(schedules, `{"action":"pause","filter":{"status":"active"}}`)
		change(schedules, `{"action":"resume","schedule_ids":["`+b+`","`+b+`","sched_unknown"]}`)
		if status(a) != "paused" || status(b) != "active" {
			t.Error(status(a), status(b))
		}
		const flows = "/api/workflows/bulk"
		change(flows, `{"action":"tags","filter":{},"add_tags":["new"],"remove_tags":["old"]}`)
		change(flows, `{"action":"status","workflow_ids":["two"],"status":"archived"}`)
		one, two := s.get("/api/workflows/one").body, s.get("/api/workflows/two").body
		if !strings.Contains(one, `"tags":["new"]`) || !strings.Contains(two, `"tags":["new"]`) || !strings.Contains(two, `"status":"archived"`) {
			t.Error(one, two)
		}
		failed := s.ended(s.post(flows, `{"action":"tags","workflow_ids":["two"],"add_tags":["more"]}`).want(t, http.StatusAccepted).text(t, "job_id"))
		list := s.get("/api/workflows/jobs/"+failed.text(t, "job", "id")+"/failures").want(t, http.StatusOK)
		if failed.field(t, "job", "progress", "skipped") != jsonNumber(1) || list.text(t, "failures", 0, "code") != "workflow_archived" {
			t.Error(failed.body, list.body)
		}
		s.post(flows, `{"action":"status","filter":{},"status":"gone"}`).wantCode(t, http.StatusUnprocessableEntity, "invalid_status")
		s.post(flows, `{"action":"tags","filter":{},"add_tags":[""]}`).wantCode(t, http.StatusUnprocessableEntity, "invalid_tags")
	})
}

// Who made a job sees it, whatever else it may see; others need the right to view everything.
func TestAJobIsOfWhoMadeIt(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	flow := s.create(parked, `"slug":"flow"`)
	s.create(parked, `"slug":"other"`)
	s.start("flow", "")
	s.start("other", "")
	ci := s.post("/v1/keys", `{"name":"ci","role":"none"}`).want(t, http.StatusCreated)
	s.do(request{method: "PUT", path: "/v1/grants", body: `{"key_id":"` + ci.text(t, "id") + `","workflow":"` + flow + `","actions":["view","execute"]}`}).want(t, http.StatusOK)
	as := func(method, path, body string) response {
		return s.do(request{method: method, path: path, body: body, key: ci.text(t, "key")})
	}
	mine := as("POST", "/api/workflows/runs/bulk", `{"action":"cancel","filter":{}}`).want(t, http.StatusAccepted)
	if mine.field(t, "matched") != jsonNumber(1) {
		t.Error(mine.body)
	}
	theirs := s.post("/api/workflows/runs/bulk", `{"action":"cancel","filter":{}}`).want(t, http.StatusAccepted).text(t, "job_id")
	s.ended(theirs)
	as("GET", "/api/workflows/jobs/"+mine.text(t, "job_id"), "").want(t, http.StatusOK)
	as("POST", "/api/workflows/jobs/"+mine.text(t, "job_id")+"/stop", "").want(t, http.StatusOK)
	as("GET", "/api/workflows/jobs/"+theirs, "").wantCode(t, http.StatusForbidden, "acl_denied")
	as("GET", "/api/workflows/jobs/"+theirs+"/failures", "").wantCode(t, http.StatusForbidden, "acl_denied")
	as("POST", "/api/workflows/jobs/"+theirs+"/stop", "").wantCode(t, http.StatusForbidden, "acl_denied")
	as("POST", "/api/workflows/runs/bulk", `{"action":"terminate","filter":{}}`).wantCode(t, http.StatusForbidden, "acl_denied")
	if list := as("GET", "/api/workflows/jobs", "").want(t, http.StatusOK); len(list.field(t, "jobs").([]any)) != 1 {
		t.Error(list.body)
	}
	if list := s.get("/api/workflows/jobs?limit=1").want(t, http.StatusOK); len(list.field(t, "jobs").([]any)) != 1 || list.text(t, "next_cursor") == "" {
		t.Error(list.body)
	}
}
