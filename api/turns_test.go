package api_test

import (
	"heddle/api"
	"heddle/executor"
	"heddle/executor/machine"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// talk asks twice, with work in between.
var talk = `{"name":"Talk","output":"{{ steps.two.output.payload }}","steps":[` +
	`{"id":"one","name":"First question","type":"wait","config":{"signal":{"name":"answer","prompt":"Who?"}}},` +
	gated("work", "ok", `,"depends_on":["one"]`) + `,` +
	`{"id":"two","type":"wait","config":{"signal":{"name":"answer","prompt":"When?","schema":{"type":"object","required":["n"]}}},"depends_on":["work"]}]}`

// slowTalk holds what comes after its question.
var slowTalk = `{"name":"Slow","steps":[{"id":"ask","type":"wait","config":{"signal":{"name":"answer"}}},` + gated("work", "hold", `,"depends_on":["ask"]`) + `]}`

// spin is a while loop that makes no progress.
const spin = `{"name":"Spin","steps":[{"id":"l","type":"loop","config":{"while":"true","max_iterations":3,"steps":[` +
	`{"id":"a","type":"condition","config":{"expression":"true"}}]}}]}`

// conversation is a run as a client of the turns dialect holds it.
type conversation struct {
	s         *stack
	path, run string
}

// converse takes the first turn.
func (s *stack) converse(workflow, body string) (*conversation, response) {
	s.t.Helper()
	c := &conversation{s: s, path: "/v1/workflows/" + workflow + "/execute"}
	first := s.post(c.path, body).want(s.t, http.StatusOK)
	c.run = first.text(s.t, "run_id")
	return c, first
}

func (c *conversation) turn(input string) response {
	c.s.t.Helper()
	return c.s.post(c.path, `{"run_id":"`+c.run+`","run_input":`+input+`}`)
}

func typesOf(t *testing.T, r response) string {
	t.Helper()
	var list []string
	for _, event := range r.field(t, "events").([]any) {
		list = append(list, event.(map[string]any)["type"].(string))
	}
	return strings.Join(list, " ")
}

// Five turns with two waits. Meanwhile the workflow gets a version that waits
// for nothing: the conversation keeps its own.
func TestAConversationOfFiveTurns(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		wf := strings.TrimPrefix(s.create(talk, `"slug":"talk"`), "wf_")
		c, first := s.converse(wf, `{"run_id":null,"extra":1,"run_input":{"command":"start","more":null,"version_number":null,"dynamic_variables":{"a":1},"runtime_variables":null}}`)
		if got := first.keysOf(t); got != "error events has_active_companions has_background_work is_completed is_waiting_for_input next_input_hint run_id started_by status turn_number" {
			t.Errorf("keys %s", got)
		}
		if got := typesOf(t, first); len(c.run) != 24 || got != "start_workflow start_node_run busy_wait_for_user_message workflow_ready_for_input" {
			t.Errorf("first %s", first.body)
		}
		if hint := first.field(t, "next_input_hint").(map[string]any); hint["type"] != "busy_wait_for_user_message" || hint["prompt"] != "Who?" ||
			hint["origin_node_logical_id"] != "one" || hint["origin_node_name"] != "First question" || hint["logical_id"] != first.text(t, "events", 2, "logical_id") {
			t.Errorf("hint %v", hint)
		}
		s.do(request{method: "PUT", path: "/api/workflows/talk", body: `{"definition":` + trivial + `}`}).want(t, http.StatusOK)
		c.path += "?version=2" // of the first turn only
		for i, want := range []struct {
			input, status string
			number        int
			events        string
		}{
			{`{"command":"start"}`, "waiting_for_user_input", 1, "workflow_ready_for_input"}, // goes on, and only follows
			{
				`{"command":"data","version_number":2,"dynamic_variables":{"who":"I"}}`, "waiting_for_user_input", 2,
				"end_node_run start_node_run end_node_run start_node_run busy_wait_for_user_message workflow_ready_for_input",
			},
			{`{"command":"pause"}`, "paused", 3, "pause_event"},
			{`{"command":"resume"}`, "waiting_for_user_input", 4, "workflow_ready_for_input"},
			{
				`{"command":"data","dynamic_variables":{"n":1,"x":1},"runtime_variables":{"n":9007199254740993},"miscellaneous":{"m":1},"thread_to_node_inputs":{}}`,
				"completed", 5, "end_node_run end_workflow",
			},
		} {
			got := c.turn(want.input).want(t, http.StatusOK)
			waits := want.status == "waiting_for_user_input"
			if got.text(t, "status") != want.status || got.field(t, "turn_number") != jsonNumber(want.number) || typesOf(t, got) != want.events ||
				got.field(t, "is_waiting_for_input") != waits || got.field(t, "is_completed") != (want.status == "completed") ||
				(got.field(t, "next_input_hint") != nil) != waits || got.field(t, "error") != nil {
				t.Errorf("line %d: %s", i, got.body)
			}
		}
		done := s.get("/api/workflows/runs/run_"+c.run).want(t, http.StatusOK)
		if done.field(t, "run", "version") != jsonNumber(1) || !strings.Contains(done.body, `"input":{"a":1}`) ||
			!strings.Contains(done.body, `"output":{"miscellaneous":{"m":1},"n":9007199254740993,"x":1}`) {
			t.Errorf("run %s", done.body)
		}
		if _, next := s.converse("talk", `{"run_input":{}}`); next.text(t, "status") != "completed" {
			t.Errorf("another conversation is on the new version: %s", next.body)
		}
		c.turn(`{"command":"data","dynamic_variables":{"n":1}}`).wantCode(t, http.StatusConflict, "run_finished")
		c.turn(`{}`).wantCode(t, http.StatusConflict, "run_finished")
		if got := c.turn(`{"command":"stop"}`).want(t, http.StatusOK); got.text(t, "status") != "completed" || got.field(t, "turn_number") != jsonNumber(5) {
			t.Errorf("stopped %s", got.body)
		}
	})
}

