package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func (s *stack) send(method, path, body string, header map[string]string) response {
	s.t.Helper()
	return s.do(request{method: method, path: path, body: body, header: header})
}

func TestAScheduleFromItsCreationToItsEnd(t *testing.T) {
	s := newStack(t)
	w := s.create(trivial, "")
	const body = `{"cron_expression":"0 9 * * 1-5","timezone":"America/New_York","input_data":{"n":9007199254740993},"jitter_seconds":1.5,"catch_up":{"policy":"all"},"version":1}`
	key := map[string]string{"Idempotency-Key": "once"}
	made := s.send(http.MethodPost, "/api/workflows/"+w+"/schedules", body, key).want(t, http.StatusCreated)
	id := made.text(t, "schedule_id")
	if again := s.send(http.MethodPost, "/api/workflows/"+w+"/schedules", body, key); again.body != made.body || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("the second answer: %s", again.body)
	}
	one := "/api/workflows/schedules/" + id
	got := s.get(one).want(t, http.StatusOK)
	if got.header.Get("ETag") != `"r1"` || got.text(t, "schedule", "description") != "At 09:00 on weekdays, New York time" ||
		!strings.Contains(got.body, `"input_data":{"n":9007199254740993}`) || !strings.Contains(got.body, `"catch_up":{"policy":"all","window_seconds":3600,"max":100}`) ||
		!strings.Contains(got.text(t, "schedule", "next_run_local"), "T09:00:00-0") {
		t.Errorf("%s", got.body)
	}
	for _, list := range []string{"/api/workflows/schedules", "/api/workflows/" + w + "/schedules"} {
		if s.get(list).want(t, http.StatusOK).text(t, "schedules", 0, "id") != id {
			t.Errorf("%s does not show it", list)
		}
	}
	run := s.post(one+"/trigger", "").want(t, http.StatusAccepted).text(t, "run_id")
	s.until(run, "completed")
	filled := s.post(one+"/backfill", `{"from":"2026-01-04T00:00:00Z","to":"2026-01-07T00:00:00Z"}`).want(t, http.StatusAccepted)
	if filled.field(t, "slots") != jsonNumber(2) {
		t.Errorf("%s", filled.body)
	}
	slots := s.get(one+"/slots?limit=1").want(t, http.StatusOK)
	if slots.text(t, "slots", 0, "run_id") != run || slots.text(t, "slots", 0, "outcome") != "fired" || slots.field(t, "next_cursor") == nil {
		t.Errorf("%s", slots.body)
	}
	s.send(http.MethodPatch, one, `{"status":"paused","pause_reason":"moving"}`, map[string]string{"If-Match": `"r7"`}).wantCode(t, http.StatusPreconditionFailed, "precondition_failed")
	paused := s.send(http.MethodPatch, one, `{"status":"paused","pause_reason":"moving","ends_at":"2999-01-01T00:00:00Z"}`, map[string]string{"If-Match": `"r1"`}).want(t, http.StatusOK)
	if paused.header.Get("ETag") != `"r2"` || paused.field(t, "schedule", "next_run_at") != nil || paused.text(t, "schedule", "pause_reason") != "moving" {
		t.Errorf("%s", paused.body)
	}
	if open := s.send(http.MethodPatch, one, `{"ends_at":null,"status":"active"}`, nil).want(t, http.StatusOK); open.field(t, "schedule", "ends_at") != nil {
		t.Errorf("%s", open.body)
	}
	s.send(http.MethodDelete, one, "", nil).want(t, http.StatusNoContent)
	s.get(one).wantCode(t, http.StatusNotFound, "schedule_not_found")
}

