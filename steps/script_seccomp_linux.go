package steps

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// deniedCalls are the system calls that a confined script has no use for:
// sockets of every kind (landlock lets a script of the server's user talk to a
// database's unix socket), memory shared beyond its processes, a look into
// other processes, kernel interfaces that are a frequent way out.
func deniedCalls() []uint32 {
	return []uint32{
		unix.SYS_SOCKET, unix.SYS_IO_URING_SETUP,
		unix.SYS_SHMGET, unix.SYS_SHMAT, unix.SYS_MSGGET, unix.SYS_SEMGET,
		unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_GETFD,
		unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY,
		unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD,
		unix.SYS_MOUNT, unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_OPEN_BY_HANDLE_AT,
	}
}

// auditArch is the kernel's name of this architecture; 0: no filter for it.
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

// seccompAvailable tells whether the kernel and this architecture have filters.
func seccompAvailable() bool {
	return auditArch() != 0 && unix.Prctl(unix.PR_GET_SECCOMP, 0, 0, 0, 0) == nil
}

// seccompFilter answers EACCES to the denied calls, and to every call of
// another architecture or of the x32 numbering, by which one could go round.
func seccompFilter(arch uint32, denied []uint32) []unix.SockFilter {
	const (
		load   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		least  = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
		answer = unix.BPF_RET | unix.BPF_K
		number = 0 // offsets in struct seccomp_data
		arc    = 4
		x32    = 0x40000000
	)
	n := len(denied)
	// The refusal is the last instruction; jumps count from the next one.
	f := []unix.SockFilter{
		{Code: load, K: arc},
		{Code: equal, K: arch, Jf: uint8(n + 3)},
		{Code: load, K: number},
		{Code: least, K: x32, Jt: uint8(n + 1)},
	}
	for i, call := range denied {
		f = append(f, unix.SockFilter{Code: equal, K: call, Jt: uint8(n - i)})
	}
	return append(f,
		unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EACCES)},
	)
}

// filterBytes is a filter as the kernel reads it.
func filterBytes(filter []unix.SockFilter) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&filter[0])), len(filter)*int(unsafe.Sizeof(filter[0])))
}
