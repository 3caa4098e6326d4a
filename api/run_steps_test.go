package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/api"
	"heddle/executor"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// stepsOf returns what a list of steps says, "id status" each, in one text.
func (r response) stepsOf(t testing.TB) string {
	t.Helper()
	var list []string
	for _, s := range r.want(t, http.StatusOK).field(t, "steps").([]any) {
		step := s.(map[string]any)
		id := step["step_id"].(string)
		if at, ok := step["iteration"].(string); ok {
			id = at + "." + id
		}
		list = append(list, id+" "+step["status"].(string))
	}
	return strings.Join(list, ", ")
}

// twoGates is a workflow whose run stops at two signals, one of them in a loop.
const twoGates = `{"name":"Gated","steps":[` +
	`{"id":"first","name":"The First","type":"condition","config":{"expression":"true"}},` +
	`{"id":"gate","type":"wait","config":{"signal":{"name":"go","prompt":"Go on?","schema":{"type":"object"}}},"depends_on":["first"]},` +
	`{"id":"each","type":"loop","config":{"items":"[1,2]","concurrency":2,"steps":[{"id":"nap","type":"wait","config":{"signal":{"name":"wake"}},"if":"item == 2"}]},"depends_on":["gate"]},` +
	`{"id":"last","type":"condition","config":{"expression":"true"},"depends_on":["each"]}]}`

// TestStepsOfARunAreListed: pending ones too, by status, type, text and loop, and what has changed
// behind an event alone, up to the run's end.
func TestStepsOfARunAreListed(t *testing.T) {
	s := newStack(t)
	id := s.start(s.create(twoGates, `"slug":"gated"`), "")
	s.until(id, "waiting")
	base := "/api/workflows/runs/" + id
	all := s.get(base + "/steps")
	if got := all.stepsOf(t); got != "first completed, gate waiting, each pending, last pending" {
		t.Fatalf("the steps are %s", got)
	}
	if all.text(t, "steps", 0, "name") != "The First" || all.text(t, "steps", 1, "wait", "prompt") != "Go on?" || all.field(t, "steps", 0, "output_bytes").(json.Number) == "0" {
		t.Errorf("%s", all.body)
	}
	seq := fmt.Sprint(all.field(t, "seq"))
	for query, want := range map[string]string{
		"?status=waiting,pending":         "gate waiting, each pending, last pending",
		"?type=loop":                      "each pending",
		"?q=FIRST":                        "first completed",
		"?changed_after=" + seq:           "",
		"?changed_after=0&status=waiting": "gate waiting",
		"?parent=each":                    "",
	} {
		if got := s.get(base + "/steps" + query).stepsOf(t); got != want {
			t.Errorf("%s: %s, not %s", query, got, want)
		}
	}
	pages := ""
	for cursor := ""; ; {
		page := s.get(base + "/steps?limit=1&output=head" + cursor)
		pages += page.stepsOf(t) + ";"
		if page.field(t, "next_cursor") == nil {
			break
		}
		cursor = "&cursor=" + page.text(t, "next_cursor")
	}
	if pages != "first completed;gate waiting;each pending;last pending;" {
		t.Errorf("the pages are %s", pages)
	}
	s.post("/v1/runs/"+id+"/signals/go", `{"payload":{}}`).want(t, http.StatusAccepted)
	s.eventually("the loop waits", func() bool {
		return strings.Contains(s.get(base+"/steps?parent=each").body, `"each[1]"`)
	})
	changed := s.get(base + "/steps?changed_after=" + seq)
	if got := changed.stepsOf(t); got != "gate completed, each running" {
		t.Errorf("behind %s changed %s", seq, got)
	}
	inner := s.get(base + "/steps?parent=each")
	if got := inner.stepsOf(t); got != "each[1].nap waiting" {
		t.Errorf("in the loop: %s", got)
	}
	if last := mustInt(t, fmt.Sprint(inner.field(t, "steps", 0, "seq"))); last <= mustInt(t, seq) || last > mustInt(t, fmt.Sprint(inner.field(t, "seq"))) {
		t.Errorf("the last event of the step in the loop is %d: %s", last, inner.body)
	}
	if loop := s.get(base + "/steps?type=loop"); loop.field(t, "steps", 0, "waiting") != true {
		t.Errorf("all of the loop waits: %s", loop.body)
	}
	if got := s.get(base+"/steps/each/iterations?status=waiting").want(t, http.StatusOK).text(t, "iterations", 0, "iteration"); got != "each[1]" {
		t.Errorf("%s waits", got)
	}
	seq = fmt.Sprint(changed.field(t, "seq"))
	s.post(base+"/cancel", "").want(t, http.StatusOK)
	s.until(id, "cancelled")
	if got := s.get(base + "/steps?changed_after=" + seq).stepsOf(t); !strings.Contains(got, "each cancelled") {
		t.Errorf("after the end changed %s", got)
	}
	for _, query := range []string{"status=sleeping", "output=all", "changed_after=x", "changed_after=-1", "changed_after=99999", "cursor=x", "cursor=-1", "limit=0"} {
		s.get(base+"/steps?"+query).wantCode(t, http.StatusBadRequest, "invalid_request")
	}
	s.get(base+"/steps?parent=gate").wantCode(t, http.StatusNotFound, "step_not_found")
}

