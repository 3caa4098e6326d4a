package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// commented is a definition as an author writes one: with comments, an order of its own,
// a block, and numbers that a reader of floats would change.
const commented = `# Nightly import, see the runbook.
name: Import
steps:
  - id: load   # the first
    type: script
    config:
      script: |
        set -e
        echo '{"n": 9007199254740993}'
      env: {ROUNDED: "1.0"}
output: {exact: 9007199254740993, half: 1.0}
`

var asYAML = map[string]string{"Accept": "application/yaml"}

// sourceBody is a request that carries the text.
func sourceBody(format, text, more string) string {
	quoted, _ := json.Marshal(text)
	return `{"source":{"format":"` + format + `","text":` + string(quoted) + `}` + more + `}`
}

func (s *stack) yaml(path string) response {
	return s.do(request{method: "GET", path: path, header: asYAML})
}

func TestTheTextThatWasWrittenIsKept(t *testing.T) {
	s := newStack(t)
	wf := "/api/workflows/" + s.post("/api/workflows", sourceBody("yaml", commented, "")).want(t, http.StatusCreated).text(t, "id")
	for _, path := range []string{wf, wf + "?version=1", wf + "/versions/1"} {
		got := s.yaml(path).want(t, http.StatusOK)
		if got.body != commented || got.header.Get("Content-Type") != "application/yaml" || got.header.Get("ETag") != `"r1"` {
			t.Errorf("%s: %v\n%s", path, got.header, got.body)
		}
	}
	one := s.get(wf+"/versions/1").want(t, http.StatusOK)
	if one.text(t, "source", "text") != commented || one.text(t, "source_format") != "yaml" || s.get(wf).text(t, "workflow", "source_format") != "yaml" ||
		s.get(wf+"/versions").text(t, "versions", 0, "source_format") != "yaml" {
		t.Error(one.body)
	}
	if s.get(wf).want(t, http.StatusOK).header.Get("Vary") != "Accept-Encoding, Accept" {
		t.Error("caches are not told that the answer depends on Accept")
	}
	// The same as the bare text, and below definition, dedented with its comments.
	bare := s.do(request{method: "POST", path: "/api/workflows", body: commented, header: map[string]string{"Content-Type": "application/yaml"}}).want(t, http.StatusCreated)
	if got := s.yaml("/api/workflows/" + bare.text(t, "id")); got.body != commented {
		t.Error(got.body)
	}
	indented := "slug: wrapped\ndefinition:\n  " + strings.ReplaceAll(strings.TrimSuffix(commented, "\n"), "\n", "\n  ") + "\ntags: [a]\n"
	s.do(request{method: "POST", path: "/api/workflows", body: indented, header: map[string]string{"Content-Type": "application/yaml"}}).want(t, http.StatusCreated)
	if got := s.yaml("/api/workflows/wrapped"); got.body != commented {
		t.Error(got.body)
	}
	// A run shows it too, also when its workflow is gone.
	run := s.start(strings.TrimPrefix(wf, "/api/workflows/"), `{}`)
	s.do(request{method: "DELETE", path: wf + "?force=true"}).want(t, http.StatusNoContent)
	if got := s.yaml("/api/workflows/runs/"+run+"/definition").want(t, http.StatusOK); got.body != commented {
		t.Error(got.body)
	}
}

func TestOtherTextOfTheSameDefinition(t *testing.T) {
	s := newStack(t)
	wf := "/api/workflows/" + s.post("/api/workflows", sourceBody("yaml", commented, "")).want(t, http.StatusCreated).text(t, "id")
	other := "# Another comment\n" + commented
	put := func(body, match string) response {
		return s.do(request{method: "PUT", path: wf, body: body, header: map[string]string{"If-Match": match}})
	}
	put(sourceBody("yaml", other, ""), `"r7"`).wantCode(t, http.StatusPreconditionFailed, "precondition_failed")
	saved := put(sourceBody("yaml", other, ""), `"r1"`).want(t, http.StatusOK)
	if saved.field(t, "source_changed") != true || saved.field(t, "workflow", "latest_version") != jsonNumber(1) || saved.header.Get("ETag") != `"r2"` {
		t.Error(saved.body)
	}
	if got := s.yaml(wf); got.body != other {
		t.Error(got.body)
	}
	// The same text again changes nothing, and neither does the definition without a text.
	if again := put(sourceBody("yaml", other, ""), `"r2"`).want(t, http.StatusOK); strings.Contains(again.body, "source_changed") || again.header.Get("ETag") != `"r2"` {
		t.Error(again.body)
	}
	var kept struct{ Definition json.RawMessage }
	if err := json.Unmarshal([]byte(s.get(wf+"/versions/1").body), &kept); err != nil {
		t.Fatal(err)
	}
	put(`{"definition":`+string(kept.Definition)+`}`, `"r2"`).want(t, http.StatusOK)
	if got := s.yaml(wf); got.body != other || got.header.Get("ETag") != `"r2"` {
		t.Error(got.body)
	}
	// A version without a text is written from its definition; going back brings the text back.
	put(`{"definition":`+definition("Two")+`}`, `"r2"`).want(t, http.StatusOK)
	if got := s.yaml(wf); got.body != "name: Two\nsteps:\n  - id: a\n    type: condition\n    config:\n      expression: \"true\"\n" {
		t.Error(got.body)
	}
	s.post(wf+"/rollback", `{"version":1}`).want(t, http.StatusOK)
	if got := s.yaml(wf + "/versions/3"); got.body != other {
		t.Error(got.body)
	}
}

