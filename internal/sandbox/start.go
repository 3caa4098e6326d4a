//go:build linux

package sandbox

import (
	"runtime"
	"syscall"
	"unsafe"
)

// Numbers that package syscall does not have. golang.org/x/sys/unix has them, but is
// initialized too late. A test compares the two.
const (
	prSetChildSubreaper  = 36
	prSetNoNewPrivs      = 38
	seccompModeFilter    = 2
	landlockRestrictSelf = 446
	closeRange           = 436
	closeRangeCloexec    = 4
)

// child is the memory that a child needs to become the script. It is laid out before the
// fork, because nothing can be allocated after it.
type child struct {
	path, dir  *byte   // NUL-terminated
	argv, envp []*byte // ending with nil
	parent     int     // process id; a child whose parent has died gives up
	user       int     // 0: stay
	ruleset    int     // None: no landlock
	cgroup     int     // None: stay
	limits     []Limit
	filter     filterProgram
	errPipe    int       // write end of the pipe on which writeStage reports
	message    [2]uint64 // what writeStage writes
	started    [3]uint64 // what ReportFD is told before exec
	noAction   [4]uint64 // struct sigaction: the default
	itself     byte      // what moves the writer into a cgroup
}

// filterProgram is struct sock_fprog; length counts instructions of 8 bytes.
type filterProgram struct {
	length uint16
	filter *byte
}

// start makes a child that becomes the spec's program, and returns its process id once
// it has. Otherwise it returns the stage that failed and why; the child is reaped then.
// The caller's thread must stay locked (fork).
func start(o *Spec) (pid int, stage Stage, err error) {
	l := &child{parent: syscall.Getpid(), user: o.User, ruleset: o.RulesetFD, cgroup: o.CgroupFD, limits: o.Limits, itself: '0', started: [3]uint64{markStarted}}
	if l.path, err = syscall.BytePtrFromString(o.Path); err != nil {
		return 0, Reading, err
	}
	if l.dir, err = syscall.BytePtrFromString(o.Dir); err != nil {
		return 0, Reading, err
	}
	if l.argv, err = syscall.SlicePtrFromStrings(o.Args); err != nil {
		return 0, Reading, err
	}
	if l.envp, err = syscall.SlicePtrFromStrings(o.Env); err != nil {
		return 0, Reading, err
	}
	if len(o.Filter) > 0 {
		l.filter = filterProgram{length: uint16(len(o.Filter) / 8), filter: &o.Filter[0]}
	}
	var pipe [2]int
	if err := syscall.Pipe2(pipe[:], syscall.O_CLOEXEC); err != nil {
		return 0, Forking, err
	}
	defer syscall.Close(pipe[0]) //nolint:errcheck // read only
	l.errPipe = pipe[1]
	pid, errno := fork(l)
	runtime.KeepAlive(o)
	_ = syscall.Close(pipe[1])
	if errno != 0 {
		return 0, Forking, errno
	}
	if stage, err := outcome(pipe[0]); err != nil {
		await(pid)
		return 0, stage, err
	}
	return pid, 0, nil
}

// outcome reads what a child reports of itself: two zeros once it is prepared, and then
// nothing more, because exec closes the pipe. Preparing with ESRCH means that the child
// died before it could report.
func outcome(fd int) (Stage, error) {
	var said [16]byte
	if readFull(fd, said[:]) != nil {
		return Preparing, syscall.ESRCH // it died
	}
	if stage := Stage(get(said[:])); stage != 0 {
		return stage, syscall.Errno(get(said[8:]))
	}
	if readFull(fd, said[:]) != nil {
		return 0, nil
	}
	return Stage(get(said[:])), syscall.Errno(get(said[8:]))
}

// fork makes the child. The calling thread must be locked and stay alive: the child dies
// with it. All signals are blocked over the fork, so that no handler of the Go runtime
// runs in the child.
//
//go:nosplit
//go:norace
//go:noinline
func fork(l *child) (int, syscall.Errno) {
	const setMask = 2
	all, old := ^uint64(0), uint64(0)
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, setMask, uintptr(unsafe.Pointer(&all)), uintptr(unsafe.Pointer(&old)), 8, 0, 0)
	pid, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if errno == 0 && pid == 0 {
		prepareAndExec(l, &old)
	}
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, setMask, uintptr(unsafe.Pointer(&old)), 0, 8, 0, 0)
	return int(pid), errno
}

