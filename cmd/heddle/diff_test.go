package main

import (
	"bytes"
	"encoding/json"
	"heddle/client"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	diffBefore = `{"name":"F","steps":[{"id":"a","type":"condition","config":{"expression":"true"}}]}`
	diffAfter  = "name: F\nsteps:\n  - {id: a, type: condition, config: {expression: 'false'}}\n  - {id: b, type: webhook, config: {url: 'https://example.com', event: e}}\n"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDiffOfFiles(t *testing.T) {
	before, after := write(t, "before.json", diffBefore), write(t, "after.yaml", diffAfter)
	code, out, errOut := heddle(t, nil, "diff", before, after)
	want := "Added 1 step, modified 1 step\n\n+ b (webhook)\n~ a (condition)\n    ~ config.expression: \"true\" → \"false\"\n"
	if code != 1 || out != want || errOut != "" {
		t.Errorf("exit %d, %s\n%q\nnot\n%q", code, errOut, out, want)
	}
	code, out, _ = heddle(t, nil, "diff", before, before)
	if code != 0 || out != "No changes\n" {
		t.Errorf("equal files: exit %d, %s", code, out)
	}
	code, out, _ = heddle(t, nil, "diff", "--patch", before, after)
	wantPatch := `[{"op":"add","path":"/steps/1","value":{"config":{"event":"e","url":"https://example.com"},"id":"b","type":"webhook"}},{"op":"replace","path":"/steps/0/config/expression","value":"false"}]` + "\n"
	if code != 1 || out != wantPatch {
		t.Errorf("patch: exit %d, %s", code, out)
	}
	code, out, _ = heddle(t, nil, "diff", "--json", before, after)
	var d struct {
		Diff    []any
		Summary string
		Changes []struct {
			StepID string `json:"step_id"`
		}
	}
	if err := json.Unmarshal([]byte(out), &d); err != nil || code != 1 || len(d.Diff) != 2 || d.Summary != "Added 1 step, modified 1 step" || d.Changes[1].StepID != "a" {
		t.Errorf("JSON: exit %d, %v, %s", code, err, out)
	}
	if code, out, _ = heddle(t, nil, "diff", "--patch", after, after); code != 0 || out != "[]\n" {
		t.Errorf("equal files: exit %d, %s", code, out)
	}
}

func TestDiffWithStandardInput(t *testing.T) {
	after := write(t, "after.yaml", diffAfter)
	var out, errOut bytes.Buffer
	p := &process{out: &out, err: &errOut}
	root := p.root()
	root.SetIn(strings.NewReader(diffBefore))
	root.SetArgs([]string{"diff", "-", after})
	if err := root.Execute(); err != errAnswered || !strings.HasPrefix(out.String(), "Added 1 step") { //nolint:errorlint // it is given bare
		t.Errorf("%v: %s%s", err, &out, &errOut)
	}
}

func TestDiffThatCannotBe(t *testing.T) {
	good, bad := write(t, "good.json", diffBefore), write(t, "bad.json", `{"name":"F",}`)
	for _, args := range [][]string{
		{good},
		{good, good, good},
		{good, bad},
		{bad, good},
		{good, filepath.Join(t.TempDir(), "none.json")},
		{"-", "-"},
		{"--json", "--patch", good, good},
		{"--server", "http://127.0.0.1:1", good, good},
		{"--server", "http://127.0.0.1:1", "flow", "1", "2"},
		{"--server", "http://127.0.0.1:1", "--key", "k", "flow", "1", "2"},
	} {
		code, out, errOut := heddle(t, nil, append([]string{"diff"}, args...)...)
		if code != 2 || out != "" || errOut == "" {
			t.Errorf("%v: exit %d, %s%s", args, code, out, errOut)
		}
	}
	if _, _, errOut := heddle(t, nil, "diff", good, bad); !strings.Contains(errOut, "bad.json:1:13: error: Remove the comma") {
		t.Error(errOut)
	}
}

func TestColoursAreForTerminals(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a device, as a terminal is
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, c := range map[string]struct {
		p    process
		want bool
	}{
		"terminal": {process{out: null}, true},
		"NO_COLOR": {process{out: null, environ: []string{"NO_COLOR=1"}}, false},
		"empty":    {process{out: null, environ: []string{"NO_COLOR="}}, true},
		"dumb":     {process{out: null, environ: []string{"TERM=dumb"}}, false},
		"file":     {process{out: file}, false},
		"buffer":   {process{out: &bytes.Buffer{}}, false},
	} {
		if got := c.p.colours(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWorkflowsAreComparedAndMovedBetweenServers(t *testing.T) {
	from, to := newTestServer(t), newTestServer(t)
	env := []string{"HEDDLE_API_KEY=" + testServerKey}
	id, err := from.c.Workflows.Add(t.Context(), json.RawMessage(diffBefore), "flow")
	if err != nil {
		t.Fatal(err)
	}
	if err := from.c.Do(t.Context(), client.Request{
		Method: http.MethodPut, Path: "/api/workflows/" + id,
		Body: map[string]any{"definition": json.RawMessage(strings.Replace(diffBefore, "true", "false", 1))},
	}, nil); err != nil {
		t.Fatal(err)
	}
	at := []string{"--server", from.c.URL()}
	code, out, errOut := heddle(t, env, append([]string{"diff", "flow", "1", "v2"}, at...)...)
	if code != 1 || !strings.HasPrefix(out, "Modified 1 step\n") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	if code, out, errOut = heddle(t, env, append([]string{"diff", "flow", "1", "9"}, at...)...); code != 2 || !strings.Contains(errOut, "version_not_found") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}

	file := filepath.Join(t.TempDir(), "flows.ndjson")
	if code, _, errOut = heddle(t, env, append([]string{"export", "--ids", "-o", file, "flow"}, at...)...); code != exitOK {
		t.Fatal(errOut)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	there := []string{"--server", to.c.URL()}
	code, out, errOut = heddle(t, env, append([]string{"import", file}, there...)...)
	if code != exitOK || out != "imported flow ("+id+")\n" {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	code, out, errOut = heddle(t, env, append([]string{"import", file}, there...)...)
	if code != exitFailure || out != "" || !strings.Contains(errOut, "Line 1: Another workflow") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	code, out, _ = heddle(t, env, append([]string{"import", "--on-conflict", "skip", file}, there...)...)
	if code != exitOK || out != "skipped  flow (line 1): the slug is taken\n" {
		t.Errorf("exit %d: %s", code, out)
	}
	_, here, _ := heddle(t, env, append([]string{"export"}, at...)...)
	_, copied, _ := heddle(t, env, append([]string{"export"}, there...)...)
	if here == "" || here != copied {
		t.Errorf("%s\nnot\n%s", copied, here)
	}
	code, _, errOut = heddle(t, env, append([]string{"export", "-o", file, "nobody"}, there...)...)
	if kept, err := os.ReadFile(file); code != exitFailure || err != nil || len(kept) == 0 {
		t.Errorf("a failed export left its mark: exit %d, %s, %v", code, errOut, err)
	}
}
