package steps_test

import (
	"context"
	"fmt"
	"heddle/steps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// scriptRounds returns how many scripts are started while CPU time is scarce;
// HEDDLE_SCRIPT_ROUNDS sets it.
func scriptRounds(t *testing.T) int {
	text := os.Getenv("HEDDLE_SCRIPT_ROUNDS")
	if text == "" {
		return 60
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// starve makes CPU time scarce for the rest of a test.
func starve(t *testing.T) {
	t.Helper()
	for range 2 * runtime.NumCPU() {
		burner := exec.CommandContext(t.Context(), "/bin/sh", "-c", "while :; do :; done")
		if err := burner.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = burner.Process.Kill(), burner.Wait() })
	}
}

// No script fails because the machine is busy: the limits do not hit what prepares it.
func TestScriptsDoNotFailOnTheirOwn(t *testing.T) {
	small := func(d *steps.Deps) { d.Scripts.Limits = steps.Limits{Memory: 64 << 20, Processes: 8} }
	levels(t, func(t *testing.T, r *steps.Registry) {
		starve(t)
		left := make(chan int)
		var workers sync.WaitGroup
		for range 8 {
			workers.Go(func() {
				for i := range left {
					res, f := attempt(t, r, "script", `{"script":"echo $1","args":[`+strconv.Itoa(i)+`]}`)
					if want := fmt.Sprintf(`{"exit_code":0,"stdout":"%d\n","stderr":"","result":%d}`, i, i); f != nil || string(res.Output) != want {
						t.Errorf("script %d: %s, %+v", i, res.Output, f)
					}
				}
			})
		}
		for i := range scriptRounds(t) {
			left <- i
		}
		close(left)
		workers.Wait()
	}, small)
}

// A process that dies before it becomes the script is the server's failure: it is
// reported as such and retried, and nothing that it wrote is taken for the script's
// output.
func TestAScriptThatWasNotStarted(t *testing.T) {
	crash := filepath.Join(t.TempDir(), "crash")
	if err := os.WriteFile(crash, []byte("#!/bin/sh\necho 'fatal error: runtime'; echo 'goroutine 1 [running]: mgc.go:1695' >&2\nkill -9 $$\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, by := range []string{"/nowhere/heddle", "/etc/passwd", "/bin/false", "/bin/true", crash} {
		r := open(t, "", func(d *steps.Deps) { d.Scripts.Mode = steps.Unconfined })
		r.RunScriptsBy(by)
		f := fail(t, r, "script", script("shell", "true"), "script_not_started", false)
		if len(f.Details) > 0 || strings.Contains(f.Message, "goroutine") || strings.Contains(f.Message, "/") {
			t.Errorf("%s: %+v", by, f)
		}
	}
	gone := open(t, "", func(d *steps.Deps) { d.Scripts.TempDir = "/nowhere"; d.Scripts.Mode = steps.Unconfined })
	fail(t, gone, "script", script("shell", "true"), "script_not_started", false)
}

// A script whose supervisor is killed dies with it, and is not reported as never
// started.
func TestAScriptDiesWithItsSupervisor(t *testing.T) {
	mark := fmt.Sprintf("9%d.6", time.Now().UnixNano()%1e9)
	r := open(t, "", func(d *steps.Deps) { d.Scripts.Mode = steps.Unconfined })
	f := fail(t, r, "script", script("shell", "kill -9 $PPID; exec sleep "+mark), "script_failed", false)
	if f.Details["signal"] != "SIGKILL" || !strings.Contains(f.Message, "with all processes round it") {
		t.Errorf("failure %+v", f)
	}
	if left := alive(t, mark); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// Arguments that are too large for a program are a permanent failure.
func TestArgumentsThatAreTooLargeArePermanent(t *testing.T) {
	large := strings.Repeat("x", 150_000)
	levels(t, func(t *testing.T, r *steps.Registry) {
		for _, more := range [][2]string{{"env", `{"A":"` + large + `"}`}, {"args", `["` + large + `"]`}} {
			f := fail(t, r, "script", script("shell", "true", more[0], more[1]), "arguments_too_large", true)
			if !strings.Contains(f.Message, "stdin") || !strings.Contains(f.Message, "128 KiB") {
				t.Errorf("%s: %s", more[0], f.Message)
			}
		}
		out := succeed(t, r, "script", script("shell", "wc -c", "stdin", `"`+large+`"`))
		if out["result"] != float64(len(large)) {
			t.Errorf("stdin of %v bytes", out["result"])
		}
	})
}

// A script may close its ends of the pipes, or never stop writing.
func TestScriptsThatMistreatTheirPipes(t *testing.T) {
	input := `"` + strings.Repeat("x", 3<<20) + `"`
	levels(t, func(t *testing.T, r *steps.Registry) {
		for _, text := range []string{"exec <&-; echo fine", "echo fine", "head -c 1 >/dev/null; echo fine"} {
			if out := succeed(t, r, "script", script("shell", text, "stdin", input)); out["stdout"] != "fine\n" {
				t.Errorf("%q: %v", text, out)
			}
		}
		succeed(t, r, "script", script("shell", "exec <&- >&- 2>&-; sleep 0.1"))
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, f := perform(ctx, t, r, call("script", script("shell", "yes >&2 & yes"))); f == nil || f.Code != "timeout" {
			t.Errorf("failure %+v", f)
		}
	})
}