func TestTextsAreRefused(t *testing.T) {
	s := newStack(t)
	for body, about := range map[string]string{
		`{"source":{"format":"yaml","text":"a: 1"},"definition":{}}`: "send one of them",
		`{"source":{"format":"toml","text":"a: 1"}}`:                 "source.format",
		`{"source":{"format":"yaml"}}`:                               "source.text",
		`{"source":{"format":"yaml","text":"","x":1}}`:               "source.x",
		`{"source":"a: 1"}`:                                          "must be an object",
		`{"source":null}`:                                            "must be an object",
		`{"sourc":{}}`:                                               `did you mean \"source\"?`,
	} {
		if got := s.post("/api/workflows", body).wantCode(t, http.StatusBadRequest, "invalid_request"); !strings.Contains(got.body, about) {
			t.Errorf("%s: %s", body, got.body)
		}
	}
	// A secret in a comment is as readable as one in a value.
	s.do(request{method: "PUT", path: "/v1/secrets/TOKEN", body: `{"value":"tok-123456789"}`}).want(t, http.StatusNoContent)
	s.post("/api/workflows", sourceBody("yaml", commented+"# tok-123456789\n", "")).wantCode(t, http.StatusUnprocessableEntity, "secret_in_definition")
}

// TestDiagnosticsCountInTheAuthorsText holds the place of one mistake in each way of
// sending the text.
func TestDiagnosticsCountInTheAuthorsText(t *testing.T) {
	s := newStack(t)
	mistaken := strings.Replace(commented, "config:", "confi:", 1)
	check := func(body, media string, line, column int) {
		t.Helper()
		got := s.do(request{method: "POST", path: "/api/workflows/validate", body: body, header: map[string]string{"Content-Type": media}}).want(t, http.StatusOK)
		if got.field(t, "diagnostics", 0, "line") != jsonNumber(line) || got.field(t, "diagnostics", 0, "column") != jsonNumber(column) {
			t.Errorf("want %d:%d: %s", line, column, got.body)
		}
	}
	check(sourceBody("yaml", mistaken, ""), "application/json", 6, 5)
	check(mistaken, "application/yaml", 6, 5)
	quoted := strings.ReplaceAll(strings.TrimSuffix(mistaken, "\n"), "\n", "\n      ")
	check("source:\n  format: yaml\n  text: |\n      "+quoted+"\n", "application/yaml", 6, 5)
	check("definition:\n  "+strings.ReplaceAll(strings.TrimSuffix(mistaken, "\n"), "\n", "\n  ")+"\n", "application/yaml", 7, 7)
	check(sourceBody("json", "{\n  \"name\": \"n\",\n  \"step\": []\n}", ""), "application/json", 3, 3)
}

func TestTextsTravel(t *testing.T) {
	s := newStack(t)
	s.post("/api/workflows", sourceBody("yaml", commented, `,"slug":"travels"`)).want(t, http.StatusCreated)
	line := s.get("/api/workflows/export?id=travels").want(t, http.StatusOK).body
	imports := func(line string) response {
		return s.do(request{method: "POST", path: "/api/workflows/import?on_conflict=rename", body: line, header: map[string]string{"Content-Type": "application/x-ndjson"}})
	}
	imports(line).want(t, http.StatusOK)
	if got := s.yaml("/api/workflows/travels-2"); got.body != commented {
		t.Error(got.body)
	}
	if again := s.get("/api/workflows/export?id=travels-2").body; strings.Replace(again, "travels-2", "travels", 1) != line {
		t.Errorf("%s\n%s", line, again)
	}
	// A text that means another definition is not what the hash says.
	imports(strings.Replace(line, `runbook.\nname: Import`, `runbook.\nname: Other`, 1)).wantCode(t, http.StatusUnprocessableEntity, "invalid_line")
	imports(strings.Replace(line, `"format":"yaml"`, `"format":"json"`, 1)).wantCode(t, http.StatusUnprocessableEntity, "invalid_line")
}