func TestAConversationIsStoppedInTheMiddle(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(talk, `"slug":"talk"`)
		c, _ := s.converse("talk", `{"run_input":null}`)
		c.turn(`{"command":"data","dynamic_variables":{"who":"I"}}`).want(t, http.StatusOK)
		got := c.turn(`{"command":"stop"}`).want(t, http.StatusOK)
		if got.text(t, "status") != "cancelled" || got.field(t, "is_completed") != true || got.field(t, "error") != nil ||
			got.field(t, "turn_number") != jsonNumber(3) || typesOf(t, got) != "end_workflow" {
			t.Errorf("stopped %s", got.body)
		}
		c.turn(`{"command":"data","dynamic_variables":{"n":1}}`).wantCode(t, http.StatusConflict, "run_finished")
		if again := c.turn(`{"command":"stop"}`).want(t, http.StatusOK); again.text(t, "status") != "cancelled" || typesOf(t, again) != "" {
			t.Errorf("stopped again %s", again.body)
		}
	})
}

// An answer to a paused conversation resumes it; one that is refused leaves it
// as it was.
func TestAnAnswerResumes(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(talk, `"slug":"talk"`)
		c, _ := s.converse("talk", `{"run_id":"","run_input":{"command":null,"thread_to_node_inputs":null,"of_tomorrow":[1]}}`)
		c.turn(`{"command":"data","dynamic_variables":{"who":"I"}}`).want(t, http.StatusOK)
		c.turn(`{"command":"data","dynamic_variables":{"who":"I"}}`).wantCode(t, 422, "invalid_payload")
		c.turn(`{"command":"pause"}`).want(t, http.StatusOK)
		if got := c.turn(`{"command":"pause"}`).want(t, http.StatusOK); got.text(t, "status") != "paused" || got.field(t, "turn_number") != jsonNumber(3) {
			t.Errorf("paused again %s", got.body)
		}
		c.turn(`{"command":"data","dynamic_variables":{"who":"I"}}`).wantCode(t, 422, "invalid_payload")
		if got := s.get("/api/workflows/runs/run_"+c.run).text(t, "run", "status"); got != "paused" {
			t.Errorf("after a refusal %s", got)
		}
		if got := c.turn(`{"command":"data","dynamic_variables":{"n":1}}`).want(t, http.StatusOK); got.text(t, "status") != "completed" {
			t.Errorf("resumed %s", got.body)
		}
	})
}

