package api_test

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/schedules"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// scheduleEdits are members of a PATCH by the field that they are about, as the
// answer shows them afterwards.
var scheduleEdits = map[string]string{
	"cron_expression": `"cron_expression":"30 6 * * *"`,
	"timezone":        `"timezone":"Europe/Berlin"`,
	"input_data":      `"input_data":{"n":9007199254740993}`,
	"version":         `"version":"1"`,
	"overlap_policy":  `"overlap_policy":"queue"`,
	"catch_up":        `"catch_up":{"policy":"all","window_seconds":60.5,"max":7}`,
	"dst_gap":         `"dst_gap":"skip"`,
	"dst_repeat":      `"dst_repeat":"both"`,
	"jitter_seconds":  `"jitter_seconds":1.5`,
	"starts_at":       `"starts_at":"2998-01-01T00:00:00.000Z"`,
	"ends_at":         `"ends_at":"2999-01-01T00:00:00.000Z"`,
	"status":          `"status":"paused"`,
	"pause_reason":    `"status":"paused","pause_reason":"moving"`,
}

// A field of the one type of edits is taken by PATCH and by POST, shown by the
// answers, guarded by If-Match and described by the OpenAPI document.
func TestEveryFieldOfASchedulesPatchIsServed(t *testing.T) {
	s := newStack(t)
	all := "/api/workflows/" + s.create(trivial, "") + "/schedules"
	var document struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]json.RawMessage
				Required   []string
			}
		}
	}
	if err := json.Unmarshal([]byte(s.get("/openapi.json").want(t, http.StatusOK).body), &document); err != nil {
		t.Fatal(err)
	}
	described := document.Components.Schemas
	if required := described["CreateSchedule"].Required; len(required) != 1 || required[0] != "cron_expression" {
		t.Errorf("a creation requires %v", required)
	}
	_, names := core.FieldsOf(reflect.TypeFor[schedules.Patch]())
	for _, name := range names {
		edit := scheduleEdits[name]
		if edit == "" {
			t.Errorf("there is no edit of %s: say in scheduleEdits how it is changed and shown", name)
			continue
		}
		for _, schema := range []string{"CreateSchedule", "UpdateSchedule", "ScheduleBody"} {
			if described[schema].Properties[name] == nil {
				t.Errorf("%s does not describe %s", schema, name)
			}
		}
		body := `{"cron_expression":"@daily",` + edit + `}`
		if name == "cron_expression" {
			body = `{` + edit + `}`
		}
		made := s.post(all, body).want(t, http.StatusCreated)
		shows(t, made, edit)
		one := "/api/workflows/schedules/" + s.post(all, `{"cron_expression":"@hourly"}`).want(t, http.StatusCreated).text(t, "schedule_id")
		match := map[string]string{"If-Match": `"r1"`}
		edited := s.send(http.MethodPatch, one, `{`+edit+`}`, match).want(t, http.StatusOK)
		shows(t, edited, edit)
		if tag := edited.header.Get("ETag"); tag != `"r2"` {
			t.Errorf("%s: the edited schedule has the tag %s", name, tag)
		}
		s.send(http.MethodPatch, one, `{`+edit+`}`, match).wantCode(t, http.StatusPreconditionFailed, "precondition_failed")
	}
}

// shows fails the test unless an answer holds each member of edit.
func shows(t *testing.T, r response, edit string) {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte("{"+edit+"}"), &members); err != nil {
		t.Fatal(err)
	}
	for name, value := range members {
		if !strings.Contains(r.body, `"`+name+`":`+string(value)) {
			t.Errorf("%s does not show %s %s", r.body, name, value)
		}
	}
}

// What a request leaves out, gives as a zero, or takes back.
func TestWhatAScheduleIsLeftWith(t *testing.T) {
	s := newStack(t)
	all := "/api/workflows/" + s.create(trivial, "") + "/schedules"
	for _, body := range []string{
		`{"cron_expression":"@daily","catch_up":{"window_seconds":0}}`, `{"cron_expression":"@daily","catch_up":{"max":0}}`,
		`{"cron_expression":"@daily","jitter_seconds":1e300}`, `{"cron_expression":"@daily","starts_at":"1969-01-01T00:00:00Z"}`,
		`{"cron_expression":"@daily","ends_at":"9999-01-01T00:00:00Z"}`,
	} {
		s.post(all, body).wantCode(t, http.StatusUnprocessableEntity, "invalid_schedule")
	}
	plain := s.post(all, `{"cron_expression":"@daily","timezone":"","overlap_policy":"","status":"","catch_up":{"policy":""},"input_data":null,"starts_at":null,"pause_reason":"of nothing"}`).want(t, http.StatusCreated)
	shows(t, plain, `"timezone":"UTC","overlap_policy":"skip","status":"active","catch_up":{"policy":"latest","window_seconds":3600,"max":100},"input_data":null,"starts_at":null,"pause_reason":null`)
	one := "/api/workflows/schedules/" + plain.text(t, "schedule_id")
	s.send(http.MethodPatch, one, `{"input_data":{"a":1},"version":1,"ends_at":"2999-01-01T00:00:00Z"}`, nil).want(t, http.StatusOK)
	cleared := s.send(http.MethodPatch, one, `{"input_data":null,"version":"","ends_at":null,"timezone":null}`, nil).want(t, http.StatusOK)
	shows(t, cleared, `"input_data":null,"version":null,"ends_at":null,"timezone":"UTC"`)
	for _, body := range []string{`{"ends_at":"1969-01-01T00:00:00Z"}`, `{"catch_up":{"max":0}}`, `{"jitter_seconds":-1}`} {
		s.send(http.MethodPatch, one, body, nil).wantCode(t, http.StatusUnprocessableEntity, "invalid_schedule")
	}
}
