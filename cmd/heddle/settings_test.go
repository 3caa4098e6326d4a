package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func heddle(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return heddleReads(t, "", environ, args...)
}

// heddleReads is heddle with this standard input.
func heddleReads(t *testing.T, stdin string, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	code = run(context.Background(), args, environ, strings.NewReader(stdin), &out, &errOut)
	return code, out.String(), errOut.String()
}

func TestConfigShowsSources(t *testing.T) {
	code, out, errOut := heddle(t, []string{
		"HEDDLE_LISTEN=127.0.0.1:9", "WORKFLOW_MAX_CONCURRENT_RUNS=7", "HEDDLE_SCRIPTS=", "PATH=/bin",
		"HEDDLE_DATABASE_URL=postgres://ann:secret-word@db:5432/heddle?sslmode=disable",
		"HEDDLE_BOOTSTRAP_KEY=0123456789abcdef-very-secret",
	}, "config", "--listen", "127.0.0.1:10")
	if code != exitOK || errOut != "" {
		t.Fatalf("exit %d, stderr %q", code, errOut)
	}
	for _, want := range [][3]string{
		{"HEDDLE_LISTEN", "127.0.0.1:10", "--listen"},
		{"HEDDLE_DATABASE_URL", "postgres://ann:***@db:5432/heddle?sslmode=disable", "HEDDLE_DATABASE_URL"},
		{"HEDDLE_BOOTSTRAP_KEY", "***", "HEDDLE_BOOTSTRAP_KEY"},
		{"HEDDLE_SECRET_KEY", "-", "default"},
		{"WORKFLOW_MAX_CONCURRENT_RUNS", "7", "WORKFLOW_MAX_CONCURRENT_RUNS"},
		{"HEDDLE_SCRIPTS", "sandbox", "default"},
		{"HEDDLE_RUNNER_TICK", "off", "default"},
	} {
		if !hasLine(out, want[:]) {
			t.Errorf("no line %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "secret-word") || strings.Contains(out, "very-secret") {
		t.Errorf("a secret is shown:\n%s", out)
	}
}

func hasLine(text string, fields []string) bool {
	for line := range strings.Lines(text) {
		if strings.Join(strings.Fields(line), " ") == strings.Join(fields, " ") {
			return true
		}
	}
	return false
}

func TestSettingsAreRefused(t *testing.T) {
	for _, c := range []struct{ env, want string }{
		{"HEDDLE_LISTEN=here", `HEDDLE_LISTEN: "here" is not acceptable`},
		{"HEDDLE_LISTEN=:99999", `HEDDLE_LISTEN: ":99999" is not acceptable`},
		{"HEDDLE_DATABASE_URL=mysql://x:hidden-word@y", "HEDDLE_DATABASE_URL: its value is not acceptable"},
		{"WORKFLOW_MAX_CONCURRENT_RUNS=0", "allowed: a whole number from 1 to 100000"},
		{"HEDDLE_RATE_LIMIT=50/day", `"50/day" is not acceptable, it is not a rate`},
		{"HEDDLE_RATE_LIMIT=0/s", `"0/s" is not acceptable, it is out of range`},
		{"HEDDLE_RATE_LIMIT=5/s:x", `"5/s:x" is not acceptable, it is not a whole number`},
		{"WORKFLOW_MAX_CONCURRENT_RUNS=many", `"many" is not acceptable, it is not a whole number`},
		{"HEDDLE_SCRIPTS=yes", "allowed: sandbox, off or unconfined"},
		{"HEDDLE_BOOTSTRAP_KEY=short", "HEDDLE_BOOTSTRAP_KEY: its value is not acceptable, it has 5 characters"},
		{"HEDDLE_LOG_LEVEL=loud", "allowed: debug, info, warn or error"},
		{"HEDDLE_SECRET_KEY_FILE=/nonexistent/key", "HEDDLE_SECRET_KEY_FILE: open /nonexistent/key"},
	} {
		code, _, errOut := heddle(t, []string{c.env}, "config")
		if code != exitUsage || !strings.Contains(errOut, c.want) {
			t.Errorf("%s: exit %d, stderr %q, want %q", c.env, code, errOut, c.want)
		}
		if strings.Contains(errOut, "hidden-word") {
			t.Errorf("%s: the password is shown: %q", c.env, errOut)
		}
	}
}

func TestEverySettingIsReportedAtOnce(t *testing.T) {
	_, _, errOut := heddle(t, []string{"HEDDLE_LISTEN=here", "HEDDLE_MAX_STEPS=0"}, "config")
	if !strings.Contains(errOut, "HEDDLE_LISTEN") || !strings.Contains(errOut, "HEDDLE_MAX_STEPS") {
		t.Errorf("stderr %q", errOut)
	}
}

func TestSecretFromFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"HEDDLE_BOOTSTRAP_KEY_FILE=" + file}
	s, _, err := sources{environ: env}.load()
	if err != nil || s.BootstrapKey != "0123456789abcdef" {
		t.Errorf("key %q, %v", s.BootstrapKey, err)
	}
	_, _, err = sources{environ: append(env, "HEDDLE_BOOTSTRAP_KEY=0123456789abcdef")}.load()
	if err == nil || !strings.Contains(err.Error(), "both set") {
		t.Errorf("both set: %v", err)
	}
}

func TestUnknownVariableWarns(t *testing.T) {
	code, _, errOut := heddle(t, []string{"HEDDLE_DATABSE_URL=sqlite://x.db", "HEDDLE_COLOUR_OF_THE_SKY=blue"}, "config")
	if code != exitOK {
		t.Errorf("exit %d", code)
	}
	for _, want := range []string{
		"warning: HEDDLE_DATABSE_URL is not a setting and has no effect; did you mean HEDDLE_DATABASE_URL?",
		"warning: HEDDLE_COLOUR_OF_THE_SKY is not a setting and has no effect\n",
	} {
		if !strings.Contains(errOut, want) {
			t.Errorf("stderr %q lacks %q", errOut, want)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"sevre"}, {"config", "--nope"}, {"version", "now"}, {"config", "--listen", ""}} {
		if code, _, errOut := heddle(t, nil, args...); code != exitUsage || errOut == "" {
			t.Errorf("%q: exit %d, stderr %q", args, code, errOut)
		}
	}
	if code, out, _ := heddle(t, nil, "version"); code != exitOK || !strings.HasPrefix(out, "heddle ") {
		t.Errorf("version: exit %d, %q", code, out)
	}
}
