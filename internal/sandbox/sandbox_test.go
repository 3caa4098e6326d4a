//go:build linux

package sandbox_test

import (
	"bytes"
	"heddle/internal/sandbox"
	"os"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// order returns a spec that is valid.
func order(script string) *sandbox.Spec {
	return &sandbox.Spec{
		Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: []string{"A=b"}, Dir: "/",
		RulesetFD: sandbox.None, CgroupFD: sandbox.None,
	}
}

// run executes a spec by this program under its other name.
func run(t *testing.T, o *sandbox.Spec) (rep sandbox.Report, stdout, stderr, trouble string) {
	t.Helper()
	orders, lifeline := pipe(t)
	reports, answer := pipe(t)
	errors, errorsIn := pipe(t)
	var out, own bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Args, cmd.Env = []string{sandbox.Name}, []string{"GOMAXPROCS=1", "GORACE=atexit_sleep_ms=0"}
	cmd.Stdout, cmd.Stderr = &out, &own
	cmd.ExtraFiles = []*os.File{orders, answer, errorsIn}
	for range 10 { // what the server was started with
		cmd.ExtraFiles = append(cmd.ExtraFiles, os.Stdin)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range cmd.ExtraFiles[:3] {
		_ = f.Close()
	}
	if _, err := lifeline.Write(o.Encode()); err != nil {
		t.Fatal(err)
	}
	rep = sandbox.ReadReport(reports)
	var text bytes.Buffer
	if _, err := text.ReadFrom(errors); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	return rep, out.String(), text.String(), own.String()
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	return r, w
}

func TestTheProgramOfAnOrderRuns(t *testing.T) {
	o := order(`echo "$A $(pwd) $(umask) $(ulimit -n)"; echo err >&2; exit 7`)
	o.Limits = []sandbox.Limit{{Resource: unix.RLIMIT_NOFILE, Soft: 33, Hard: 44}}
	rep, stdout, stderr, trouble := run(t, o)
	if want := (sandbox.Report{Started: true, Ended: true, Code: 7}); rep != want {
		t.Errorf("report %+v, want %+v", rep, want)
	}
	if stdout != "b / 0077 33\n" || stderr != "err\n" || trouble != "" {
		t.Errorf("stdout %q, stderr %q, trouble %q", stdout, stderr, trouble)
	}
	rep, _, _, _ = run(t, order(`kill -TERM $$`))
	if want := (sandbox.Report{Started: true, Ended: true, Code: -1, Signal: int(syscall.SIGTERM)}); rep != want {
		t.Errorf("report %+v, want %+v", rep, want)
	}
}

// A script gives way to the server: its nice value is ten above.
func TestAScriptIsNicerThanTheServer(t *testing.T) {
	prio, err := unix.Getpriority(unix.PRIO_PROCESS, 0) // 20 minus the nice value
	if err != nil {
		t.Fatal(err)
	}
	_, stdout, stderr, _ := run(t, order(`read -r stat </proc/$$/stat; set -- ${stat##*) }; echo "${17}"`))
	if want := strconv.Itoa(min(19, 20-prio+10)); strings.TrimSpace(stdout) != want {
		t.Errorf("the nice value is %q, want %s: %s", stdout, want, stderr)
	}
}

func TestAScriptInheritsThreeDescriptors(t *testing.T) {
	_, stdout, stderr, _ := run(t, order(`for fd in /proc/$$/fd/*; do echo ${fd##*/}; done`))
	if got := strings.Fields(stdout); len(got) < 3 || strings.Join(got[:3], " ") != "0 1 2" || len(got) > 4 || stderr != "" {
		t.Errorf("descriptors %v, %s", got, stderr)
	}
}

// A child that ends before it becomes the program is reported with its stage, and
// nothing of it reaches the program's output.
func TestWhatFailsBeforeExecIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		change func(o *sandbox.Spec)
		stage  sandbox.Stage
		errno  syscall.Errno
	}{
		"directory gone":     {func(o *sandbox.Spec) { o.Dir = "/nowhere" }, sandbox.EnteringDirectory, syscall.ENOENT},
		"program gone":       {func(o *sandbox.Spec) { o.Path = "/nowhere" }, sandbox.Executing, syscall.ENOENT},
		"no program":         {func(o *sandbox.Spec) { o.Path = "/etc/passwd" }, sandbox.Executing, syscall.EACCES},
		"large argument":     {func(o *sandbox.Spec) { o.Args = append(o.Args, strings.Repeat("x", 200_000)) }, sandbox.Executing, syscall.E2BIG},
		"many arguments":     {func(o *sandbox.Spec) { o.Args = append(o.Args, make([]string, 2_000_000)...) }, sandbox.Executing, syscall.E2BIG},
		"large environment":  {func(o *sandbox.Spec) { o.Env = []string{"X=" + strings.Repeat("x", 200_000)} }, sandbox.Executing, syscall.E2BIG},
		"impossible limit":   {func(o *sandbox.Spec) { o.Limits = []sandbox.Limit{{Resource: 999}} }, sandbox.Limiting, syscall.EINVAL},
		"no ruleset":         {func(o *sandbox.Spec) { o.RulesetFD = 200 }, sandbox.Confining, syscall.EBADF},
		"no cgroup":          {func(o *sandbox.Spec) { o.CgroupFD = 200 }, sandbox.EnteringCgroup, syscall.EBADF},
		"killed before exec": {func(o *sandbox.Spec) { o.Filter = killing(unix.SYS_WRITE) }, sandbox.Preparing, syscall.ESRCH},
		"NUL":                {func(o *sandbox.Spec) { o.Args[0] = "a\x00b" }, sandbox.Reading, syscall.EINVAL},
	} {
		t.Run(name, func(t *testing.T) {
			o := order("echo it ran")
			c.change(o)
			rep, stdout, stderr, trouble := run(t, o)
			if want := (sandbox.Report{Failed: c.stage, Errno: c.errno}); rep != want {
				t.Errorf("report %+v, want %+v", rep, want)
			}
			if stdout != "" || stderr != "" || trouble != "" {
				t.Errorf("stdout %q, stderr %q, trouble %q", stdout, stderr, trouble)
			}
		})
	}
}

