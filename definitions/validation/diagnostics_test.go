package validation_test

import (
	"encoding/json"
	"fmt"
	"heddle/definitions/parser"
	"heddle/definitions/schemas"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/fault"
	"strings"
	"testing"
)

// one checks a text that has exactly one problem.
func one(t *testing.T, src string, format source.Format) fault.Issue {
	t.Helper()
	_, ds := validation.Check([]byte(src), format, testCatalog())
	if len(ds) != 1 {
		t.Fatalf("%s: %+v", src, ds)
	}
	return ds[0]
}

func TestSuggestions(t *testing.T) {
	for steps, want := range map[string]string{
		`{id: a, type: free, dependson: []}`:                                                 "depends_on",
		`{id: a, type: free, ENABLED: true}`:                                                 "enabled",
		`{id: a, type: http_requst}`:                                                         "http_request",
		`{id: a, type: lopo}`:                                                                "loop",
		`{id: a, type: free, on_error: contineu}`:                                            "continue",
		`{id: a, type: free, on_error: quit}`:                                                "",
		`{id: fetch, type: free}, {id: b, type: free, depends_on: [fecth]}`:                  "fetch",
		`{id: a, type: free}, {id: b, type: free, depends_on: [c]}`:                          "",
		`{id: a, type: free, if: imput.x == 1}`:                                              "input",
		`{id: a, type: free, enabled: "on"}`:                                                 "true",
		`{id: a, type: free, timeout_seconds: "30"}`:                                         "30",
		`{id: a, type: script, config: {script: x, langauge: python}}`:                       "language",
		`{id: a, type: http_request, config: {url: x, method: post}}`:                        "POST",
		`{id: a, type: http_request, config: {url: x, auth: {type: baerer, token: x}}}`:      "bearer",
		`{id: my-step, type: free}, {id: b, type: free, if: steps.my-step.status == "x"}`:    `steps["my-step"]`,
		`{id: a, type: free, retry: {backoff: Linear}}`:                                      "linear",
		`{id: a, type: free, retry: {on: [conection_failed]}}`:                               "connection_failed",
		`{id: a, type: free, retry: {on: [webhook_gon]}}`:                                    "webhook_gone",
		`{id: a, type: free, retry: {on: [" 503"]}}`:                                         "503",
		`{id: a, type: free, retry: {on: [5XX]}}`:                                            "5xx",
		`{id: a, type: free, retry: {except: ["exit code 2"]}}`:                              "exit_code:2",
		`{id: a, type: free, retry: {on: [{exit_code: 2}]}}`:                                 "exit_code:2",
		`{id: a, type: free, on_error: fallback, fallback_step: bb1}, {id: bb2, type: free}`: "bb2",
	} {
		if d := one(t, "name: n\nsteps: ["+steps+"]", source.YAML); d.Suggestion != want {
			t.Errorf("%s: %q (%s)", steps, d.Suggestion, d.Message)
		}
	}
}

func TestRelatedPlaces(t *testing.T) {
	for steps, want := range map[string]string{
		`{id: a, type: free}, {id: a, type: free}`: "[/steps/0/id]",
		`{id: a, type: free, depends_on: [b]}, {id: b, type: free, depends_on: [c]}, {id: c, type: free, depends_on: [a]}`: "[/steps/1 /steps/2]",
		`{id: c, type: condition, config: {expression: input.x, then: [a]}}, {id: a, type: free}`:                          "[/steps/1]",
		`{id: w, type: wait, config: {seconds: 1, until: input.x}}`:                                                        "[/steps/0/config/seconds /steps/0/config/until]",
		`{id: a, type: http_request, config: {url: "ftp://x", method: GET}}`:                                               "[/steps/0/config/method]",
	} {
		if d := one(t, "name: n\nsteps: ["+steps+"]", source.YAML); fmt.Sprint(d.Related) != want {
			t.Errorf("%s: %v", steps, d.Related)
		}
	}
}

