package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

const flaky = `{"name":"Flaky","steps":[{"id":"call","type":"wait","config":{"seconds":3600},"timeout_seconds":0.01,` +
	`"retry":{"max_attempts":2,"delay_seconds":0.01},"on_error":"continue"},` +
	`{"id":"bad","type":"condition","config":{"expression":"input.n.m > 1"},"depends_on":["call"]}]}`

const looped = `{"name":"Looped","steps":[{"id":"each","type":"loop","config":{"items":"2","collect":"item","steps":[` +
	`{"id":"inner","type":"loop","config":{"items":"1","steps":[{"id":"one","type":"condition","config":{"expression":"true"}}]}}]}}]}`

func TestTheRunsDialectStreamsItsCatalogue(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(approval, `"slug":"flow"`)
		s.create(parked, `"slug":"slow"`)
		s.create(flaky, `"slug":"flaky"`)
		s.create(looped, `"slug":"looped"`)
		answered, cancelled := s.begin(`{"workflow_id":"flow"}`), s.begin(`{"workflow_id":"slow"}`)
		failed, loops := s.begin(`{"workflow_id":"flaky","input":{"n":5}}`), s.begin(`{"workflow_id":"looped"}`)
		s.untilV1(answered, "ask", "waiting")
		s.post("/v1/runs/"+answered+"/signals/approve", `{"request_id":"r1","payload":{"approved":true}}`).want(t, http.StatusAccepted)
		s.post("/v1/runs/"+cancelled+"/cancel", "").want(t, http.StatusOK)
		s.untilV1(failed, "", "failed")
		s.untilV1(loops, "", "succeeded")
		for name, c := range map[string]struct{ run, want, last string }{
			"answered": {answered, "status_changed status_changed node_started node_completed node_started input_requested signal_received input_resolved " +
				"node_completed status_changed completed", `"state":"succeeded"`},
			"cancelled": {cancelled, "status_changed status_changed node_started status_changed cancelled", `"state":"cancelled"`},
			// A retry shows as a change to retrying and back.
			"failed": {failed, "status_changed status_changed node_started status_changed node_started status_changed node_failed " +
				"node_started node_failed status_changed failed", `"state":"failed"`},
			"loops": {loops, "status_changed status_changed node_started node_started node_started node_completed node_completed " +
				"node_started node_started node_completed node_completed node_completed status_changed completed", `"result":`},
		} {
			frames := s.followAt("/v1/runs/"+c.run+"/events", "").rest()
			if got := eventsOf(frames); got != c.want {
				t.Errorf("%s: %s\nwant %s", name, got, c.want)
				continue
			}
			last := int64(0)
			for i, f := range frames {
				if f.id <= last || !strings.Contains(f.data, `"run_id":"`+c.run+`","seq":`+strconv.FormatInt(f.id, 10)+`,"timestamp":`) {
					t.Errorf("%s: frame %+v after %d", name, f, last)
				}
				last = f.id
				s.doc.validate(t, request{method: "GET", path: "events"}, "#/components/schemas/V1Event", f.data)
				if rest := s.followAt("/v1/runs/"+c.run+"/events", strconv.FormatInt(f.id, 10)).rest(); len(rest) != len(frames)-i-1 {
					t.Errorf("%s: %d frames after %d", name, len(rest), f.id)
				}
			}
			if end := frames[len(frames)-1]; !strings.Contains(end.data, c.last) {
				t.Errorf("%s ends %s", name, end.data)
			}
			s.do(request{
				method: "GET", path: "/v1/runs/" + c.run + "/events",
				header: map[string]string{"Last-Event-ID": strconv.FormatInt(last, 10)},
			}).want(t, http.StatusNoContent)
		}
		s.framesSay(t, answered, map[int][]string{
			0: {`"state":"queued"`}, 1: {`"state":"running"`}, 2: {`"node":"first"`},
			3: {`"latency_ms":0`, `"tokens":0`, `"cost_micro_usd":0`},
			5: {`"node":"ask"`, `"request_id":"apr_`, `"name":"approve"`, `"prompt":"Ship it?"`, `"schema":{`},
			6: {`"name":"approve"`, `"request_id":"r1"`, `"payload":{"approved":true}`},
			7: {`"node":"ask"`, `"request_id":"apr_`, `"payload":{"approved":true}`}, 9: {`"state":"succeeded"`},
		})
		s.framesSay(t, failed, map[int][]string{3: {`"state":"retrying"`}, 4: {`"attempt":2`}, 5: {`"state":"running"`}, 8: {`"error":{"code":`}})
		s.framesSay(t, loops, map[int][]string{3: {`"node":"inner","iteration":"each[0]"`}, 4: {`"node":"one","iteration":"each[0].inner[0]"`}})
	})
}

// framesSay checks parts of some of a finished run's frames.
func (s *stack) framesSay(t *testing.T, run string, parts map[int][]string) {
	t.Helper()
	frames := s.followAt("/v1/runs/"+run+"/events", "").rest()
	for i, list := range parts {
		for _, p := range list {
			if i >= len(frames) || !strings.Contains(frames[i].data, p) {
				t.Errorf("frame %d of %s has no %s", i, eventsOf(frames), p)
			}
		}
	}
}

func TestBadLastEventIDsInTheRunsDialect(t *testing.T) {
	s := newStack(t)
	s.create(parked, `"slug":"slow"`)
	id := s.begin(`{"workflow_id":"slow"}`)
	for _, bad := range []string{"x", "-1", "1.5", "99999", "99999999999999999999"} {
		s.do(request{method: "GET", path: "/v1/runs/" + id + "/events", header: map[string]string{"Last-Event-ID": bad}}).
			wantCode(t, 400, "invalid_last_event_id")
	}
}
