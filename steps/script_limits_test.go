package steps_test

import (
	"bufio"
	"context"
	"fmt"
	"heddle/internal/await"
	"heddle/steps"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// levels runs a test unconfined and at every level of the sandbox that this
// machine has.
func levels(t *testing.T, test func(t *testing.T, r *steps.Registry), change ...func(*steps.Deps)) {
	t.Run("unconfined", func(t *testing.T) {
		test(t, open(t, "", append(change, func(d *steps.Deps) { d.Scripts.Mode = steps.Unconfined })...))
	})
	for i, name := range open(t, "").Levels() {
		t.Run(name, func(t *testing.T) {
			r := open(t, "", change...)
			r.Force(i)
			if res, f := attempt(t, r, "script", `{"script":"true"}`); f != nil {
				t.Skipf("this machine does not let scripts be confined by %s: %s %s", name, res.Output, f.Message)
			}
			test(t, r)
		})
	}
}

// alive lists the processes whose command line holds a text.
func alive(t *testing.T, text string) []string {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, path := range lines {
		if line, err := os.ReadFile(path); err == nil && strings.Contains(string(line), text) {
			found = append(found, path+": "+strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

// detached starts a process in a session of its own and waits until it runs.
const detached = `mkfifo up
setsid sh -c 'setsid sh -c "echo > up; exec sleep MARK"' & read x < up
`

func TestNoProcessOutlivesItsScript(t *testing.T) {
	levels(t, func(t *testing.T, r *steps.Registry) {
		mark := fmt.Sprintf("9%d.5", time.Now().UnixNano()%1e9)
		start := strings.ReplaceAll(detached, "MARK", mark)
		succeed(t, r, "script", script("shell", start+"exit 0"))
		if left := alive(t, mark); len(left) > 0 {
			t.Errorf("after the end of the script: %v", left)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
		defer cancel()
		if _, f := perform(ctx, t, r, call("script", script("shell", start+"sleep "+mark))); f == nil || f.Code != "timeout" {
			t.Errorf("failure %+v", f)
		}
		if left := alive(t, mark); len(left) > 0 {
			t.Errorf("after the timeout: %v", left)
		}
	})
}

// serverVariable makes the test binary a server that runs one script.
const serverVariable = "HEDDLE_TEST_SCRIPT"

// serverMain runs the script in the variable, unconfined, and returns.
func serverMain(text string) {
	guard, err := steps.NewGuard("")
	if err != nil {
		panic(err)
	}
	r := steps.Default(steps.Deps{Egress: guard, Scripts: steps.Scripts{Mode: steps.Unconfined, TempDir: os.Getenv("HEDDLE_TEST_TEMP")}, Log: slog.New(slog.DiscardHandler)})
	_, _ = r.Run(context.Background(), call("script", script("shell", text)))
}

func TestScriptsEndWithTheServer(t *testing.T) {
	temp, fifo := t.TempDir(), filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	server := exec.Command("/proc/self/exe")
	server.Env = append(os.Environ(), "HEDDLE_TEST_TEMP="+temp,
		serverVariable+"=exec 3>"+fifo+"; setsid sh -c 'echo up >&3; sleep 1000' & echo $PPID >&3; wait")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	var supervisor int
	lines := bufio.NewReader(pipe)
	for range 2 {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if pid, err := strconv.Atoi(strings.TrimSpace(line)); err == nil {
			supervisor = pid
		}
	}
	ended, err := unix.PidfdOpen(supervisor, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ended)
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait()
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(ended), Events: unix.POLLIN}}, int(await.Patience.Milliseconds())); n != 1 {
		t.Fatalf("the supervisor goes on: %v", err)
	}
	if err := pipe.SetReadDeadline(time.Now().Add(await.Patience)); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(lines); err != nil {
		t.Errorf("the script still holds the pipe: %q, %v", rest, err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestScriptOutputIsCut(t *testing.T) {
	levels(t, func(t *testing.T, r *steps.Registry) {
		out := succeed(t, r, "script", script("shell", `yes é | tr -d '\n' | head -c 3000001; echo short >&2`))
		stdout, _ := out["stdout"].(string)
		if len(stdout) != 1<<20 || out["stdout_truncated"] != true || out["stderr"] != "short\n" {
			t.Errorf("%d bytes, flag %v, stderr %v", len(stdout), out["stdout_truncated"], out["stderr"])
		}
		if _, flagged := out["stderr_truncated"]; flagged || out["result"] != nil {
			t.Errorf("flag of stderr %v, result %v", flagged, out["result"])
		}
	})
}

func TestScriptCutKeepsCharactersWhole(t *testing.T) {
	r := open(t, "", func(d *steps.Deps) { d.Scripts.Limits.Output = 4 })
	out := succeed(t, r, "script", script("shell", `printf 'abc\303\251d'`))
	if out["stdout"] != "abc" {
		t.Errorf("stdout %q", out["stdout"])
	}
}

func TestScriptLimits(t *testing.T) {
	small := func(d *steps.Deps) {
		d.Scripts.Limits = steps.Limits{FileSize: 100_000, Processes: 24, Memory: 256 << 20}
	}
	levels(t, func(t *testing.T, r *steps.Registry) {
		f := fail(t, r, "script", script("python", "x = bytearray(300 << 20)"), "script_failed", false)
		if !strings.Contains(f.Message, "MemoryError") {
			t.Errorf("memory: %s", f.Message)
		}
		f = fail(t, r, "script", script("shell", "head -c 200000 /dev/zero > big || kill -9 $$; true"), "script_failed", false)
		if f.Details["signal"] != "SIGKILL" {
			t.Errorf("file size: %+v", f)
		}
		if os.Getuid() == 0 && strings.HasSuffix(t.Name(), "/unconfined") {
			return // the limit on processes does not bind root
		}
		f = fail(t, r, "script", script("shell", "for i in $(seq 60); do sleep 60 & done"), "script_failed", false)
		if !strings.Contains(strings.ToLower(f.Message), "fork") {
			t.Errorf("processes: %s", f.Message)
		}
	}, small)
}

func TestScriptCPULimit(t *testing.T) {
	r := open(t, "", func(d *steps.Deps) { d.Scripts.Limits.CPU = 1 })
	f := fail(t, r, "script", script("shell", "while :; do :; done"), "script_failed", false)
	if f.Details["signal"] != "SIGXCPU" {
		t.Errorf("failure %+v", f)
	}
}

func TestSandboxHidesEverythingElse(t *testing.T) {
	t.Setenv("HEDDLE_SECRET_KEY", "hush")
	listener := serve(t, nil)
	for i, name := range open(t, "").Levels() {
		t.Run(name, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "heddle-other-") //nolint:usetesting // t.TempDir's parents are closed to a script's user
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(dir) })
			private := filepath.Join(dir, "heddle.db")
			for _, err := range []error{os.Chmod(dir, 0o755), os.WriteFile(private, []byte("rows"), 0o600)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			r := open(t, "")
			r.Force(i)
			try := func(text string) {
				t.Helper()
				fail(t, r, "script", script("shell", text), "script_failed", false)
			}
			try("cat " + private)
			try("echo x > " + private)
			try("rm " + private)
			try("cat /etc/shadow")
			try(fmt.Sprintf("cat /proc/%d/environ", os.Getpid()))
			try(fmt.Sprintf("kill -9 %d", os.Getpid()))
			if f := fail(t, r, "script", script("shell", "kill -9 $PPID; exit 7"), "script_failed", false); f.Details["exit_code"] != 7 {
				t.Errorf("the script reached its supervisor: %+v", f)
			}
			try("echo x > /etc/heddle-test")
			try("sudo -n true")
			for _, network := range []string{
				"socket.create_connection(('127.0.0.1', " + portOf(listener.URL) + "), 2)",
				"socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
				"socket.socket(socket.AF_UNIX)",
			} {
				f := fail(t, r, "script", script("python", "import socket\n"+network), "script_failed", false)
				if !strings.Contains(f.Message, "ermission denied") {
					t.Errorf("%s: %s", network, f.Message)
				}
			}
			succeed(t, r, "script", script("python", "import socket, subprocess, threading\na, b = socket.socketpair()\nsubprocess.run(['true'], check=True)\nthreading.Thread(target=print).start()"))
			if got := r.ScriptIsolation(t.Context()); got != "sandbox: "+name+", limits" {
				t.Errorf("isolation %q", got)
			}
			if got, err := os.ReadFile(private); string(got) != "rows" {
				t.Errorf("the file holds %q, %v", got, err)
			}
		})
	}
}

func portOf(url string) string { return url[strings.LastIndexByte(url, ':')+1:] }

func TestScriptDirectoryIsRemoved(t *testing.T) {
	dir, err := os.MkdirTemp("", "heddle-temp-") //nolint:usetesting // t.TempDir's parents are closed to a script's user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	levels(t, func(t *testing.T, r *steps.Registry) {
		out := succeed(t, r, "script", script("shell", "pwd; mkdir -p a/b/c; touch a/b/c/f; mv a/b/c/f a; ln -s / root; chmod 0 a/b/c a/b"))
		work, _ := out["stdout"].(string)
		if !strings.HasPrefix(work, dir) {
			t.Errorf("it worked in %s", work)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	}, func(d *steps.Deps) { d.Scripts.TempDir = dir })
}

func TestScriptsRefused(t *testing.T) {
	off := open(t, "", func(d *steps.Deps) { d.Scripts.Mode = steps.Off })
	fail(t, off, "script", script("shell", "true"), "scripts_off", true)
	if got := off.ScriptIsolation(t.Context()); got != "off: scripts are refused" {
		t.Error(got)
	}
	exposed := open(t, "", func(d *steps.Deps) { d.Scripts.Hide = []string{"/usr/lib/os-release"} })
	f := fail(t, exposed, "script", script("shell", "true"), "script_isolation_unavailable", true)
	if !strings.Contains(f.Message, "HEDDLE_SCRIPTS=unconfined") {
		t.Errorf("message %s", f.Message)
	}
	if got := exposed.ScriptIsolation(t.Context()); got != "unavailable: scripts are refused" {
		t.Error(got)
	}
	nowhere := open(t, "", func(d *steps.Deps) { d.Scripts.Python = "/nowhere/python3" })
	fail(t, nowhere, "script", script("python", "1"), "interpreter_not_found", true)
	r := open(t, "")
	fail(t, r, "script", script("shell", "true", "args", `["a\u0000b"]`), "invalid_config", true)
	fail(t, r, "script", script("shell", "true", "env", `{"A=B":"c"}`), "invalid_config", true)
	fail(t, r, "script", script("ruby", "1"), "invalid_config", true)
}

func TestScriptIsStoppedBeforeItBegins(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, f := perform(ctx, t, open(t, ""), call("script", script("shell", "true")))
	if f == nil || f.Code != "stopped" || f.Permanent {
		t.Errorf("failure %+v", f)
	}
}

// TestScriptsOfAnOrdinaryUser runs the tests of scripts again as a user who is
// not root: other levels apply there.
func TestScriptsOfAnOrdinaryUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the tests run as an ordinary user already")
	}
	again := exec.Command("/proc/self/exe", "-test.run=^Test(Sandbox|NoProcess|ScriptLimits|ScriptDirectory|Python|AScript|Arguments)", "-test.v")
	again.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=/tmp"}
	again.Dir = "/"
	again.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := again.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestSandboxHidesEverythingElse") {
		t.Errorf("%v\n%s", err, out)
	}
}