// TestAStepHasItsAttempts: a top-level step, one in an iteration that has ended, and none elsewhere.
func TestAStepHasItsAttempts(t *testing.T) {
	s := newStack(t)
	id := s.start(s.create(`{"name":"Loop","steps":[{"id":"each","type":"loop","config":{"items":"[1,2]","steps":[{"id":"one","type":"condition","config":{"expression":"item > 1"}}]}}]}`, ""), "")
	s.until(id, "completed")
	base := "/api/workflows/runs/" + id + "/steps/"
	loop := s.get(base+"each").want(t, http.StatusOK)
	if loop.text(t, "step", "status") != "completed" || fmt.Sprint(loop.field(t, "step", "iterations", "completed")) != "2" {
		t.Errorf("%s", loop.body)
	}
	inner := s.get(base+"one?iteration=each%5B1%5D").want(t, http.StatusOK)
	if inner.text(t, "step", "status") != "completed" || inner.text(t, "step", "attempts", 0, "status") != "completed" || inner.field(t, "step", "attempts", 0, "output", "result") != true {
		t.Errorf("%s", inner.body)
	}
	for _, path := range []string{"none", "one", "one?iteration=each%5B7%5D", "each?iteration=x"} {
		s.get(base+path).wantCode(t, http.StatusNotFound, "step_not_found")
	}
}

// TestAnAttemptSaysWhatItWasGiven: of one that failed the config as rendered, and in which
// generation of the step each was.
func TestAnAttemptSaysWhatItWasGiven(t *testing.T) {
	fails := atomic.Bool{}
	fails.Store(true)
	s := newStack(t, func(_ *api.Config, e *executor.Config) {
		e.Runner = runnerFunc(func(context.Context, executor.Call) (executor.Result, error) {
			if fails.Load() {
				return executor.Result{}, errors.New("no")
			}
			return executor.Result{Output: json.RawMessage(`{}`)}, nil
		})
	})
	wf := s.create(`{"name":"Send","steps":[{"id":"send","type":"http_request","config":{"url":"https://x/{{ input.n }}","headers":{"Authorization":"Bearer {{ input.n }}"}}}]}`, "")
	id := s.start(wf, `{"input_data":{"n":7}}`)
	s.until(id, "failed")
	fails.Store(false)
	s.post("/api/workflows/runs/"+id+"/resume", `{"from_step":"send"}`).want(t, http.StatusAccepted)
	s.until(id, "completed")
	step := s.get("/api/workflows/runs/"+id+"/steps/send").want(t, http.StatusOK)
	if got := step.field(t, "step", "attempts", 0, "rendered_input", "url"); got != "https://x/7" || step.text(t, "step", "attempts", 0, "rendered_input", "headers", "Authorization") != "***" {
		t.Errorf("%s", step.body)
	}
	if step.field(t, "step", "attempts", 1, "rendered_input") != nil {
		t.Errorf("one that succeeded: %s", step.body)
	}
	if a, b := fmt.Sprint(step.field(t, "step", "attempts", 0, "generation")), fmt.Sprint(step.field(t, "step", "attempts", 1, "generation")); a != "0" || b != "1" {
		t.Errorf("generations %s and %s", a, b)
	}
	refused := s.post("/api/workflows/validate", `{"definition":{"name":"x","retention":"some","steps":[{"id":"a","type":"condition","config":{"expression":"true"}}]}}`).want(t, http.StatusOK)
	if refused.text(t, "diagnostics", 0, "pointer") != "/retention" || refused.text(t, "diagnostics", 0, "code") != "invalid_value" {
		t.Errorf("%s", refused.body)
	}
}