func TestListsOfSchedulesArePaged(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		w, other := s.create(trivial, ""), s.create(trivial, "")
		var ids []string
		for i := range 5 {
			of := w
			if i == 0 {
				of = other
			}
			ids = append(ids, s.post("/api/workflows/"+of+"/schedules", `{"cron_expression":"@daily"}`).want(t, http.StatusCreated).text(t, "schedule_id"))
			s.post("/api/workflows/schedules/"+ids[0]+"/trigger", "").want(t, http.StatusAccepted)
		}
		for _, test := range []struct {
			path, key string
			total     int
		}{
			{"/api/workflows/schedules?", "schedules", 5},
			{"/api/workflows/" + w + "/schedules?", "schedules", 4},
			{"/api/workflows/schedules/" + ids[0] + "/slots?", "slots", 5},
			{"/api/workflows/schedules/" + ids[0] + "/slots?outcome=fired&", "slots", 5},
			{"/api/workflows/schedules/" + ids[0] + "/slots?outcome=late&", "slots", 0},
		} {
			page := s.get(test.path+"limit=3&offset=1").want(t, http.StatusOK)
			if got := page.field(t, "total"); got != jsonNumber(test.total) {
				t.Errorf("%s: total %v", test.path, got)
			}
			if test.total == 0 {
				continue
			}
			rest := s.get(test.path+"limit=3&cursor="+s.get(test.path+"limit=3").text(t, "next_cursor")).want(t, http.StatusOK)
			if strings.Contains(rest.body, `"total"`) || !strings.Contains(rest.body, `"next_cursor":null`) {
				t.Errorf("%s with a cursor: %s", test.path, rest.body)
			}
			if n := strings.Count(rest.body, `"overlap_policy"`) + strings.Count(rest.body, `"decided_at"`); n != test.total-3 {
				t.Errorf("%s: %d on the last page: %s", test.path, n, rest.body)
			}
			if first, second := page.field(t, test.key, 0), s.get(test.path+"limit=2").field(t, test.key, 1); fmt.Sprint(first) != fmt.Sprint(second) {
				t.Errorf("%s: %v is left out by offset 1, not %v", test.path, first, second)
			}
			s.get(test.path+"limit=0").wantCode(t, http.StatusBadRequest, "invalid_request")
			s.get(test.path+"offset=1&cursor=x").wantCode(t, http.StatusBadRequest, "invalid_request")
		}
	})
}

func TestPreviewsShowWhereClocksChange(t *testing.T) {
	s := newStack(t)
	got := s.post("/api/workflows/schedules/preview", `{"cron_expression":"0 2 * * *","timezone":"America/New_York","from":"2026-03-07T12:00:00Z","count":2}`).want(t, http.StatusOK)
	const want = `{"description":"At 02:00 every day, New York time","times":[` +
		`{"at":"2026-03-08T07:00:00.000Z","local":"2026-03-08T03:00:00-04:00","note":"02:00 does not exist on 2026-03-08 (clocks go from 02:00 to 03:00); moved to the first time after the gap."},` +
		`{"at":"2026-03-09T06:00:00.000Z","local":"2026-03-09T02:00:00-04:00"}]}` + "\n"
	if got.body != want {
		t.Errorf("%s", got.body)
	}
	for body, code := range map[string]string{
		`{"cron_expression":"0 0 31 2 *"}`:                           "invalid_cron",
		`{"cron_expression":"0 0 2 * * *"}`:                          "invalid_cron",
		`{"cron_expression":"TZ=UTC"}`:                               "invalid_cron",
		`{"cron_expression":"@daily","timezone":"europe/berlin"}`:    "invalid_timezone",
		`{"cron_expression":"@daily","count":501}`:                   "invalid_schedule",
		`{"cron_expression":"@daily","dst_gap":"jump"}`:              "invalid_schedule",
		`{"cron_expression":"@daily","from":"0001-02-01T00:00:00Z"}`: "invalid_schedule",
	} {
		s.post("/api/workflows/schedules/preview", body).wantCode(t, http.StatusUnprocessableEntity, code)
	}
	w := s.create(trivial, "")
	s.post("/api/workflows/"+w+"/schedules", `{"cron_expression":"@daily","catch_up":{"max":0}}`).wantCode(t, http.StatusUnprocessableEntity, "invalid_schedule")
	s.post("/api/workflows/"+w+"/schedules", `{"cron_expression":"@daily","version":7}`).wantCode(t, http.StatusUnprocessableEntity, "invalid_version")
	s.post("/api/workflows/"+w+"/schedules", `{"cron_expression":"@daily","catch_up":{"x":0}}`).wantCode(t, http.StatusBadRequest, "invalid_request")
}