// TestColumnsInsideExpressions: the column is that of the wrong word, where
// the source shows the text as it is; else that of the value.
func TestColumnsInsideExpressions(t *testing.T) {
	for _, src := range []string{
		`{"name":"é","steps":[{"id":"a","type":"free","if":"1 == 1 && §imput.x"}]}`,
		`{"name":"n","steps":[{"id":"a","type":"free","config":{"x":["é{{ 1 }} {{ §imput.x }}"]}}]}`,
		`{"name":"n","steps":[{"id":"a","type":"free","if":§"\u0031 == 1 && imput.x"}]}`,
		"name: n\nsteps:\n  - {id: a, type: free, if: 1 == 1 && §imput.x}",
		"name: é\nsteps:\n  - {id: a, type: free, if: 1 == 1 && \"é\" != \"x\" && §imput.x}",
		"name: n\nsteps:\n  - {id: a, type: free, if: \"1 == 1 && §imput.x\"}",
		"name: n\nsteps:\n  - {id: a, type: free, if: '1 == 1 && §imput.x'}",
		"name: n\nsteps:\n  - {id: a, type: free, if: §'''1'' == \"1\" && imput.x'}",
		"name: n\nsteps:\n  - id: a\n    type: free\n    if: §>\n      1 == 1 &&\n      imput.x",
	} {
		before, _, _ := strings.Cut(src, "§")
		line := strings.Count(before, "\n") + 1
		column := len([]rune(before[strings.LastIndex(before, "\n")+1:])) + 1
		format := source.YAML
		if src[0] == '{' {
			format = source.JSON
		}
		if d := one(t, strings.Replace(src, "§", "", 1), format); d.Line != line || d.Column != column {
			t.Errorf("%s\n%d:%d, want %d:%d: %s", src, d.Line, d.Column, line, column, d.Message)
		}
	}
}

func TestValidateSortsErrorsBeforeWarnings(t *testing.T) {
	doc, _ := parser.Parse([]byte(`{"name":"n","steps":[
		{"id":"a","type":"free","enabled":false},
		{"id":"b","type":"free","depends_on":["a"]},
		{"id":"c","type":"free","output_schema":{"type":"x"}}]}`), source.JSON)
	ds := validation.Validate(doc, nil)
	if found(ds) != "schema_invalid /steps/2/output_schema/type\nunreachable_step /steps/1" {
		t.Error(found(ds))
	}
	if validation.Valid(ds) || !validation.Valid(ds[1:]) || len(validation.Messages(ds)) != 1 || validation.Messages(nil) == nil {
		t.Errorf("%v %v", validation.Valid(ds), validation.Messages(ds))
	}
}

func TestTooLargeABody(t *testing.T) {
	limits := source.RequestLimits()
	limits.Bytes = 10
	if err := source.ScanJSON([]byte(`"12345678"`), limits); err != nil {
		t.Error(err)
	}
	if err := source.ScanJSON([]byte(`"123456789"`), limits); fault.KindOf(err) != fault.TooLarge {
		t.Error(err)
	}
	body := []byte(`{"definition":{},"x":"` + strings.Repeat("x", source.MaxBytes) + `"}`)
	if _, _, err := parser.ParseRequest(body, source.JSON); fault.KindOf(err) != fault.TooLarge {
		t.Error(err)
	}
}

// TestSchemaErrorsTellNothingOfTheMachine: the library's own errors quote the working
// directory, and none of them is shown.
func TestSchemaErrorsTellNothingOfTheMachine(t *testing.T) {
	for _, schema := range []string{`{"type":"x"}`, `{"$ref":"other.json"}`, `{"$ref":"#/$defs/x"}`, `{"$ref":"file:///etc/passwd"}`, `{"pattern":"["}`} {
		_, err := schemas.NewChecker(json.RawMessage(schema))
		if err == nil || strings.Contains(err.Error(), "/definitions/") {
			t.Errorf("%s: %v", schema, err)
		}
		d := one(t, `{"name":"n","input":`+schema+`,"steps":[{"id":"a","type":"free"}]}`, source.JSON)
		if d.Code != "schema_invalid" || strings.Contains(d.Message, "heddle:") || strings.Contains(d.Message, "/definitions/") {
			t.Errorf("%s: %s", schema, d.Message)
		}
	}
}
