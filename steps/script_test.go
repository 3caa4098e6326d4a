package steps_test

import (
	"encoding/json"
	"strings"
	"testing"

	"heddle/steps"
)

// each runs a test in the sandbox and unconfined.
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
