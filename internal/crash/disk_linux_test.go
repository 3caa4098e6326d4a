package crash

import (
	"context"
	"errors"
	"fmt"
	"heddle/internal/await"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// onDisk is told to a process that is to become a server whose fsync calls wait
// for a disk: the server's binary and the disk's socket.
const onDisk = "HEDDLE_TEST_DISK"

// disk is what the fsync calls of one server wait for: the kernel asks it about
// each (seccomp's user notifications). It lets them through until it is told to
// hold them.
type disk struct {
	socket string

	mu   sync.Mutex
	open chan struct{} // closed: calls go through
	held chan struct{} // receives once for each call that is held
}

// slowDisk makes a disk and the environment with which the test's own binary
// becomes a server on it. A kernel or sandbox without it skips the test.
func slowDisk(t *testing.T, bin string, env []string) (*disk, []string) {
	t.Helper()
	d := &disk{socket: filepath.Join(t.TempDir(), "disk"), open: make(chan struct{}), held: make(chan struct{}, 1000)}
	close(d.open)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: d.socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.serve(l)
	}()
	t.Cleanup(func() {
		d.release()
		_ = l.Close()
		await.Receive(t, "the disk's server has ended", ended)
	})
	return d, append(slices.Clip(env), onDisk+"="+bin+"\n"+d.socket)
}

// hold makes fsync calls wait from now on.
func (d *disk) hold() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = make(chan struct{})
}

// release ends the calls that wait.
func (d *disk) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.open:
	default:
		close(d.open)
	}
}

func (d *disk) gate() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

// serve answers the kernel for each server that hands its notifications over.
func (d *disk) serve(l *net.UnixListener) {
	var all sync.WaitGroup
	defer all.Wait()
	for {
		conn, err := l.AcceptUnix()
		if err != nil {
			return
		}
		fd, err := receiveFD(conn)
		_ = conn.Close()
		if err == nil {
			all.Go(func() { d.answer(fd) })
		}
	}
}

func receiveFD(conn *net.UnixConn) (int, error) {
	data, oob := make([]byte, 1), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(data, oob)
	if err != nil {
		return 0, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		return 0, errors.Join(err, errors.New("no descriptor came"))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return 0, err
	}
	return fds[0], nil
}

// notification and verdict are struct seccomp_notif and seccomp_notif_resp.
type notification struct {
	id    uint64
	pid   uint32
	flags uint32
	data  [64]byte
}

type verdict struct {
	id    uint64
	value int64
	err   int32
	flags uint32
}

// answer lets calls through when the disk does, until their process is gone.
func (d *disk) answer(fd int) {
	var pending sync.WaitGroup
	defer func() {
		pending.Wait()
		_ = unix.Close(fd)
	}()
	for {
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		_, err := unix.Poll(ready, -1)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil || ready[0].Revents&unix.POLLIN == 0: // POLLHUP: nobody is left
			return
		}
		var call notification
		if errno := ioctl(fd, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&call)); errno != 0 {
			continue // the call was given up meanwhile
		}
		gate := d.gate()
		pending.Go(func() {
			select {
			case <-gate:
			default:
				d.held <- struct{}{}
				<-gate
			}
			_ = ioctl(fd, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&verdict{id: call.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}))
		})
	}
}

func ioctl(fd int, request uintptr, arg unsafe.Pointer) syscall.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
	return errno
}

// runBehindDisk makes this process the server that its environment names, with its
// fsync calls behind a disk; elsewhere it does nothing.
func runBehindDisk() {
	bin, socket, ok := strings.Cut(os.Getenv(onDisk), "\n")
	if !ok {
		return
	}
	err := becomeBehind(bin, socket)
	fmt.Fprintln(os.Stderr, noDisk, err)
	os.Exit(1)
}

const noDisk = "fsync calls cannot be held here:"

func becomeBehind(bin, socket string) error {
	runtime.LockOSThread() // the filter is the thread's, and stays with what it executes
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	const equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0},
		{Code: equal, K: unix.SYS_FSYNC, Jt: 1},
		{Code: equal, K: unix.SYS_FDATASYNC, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return errno
	}
	if _, _, err := conn.WriteMsgUnix([]byte{0}, unix.UnixRights(int(fd)), nil); err != nil {
		return err
	}
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, onDisk+"=") {
			env = append(env, e)
		}
	}
	return unix.Exec(bin, append([]string{bin}, os.Args[1:]...), env)
}

// launchOn starts the server on a disk.
func launchOn(ctx context.Context, t *testing.T, env []string) *server {
	t.Helper()
	s, err := launch(ctx, os.Args[0], env)
	if err != nil && s != nil && strings.Contains(s.log.String(), noDisk) {
		t.Skip(s.log)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	return s
}
