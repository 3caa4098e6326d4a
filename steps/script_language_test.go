package steps_test

import (
	"heddle/steps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheInterpreterIsTheOneThatWasAskedFor(t *testing.T) {
	if _, err := exec.LookPath("/bin/bash"); err != nil {
		t.Fatal("the tests of scripts need bash:", err)
	}
	each(t, func(t *testing.T, r *steps.Registry) {
		for text, c := range map[string]struct{ language, want string }{
			"a=(1 2); echo ${#a[@]} $1":                               {"bash", "2 x\n"},
			"#!/bin/sh\na=(1 2); echo ${#a[@]} $1":                    {"bash", "2 x\n"},
			"#!/bin/bash\na=(1 2); echo ${#a[@]} $1":                  {"shell", "2 x\n"},
			"#! /bin/bash -eu\necho $- | tr -cd eu":                   {"shell", "eu"},
			"#!/usr/bin/env bash\na=(1 2); echo ${#a[@]} $1":          {"", "2 x\n"},
			"#!/usr/bin/env -S bash -e\necho $- | tr -cd e":           {"", "e"},
			"#!/usr/bin/env bash -e\necho $- | tr -cd e":              {"", "e"},
			"#!/bin/bash\r\necho ${BASH_VERSION:+yes} #\r":            {"shell", "yes\n"},
			"#!/usr/bin/env python3\nimport sys; print(sys.argv[1:])": {"shell", "['x']\n"},
			"#!/usr/bin/env -S A=b /bin/sh\necho $A":                  {"shell", "b\n"},
			"#!/bin/cat":                                              {"shell", "#!/bin/cat"},
			"#!\necho sh":                                             {"shell", "sh\n"},
			"#!/usr/bin/nothing\nimport sys; print(len(sys.argv))":    {"python", "2\n"},
			"# !/usr/bin/nothing\necho sh":                            {"shell", "sh\n"},
			"\n#!/usr/bin/nothing\necho sh":                           {"shell", "sh\n"},
			"#!/usr/bin/env sh\nprintf '%s' \"$(basename $0)\"":       {"shell", "script"},
		} {
			more := []string{"args", `["x"]`}
			if strings.Contains(text, "cat") {
				more = nil
			}
			out := succeed(t, r, "script", script(c.language, text, more...))
			if out["stdout"] != c.want {
				t.Errorf("%q (%s): %q, want %q", text, c.language, out["stdout"], c.want)
			}
		}
	})
}

// An interpreter that is not installed is a permanent failure.
func TestAnInterpreterThatIsNotThere(t *testing.T) {
	each(t, func(t *testing.T, r *steps.Registry) {
		for text, named := range map[string]string{
			"#!/usr/bin/nothing\n1":           "no such file",
			"#!/usr/bin/env nothing-at-all\n": "nothing-at-all",
			"#!bash\n":                        `"bash"`,
			"#!/etc/passwd\n":                 "ermission denied",
			"#!/etc\n":                        "ermission denied",
		} {
			if f := fail(t, r, "script", script("shell", text), "interpreter_not_found", true); !strings.Contains(f.Message, named) {
				t.Errorf("%q: %s", text, f.Message)
			}
		}
	})
	nowhere := open(t, "", func(d *steps.Deps) { d.Scripts.Python = "/nowhere/python3" })
	for _, config := range []string{script("python", "1"), script("shell", "#!/usr/bin/env python3\n1")} {
		if f := fail(t, nowhere, "script", config, "interpreter_not_found", true); !strings.Contains(f.Message, "python3") || !strings.Contains(f.Message, "install") {
			t.Errorf("%s: %s", config, f.Message)
		}
	}
}

// A first line cannot open directories that are closed to scripts.
func TestTheFirstLineGrantsNothing(t *testing.T) {
	secret, r := privateProgram(t), open(t, "")
	if level := r.ScriptIsolation(t.Context()); !strings.Contains(level, "landlock") {
		t.Skipf("no directory is closed to scripts here but by its mode: %s", level)
	}
	f := fail(t, r, "script", script("shell", "#!"+secret+"\n"), "interpreter_not_found", true)
	if !strings.Contains(f.Message, "ermission denied") {
		t.Errorf("failure %+v", f)
	}
}

func TestAByteOrderMarkIsNoObstacle(t *testing.T) {
	r := open(t, "")
	out := succeed(t, r, "script", script("shell", `printf '\357\273\277{"a":1}\n'`))
	if result, _ := out["result"].(map[string]any); result["a"] != 1.0 || out["stdout"] != "\ufeff{\"a\":1}\n" {
		t.Errorf("output %q", out)
	}
	if out := succeed(t, r, "script", script("shell", "\ufeff#!/bin/bash\na=(1 2); echo ${#a[@]}")); out["stdout"] != "2\n" {
		t.Errorf("output %q", out)
	}
}

// privateProgram returns a program in a directory outside the system's.
func privateProgram(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "heddle-private-") //nolint:usetesting // t.TempDir's parents are closed to a script's user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "bin", "tool")
	for _, err := range []error{os.Chmod(dir, 0o755), os.Mkdir(filepath.Join(dir, "bin"), 0o755), os.WriteFile(path, []byte("#!/bin/sh\ncat /etc/hostname\n"), 0o755)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return path
}
