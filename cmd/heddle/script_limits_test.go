package main

import (
	"encoding/json"
	"heddle/client"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

func TestSizesAreRead(t *testing.T) {
	for text, want := range map[string]int64{
		"1024": 1024, "1KiB": 1024, "512MiB": 512 << 20, "2 GiB": 2 << 30, "1TiB": 1 << 40,
		"": -1, "x": -1, "1MB": -1, "-1KiB": -1, "2TiB": -1, "99999999999999999999": -1, "9999999999TiB": -1, "1.5GiB": -1, "1023": -1, "0": -1,
	} {
		got, err := byteSize(text, 1<<10)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestConfigShowsTheIsolationInForce(t *testing.T) {
	_, out, _ := heddle(t, []string{"HEDDLE_SCRIPTS=off"}, "config")
	if !hasLine(out, []string{"script isolation", "off: scripts are refused", "found here"}) {
		t.Errorf("no line of the isolation in\n%s", out)
	}
	for setting, want := range map[string]string{"off": "switched off (HEDDLE_SCRIPT_CGROUP)", "/nowhere": "/nowhere is not a directory of cgroups v2"} {
		if _, out, _ := heddle(t, []string{"HEDDLE_SCRIPT_CGROUP=" + setting}, "config"); !strings.Contains(out, "limits hold for each process: "+want) {
			t.Errorf("no line of the limits in\n%s", out)
		}
	}
	code, out, errOut := heddle(t, []string{"HEDDLE_SCRIPT_MEMORY=64MiB"}, "config", "--json")
	if code != exitOK || !strings.Contains(out, `"value": "sandbox: `) && !strings.Contains(out, `"value": "unavailable: `) || !strings.Contains(out, `"64MiB"`) {
		t.Errorf("exit %d, %s\n%s", code, errOut, out)
	}
	for _, wrong := range []string{"HEDDLE_SCRIPT_MEMORY=1MiB", "HEDDLE_SCRIPT_CPU=-1", "HEDDLE_SCRIPT_PROCESSES=0", "HEDDLE_SCRIPT_FILES=much", "HEDDLE_SCRIPT_OPEN_FILES=3", "HEDDLE_SCRIPT_OUTPUT=17MiB", "HEDDLE_SCRIPT_CGROUP=here"} {
		name, _, _ := strings.Cut(wrong, "=")
		if code, _, errOut := heddle(t, []string{wrong}, "config"); code != exitUsage || !strings.Contains(errOut, name) {
			t.Errorf("%s: exit %d, %s", wrong, code, errOut)
		}
	}
}

// The operator's limits reach the scripts, and callers see what confines them.
func TestScriptLimitsAreTheOperators(t *testing.T) {
	_, c := startServer(t, io.Discard, "HEDDLE_DATABASE_URL=sqlite://"+filepath.Join(t.TempDir(), "h.db"), "HEDDLE_SCRIPTS=unconfined",
		"HEDDLE_SCRIPT_MEMORY=100MiB", "HEDDLE_SCRIPT_CPU=7", "HEDDLE_SCRIPT_FILES=1MiB", "HEDDLE_SCRIPT_OPEN_FILES=77", "HEDDLE_SCRIPT_OUTPUT=1KiB", "HEDDLE_SCRIPT_CGROUP=off")
	var about struct {
		Scripts string
		Limits  string `json:"script_limits"`
	}
	if err := c.Do(t.Context(), client.Request{Method: http.MethodGet, Path: "/v1/info"}, &about); err != nil || about.Scripts != "unconfined: limits only" ||
		about.Limits != "limits hold for each process: switched off (HEDDLE_SCRIPT_CGROUP)" {
		t.Errorf("info says %+v, %v", about, err)
	}
	id, err := c.Workflows.Add(t.Context(), json.RawMessage(`{"name":"Limits","steps":[{"id":"s","type":"script","config":{
		"script":"echo $(ulimit -v) $(ulimit -t) $(ulimit -f) $(ulimit -n); head -c 5000 /dev/zero | tr '\\0' x"}}]}`), "")
	if err != nil {
		t.Fatal(err)
	}
	run := finished(t, c, id, nil)
	stdout := run.Steps[0].Output.(map[string]any)["stdout"].(string)
	if !strings.HasPrefix(stdout, "102400 7 2048 77\n") || len(stdout) != 1024 || run.Steps[0].Output.(map[string]any)["stdout_truncated"] != true {
		t.Errorf("limits %.40q, %d bytes kept", stdout, len(stdout))
	}
}

// finishedRun is a run as it is read.
type finishedRun struct {
	ID     string          `json:"id"`
	Status string          `json:"status"`
	Output json.RawMessage `json:"output"`
	Error  *struct{ Code, Message string }
	Steps  []struct {
		StepID string `json:"step_id"`
		Status string
		Output any
		Error  *struct{ Code, Message string }
	} `json:"step_runs"`
}

// finished starts a run, follows it to its end and reads it.
func finished(t *testing.T, c *client.Client, workflow string, input any) finishedRun {
	t.Helper()
	id, err := c.Runs.StartWith(t.Context(), workflow, input, "")
	if err != nil {
		t.Fatal(err)
	}
	return followed(t, c, id)
}

// followed waits for a run's end and reads it.
func followed(t *testing.T, c *client.Client, id string) finishedRun {
	t.Helper()
	if err := c.Runs.Follow(t.Context(), id, 0, func(client.Frame) error { return nil }); err != nil {
		t.Fatal(err)
	}
	var got struct{ Run finishedRun }
	if err := c.Do(t.Context(), client.Request{Method: http.MethodGet, Path: "/api/workflows/runs/" + id}, &got); err != nil {
		t.Fatal(err)
	}
	return got.Run
}
