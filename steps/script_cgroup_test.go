//go:build linux

package steps_test

import (
	"context"
	"fmt"
	"heddle/steps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// whole runs a test in the sandbox and unconfined, with cgroups in dir. The variable
// HEDDLE_TEST_CGROUP names a directory of cgroups v2 that has the controllers memory and
// pids and no processes; without it, what was delegated to this process is used.
func whole(t *testing.T, limits steps.Limits, test func(t *testing.T, r *steps.Registry, dir string)) {
	for _, mode := range []steps.ScriptMode{steps.Sandbox, steps.Unconfined} {
		t.Run(string(mode), func(t *testing.T) {
			r := open(t, "", func(d *steps.Deps) {
				d.Scripts = steps.Scripts{Mode: mode, Limits: limits, Cgroup: os.Getenv("HEDDLE_TEST_CGROUP")}
			})
			about := r.ScriptLimits()
			_, dir, ok := strings.Cut(about, "by cgroups in ")
			if !ok {
				t.Skip("this machine lets scripts have no cgroups:", about)
			}
			if level := r.ScriptIsolation(t.Context()); strings.HasPrefix(level, "unavailable") {
				t.Skip("this machine has no sandbox for this user")
			}
			test(t, r, dir)
		})
	}
}

func groupsIn(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "heddle-script-*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// A script's processes share its memory limit: the one that goes beyond it ends
// the script, which says why.
func TestTheMemoryOfAScriptIsLimitedAsAWhole(t *testing.T) {
	whole(t, steps.Limits{Memory: 64 << 20}, func(t *testing.T, r *steps.Registry, dir string) {
		hold := `head -c 40m /dev/zero | { sleep 0.1; tail -c 40m; } | tail -c 1`
		succeed(t, r, "script", script("shell", hold+" | wc -c"))
		f := fail(t, r, "script", script("shell", fmt.Sprintf("(%s) & (%s) & (%s) & wait; echo it went on", hold, hold, hold)), "script_failed", false)
		if f.Details["limit"] != "memory" || !strings.Contains(f.Message, "64 MiB") || f.Details["signal"] != "SIGKILL" {
			t.Errorf("failure %+v", f)
		}
		if left := groupsIn(t, dir); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
}

// They share the limit on processes too, even where root runs the script.
func TestTheProcessesOfAScriptAreLimitedAsAWhole(t *testing.T) {
	whole(t, steps.Limits{Processes: 12}, func(t *testing.T, r *steps.Registry, dir string) {
		f := fail(t, r, "script", script("shell", "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do sleep 60 & done"), "script_failed", false)
		if !strings.Contains(strings.ToLower(f.Message), "fork") {
			t.Errorf("failure %+v", f)
		}
		if left := groupsIn(t, dir); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
}

func TestAScriptThatIsStoppedLeavesNoCgroup(t *testing.T) {
	whole(t, steps.Limits{}, func(t *testing.T, r *steps.Registry, dir string) {
		mark := fmt.Sprintf("9%d.7", time.Now().UnixNano()%1e9)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		run := call("script", script("shell", strings.ReplaceAll(detached, "MARK", mark)+"sleep "+mark))
		if _, f := perform(ctx, t, r, run); f == nil {
			t.Error("the script ended well")
		}
		if left := append(groupsIn(t, dir), alive(t, mark)...); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
}

// A server that crashed leaves cgroups; the next one removes them, and leaves
// those of living servers alone.
func TestCgroupsOfDeadServersAreRemoved(t *testing.T) {
	whole(t, steps.Limits{}, func(t *testing.T, _ *steps.Registry, dir string) {
		dead, alive := filepath.Join(dir, "heddle-script-4194303-1"), filepath.Join(dir, "heddle-script-1-1")
		for _, path := range []string{dead, alive} {
			if err := os.Mkdir(path, 0o755); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Remove(path) })
		}
		open(t, "", func(d *steps.Deps) { d.Scripts.Cgroup = dir }).ScriptLimits()
		if unix.Access(dead, unix.F_OK) == nil || unix.Access(alive, unix.F_OK) != nil {
			t.Errorf("%v are there", groupsIn(t, dir))
		}
	})
}

// Without cgroups scripts run all the same, and the reason is described.
func TestWhyThereAreNoCgroups(t *testing.T) {
	for setting, want := range map[string]string{
		"off": "switched off", t.TempDir(): "is not a directory of cgroups v2", "/nowhere": "is not a directory of cgroups v2",
	} {
		r := open(t, "", func(d *steps.Deps) { d.Scripts.Mode, d.Scripts.Cgroup = steps.Unconfined, setting })
		if about := r.ScriptLimits(); !strings.HasPrefix(about, "limits hold for each process: ") || !strings.Contains(about, want) {
			t.Errorf("%s: %s", setting, about)
		}
		succeed(t, r, "script", script("shell", "true"))
	}
	if about := open(t, "", func(d *steps.Deps) { d.Scripts.Mode = steps.Off }).ScriptLimits(); about != "scripts are refused" {
		t.Error(about)
	}
}