func TestALoopWithoutProgressIsAborted(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(spin, `"slug":"spin"`)
		c, got := s.converse("spin", `{"run_input":{}}`)
		if got.text(t, "status") != "aborted_looping_risk" || got.field(t, "is_completed") != true || got.field(t, "is_waiting_for_input") != false ||
			got.text(t, "error") == "" || !strings.HasSuffix(typesOf(t, got), "end_node_run workflow_error") {
			t.Errorf("spun %s", got.body)
		}
		if again := c.turn(`{"command":"stop"}`).want(t, http.StatusOK); again.text(t, "status") != "aborted_looping_risk" {
			t.Errorf("stopped %s", again.body)
		}
	})
}

func TestATurnLongerThanItsTimeAnswersRunning(t *testing.T) {
	short := func(a *api.Config, _ *executor.Config) { a.TurnTime = 20 * time.Millisecond }
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(slowTalk, `"slug":"slow"`)
		c, _ := s.converse("slow", `{"run_input":{}}`)
		got := c.turn(`{"command":"data","dynamic_variables":{"a":1}}`).want(t, http.StatusOK)
		s.gate.holds(t, "work")
		for range 2 { // it only follows
			if got.text(t, "status") != "running" || got.field(t, "is_completed") != false || got.field(t, "is_waiting_for_input") != false ||
				got.field(t, "next_input_hint") != nil || got.field(t, "turn_number") != jsonNumber(2) {
				t.Errorf("in the middle %s", got.body)
			}
			got = c.turn(`{"command":"data"}`).want(t, http.StatusOK)
		}
		c.turn(`{"command":"data","dynamic_variables":{"a":1}}`).wantCode(t, http.StatusConflict, "not_waiting_for_input")
		s.gate.open()
		s.until("run_"+c.run, "completed")
	}, short)
}

func TestTheSecondOfTwoTurnsAtOnceIsRefused(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(slowTalk, `"slug":"slow"`)
		c, _ := s.converse("slow", `{"run_input":{}}`)
		first := make(chan response, 1)
		go func() { first <- c.turn(`{"command":"data","dynamic_variables":{"a":1}}`) }()
		s.gate.holds(t, "work")
		for _, input := range []string{`{}`, `{"command":"data","dynamic_variables":{"a":2}}`, `{"command":"stop"}`} {
			c.turn(input).wantCode(t, http.StatusConflict, "turn_in_progress")
		}
		if other, got := s.converse("slow", `{"run_input":{}}`); other.run == c.run || got.text(t, "status") != "waiting_for_user_input" {
			t.Errorf("another conversation is held up: %s", got.body)
		}
		s.gate.open()
		if got := (<-first).want(t, http.StatusOK); got.text(t, "status") != "completed" {
			t.Errorf("the first turn %s", got.body)
		}
		c.turn(`{"command":"stop"}`).want(t, http.StatusOK)
	})
}

func TestTheFirstTurnIsTakenOncePerKey(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(talk, `"slug":"talk"`)
		const path, body = "/v1/workflows/talk/execute", `{"run_input":{"dynamic_variables":{"a":1}}}`
		first := s.do(keyed(path, body, "k")).want(t, http.StatusOK)
		again := s.do(keyed(path, body, "k")).want(t, http.StatusOK)
		if again.body != first.body || first.header.Get("Idempotency-Replayed") != "" || again.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("first %s\nagain %s", first.body, again.body)
		}
		s.do(keyed(path, `{"run_input":{"dynamic_variables":{"a":2}}}`, "k")).wantCode(t, http.StatusConflict, "idempotency_key_reused")
		(&conversation{s, path, first.text(t, "run_id")}).turn(`{"command":"data","dynamic_variables":{"who":"I"}}`).want(t, http.StatusOK)
		late := s.do(keyed(path, body, "k")).want(t, http.StatusOK)
		if late.text(t, "run_id") != first.text(t, "run_id") || late.field(t, "turn_number") != jsonNumber(2) || late.text(t, "next_input_hint", "prompt") != "When?" {
			t.Errorf("late %s", late.body)
		}
		if runs := s.get("/v1/runs").field(t, "runs").([]any); len(runs) != 1 {
			t.Errorf("%d runs", len(runs))
		}
	})
}

