package steps

import (
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// refusal is a system call that a confined script does not need, and the error that it
// returns.
type refusal struct {
	call uint32
	err  unix.Errno
}

// refusedCalls returns the system calls that are refused besides a clone that makes
// namespaces (seccompFilter).
func refusedCalls() []refusal {
	refused := []refusal{
		// Sockets of every kind: landlock lets a script of the server's user talk
		// to a database's unix socket.
		{unix.SYS_SOCKET, unix.EACCES},
		// Its flags are in memory, out of a filter's sight. C libraries take this
		// error as "use clone".
		{unix.SYS_CLONE3, unix.ENOSYS},
	}
	for _, call := range append(deniedCalls(), deniedHere()...) {
		refused = append(refused, refusal{call, unix.EPERM})
	}
	return refused
}

// deniedCalls returns the calls that fail with EPERM on every architecture: namespaces
// and mounts, memory shared beyond a script's processes, access to other processes, the
// kernel's keys, its modules and clock, and interfaces through which programs have often
// broken out.
func deniedCalls() []uint32 {
	return []uint32{
		unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_CHROOT, unix.SYS_PIVOT_ROOT,
		unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK,
		unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE, unix.SYS_OPEN_TREE_ATTR, unix.SYS_MOUNT_SETATTR, unix.SYS_OPEN_BY_HANDLE_AT,
		unix.SYS_SHMGET, unix.SYS_SHMAT, unix.SYS_MSGGET, unix.SYS_SEMGET, unix.SYS_MQ_OPEN, unix.SYS_MQ_UNLINK,
		unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PROCESS_MADVISE, unix.SYS_PIDFD_GETFD, unix.SYS_KCMP,
		unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY,
		unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
		unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_FANOTIFY_INIT, unix.SYS_LOOKUP_DCOOKIE,
		unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_REBOOT,
		unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_ACCT, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD, unix.SYS_SYSLOG, unix.SYS_VHANGUP,
		unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_ADJTIMEX,
	}
}

// newNamespaces are the flags of clone(2) that make namespaces.
const newNamespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// auditArch returns the kernel's number of this architecture; 0: there is no filter for
// it.
func auditArch() uint32 {
	switch runtime.GOARCH {
	case "amd64":
		return unix.AUDIT_ARCH_X86_64
	case "arm64":
		return unix.AUDIT_ARCH_AARCH64
	default:
		return 0
	}
}

// seccompAvailable reports whether both the kernel and this architecture have filters.
func seccompAvailable() bool {
	return auditArch() != 0 && unix.Prctl(unix.PR_GET_SECCOMP, 0, 0, 0, 0) == nil
}

// seccompFilter returns a BPF program that refuses the given calls, a clone that makes
// namespaces, and every call of another architecture or of the x32 numbering, by which a
// script could avoid the filter. Everything else is allowed. An error of refused must be
// one of those that the program can answer.
//
// The program is: check the architecture, check the number's range, look into clone's
// flags, one comparison for each refused call, allow, then one answer for each error.
func seccompFilter(arch uint32, refused []refusal) []unix.SockFilter {
	const (
		load   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		least  = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
		anyBit = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		answer = unix.BPF_RET | unix.BPF_K
		number = 0 // offsets in struct seccomp_data
		arc    = 4
		first  = 16 // the low half of the first argument; both architectures are little-endian
		x32    = 0x40000000
	)
	errors := []unix.Errno{unix.EPERM, unix.EACCES, unix.ENOSYS}
	const head = 8
	allow := head + len(refused)
	// to returns the distance from an instruction to the answer with an error;
	// jumps count from the next instruction.
	to := func(from int, err unix.Errno) uint8 { return uint8(allow + 1 + slices.Index(errors, err) - from - 1) }
	f := []unix.SockFilter{
		{Code: load, K: arc},
		{Code: equal, K: arch, Jf: to(1, unix.EPERM)},
		{Code: load, K: number},
		{Code: least, K: x32, Jt: to(3, unix.EPERM)},
		{Code: equal, K: unix.SYS_CLONE, Jf: 3},
		{Code: load, K: first},
		{Code: anyBit, K: newNamespaces, Jt: to(6, unix.EPERM)},
		{Code: answer, K: unix.SECCOMP_RET_ALLOW},
	}
	for i, r := range refused {
		f = append(f, unix.SockFilter{Code: equal, K: r.call, Jt: to(head+i, r.err)})
	}
	f = append(f, unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_ALLOW})
	for _, err := range errors {
		f = append(f, unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_ERRNO | uint32(err)})
	}
	return f
}

// filterBytes returns the memory of filter as the kernel reads it, an array of struct
// sock_filter. It shares that memory; filter must not be empty.
func filterBytes(filter []unix.SockFilter) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&filter[0])), len(filter)*int(unsafe.Sizeof(filter[0])))
}
