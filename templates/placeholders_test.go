package templates_test

import (
	"encoding/json"
	"heddle/fault"
	"heddle/templates"
	"strings"
	"testing"
)

const schema = `{"type":"object","additionalProperties":false,"required":["url"],"properties":{
	"url":{"type":"string","examples":["https://example.com"]},
	"count":{"type":"integer","default":3},
	"big":{"type":"number","default":9007199254740993},
	"list":{"type":"array","default":["a","b\"c"]},
	"limits":{"type":"object","default":{},"properties":{"depth":{"type":"integer","default":4}}},
	"unused":{"type":"string"}}}`

func TestMarksArePlaced(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a whole value keeps its type":      {`"${{ params.count }}"`, `3`},
		"spaces do not matter":              {`"${{params.count}}"`, `3`},
		"numbers stay as written":           {`"${{ params.big }}"`, `9007199254740993`},
		"a list":                            {`"${{ params.list }}"`, `["a","b\"c"]`},
		"within text":                       {`"n=${{ params.count }}, ${{ params.url }}"`, `"n=3, https://x"`},
		"a list within text is JSON":        {`" ${{ params.list }}"`, `" [\"a\",\"b\\\"c\"]"`},
		"json makes text of a value":        {`"${{ json(params.count) }}"`, `"3"`},
		"json quotes text":                  {`"x == ${{ json( params.url ) }}"`, `"x == \"https://x\""`},
		"a run-time expression stays":       {`"${{ input.price }} {{ params.count }}"`, `"${{ input.price }} {{ params.count }}"`},
		"another dollar makes it plain":     {`"$${{ params.count }}"`, `"${{ params.count }}"`},
		"and only one":                      {`"$$${{ params.count }}"`, `"$${{ params.count }}"`},
		"plain among others":                {`"${{ params.count }}$${{ params.count }}"`, `"3${{ params.count }}"`},
		"a default inside of what is there": {`"${{ params.limits }}"`, `{"depth":4}`},
		"keys are left alone":               {`{"${{ params.count }}":1}`, `{"${{ params.count }}":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			tpl := templates.Template{Parameters: json.RawMessage(schema), Definition: json.RawMessage(`{"v":` + c.text + `}`)}
			got, issues := templates.Instantiate(tpl, "", json.RawMessage(`{"url":"https://x","limits":{}}`))
			if want := `{"v":` + c.want + `}`; len(issues) > 0 || string(got) != want {
				t.Errorf("%s %v, want %s", got, issues, want)
			}
		})
	}
}

func TestInstantiateRefusesWhatDoesNotFit(t *testing.T) {
	for name, c := range map[string]struct{ given, code, pointer string }{
		"missing":            {`{}`, "invalid_value", ""},
		"none at all":        {``, "invalid_value", ""},
		"wrong type":         {`{"url":5}`, "invalid_value", "/url"},
		"unknown":            {`{"url":"x","cuont":1}`, "unknown_parameter", "/cuont"},
		"no object":          {`[1]`, "wrong_type", ""},
		"no JSON":            {`{`, "wrong_type", ""},
		"used and not given": {`{"url":"x"}`, "missing_parameter", "/unused"},
		"too much of it":     {`{"url":"x","unused":"` + strings.Repeat("x", 200_000) + `"}`, "limit_exceeded", ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Repeat(`"a${{ params.unused }}",`, 30)
			tpl := templates.Template{Parameters: json.RawMessage(schema), Definition: json.RawMessage(`{"v":[` + text + `1]}`)}
			got, issues := templates.Instantiate(tpl, "", json.RawMessage(c.given))
			if got != nil || len(issues) != 1 || issues[0].Code != c.code || issues[0].Pointer != c.pointer {
				t.Errorf("%.100s %+v", got, issues)
			}
			if c.code == "limit_exceeded" && !strings.Contains(issues[0].Message, "shorten") {
				t.Errorf("found only when all was built: %s", issues[0].Message)
			}
		})
	}
}

func TestInstantiateNamesTheDefinition(t *testing.T) {
	tpl := templates.Template{Parameters: json.RawMessage(templates.NoParameters), Definition: json.RawMessage(`{"name":"Old","x":1e400}`)}
	got, issues := templates.Instantiate(tpl, "New ${{ params.x }}", nil)
	if string(got) != `{"name":"New ${{ params.x }}","x":1e400}` || issues != nil {
		t.Errorf("%s %v", got, issues)
	}
}

const oneStep = `{"name":"T","steps":[{"id":"a","type":"wait","config":{"seconds":"${{ params.n }}"}}]}`

func TestTryFindsWhatIsWrongWithATemplate(t *testing.T) {
	number := `{"type":"object","properties":{"n":%}}`
	for name, c := range map[string]struct{ schema, definition, code, pointer string }{
		"sound":                    {strings.Replace(number, "%", `{"type":"number","default":1}`, 1), oneStep, "", ""},
		"by an example":            {strings.Replace(number, "%", `{"type":"number","examples":[1]}`, 1), oneStep, "", ""},
		"by the first of an enum":  {strings.Replace(number, "%", `{"enum":[1]}`, 1), oneStep, "", ""},
		"no sample":                {strings.Replace(number, "%", `{"type":"number"}`, 1), oneStep, "missing_field", "/parameters/properties/n"},
		"sample does not fit":      {strings.Replace(number, "%", `{"type":"number","examples":["x"]}`, 1), oneStep, "invalid_value", "/parameters"},
		"sample makes no sense":    {strings.Replace(number, "%", `{"default":{}}`, 1), oneStep, "wrong_type", "/definition/steps/0/config/seconds"},
		"not declared":             {`{"type":"object"}`, oneStep, "unknown_parameter", "/definition/steps/0/config/seconds"},
		"bad name":                 {`{"type":"object","properties":{"a-b":{"default":1}}}`, oneStep, "invalid_value", "/parameters/properties/a-b"},
		"no schema":                {`[]`, oneStep, "schema_invalid", "/parameters"},
		"schema of something else": {`{"type":"string"}`, oneStep, "schema_invalid", "/parameters/type"},
		"schema that reads files":  {`{"type":"object","$ref":"file:///etc/hostname"}`, oneStep, "schema_invalid", "/parameters"},
		"definition with an error": {`{"type":"object"}`, `{"name":"T","steps":[{"id":"a","type":"nap"}]}`, "unknown_step_type", "/definition/steps/0/type"},
	} {
		t.Run(name, func(t *testing.T) {
			var found []fault.Issue
			for _, issue := range templates.Validate(templates.Template{Parameters: json.RawMessage(c.schema), Definition: json.RawMessage(c.definition)}, catalog(t)) {
				if issue.Severity == "error" {
					found = append(found, issue)
				}
			}
			if c.code == "" {
				if found != nil {
					t.Errorf("%+v", found)
				}
				return
			}
			if len(found) != 1 || found[0].Code != c.code || found[0].Pointer != c.pointer || found[0].Message == "" {
				t.Errorf("%+v", found)
			}
		})
	}
}
