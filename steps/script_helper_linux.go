package steps

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ScriptHelperMain must be the first thing that main does (and TestMain in
// tests that run scripts). In a process that was started to supervise or to
// become a script it does that and does not return; in all others it returns
// at once.
func ScriptHelperMain() {
	if len(os.Args) == 0 {
		return
	}
	switch os.Args[0] {
	case supervisorName:
		os.Exit(supervisorMain())
	case stageName:
		os.Exit(stageMain())
	}
	helpful.Store(true)
}

// helpful is set once ScriptHelperMain was called. A copy of a program that does
// not call it would run that program again instead of a script, and that again
// another, without end: such a program gets an error instead.
var helpful atomic.Bool

func noHelper() error {
	return permanent("no_script_helper", "This program cannot run scripts: its main (in tests, TestMain) must call steps.ScriptHelperMain first.")
}

// supervisorMain runs the script of the order on descriptor 3 and answers on
// descriptor 4.
func supervisorMain() int {
	unix.CloseOnExec(3)
	unix.CloseOnExec(4)
	orders, reports := os.NewFile(3, "orders"), os.NewFile(4, "reports")
	in := bufio.NewReader(orders)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return 1
	}
	rep := report{}
	var o order
	if err := json.Unmarshal(line, &o); err != nil {
		rep.Error = "its order is not readable"
	} else {
		rep = obey(o, line, in)
	}
	if err := json.NewEncoder(reports).Encode(rep); err != nil {
		return 1
	}
	return 0
}

// obey starts the stage, waits for the script's end and clears up after it.
func obey(o order, line []byte, lifeline io.Reader) report {
	// Orphans of the script become children of this process, so that none can
	// hide in a session of its own.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return report{Error: "no subreaper: " + err.Error()}
	}
	pid, trouble, err := startStage(o, line)
	if err != nil {
		return report{Error: err.Error()}
	}
	var abandoned atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, lifeline)
		abandoned.Store(true)
		_ = syscall.Kill(-pid, syscall.SIGKILL)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}()
	status := await(pid)
	killAll(o.Isolation.Namespaces)
	if abandoned.Load() {
		_ = removeTree(o.Writable) // the server may be gone and cannot
	}
	if text, _ := io.ReadAll(io.LimitReader(trouble, 1000)); len(text) > 0 {
		return report{Error: string(text)}
	}
	if status.Signaled() {
		return report{Code: -1, Signal: int(status.Signal())}
	}
	return report{Code: status.ExitStatus()}
}

// startStage starts the stage and gives the pipe on which it says what went
// wrong; the pipe closes silently when it becomes the script.
func startStage(o order, line []byte) (pid int, trouble *os.File, err error) {
	trouble, complaint, err := os.Pipe()
	if err != nil {
		return 0, nil, err
	}
	defer complaint.Close()
	orders, give, err := os.Pipe()
	if err != nil {
		return 0, nil, err
	}
	defer orders.Close()
	defer give.Close()
	proc, err := os.StartProcess("/proc/self/exe", []string{stageName}, &os.ProcAttr{
		Dir:   o.Dir,
		Env:   []string{"GOMAXPROCS=1"},
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr, orders, complaint},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		return 0, nil, fmt.Errorf("no stage: %w", unwrapped(err))
	}
	if _, err := give.Write(line); err != nil {
		return 0, nil, err
	}
	return proc.Pid, trouble, nil
}

// unwrapped drops the path of an error, which names a place of the server's.
func unwrapped(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// await reaps children until pid ends.
func await(pid int) syscall.WaitStatus {
	for {
		var status syscall.WaitStatus
		got, err := syscall.Wait4(-1, &status, 0, nil)
		if got == pid || err != nil && !errors.Is(err, syscall.EINTR) {
			return status
		}
	}
}

// killAll kills and reaps every process that the script left, wherever it went
// in the process tree. It gives up after ten seconds on processes that the
// kernel does not let die.
func killAll(ownPIDs bool) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		if ownPIDs {
			_ = syscall.Kill(-1, syscall.SIGKILL) // all of the namespace but us
		} else {
			for _, pid := range descendants(os.Getpid()) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		// Every child has its SIGKILL, so one of them ends at once; its own
		// children are ours then.
		_, err := syscall.Wait4(-1, nil, 0, nil)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return // ECHILD: none is left
		}
	}
}

