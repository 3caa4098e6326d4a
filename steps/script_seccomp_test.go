//go:build linux && (amd64 || arm64)

package steps_test

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// attempts is a program that makes system calls, each in a process of its own, and
// prints their results: the name of an error, or "done".
const attempts = `
import ctypes, errno, json, os, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
seen = {}
for name, call in json.load(sys.stdin).items():
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        ctypes.set_errno(0)
        got = libc.syscall(*[ctypes.c_long(n) for n in call])
        os.write(w, (errno.errorcode.get(ctypes.get_errno(), "?") if got == -1 else "done").encode())
        os._exit(0)
    os.close(w)
    seen[name] = os.read(r, 100).decode()
    os.close(r)
    os.waitpid(pid, 0)
print(json.dumps(seen))
`

// Namespaces, mounts and other ways out are closed to a script, whichever way it
// is confined.
func TestSystemCallsAreRefused(t *testing.T) {
	calls, want := map[string][]int64{}, map[string]string{}
	refuse := func(name, err string, call ...int64) { calls[name], want[name] = call, err }
	for name, flag := range map[string]int64{
		"mount": unix.CLONE_NEWNS, "cgroup": unix.CLONE_NEWCGROUP, "uts": unix.CLONE_NEWUTS, "ipc": unix.CLONE_NEWIPC,
		"user": unix.CLONE_NEWUSER, "pid": unix.CLONE_NEWPID, "net": unix.CLONE_NEWNET,
		"user and net": unix.CLONE_NEWUSER | unix.CLONE_NEWNET, "with a high half": unix.CLONE_NEWUSER | 1<<40,
	} {
		refuse("clone "+name, "EPERM", unix.SYS_CLONE, flag|int64(unix.SIGCHLD), 0, 0, 0, 0)
		refuse("unshare "+name, "EPERM", unix.SYS_UNSHARE, flag)
	}
	refuse("clone3", "ENOSYS", unix.SYS_CLONE3, 0, 0)
	for name, call := range map[string]int64{
		"setns": unix.SYS_SETNS, "chroot": unix.SYS_CHROOT, "pivot_root": unix.SYS_PIVOT_ROOT, "mount": unix.SYS_MOUNT,
		"umount2": unix.SYS_UMOUNT2, "fsopen": unix.SYS_FSOPEN, "fsconfig": unix.SYS_FSCONFIG, "fsmount": unix.SYS_FSMOUNT,
		"fspick": unix.SYS_FSPICK, "move_mount": unix.SYS_MOVE_MOUNT, "open_tree": unix.SYS_OPEN_TREE,
		"open_tree_attr": unix.SYS_OPEN_TREE_ATTR, "mount_setattr": unix.SYS_MOUNT_SETATTR,
		"open_by_handle_at": unix.SYS_OPEN_BY_HANDLE_AT, "ptrace": unix.SYS_PTRACE,
		"process_vm_readv": unix.SYS_PROCESS_VM_READV, "process_vm_writev": unix.SYS_PROCESS_VM_WRITEV,
		"pidfd_getfd": unix.SYS_PIDFD_GETFD, "kcmp": unix.SYS_KCMP, "keyctl": unix.SYS_KEYCTL, "add_key": unix.SYS_ADD_KEY,
		"request_key": unix.SYS_REQUEST_KEY, "bpf": unix.SYS_BPF, "perf_event_open": unix.SYS_PERF_EVENT_OPEN,
		"userfaultfd": unix.SYS_USERFAULTFD, "io_uring_setup": unix.SYS_IO_URING_SETUP, "fanotify_init": unix.SYS_FANOTIFY_INIT,
		"init_module": unix.SYS_INIT_MODULE, "finit_module": unix.SYS_FINIT_MODULE, "delete_module": unix.SYS_DELETE_MODULE,
		"kexec_load": unix.SYS_KEXEC_LOAD, "kexec_file_load": unix.SYS_KEXEC_FILE_LOAD, "reboot": unix.SYS_REBOOT,
		"swapon": unix.SYS_SWAPON, "acct": unix.SYS_ACCT, "syslog": unix.SYS_SYSLOG, "sethostname": unix.SYS_SETHOSTNAME,
		"settimeofday": unix.SYS_SETTIMEOFDAY, "clock_settime": unix.SYS_CLOCK_SETTIME, "adjtimex": unix.SYS_ADJTIMEX,
		"shmget": unix.SYS_SHMGET, "msgget": unix.SYS_MSGGET, "semget": unix.SYS_SEMGET, "mq_open": unix.SYS_MQ_OPEN,
	} {
		refuse(name, "EPERM", call, 0, 0, 0, 0, 0)
	}
	refuse("socket", "EACCES", unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM, 0)
	refuse("clone of a process", "done", unix.SYS_CLONE, int64(unix.SIGCHLD), 0, 0, 0, 0)
	if runtime.GOARCH == "amd64" {
		const x32 = 0x40000000
		refuse("x32", "EPERM", x32|unix.SYS_GETPID)
		refuse("mount by x32", "EPERM", x32|unix.SYS_MOUNT, 0, 0, 0, 0, 0)
	}
	stdin, err := json.Marshal(calls)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range open(t, "").Levels() {
		t.Run(name, func(t *testing.T) {
			r := open(t, "")
			r.Force(i)
			if res, f := attempt(t, r, "script", `{"script":"true"}`); f != nil {
				t.Skipf("this machine does not let scripts be confined by %s: %s %s", name, res.Output, f.Message)
			}
			if !strings.Contains(name, "seccomp") {
				t.Skip("this kernel has no filters for system calls")
			}
			out := succeed(t, r, "script", script("python", attempts, "stdin", string(stdin)))
			seen, _ := out["result"].(map[string]any)
			for call, err := range want {
				// A clone that succeeds is printed twice, by parent and child.
				if got, _ := seen[call].(string); got != err && got != err+err {
					t.Errorf("%s: %q, want %s", call, got, err)
				}
			}
		})
	}
}