// scriptNice is by how much a script's nice value is above the server's.
const scriptNice = 10

// prepareAndExec prepares this process, the child, and executes the program. It does not
// return. The order matters: what needs rights comes before they are given up, and the
// limit on the address space comes last of what uses memory, because nothing after it
// but the program needs any.
//
//go:nosplit
//go:norace
//go:noinline
func prepareAndExec(l *child, mask *uint64) {
	for sig := uintptr(1); sig <= 64; sig++ {
		_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&l.noAction)), 0, 8, 0, 0)
	}
	l.check(Grouping, syscall.SYS_SETPGID, 0, 0, 0)
	l.check(Redirecting, syscall.SYS_DUP3, StderrFD, 2, 0)
	l.check(EnteringDirectory, syscall.SYS_CHDIR, uintptr(unsafe.Pointer(l.dir)), 0, 0)
	if l.cgroup >= 0 {
		l.check(EnteringCgroup, syscall.SYS_WRITE, uintptr(l.cgroup), uintptr(unsafe.Pointer(&l.itself)), 1)
	}
	l.check(Dropping, syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0)
	if l.ruleset >= 0 {
		l.check(Confining, landlockRestrictSelf, uintptr(l.ruleset), 0, 0)
	}
	if l.user > 0 {
		l.check(Changing, syscall.SYS_SETGROUPS, 0, 0, 0)
		l.check(Changing, syscall.SYS_SETGID, uintptr(l.user), 0, 0)
		l.check(Changing, syscall.SYS_SETUID, uintptr(l.user), 0, 0)
	}
	// After the change of user, which would undo it; and the parent may have
	// died before.
	l.check(Preparing, syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0)
	if parent, _, _ := syscall.RawSyscall(syscall.SYS_GETPPID, 0, 0, 0); int(parent) != l.parent {
		l.writeStage(Preparing, syscall.ESRCH)
		_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 126, 0, 0)
	}
	_, _, _ = syscall.RawSyscall(syscall.SYS_UMASK, 0o077, 0, 0)
	// What a script starts gives way to the server, whose answers would else wait behind
	// hundreds of processes. The system call returns 20 minus the nice value.
	const processes, lowest = 0, 19
	prio, _, _ := syscall.RawSyscall(syscall.SYS_GETPRIORITY, processes, 0, 0)
	_, _, _ = syscall.RawSyscall(syscall.SYS_SETPRIORITY, processes, 0, min(lowest, 20-prio+scriptNice))
	for i := range l.limits {
		limit := &l.limits[i]
		l.check(Limiting, syscall.SYS_PRLIMIT64, 0, uintptr(limit.Resource), uintptr(unsafe.Pointer(&limit.Soft)))
	}
	if l.filter.length > 0 {
		l.check(Filtering, syscall.SYS_PRCTL, syscall.PR_SET_SECCOMP, seccompModeFilter, uintptr(unsafe.Pointer(&l.filter)))
	}
	const setMask = 2
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, setMask, uintptr(unsafe.Pointer(mask)), 0, 8, 0, 0)
	// The child says itself that it starts: from exec on, the script may kill its
	// parent.
	_, _, _ = syscall.RawSyscall(syscall.SYS_WRITE, ReportFD, uintptr(unsafe.Pointer(&l.started)), messageSize)
	l.writeStage(0, 0)
	l.check(Executing, syscall.SYS_EXECVE, uintptr(unsafe.Pointer(l.path)), uintptr(unsafe.Pointer(&l.argv[0])), uintptr(unsafe.Pointer(&l.envp[0])))
	_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 126, 0, 0)
}

// check makes a system call that must succeed; otherwise it reports the stage and ends
// the process.
//
//go:nosplit
//go:norace
func (l *child) check(stage Stage, call, a, b, c uintptr) {
	if _, _, errno := syscall.RawSyscall6(call, a, b, c, 0, 0, 0); errno != 0 {
		l.writeStage(stage, errno)
		_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 126, 0, 0)
	}
}

// writeStage writes one message to errPipe: the stage that failed and the error
// number, or two zeros for success.
//
//go:nosplit
//go:norace
func (l *child) writeStage(stage Stage, errno syscall.Errno) {
	l.message[0], l.message[1] = uint64(stage), uint64(errno)
	_, _, _ = syscall.RawSyscall(syscall.SYS_WRITE, uintptr(l.errPipe), uintptr(unsafe.Pointer(&l.message)), 16)
}
