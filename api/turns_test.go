package api_test

import (
	"net/http"
	"strings"
	"testing"
)

const talk = `{"name":"Talk","output":"{{ steps.two.output.payload }}","steps":[` +
	`{"id":"one","name":"First question","type":"wait","config":{"signal":{"name":"answer","prompt":"Who?"}}},` +
	`{"id":"two","type":"wait","config":{"signal":{"name":"answer","prompt":"When?"}},"depends_on":["one"]}]}`

func typesOf(t *testing.T, r response) string {
	t.Helper()
	var list []string
	for i := range r.field(t, "events").([]any) {
		list = append(list, r.text(t, "events", i, "type"))
	}
	return strings.Join(list, " ")
}

func TestAConversationOfTurns(t *testing.T) {
	s := newStack(t)
	wf := strings.TrimPrefix(s.create(talk, `"slug":"talk"`), "wf_")
	path := "/v1/workflows/" + wf + "/execute"
	first := s.post(path, `{"run_id":null,"extra":1,"run_input":{"command":"start","more":null,"version_number":0,"dynamic_variables":{"a":1},"runtime_variables":null}}`).want(t, http.StatusOK)
	if got := first.keysOf(t); got != "error events has_active_companions has_background_work is_completed is_waiting_for_input next_input_hint run_id status turn_number" {
		t.Errorf("keys %s", got)
	}
	run := first.text(t, "run_id")
	if got := typesOf(t, first); len(run) != 24 || got != "start_workflow start_node_run busy_wait_for_user_message workflow_ready_for_input" ||
		first.text(t, "next_input_hint", "origin_node_name") != "First question" || first.text(t, "next_input_hint", "prompt") != "Who?" {
		t.Errorf("first %s", first.body)
	}
	s.do(request{method: "PUT", path: "/api/workflows/talk", body: `{"definition":` + trivial + `}`}).want(t, http.StatusOK)
	turn := func(input string) response {
		t.Helper()
		return s.post(path, `{"run_id":"`+run+`","run_input":`+input+`}`)
	}
	turn(`{"command":"data"}`).want(t, http.StatusOK) // only follows
	for i, c := range []struct{ input, status, turn string }{
		{`{"command":"data","dynamic_variables":{"who":"I","x":1},"runtime_variables":{"x":2}}`, "waiting_for_user_input", "2"},
		{`{"command":"pause"}`, "paused", "3"},
		{`{"command":"resume"}`, "waiting_for_user_input", "4"},
		{`{"command":"pause"}`, "paused", "5"},
		{`{"command":"data","dynamic_variables":{"n":9007199254740993},"miscellaneous":{"m":1}}`, "completed", "6"},
	} {
		got := turn(c.input).want(t, http.StatusOK)
		if got.text(t, "status") != c.status || !strings.Contains(got.body, `"turn_number":`+c.turn+`,`) ||
			got.field(t, "is_waiting_for_input") != (c.status == "waiting_for_user_input") || got.field(t, "is_completed") != (c.status == "completed") {
			t.Errorf("turn %d: %s", i+2, got.body)
		}
	}
	done := s.get("/v1/runs/run_"+run+"/result").want(t, http.StatusOK)
	if !strings.Contains(done.body, `"n":9007199254740993`) || !strings.Contains(done.body, `"miscellaneous":{"m":1}`) {
		t.Errorf("result %s", done.body)
	}
	turn(`{"command":"data","dynamic_variables":{"n":1}}`).wantCode(t, http.StatusConflict, "run_finished")
	turn(`{}`).wantCode(t, http.StatusConflict, "run_finished")
	if got := turn(`{"command":"stop"}`).want(t, http.StatusOK); got.text(t, "status") != "completed" {
		t.Errorf("stopped %s", got.body)
	}
}

func TestTurnsStopAndRefuse(t *testing.T) {
	s := newStack(t)
	s.create(talk, `"slug":"talk"`)
	s.create(`{"name":"Spin","steps":[{"id":"l","type":"loop","config":{"while":"true","max_iterations":3,"steps":[{"id":"a","type":"condition","config":{"expression":"true"}}]}}]}`, `"slug":"spin"`)
	const path = "/v1/workflows/talk/execute"
	run := s.post(path, ``).want(t, http.StatusOK).text(t, "run_id")
	got := s.post(path, `{"run_id":"`+run+`","run_input":{"command":"stop"}}`).want(t, http.StatusOK)
	if got.text(t, "status") != "cancelled" || got.field(t, "is_completed") != true {
		t.Errorf("stopped %s", got.body)
	}
	if got := s.post("/v1/workflows/spin/execute", `{}`).want(t, http.StatusOK); got.text(t, "status") != "aborted_looping_risk" || got.text(t, "error") == "" {
		t.Errorf("spun %s", got.body)
	}
	s.post("/v1/workflows/spin/execute", `{"run_id":"`+run+`"}`).wantCode(t, 404, "run_not_found")
	s.post(path, `{"run_id":"ffffffffffffffffffffffff"}`).wantCode(t, 404, "run_not_found")
	s.post("/v1/workflows/nope/execute", `{}`).wantCode(t, 404, "workflow_not_found")
	s.post(path+"?version=9", `{}`).wantCode(t, 404, "version_not_found")
	for _, bad := range []string{`{"run_input":{"command":"dance"}}`, `{"run_input":{"command":"stop"}}`, `{"run_input":[]}`, `{"run_input":{"dynamic_variables":3}}`} {
		s.post(path, bad).wantCode(t, 400, "invalid_request")
	}
}
