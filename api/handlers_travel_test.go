package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// handledDefinition fails where its input has no number n; both handlers' steps
// are in a row.
const handledDefinition = `{"name":"Handled","steps":[{"id":"main","type":"condition","config":{"expression":"input.n > 1"}}],` +
	`"on_failure":[{"id":"alert","type":"condition","config":{"expression":"run.error.step_id == 'main'"}},{"id":"ticket","type":"wait","depends_on":["alert"],"config":{"seconds":0}}],` +
	`"finally":[{"id":"unlock","type":"condition","config":{"expression":"run.state == 'failed'"}},{"id":"report","type":"wait","depends_on":["unlock"],"config":{"seconds":0}}]}`

// steps lists the steps that a run began, with the handler of each.
func (s *stack) steps(run string) []string {
	s.t.Helper()
	var ids []string
	list, _ := s.get("/api/workflows/runs/"+run).want(s.t, http.StatusOK).field(s.t, "run", "step_runs").([]any)
	for _, item := range list {
		step, _ := item.(map[string]any)
		text, _ := step["step_id"].(string)
		if handler, ok := step["handler"].(string); ok {
			text = handler + "/" + text
		}
		status, _ := step["status"].(string)
		ids = append(ids, text+" "+status)
	}
	return ids
}

var handledFailed = []string{"main failed", "on_failure/alert completed", "on_failure/ticket completed", "finally/unlock completed", "finally/report completed"}

// What is imported has the handlers of what was exported, in every version, and
// runs them.
func TestHandlersAreExportedAndImported(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *stack) {
		s := open()
		id := s.create(handledDefinition, `"slug":"handled"`)
		without := `{"name":"Handled","steps":[{"id":"main","type":"condition","config":{"expression":"true"}}]}`
		s.put("/api/workflows/"+id, `{"definition":`+without+`,"publish":false}`).want(t, http.StatusOK)
		for _, query := range []string{"", "?ids=true"} {
			text := s.export(query)
			far := open()
			far.imports("", text).want(t, http.StatusOK)
			if got := far.export(query); got != text {
				t.Errorf("exported again:\n%s\nnot\n%s", got, text)
			}
			for _, version := range []string{"1", "2"} {
				path := "/api/workflows/handled/versions/" + version
				want, got := s.get(path).want(t, http.StatusOK), far.get(path).want(t, http.StatusOK)
				if want.text(t, "definition_hash") != got.text(t, "definition_hash") || strings.Contains(got.body, `"on_failure":[`) != (version == "1") {
					t.Errorf("%s: %s\nnot\n%s", path, got.body, want.body)
				}
			}
			diff := "/api/workflows/handled/diff?v1=1&v2=2"
			if want, got := s.get(diff).want(t, http.StatusOK), far.get(diff).want(t, http.StatusOK); want.body != got.body {
				t.Errorf("diff: %s\nnot\n%s", got.body, want.body)
			}
			run := far.start("handled", `{"input_data":{"n":"x"}}`)
			far.until(run, "failed")
			if got := far.steps(run); !slices.Equal(got, handledFailed) {
				t.Errorf("the imported one ran %v", got)
			}
		}
		// A line that breaks a rule of handlers is refused as a save is.
		bad := strings.Replace(s.export(""), `"depends_on":["unlock"]`, `"depends_on":["main"]`, 1)
		if got := open().imports("", bad); got.status == http.StatusOK && strings.Contains(got.body, `"failed":[]`) || !strings.Contains(got.body, "main") {
			t.Errorf("a handler that depends on a main step: %d %s", got.status, got.body)
		}
	})
}