// TestARunHasASummary: without its steps, with their counts and what the list says of it.
func TestARunHasASummary(t *testing.T) {
	s := newStack(t)
	id := s.start(s.create(twoGates, `"slug":"gated"`), "")
	s.until(id, "waiting")
	sum := s.get("/api/workflows/runs/"+id+"?view=summary").want(t, http.StatusOK)
	if _, has := sum.field(t, "run").(map[string]any)["step_runs"]; has {
		t.Errorf("it has steps: %s", sum.body)
	}
	for path, want := range map[string]string{"waiting": "1", "pending": "2", "completed": "1", "total": "4"} {
		if got := fmt.Sprint(sum.field(t, "run", "counts", path)); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
	if sum.text(t, "run", "workflow", "slug") != "gated" || sum.text(t, "run", "waiting_for", "prompt") != "Go on?" || sum.text(t, "run", "links", "steps") != "/api/workflows/runs/"+id+"/steps" {
		t.Errorf("%s", sum.body)
	}
	s.get("/api/workflows/runs/"+id+"?view=short").wantCode(t, http.StatusBadRequest, "invalid_request")
	// The definition is that of a version that it ran on.
	s.get("/api/workflows/runs/"+id+"/definition?version=1").want(t, http.StatusOK)
	s.get("/api/workflows/runs/"+id+"/definition?version=2").wantCode(t, http.StatusNotFound, "version_not_found")
	s.get("/api/workflows/runs/"+id+"/definition?version=0").wantCode(t, http.StatusBadRequest, "invalid_request")
}

// TestAStreamBeginsWhereItIsTold: behind an event, without outputs, and with the position first.
func TestAStreamBeginsWhereItIsTold(t *testing.T) {
	s := newStack(t)
	id := s.start(s.create(trivial, ""), "")
	s.until(id, "completed")
	path := "/api/workflows/runs/" + id + "/stream"
	seq := fmt.Sprint(s.get("/api/workflows/runs/"+id+"?view=summary").field(t, "run", "seq"))
	whole, bare := s.get(path).want(t, http.StatusOK).body, s.get(path+"?output=none&snapshot=true").want(t, http.StatusOK).body
	if !strings.Contains(whole, `"output":`) || strings.Contains(bare, `"output":`) {
		t.Errorf("outputs: %s\n%s", whole, bare)
	}
	if first := "event: snapshot\ndata: {\"run_id\":\"" + id + "\",\"snapshot_seq\":" + seq + "}\n\n"; !strings.HasPrefix(strings.TrimLeft(bare, ":\n"), first) || strings.Contains(whole, "snapshot") {
		t.Errorf("it begins with %.200s", bare)
	}
	last := s.get(path+"?after="+fmt.Sprint(mustInt(t, seq)-1)).want(t, http.StatusOK).body
	if strings.Count(last, "event: ") != 1 || !strings.Contains(last, "run_completed") {
		t.Errorf("behind the last but one: %s", last)
	}
	s.get(path+"?after="+seq).want(t, http.StatusNoContent)
	s.get(path+"?after=x").wantCode(t, http.StatusBadRequest, "invalid_request")
	s.get(path+"?after=99999").wantCode(t, http.StatusBadRequest, "invalid_last_event_id")
	s.get(path+"?output=some").wantCode(t, http.StatusBadRequest, "invalid_request")
}

// mustInt returns a number.
func mustInt(t testing.TB, text string) int {
	t.Helper()
	var n int
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		t.Fatal(err)
	}
	return n
}
