package steps_test

import (
	"encoding/json"
	"heddle/executor"
	"heddle/steps"
	"io"
	"net/http"
	"strings"
	"testing"
)

// each runs a test twice, in the sandbox and unconfined.
func each(t *testing.T, test func(t *testing.T, r *steps.Registry)) {
	for _, mode := range []steps.ScriptMode{steps.Sandbox, steps.Unconfined} {
		t.Run(string(mode), func(t *testing.T) {
			test(t, open(t, "", func(d *steps.Deps) { d.Scripts.Mode = mode }))
		})
	}
}

func script(language, text string, more ...string) string {
	c := map[string]any{"language": language, "script": text}
	for i := 0; i+1 < len(more); i += 2 {
		c[more[i]] = json.RawMessage(more[i+1])
	}
	raw, _ := json.Marshal(c)
	return string(raw)
}

func TestShellScript(t *testing.T) {
	each(t, func(t *testing.T, r *steps.Registry) {
		out := succeed(t, r, "script", script("shell", `cat; echo "$GREETING $1 $2" >&2; env | sort >&2`,
			"stdin", `{"n":9007199254740993}`, "env", `{"GREETING":"hello"}`, "args", `["a b",[1,2]]`))
		if out["exit_code"] != 0.0 || out["stdout"] != `{"n":9007199254740993}` {
			t.Errorf("output %v", out)
		}
		stderr := out["stderr"].(string)
		if !strings.HasPrefix(stderr, "hello a b [1,2]\n") {
			t.Errorf("stderr %q", stderr)
		}
		for _, line := range strings.Split(strings.TrimSpace(stderr), "\n")[1:] {
			name, _, _ := strings.Cut(line, "=")
			if !strings.Contains(" GREETING HOME PATH PWD TMPDIR _ SHLVL OLDPWD ", " "+name+" ") {
				t.Errorf("the environment holds %s", line)
			}
		}
	})
}

func TestPythonScript(t *testing.T) {
	each(t, func(t *testing.T, r *steps.Registry) {
		res, f := attempt(t, r, "script", script("python",
			"import json, sys\nrows = json.load(sys.stdin)\nprint(json.dumps({'sum': sum(rows), 'big': 9007199254740993}))", "stdin", `[1,2,3]`))
		if f != nil {
			t.Fatalf("failed: %+v", f)
		}
		if !strings.HasSuffix(string(res.Output), `"result":{"sum":6,"big":9007199254740993}}`) {
			t.Errorf("output %s", res.Output)
		}
	})
}

func TestScriptThatFails(t *testing.T) {
	each(t, func(t *testing.T, r *steps.Registry) {
		f := fail(t, r, "script", script("shell", "echo partial; echo it broke >&2; exit 3"), "script_failed", false)
		if f.Message != "The script ended with exit code 3: it broke" || f.Details["exit_code"] != 3 || f.Details["stdout"] != "partial\n" {
			t.Errorf("failure %+v", f)
		}
		f = fail(t, r, "script", script("shell", "kill -9 $$"), "script_failed", false)
		if f.Details["signal"] != "SIGKILL" {
			t.Errorf("failure %+v", f)
		}
	})
}

// A text that is cut for an error holds no part of a secret, wherever the cut is.
func TestErrorsHoldNoPartOfASecret(t *testing.T) {
	const secret = "correct-horse-battery-staple"
	inner := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, strings.Repeat("x", 2048-10)+secret)
	})
	r := open(t, "127.0.0.1", func(d *steps.Deps) { d.Scripts.Mode = steps.Unconfined })
	for name, c := range map[string]executor.Call{
		"script": call("script", script("shell", `printf %s "$S"; printf %02030d 7; printf %s "$S" >&2; printf %02030d 7 >&2; exit 3`, "env", `{"S":"`+secret+`"}`)),
		"http":   call("http_request", `{"url":"`+inner.URL+`"}`),
		"hook":   call("webhook", `{"url":"`+inner.URL+`","event":"e"}`),
	} {
		c.Redact = func(v json.RawMessage) json.RawMessage {
			return json.RawMessage(strings.ReplaceAll(string(v), secret, "***"))
		}
		_, f := perform(t.Context(), t, r, c)
		if f == nil {
			t.Errorf("%s: no failure", name)
			continue
		}
		shown, _ := json.Marshal(f.Error)
		for _, part := range []string{"correct", "staple"} {
			if strings.Contains(string(shown), part) {
				t.Errorf("%s: %s is shown: %s", name, part, shown)
			}
		}
		if !strings.Contains(string(shown), "***") || len(shown) > 5000 {
			t.Errorf("%s: %d bytes: %s", name, len(shown), shown)
		}
	}
}