// killing returns a filter that kills a process that makes a call.
func killing(call uint32) []byte {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_KILL_PROCESS},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&filter[0])), 8*len(filter))
}

// A spec that is cut off, or is not one, runs nothing.
func TestABrokenOrderRunsNothing(t *testing.T) {
	whole := order("echo it ran").Encode()
	for name, data := range map[string][]byte{
		"empty": nil, "cut": whole[:len(whole)-1], "half": whole[:len(whole)/2], "zeros": make([]byte, 100),
		"longer": append(append([]byte{}, byte(len(whole)-8+4), 0, 0, 0, 0, 0, 0, 0), append(whole[8:len(whole):len(whole)], 1, 2, 3, 4)...),
		"ones":   bytes.Repeat([]byte{0xff}, 100),
	} {
		orders, lifeline := pipe(t)
		reports, answer := pipe(t)
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
		cmd.Args = []string{sandbox.Name}
		cmd.ExtraFiles = []*os.File{orders, answer}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		_, _ = orders.Close(), answer.Close()
		_, _ = lifeline.Write(data)
		_ = lifeline.Close()
		if rep := sandbox.ReadReport(reports); rep.Started || rep.Ended || rep.Failed == 0 {
			t.Errorf("%s: %+v", name, rep)
		}
		_ = cmd.Wait()
	}
}

func TestReportsOfOthersSayNothing(t *testing.T) {
	for _, text := range []string{"", "x", strings.Repeat("panic: ", 50)} {
		if rep := sandbox.ReadReport(strings.NewReader(text)); !reflect.DeepEqual(rep, sandbox.Report{}) {
			t.Errorf("%q: %+v", text, rep)
		}
	}
}