func TestATurnTellsItsNewestEvents(t *testing.T) {
	s := newStack(t)
	s.create(strings.Replace(spin, `"while":"true","max_iterations":3`, `"items":"600"`, 1), `"slug":"long"`)
	_, got := s.converse("long", `{"run_input":{}}`)
	types := strings.Fields(typesOf(t, got))
	if len(types) != 1000 || types[999] != "end_workflow" || types[998] != "end_node_run" || got.field(t, "turn_number") != jsonNumber(1) {
		t.Errorf("%d events, %v", len(types), types[max(0, len(types)-2):])
	}
}

// Two clients answer the same wait at once, one of each dialect: one of them is
// told that it did, and it is the one whose answer the run has.
func TestAWaitIsAnsweredOnce(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(approval, `"slug":"flow"`)
		for range 60 {
			c, _ := s.converse("flow", `{"run_input":{}}`)
			var turn, signal response
			var both sync.WaitGroup
			both.Go(func() { turn = c.turn(`{"dynamic_variables":{"approved":true,"by":"turn"}}`) })
			both.Go(func() {
				signal = s.post("/v1/runs/run_"+c.run+"/signals/approve", `{"payload":{"approved":true,"by":"signal"}}`)
			})
			both.Wait()
			by := s.until("run_"+c.run, "completed").text(t, "run", "output", "by")
			if (turn.status == http.StatusOK) != (by == "turn") || (signal.status == http.StatusAccepted) != (by == "signal") {
				t.Fatalf("answered by %s; turn %d %s; signal %d %s", by, turn.status, turn.body, signal.status, signal.body)
			}
		}
	})
}

func TestTurnsThatAreRefused(t *testing.T) {
	s := newStack(t)
	s.create(talk, `"slug":"talk"`)
	s.create(spin, `"slug":"spin"`)
	s.create(approval, `"slug":"strict","trigger_type":"api"`)
	c, _ := s.converse("talk", `{"run_input":{}}`)
	s.post("/v1/workflows/spin/execute", `{"run_id":"`+c.run+`","run_input":{}}`).wantCode(t, 404, "run_not_found")
	s.post(c.path, `{"run_id":"ffffffffffffffffffffffff","run_input":{}}`).wantCode(t, 404, "run_not_found")
	s.post(c.path, `{"run_id":"a b","run_input":{}}`).wantCode(t, 404, "run_not_found")
	s.post("/v1/workflows/nope/execute", `{}`).wantCode(t, 404, "workflow_not_found")
	s.post(c.path+"?version=9", `{"run_input":{}}`).wantCode(t, 404, "version_not_found")
	s.post("/v1/workflows/strict/execute", `{"run_input":{"dynamic_variables":{"n":"x"}}}`).wantCode(t, 422, "invalid_input")
	for _, bad := range []string{
		`{"run_input":{"command":"dance"}}`, `{"run_input":{"command":"stop"}}`, `{"run_input":{"command":"pause"}}`,
		`{"run_input":[]}`, `{"run_input":{"dynamic_variables":3}}`, `{"run_input":{"version_number":{}}}`, `{"run_id":7}`, `[]`,
	} {
		s.post(c.path, bad).wantCode(t, 400, "invalid_request")
	}
	s.do(request{method: "PATCH", path: "/api/workflows/talk/status", body: `{"status":"paused"}`}).want(t, http.StatusOK)
	s.post(c.path, `{"run_input":{}}`).wantCode(t, http.StatusConflict, "workflow_not_runnable")
	c.turn(`{"command":"data"}`).want(t, http.StatusOK) // an open conversation goes on
}