// descendants lists the processes below root, from /proc.
func descendants(root int) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	children := make(map[int][]int)
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if parent, ok := parentOf(pid); ok {
			children[parent] = append(children[parent], pid)
		}
	}
	var below []int
	for next := children[root]; len(next) > 0; {
		pid := next[0]
		next = append(next[1:], children[pid]...)
		below = append(below, pid)
	}
	return below
}

// parentOf reads the fourth field of /proc/pid/stat; the second, the name, may
// hold anything and ends at the last bracket.
func parentOf(pid int) (int, bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 2 {
		return 0, false
	}
	parent, err := strconv.Atoi(fields[1])
	return parent, err == nil
}

// stageMain confines this process and becomes the interpreter. It returns only
// when that failed.
func stageMain() int {
	runtime.LockOSThread()
	unix.CloseOnExec(4)
	complaint := os.NewFile(4, "complaint")
	line, err := bufio.NewReader(os.NewFile(3, "orders")).ReadBytes('\n')
	_ = unix.Close(3)
	var o order
	if err == nil {
		err = json.Unmarshal(line, &o)
	}
	if err == nil {
		err = become(o)
	}
	_, _ = fmt.Fprint(complaint, unwrapped(err))
	return 126
}

func become(o order) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	if !o.Isolation.Namespaces { // while /proc can be read
		user := os.Getuid()
		if o.Isolation.DropUser {
			user = nobody
		}
		o.Limits.Processes += tasksOf(user)
	}
	if o.Isolation.Landlock > 0 {
		if err := landlocked(o); err != nil {
			return fmt.Errorf("landlock: %w", unwrapped(err))
		}
	}
	if o.Isolation.DropUser && !o.Isolation.Namespaces {
		if err := dropUser(); err != nil {
			return fmt.Errorf("unprivileged user: %w", err)
		}
	}
	syscall.Umask(0o077)
	filter := seccompFilter(auditArch(), deniedCalls())
	if err := setLimits(o.Limits); err != nil {
		return fmt.Errorf("limits: %w", err)
	}
	if o.Isolation.Seccomp {
		if err := filtered(filter); err != nil {
			return fmt.Errorf("seccomp: %w", err)
		}
	}
	return fmt.Errorf("interpreter %s: %w", o.Args[0], syscall.Exec(o.Path, o.Args, o.Env))
}

func dropUser() error {
	if err := syscall.Setgroups(nil); err != nil {
		return err
	}
	if err := syscall.Setgid(nobody); err != nil {
		return err
	}
	return syscall.Setuid(nobody)
}

// setLimits sets the address space last: hardly anything can be allocated
// between that and the exec.
func setLimits(l Limits) error {
	for _, s := range []struct {
		resource   int
		soft, hard int64
	}{
		{unix.RLIMIT_CORE, 0, 0},
		{unix.RLIMIT_CPU, l.CPU, l.CPU + 1}, // SIGXCPU first, SIGKILL a second later
		{unix.RLIMIT_FSIZE, l.FileSize, l.FileSize},
		{unix.RLIMIT_NOFILE, l.OpenFiles, l.OpenFiles},
		{unix.RLIMIT_NPROC, l.Processes, l.Processes},
		{unix.RLIMIT_AS, l.Memory, l.Memory},
	} {
		lim := syscall.Rlimit{Cur: uint64(s.soft), Max: uint64(s.hard)}
		if err := syscall.Setrlimit(s.resource, &lim); err != nil {
			return err
		}
	}
	return nil
}

// tasksOf counts the tasks of a user, for the limit on processes counts all of
// them.
func tasksOf(uid int) int64 {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 1024
	}
	var n int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); !ok || int(stat.Uid) != uid {
			continue
		}
		tasks, _ := os.ReadDir("/proc/" + e.Name() + "/task")
		n += int64(len(tasks))
	}
	return n
}
