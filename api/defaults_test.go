package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const withDefaults = `{"name":"Defaults","input":{"type":"object","properties":{` +
	`"mode":{"enum":["full","fast"],"default":"full"},"note":{"default":"none"},` +
	`"opts":{"type":"object","properties":{"n":{"$ref":"#/$defs/n"}}}},"$defs":{"n":{"type":"integer","default":9007199254740993}},` +
	`"required":["mode"],"additionalProperties":false},` +
	`"output":"{{ input }}","steps":[{"id":"a","type":"wait","config":{"seconds":0}}]}`

// TestDefaultsOfTheInputSchema: every way to start a run puts them in, shows
// them and lets expressions see them.
func TestDefaultsOfTheInputSchema(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	wf := s.create(withDefaults, `"slug":"flow","status":"active"`)
	const given, filled = `{"note":null,"opts":{}}`, `{"note":null,"opts":{"n":9007199254740993},"mode":"full"}`
	const whole = `{"mode":"full","note":"none"}`
	shows := func(t *testing.T, run, input string) {
		t.Helper()
		got := s.until(run, "completed")
		if !strings.Contains(got.body, `"input":`+input) || !strings.Contains(got.body, `"output":`+input) {
			t.Errorf("%s\nwant the input and output %s", got.body, input)
		}
	}
	shows(t, s.start(wf, `{"input_data":`+given+`}`), filled)
	shows(t, s.start(wf, ``), whole)
	shows(t, s.post("/v1/runs", `{"workflow_id":"`+wf+`","input":`+given+`}`).want(t, http.StatusCreated).text(t, "run_id"), filled)
	dry := s.post("/api/workflows/"+wf+"/dry-run", `{"input_data":`+given+`}`).want(t, http.StatusOK)
	if !strings.Contains(dry.body, `"output":`+filled) {
		t.Errorf("dry run: %s", dry.body)
	}
	schedule := s.post("/api/workflows/"+wf+"/schedules", `{"cron_expression":"0 9 * * *","timezone":"UTC","input_data":`+given+`}`).want(t, http.StatusCreated).text(t, "schedule_id")
	shows(t, s.post("/api/workflows/schedules/"+schedule+"/trigger", "").want(t, http.StatusAccepted).text(t, "run_id"), filled)
	shows(t, s.latest(wf, s.instantiate("flow", `{"id":"one","params":`+given+`}`)).RunID, filled)
	s.post("/api/workflows/"+wf+"/run", `{"input_data":{"mode":null}}`).wantCode(t, http.StatusUnprocessableEntity, "invalid_input")
}

// TestDefaultsAreChecked: a default is put in before the input is judged.
func TestDefaultsAreChecked(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	wf := s.create(strings.Replace(withDefaults, `"default":"full"`, `"default":"slow"`, 1), "")
	s.post("/api/workflows/"+wf+"/run", ``).wantCode(t, http.StatusUnprocessableEntity, "invalid_input")
	s.start(wf, `{"input_data":{"mode":"fast"}}`)
}

// TestDefaultsOfAnotherVersion: a run that goes on with another version has its
// old input and what that version's defaults add.
func TestDefaultsOfAnotherVersion(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	definition := func(input, least string) string {
		return `{"name":"Moves","input":{"properties":{"n":{` + input + `}}},"output":"{{ input }}","steps":[{"id":"a","type":"condition","config":{"expression":"input.n + 1 > ` + least + `"}}]}`
	}
	wf := s.create(definition(``, "1"), "")
	run := s.start(wf, `{"input_data":{"m":1}}`)
	s.until(run, "failed")
	for version, c := range []struct{ definition, status, input string }{
		{definition(`"type":"integer"`, "1"), "failed", `{"m":1}`},
		{definition(`"type":"integer","default":5`, "10"), "completed", `{"m":1,"n":5}`},
	} {
		s.send(http.MethodPut, "/api/workflows/"+wf, `{"definition":`+c.definition+`}`, nil).want(t, http.StatusOK)
		s.post("/api/workflows/runs/"+run+"/resume", fmt.Sprintf(`{"version":%d}`, version+2)).want(t, http.StatusAccepted)
		if got := s.until(run, c.status); !strings.Contains(got.body, `"input":`+c.input) {
			t.Errorf("%s", got.body)
		}
	}
}
