package main

import (
	"encoding/json"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/fault"
	"heddle/steps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if slices.Contains(os.Environ(), asProgram) {
		main()
	}
	os.Exit(m.Run())
}

func TestDemo(t *testing.T) {
	if _, err := os.Stat("/usr/bin/python3"); err != nil {
		t.Skip("Python 3 is not installed: no /usr/bin/python3")
	}
	code, out, errOut := heddle(t, nil, "demo")
	if code != exitOK || !strings.Contains(out, "3 workflows, 45 letters. That is right.") {
		t.Fatalf("exit %d\n%s\n%s", code, out, errOut)
	}
	for _, want := range []string{"step started    fetch", "step completed  decide   {\"result\":true,\"branch\":\"then\"}", "step skipped    hurry", "step waiting    rest", "run completed"} {
		if !strings.Contains(out, want) {
			t.Errorf("the run as shown lacks %q:\n%s", want, out)
		}
	}
}

func TestDemoWorkflowIsSound(t *testing.T) {
	if _, found := validation.Check([]byte(demoWorkflow), source.YAML, steps.Default(steps.Deps{})); len(found) > 0 {
		t.Errorf("validation says %+v", found)
	}
}

func TestSignatureIsVerified(t *testing.T) {
	secret, body, now := []byte("0123456789abcdef01234567"), []byte(`{"data":{}}`), time.Unix(1_700_000_000, 0)
	// Computed with another implementation.
	good := http.Header{
		"Webhook-Id": {"msg_1"}, "Webhook-Timestamp": {"1700000000"},
		"Webhook-Signature": {"v1,AAAA v1,a8jZvxbbnUTjO1yWj5KiPvE0NKfs5RsDYioS7L+ndcs="},
	}
	if err := verifySignature(secret, good, body, now); err != nil {
		t.Errorf("a good signature: %v", err)
	}
	if verifySignature(secret, good, []byte(`{"data":{"x":1}}`), now) == nil {
		t.Error("another body was accepted")
	}
	if verifySignature(secret, good, body, now.Add(6*time.Minute)) == nil {
		t.Error("an old delivery was accepted")
	}
	if verifySignature([]byte("another"), good, body, now) == nil {
		t.Error("another secret was accepted")
	}
}

func TestValidateFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.yaml", "name: Good\nsteps:\n  - id: a\n    type: condition\n    config: { expression: 'true' }\n")
	bad := write("bad.json", "{\n  \"name\": \"Bad\",\n  \"steps\": [{\"id\": \"notify\", \"type\": \"webhok\", \"depends_on\": [\"fetch\"], \"config\": {}}]\n}\n")

	if code, out, errOut := heddle(t, nil, "validate", good); code != exitOK || out != good+": valid\n" {
		t.Errorf("good: exit %d, %q, %q", code, out, errOut)
	}
	code, out, _ := heddle(t, nil, "validate", good, bad)
	if code != exitFailure {
		t.Errorf("bad: exit %d", code)
	}
	for _, want := range []string{bad + ":3:", "error: Step 'notify' depends on 'fetch' which doesn't exist [unknown_dependency]", `did you mean "webhook"?`} {
		if !strings.Contains(out, want) {
			t.Errorf("bad: %q lacks %q", out, want)
		}
	}
	marked := "    3 |   \"steps\": [{\"id\": \"notify\", \"type\": \"webhok\", \"depends_on\": [\"fetch\"], \"config\": {}}]\n" +
		"      | " + strings.Repeat(" ", 37) + "^\n    did you mean \"webhook\"?\n"
	if !strings.Contains(out, marked) || strings.Contains(out, "\x1b") {
		t.Errorf("bad: %q lacks %q, or is coloured", out, marked)
	}
	code, out, _ = heddle(t, nil, "validate", "--json", bad)
	var found []checked
	if err := json.Unmarshal([]byte(out), &found); err != nil || code != exitFailure || len(found) != 1 || found[0].Valid || len(found[0].Diagnostics) < 2 {
		t.Errorf("json: exit %d, %v\n%s", code, err, out)
	}
	if code, _, errOut := heddle(t, nil, "validate", filepath.Join(dir, "absent")); code != exitFailure || !strings.Contains(errOut, "no such file") {
		t.Errorf("absent: exit %d, %q", code, errOut)
	}
}

func TestValidateDirectories(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b/two.yml", "one.YAML", "b/readme.md", ".hidden/bad.yaml", "empty/x.txt"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("name: Good\nsteps: [{id: a, type: wait, config: {seconds: 1}}]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := filepath.Join(dir, "b/two.yml") + ": valid\n" + filepath.Join(dir, "one.YAML") + ": valid\n"
	if code, out, errOut := heddle(t, nil, "validate", dir); code != exitOK || out != want {
		t.Errorf("exit %d, %q, %q", code, out, errOut)
	}
	if code, _, errOut := heddle(t, nil, "validate", filepath.Join(dir, "empty")); code != exitFailure || !strings.Contains(errOut, "holds no .yaml") {
		t.Errorf("empty: exit %d, %q", code, errOut)
	}
}

func TestFindingsCannotControlATerminal(t *testing.T) {
	line := strings.Repeat("é", 150) + "\t\x1b[2J" + strings.Repeat("z", 100)
	c := checked{File: "f", text: []byte("\n" + line + "\r\n"), Diagnostics: []fault.Issue{
		{Severity: "error", Code: "syntax", Message: "m\x1b[2J", Line: 2, Column: 151},
		{Severity: "warning", Code: "syntax", Message: "m", Line: 2, Column: 9999},
		{Severity: "warning", Code: "syntax", Message: "m", Line: 99, Column: 1},
	}}
	plain, painted := c.report(false), c.report(true)
	if strings.ContainsAny(plain, "\x1b\t\r") || strings.Contains(painted, "\x1b[2J") || !strings.Contains(painted, "\x1b[1;31m^\x1b[0m") {
		t.Errorf("%q\n%q", plain, painted)
	}
	lines := strings.Split(plain, "\n")
	if at := strings.Index(lines[2], "^"); []rune(lines[1])[at] != ' ' || len([]rune(lines[1])) != len("    2 | ")+shownOfLine {
		t.Errorf("the mark is at %d of %q", at, lines[1])
	}
}

func TestBenchPrintsFigures(t *testing.T) {
	code, out, errOut := heddle(t, nil, "bench", "--dir", t.TempDir(), "--runs", "200", "--seconds", "2", "--in-flight", "20")
	if code != exitOK {
		t.Fatalf("exit %d\n%s\n%s", code, out, errOut)
	}
	for _, part := range []string{"store ", "raw ", "executor ", "http ", "single "} {
		if !strings.Contains("\n"+out, "\n"+part) {
			t.Errorf("no line %q in\n%s", part, out)
		}
	}
	if !strings.Contains(out, "(200 runs of three steps") {
		t.Errorf("not 200 runs:\n%s", out)
	}
	code, out, _ = heddle(t, nil, "bench", "--dir", t.TempDir(), "--schedules", "10")
	if code != exitOK || strings.Count(out, "(10 due at once; later than due)") != 2 || strings.Contains(out, "\nraw ") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, _, _ := heddle(t, nil, "bench", "--runs", "0"); code != exitUsage {
		t.Errorf("no runs: exit %d", code)
	}
}