// A run that a schedule starts runs its handlers, and so does one that was due in
// the past; the next due time is not kept back by a failure.
func TestAScheduledRunHasItsHandlers(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		w := s.create(handledDefinition, "")
		id := s.post("/api/workflows/"+w+"/schedules", `{"cron_expression":"0 9 * * *","input_data":{"n":"x"},"overlap_policy":"queue"}`).want(t, http.StatusCreated).text(t, "schedule_id")
		one := "/api/workflows/schedules/" + id
		triggered := s.post(one+"/trigger", "").want(t, http.StatusAccepted).text(t, "run_id")
		s.until(triggered, "failed")
		if got := s.steps(triggered); !slices.Equal(got, handledFailed) {
			t.Errorf("a run by hand: %v", got)
		}
		s.post(one+"/backfill", `{"from":"2026-01-04T00:00:00Z","to":"2026-01-06T00:00:00Z"}`).want(t, http.StatusAccepted)
		var runs []string
		s.eventually("both due times have had their run", func() bool {
			s.schedules.Tick(t.Context())
			list, _ := s.get("/api/workflows/"+w+"/runs?status=failed").want(t, http.StatusOK).field(t, "runs").([]any)
			runs = nil
			for _, item := range list {
				run, _ := item.(map[string]any)
				id, _ := run["id"].(string)
				runs = append(runs, id)
			}
			return len(runs) == 3
		})
		for _, run := range runs {
			if got := s.steps(run); !slices.Equal(got, handledFailed) {
				t.Errorf("a due time's run: %v", got)
			}
		}
	})
}

// A template has handlers like any definition: parameters reach them, an update
// merges them by id beside the edits of the workflow, and its conflicts name them.
func TestATemplateWithHandlers(t *testing.T) {
	s := newStack(t)
	handlers := func(seconds, expression, more string) string {
		return `"parameters":{"type":"object","properties":{"who":{"type":"string","default":"ops"}}},"definition":{"name":"Handled",` +
			`"steps":[{"id":"main","type":"condition","config":{"expression":"input.n > 1"}}],` +
			`"on_failure":[{"id":"alert","type":"condition","name":"For ${{ params.who }}","config":{"expression":"` + expression + `"}}` + more + `],` +
			`"finally":[{"id":"tidy","type":"wait","config":{"seconds":` + seconds + `}}]}`
	}
	tpl := s.template(handlers("0", "true", ""))
	w := s.install(tpl, `{"parameters":{"who":"me"}}`)
	path := "/api/workflows/" + w
	run := s.start(w, `{"input_data":{"n":"x"}}`)
	s.until(run, "failed")
	if got := s.steps(run); !slices.Equal(got, []string{"main failed", "on_failure/alert completed", "finally/tidy completed"}) {
		t.Errorf("installed, it ran %v", got)
	}
	if got := s.get(path).want(t, http.StatusOK); !strings.Contains(got.body, "For me") {
		t.Errorf("installed: %s", got.body)
	}
	edited := `{"definition":{"name":"Handled","steps":[{"id":"main","type":"condition","config":{"expression":"input.n > 1"}}],` +
		`"on_failure":[{"id":"alert","type":"condition","name":"For me","config":{"expression":"1 < 2"}}],` +
		`"finally":[{"id":"mine","type":"wait","config":{"seconds":0}},{"id":"tidy","type":"wait","config":{"seconds":0}}]}}`
	s.put(path, edited).want(t, http.StatusOK)
	s.put(templatesPath+"/"+tpl, `{`+handlers("0.01", "2 > 1", `,{"id":"page","type":"wait","depends_on":["alert"],"config":{"seconds":0}}`)+`}`).want(t, http.StatusOK)
	done := s.update(w, "", "").want(t, http.StatusOK)
	if !strings.Contains(done.body, `"step_id":"page"`) || !strings.Contains(done.body, `"step_id":"tidy"`) ||
		!strings.Contains(done.body, `"edited":"1 \u003c 2"`) && !strings.Contains(done.body, `"edited":"1 < 2"`) || done.text(t, "conflicts", 0, "step_id") != "alert" {
		t.Errorf("updated: %s", done.body)
	}
	again := s.start(w, `{"input_data":{"n":"x"},"version":"`+done.field(t, "version").(interface{ String() string }).String()+`"}`)
	s.until(again, "failed")
	want := []string{"main failed", "on_failure/alert completed", "on_failure/page completed", "finally/mine completed", "finally/tidy completed"}
	if got := s.steps(again); !slices.Equal(got, want) {
		t.Errorf("updated, it ran %v, want %v", got, want)
	}
}
