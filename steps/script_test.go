package steps_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

func TestSandboxHidesServersFiles(t *testing.T) {
	private := filepath.Join(t.TempDir(), "heddle.db")
	if err := os.WriteFile(private, []byte("rows"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := open(t, "")
	f := fail(t, r, "script", script("shell", "cat "+private), "script_failed", false)
	if !strings.Contains(f.Message, "ermission denied") {
		t.Errorf("message %s", f.Message)
	}
	fail(t, r, "script", script("shell", "echo x > "+private), "script_failed", false)
	fail(t, r, "script", script("shell", "cat /etc/shadow"), "script_failed", false)
	t.Log(r.ScriptIsolation(t.Context()))
}

func TestScriptStopsAtTimeout(t *testing.T) {
	each(t, func(t *testing.T, r *steps.Registry) {
		succeed(t, r, "script", script("shell", "true")) // finds the level out
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		begin := time.Now()
		_, f := perform(ctx, t, r, call("script", script("shell", "setsid sleep 60 & setsid setsid sleep 60 & sleep 60")))
		if f == nil || f.Code != "timeout" || f.Permanent {
			t.Fatalf("failure %+v", f)
		}
		if took := time.Since(begin); took > 4*time.Second {
			t.Errorf("took %v", took)
		}
	})
}