// Lists say of each schedule whose it is, what became of its latest due time and, where it is
// paused, who paused it and why, until it is resumed.
func TestListsOfSchedulesSayHowTheyGo(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.t = t
		broken := `{"name":"Broken","steps":[{"id":"a","type":"condition","config":{"expression":"input.none.x"}}]}`
		bad, good := s.create(broken, `"slug":"bad"`), s.create(trivial, `"slug":"good"`)
		make := func(w, body string) string {
			return s.post("/api/workflows/"+w+"/schedules", body).want(t, http.StatusCreated).text(t, "schedule_id")
		}
		yearly, daily := make(bad, `{"cron_expression":"@yearly"}`), make(good, `{"cron_expression":"@daily","timezone":"Europe/Berlin"}`)
		const all = "/api/workflows/schedules"
		run := s.post(all+"/"+yearly+"/trigger", "").want(t, http.StatusAccepted).text(t, "run_id")
		s.until(run, "failed")
		ids := func(query string) string {
			page, list := s.get(all+query).want(t, http.StatusOK), ""
			for _, row := range page.field(t, "schedules").([]any) {
				list += row.(map[string]any)["cron_expression"].(string)
			}
			return list
		}
		for query, want := range map[string]string{
			"": "@daily@yearly", "?order=next": "@daily@yearly", "?health=failing": "@yearly", "?health=late": "", "?status=active": "@daily@yearly", "?status=paused": "",
			"?workflow=bad": "@yearly", "?workflow=good&order=next": "@daily", "?q=berlin": "@daily", "?q=broken": "@yearly", "?q=" + daily: "@daily",
		} {
			if got := ids(query); got != want {
				t.Errorf("%s lists %s, not %s", query, got, want)
			}
		}
		got := s.get(all+"?workflow=bad").want(t, http.StatusOK)
		if got.text(t, "schedules", 0, "workflow", "slug") != "bad" || got.text(t, "schedules", 0, "last_slot", "run_id") != run || got.text(t, "schedules", 0, "last_slot", "run_status") != "failed" {
			t.Errorf("%s", got.body)
		}
		slots := s.get(all+"/"+yearly+"/slots?from=2020-01-01T00:00:00Z").want(t, http.StatusOK)
		if slots.text(t, "slots", 0, "run_status") != "failed" || slots.field(t, "slots", 0, "duration_seconds") == nil {
			t.Errorf("%s", slots.body)
		}
		if s.get(all+"/"+yearly+"/slots?to=2020-01-01T00:00:00Z").want(t, http.StatusOK).field(t, "total") != jsonNumber(0) {
			t.Error("a line is listed outside of its time")
		}
		pause := func(body string) response {
			return s.send(http.MethodPatch, all+"/"+daily, body, nil).want(t, http.StatusOK)
		}
		paused := pause(`{"status":"paused","reason":"the bank is closed"}`)
		if paused.text(t, "schedule", "pause_reason") != "the bank is closed" || paused.text(t, "schedule", "paused_by", "type") != "key" || paused.field(t, "schedule", "paused_at") == nil {
			t.Errorf("%s", paused.body)
		}
		// An edit of what is paused leaves that as it was.
		if again := pause(`{"jitter_seconds":1,"reason":"spread"}`); again.text(t, "schedule", "pause_reason") != "the bank is closed" {
			t.Errorf("%s", again.body)
		}
		if got := ids("?order=next"); got != "@yearly@daily" {
			t.Errorf("what is due next is %s", got)
		}
		if resumed := pause(`{"status":"active"}`); resumed.field(t, "schedule", "pause_reason") != nil || strings.Contains(resumed.body, `"paused_by":{`) || resumed.field(t, "schedule", "paused_at") != nil {
			t.Errorf("%s", resumed.body)
		}
		for _, query := range []string{"?status=on", "?health=ill", "?order=name", "?q=a&offset=1"} {
			s.get(all+query).wantCode(t, http.StatusBadRequest, "invalid_request")
		}
		s.get(all+"?workflow=none").wantCode(t, http.StatusNotFound, "workflow_not_found")
		s.get(all+"/"+daily+"/slots?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z").wantCode(t, http.StatusBadRequest, "invalid_request")
	})
}