// A turn whose sender meant something else than what it would do does nothing:
// a paused run stays as it is, and no conversation begins.
func TestATurnWithoutRunInputDoesNothing(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.create(talk, `"slug":"talk"`)
	c, _ := s.converse("talk", `{"run_input":{}}`)
	c.turn(`{"command":"pause"}`).want(t, http.StatusOK)
	before := s.get("/api/workflows/runs/" + "run_" + c.run).body
	id := `"run_id":"` + c.run + `"`
	for body, code := range map[string]string{
		``:                              "invalid_run_input",
		`{}`:                            "invalid_run_input",
		`{"command":"start"}`:           "invalid_run_input",
		`{"input":{"command":"stop"}}`:  "invalid_run_input",
		`{` + id + `}`:                  "invalid_run_input",
		`{` + id + `,"command":"stop"}`: "invalid_run_input",
		`{` + id + `,"run_input":null}`: "invalid_run_input",
		`{` + id + `,"run_input":null,"command":"stop"}`:                 "invalid_run_input",
		`{` + id + `,"run_input":{},"command":"stop"}`:                   "invalid_run_input",
		`{` + id + `,"RUN_INPUT":{"command":"stop"}}`:                    "invalid_request",
		`{"Run_Id":"` + c.run + `","run_input":{"command":"stop"}}`:      "invalid_request",
		`{` + id + `,"run_input":{"Command":"stop"}}`:                    "invalid_request",
		`{` + id + `,"run_input":{"command":"STOP"}}`:                    "invalid_request",
		`{` + id + `,"run_input":{"command":"stop "}}`:                   "invalid_request",
		`{` + id + `,"run_input":{"command":["stop"]}}`:                  "invalid_request",
		`{` + id + `,"run_input":{"command":0}}`:                         "invalid_request",
		`{` + id + `,"run_input":"stop"}`:                                "invalid_request",
		`{` + id + `,"run_input":[{"command":"stop"}]}`:                  "invalid_request",
		`{` + id + `,"run_input":{"command":"stop","command":"resume"}}`: "invalid_request",
	} {
		got := s.post(c.path, body)
		if got.status != 400 && got.status != 422 || got.text(t, "code") != code {
			t.Errorf("%s: %d %s, want %s", body, got.status, got.body, code)
		}
	}
	if after := s.get("/api/workflows/runs/" + "run_" + c.run).body; after != before {
		t.Errorf("the run was %s\nand is %s", before, after)
	}
	if list := s.get("/api/workflows/talk/runs").field(t, "total"); list != jsonNumber(1) {
		t.Errorf("%v runs began", list)
	}
}

// Every turn that ends waiting ends with the event that says so, also when one
// of two waits was answered, or nothing happened at all.
func TestATurnThatEndsWaitingSaysSo(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.create(`{"name":"Two","steps":[{"id":"a","type":"wait","config":{"signal":{"name":"one"}}},{"id":"b","type":"wait","config":{"signal":{"name":"two"}}},`+
		`{"id":"c","type":"wait","config":{"signal":{"name":"three"}},"depends_on":["a","b"]}]}`, `"slug":"two"`)
	c, got := s.converse("two", `{"run_input":{}}`)
	const follow, data = `{"command":"data"}`, `{"command":"data","dynamic_variables":{"x":1}}`
	seen := map[string]bool{}
	for i, input := range []string{"", follow, data, follow, data, `{"command":"start"}`, data} {
		if i > 0 {
			got = c.turn(input).want(t, http.StatusOK)
		}
		last := len(got.field(t, "events").([]any)) - 1
		if waits := i < 6; got.field(t, "is_waiting_for_input") != waits || (got.text(t, "events", last, "type") == "workflow_ready_for_input") != waits {
			t.Errorf("turn %d: %s", i, got.body)
		}
		if strings.Count(typesOf(t, got), "workflow_ready_for_input") > 1 {
			t.Errorf("turn %d says it twice: %s", i, got.body)
		}
		seen[got.text(t, "events", last, "logical_id")] = true
	}
	if len(seen) < 4 {
		t.Errorf("ids of the last events: %v", seen)
	}
}

// A turn that another node has in progress is refused here, until it ends.
func TestATurnIsOneOverAllNodes(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(approval, `"slug":"flow"`)
		d := turnsDialect()
		id := d.start(s, "flow")
		if ok, err := s.db.ClaimTurn(t.Context(), id, "another node", time.Hour); err != nil || !ok {
			t.Fatalf("the first turn has not ended: %v %v", ok, err)
		}
		s.do(d.pause(s, id)).wantCode(t, http.StatusConflict, "turn_in_progress")
		if s.row(id).State == machine.Paused {
			t.Error("a refused turn paused the run")
		}
		if err := s.db.FreeTurn(t.Context(), id, "another node"); err != nil {
			t.Fatal(err)
		}
		s.do(d.pause(s, id)).want(t, http.StatusOK)
		s.do(d.cancel(s, id)).want(t, http.StatusOK)
	})
}
