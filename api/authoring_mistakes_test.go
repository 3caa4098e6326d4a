package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// A YAML body is the definition itself, also where it has no steps, or is
// another product's file: what is said is what validation says.
func TestBareYAMLIsADefinition(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	yaml := map[string]string{"Content-Type": "application/yaml"}
	for body, want := range map[string]string{
		"name: n\n": "Field 'steps' is missing",
		"name: n\ntasks: [{id: a, type: wait}]\n":                                           "Write steps",
		"id: a\nnamespace: b\ntasks: [{id: c}]\n":                                           "Kestra",
		"jobs: {a: {runs-on: x, steps: [{run: x}]}}":                                        "GitHub Actions",
		"name: n\nsteps: [{id: a, type: http}]\n":                                           "http_request",
		`{"name":"n","steps":[{"id":"a","type":"wait","needs":[],"config":{"seconds":1}}]}`: "depends_on",
	} {
		got := s.do(request{method: http.MethodPost, path: "/api/workflows/validate", body: body, header: yaml}).want(t, http.StatusOK)
		if got.field(t, "valid") != false || !strings.Contains(got.text(t, "diagnostics", 0, "message"), want) {
			t.Errorf("%s: %s", body, got.body)
		}
	}
	for body, want := range map[string]string{
		"name: n\nsteps:\n  - id: a\n    name: {{ x }}/y\n": "line 4, column 11",
		"definitio: {name: n}\n":                            `did you mean \"definition\"`,
	} {
		got := s.do(request{method: http.MethodPost, path: "/api/workflows/validate", body: body, header: yaml}).wantCode(t, http.StatusBadRequest, "invalid_request")
		if !strings.Contains(got.body, want) {
			t.Errorf("%s: %s", body, got.body)
		}
	}
}

// A JSON body that is the definition itself, or another product's file, is
// refused as that; for a field of another API the message has its name here.
func TestWhatIsSentInTheWrongPlaceIsNamed(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for body, want := range map[string]string{
		trivial:                         `{\"definition\": {…}}`,
		`{"nodes":[],"connections":{}}`: "n8n",
	} {
		got := s.post("/api/workflows/validate", body).wantCode(t, http.StatusBadRequest, "invalid_request")
		if !strings.Contains(got.body, want) {
			t.Errorf("%s: %s", body, got.body)
		}
	}
	s.post("/api/workflows", `{"definition":`+trivial+`,"slug":"once"}`).want(t, http.StatusCreated)
	got := s.post("/api/workflows/once/run", `{"input":{"a":1}}`).wantCode(t, http.StatusBadRequest, "invalid_request")
	if !strings.Contains(got.body, `did you mean \"input_data\"`) {
		t.Error(got.body)
	}
}

// A value of the wrong type within a turn is refused in words of JSON.
func TestATurnsInputIsRefusedInOurWords(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.post("/api/workflows", `{"definition":`+trivial+`,"slug":"talk"}`).want(t, http.StatusCreated)
	for _, input := range []string{`{"command":5}`, `[1]`, `"x"`, `{"command":{"a":1}}`} {
		got := s.post("/v1/workflows/talk/execute", `{"run_input":`+input+`}`)
		if got.status < 400 || got.status >= 500 || strings.Contains(got.body, "Go ") || strings.Contains(got.body, "unmarshal") {
			t.Errorf("%s: %d %s", input, got.status, got.body)
		}
	}
}
