//go:build linux

package sandbox

import (
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

// serve runs the spec on SpecFD and returns this process's exit code: 0 once the
// script's end was reported, whatever it was, otherwise 1. The init that calls it holds
// the main thread, so the child lives as long as this process.
func serve() int {
	// The script gets no descriptor but its three, not even one that the server
	// inherited itself.
	for fd := SpecFD; fd <= FirstFD+1; fd++ {
		syscall.CloseOnExec(fd)
	}
	_, _, _ = syscall.RawSyscall(closeRange, SpecFD, 1<<32-1, closeRangeCloexec) // Linux 5.11
	o, err := readSpec(SpecFD)
	if err != nil {
		return refused(Reading, err)
	}
	// Orphans of the script become children of this process, so that none can
	// hide in a session of its own.
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0); errno != 0 {
		return refused(Forking, errno)
	}
	pid, stage, err := start(o)
	if err != nil {
		return refused(stage, err)
	}
	var abandoned atomic.Bool
	// The end of file on SpecFD means that the server stops the script, or has died: the
	// kernel closes its end then.
	go func() {
		var b [64]byte
		for {
			n, err := syscall.Read(SpecFD, b[:])
			if n <= 0 && err != syscall.EINTR { //nolint:errorlint // never wrapped
				break
			}
		}
		abandoned.Store(true)
		_ = syscall.Kill(-pid, syscall.SIGKILL)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}()
	status := await(pid)
	killAll(o.Namespaces)
	if abandoned.Load() {
		removeTree(o.Remove) // the server may be gone and cannot
	}
	code, signal := status.ExitStatus(), 0
	if status.Signaled() {
		code, signal = -1, int(status.Signal())
	}
	if send(markEnded, uint64(int64(code)), uint64(signal)) != nil {
		return 1
	}
	return 0
}

// refused reports the stage that failed and returns this process's exit code. An error
// that is not an error number is reported as EINVAL.
func refused(stage Stage, err error) int {
	errno, ok := err.(syscall.Errno) //nolint:errorlint // errors.As needs reflect, and none is wrapped here
	if !ok {
		errno = syscall.EINVAL
	}
	_ = send(markFailed, uint64(stage), uint64(errno))
	return 1
}

// await reaps children until pid ends, and returns its status. Orphans of the script
// that end meanwhile are reaped too.
func await(pid int) syscall.WaitStatus {
	for {
		var status syscall.WaitStatus
		got, err := syscall.Wait4(-1, &status, 0, nil)
		if got == pid || err != nil && err != syscall.EINTR { //nolint:errorlint // never wrapped
			return status
		}
	}
}

// killAll kills and reaps every process that the script left, wherever it went in the
// process tree: all of them are descendants of this one, because it is their subreaper.
// It ends after ten seconds at the latest: a process that the kernel does not let die, such as
// one whose disk does not answer, is left to the kernel.
func killAll(ownPIDs bool) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		switch _, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err {
		case syscall.ECHILD:
			return // none is left
		}
		if ownPIDs {
			_ = syscall.Kill(-1, syscall.SIGKILL) // all of the namespace but this process
		} else {
			for _, pid := range descendants(os.Getpid()) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		// Every child has its SIGKILL, so one of them ends at once, unless the kernel holds
		// it; its own children are this process's then.
		reapOne(end)
	}
}

// reapOne waits until a child has ended and reaps it, or until the time given.
func reapOne(end time.Time) {
	for pause := 50 * time.Microsecond; time.Now().Before(end); pause = min(2*pause, 10*time.Millisecond) {
		if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid != 0 || err != nil {
			return
		}
		time.Sleep(pause)
	}
}

// descendants returns the processes below root, parents before their children, from one
// reading of /proc. Those that start meanwhile are missing; killAll looks again.
func descendants(root int) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	children := make(map[int][]int)
	for _, e := range entries {
		if pid, ok := number(e.Name()); ok {
			if parent, ok := parentOf(e.Name()); ok {
				children[parent] = append(children[parent], pid)
			}
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

// parentOf returns the parent of a process: the fourth field of /proc/pid/stat. The
// second, the name, may hold anything and ends at the last bracket: ") S 12 …". False
// where the process has ended.
func parentOf(pid string) (int, bool) {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, false
	}
	for i, s := range slices.Backward(stat) {
		if s != ')' {
			continue
		}
		rest := stat[i+1:]
		if len(rest) < 4 {
			return 0, false
		}
		rest = rest[3:] // after " S "
		end := 0
		for end < len(rest) && rest[end] != ' ' {
			end++
		}
		return number(string(rest[:end]))
	}
	return 0, false
}

// number reads a process id in decimal; false for anything else.
func number(s string) (int, bool) {
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' || n > 1<<30 {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, s != ""
}

// removeTree deletes a directory, also one whose owner took away the rights on it. An
// error is not reported: there may be no server to read it.
func removeTree(dir string) {
	if dir == "" || os.RemoveAll(dir) == nil {
		return
	}
	open(dir)
	_ = os.RemoveAll(dir)
}

// open gives the owner access to a directory and to all below, which a script may have
// taken away.
func open(dir string) {
	_ = os.Chmod(dir, 0o700) //nolint:gosec // a directory is entered by its execute bit
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			open(dir + "/" + e.Name())
		}
	}
}
