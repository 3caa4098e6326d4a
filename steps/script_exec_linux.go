package steps

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// drain is how long the pipes of an ended or stopped supervisor are waited for.
const drain = 5 * time.Second

// execute runs one program at a level and waits for its end. An error means
// that it could not be run; a stopped one ends with ctx's error.
func (r *scriptRunner) execute(ctx context.Context, level isolation, interpreter string, p program) (*ending, error) {
	dir, remove, err := r.workspace(p)
	if err != nil {
		return nil, transient("script_not_started", "The server could not make a directory for the script.")
	}
	defer remove()
	if level.DropUser {
		if err := giveAway(dir); err != nil {
			return nil, transient("script_not_started", "The server could not hand the script's directory over.")
		}
	}
	o := r.order(ctx, level, interpreter, dir, p)
	return r.supervise(ctx, level, o, p)
}

func (r *scriptRunner) order(ctx context.Context, level isolation, interpreter, dir string, p program) order {
	work := filepath.Join(dir, "work")
	env := []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + work, "TMPDIR=" + work}
	args := append([]string{filepath.Base(interpreter), "../script"}, p.args...)
	limits := r.cfg.Limits
	if limits.CPU <= 0 {
		limits.CPU = cpuSeconds(ctx)
	}
	return order{
		Path: interpreter, Args: args, Env: append(env, p.env...), Dir: work,
		Isolation: level, Readable: prefixOf(interpreter), Writable: dir, Limits: limits,
	}
}

// cpuSeconds is the time left for the attempt, and an hour without a limit.
func cpuSeconds(ctx context.Context) int64 {
	at, ok := ctx.Deadline()
	if !ok {
		return 3600
	}
	return int64(time.Until(at)/time.Second) + 2
}

// prefixOf is what an interpreter outside the system's directories needs to
// read: the folder above its bin.
func prefixOf(interpreter string) []string {
	path, err := filepath.EvalSymlinks(interpreter)
	if err != nil {
		return nil
	}
	dir := filepath.Dir(filepath.Dir(path))
	for _, system := range systemDirs() {
		if dir == system || strings.HasPrefix(dir, system+"/") {
			return nil
		}
	}
	if dir == "/" {
		return nil
	}
	return []string{dir}
}

func giveAway(dir string) error {
	return errors.Join(
		os.Chown(filepath.Join(dir, "work"), nobody, nobody),
		os.Chown(filepath.Join(dir, "script"), nobody, nobody),
		os.Chown(dir, nobody, nobody),
	)
}

// supervise starts the supervisor, gives it its order and waits.
func (r *scriptRunner) supervise(ctx context.Context, level isolation, o order, p program) (*ending, error) {
	if !helpful.Load() {
		return nil, noHelper()
	}
	line, err := json.Marshal(o)
	if err != nil {
		return nil, permanent("invalid_config", "The script cannot be handed over: %s.", err)
	}
	orders, lifeline, err := os.Pipe()
	if err != nil {
		return nil, transient("script_not_started", "The server has no descriptors left for a script.")
	}
	defer lifeline.Close()
	reports, answer, err := os.Pipe()
	if err != nil {
		orders.Close()
		return nil, transient("script_not_started", "The server has no descriptors left for a script.")
	}
	defer reports.Close()

	end := &ending{stdout: capped{limit: int(o.Limits.Output)}, stderr: capped{limit: int(o.Limits.Output)}}
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = []string{supervisorName}
	cmd.Env = []string{"GOMAXPROCS=2"}
	cmd.Dir = "/"
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(p.stdin), end.stdout.tee(p.stdout), end.stderr.tee(p.stderr)
	cmd.ExtraFiles = []*os.File{orders, answer}
	cmd.SysProcAttr = attributes(level)
	cmd.Cancel = lifeline.Close
	cmd.WaitDelay = drain
	err = cmd.Start()
	orders.Close()
	answer.Close()
	if err != nil {
		return nil, transient("script_not_started", "The script could not be started: %s.", startReason(err))
	}
	_, writeErr := lifeline.Write(append(line, '\n'))
	waitErr := cmd.Wait()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what a supervisor that was killed left behind
	return end, r.settle(end, reports, errors.Join(writeErr, waitErr))
}

// settle reads the supervisor's report into end.
func (r *scriptRunner) settle(end *ending, reports *os.File, cause error) error {
	var rep report
	if err := json.NewDecoder(bufio.NewReader(reports)).Decode(&rep); err != nil {
		return transient("script_not_started", "The script's supervisor ended without a report (%s).", startReason(errors.Join(cause, err)))
	}
	if rep.Error != "" {
		return transient("script_not_started", "The script could not be started: %s.", rep.Error)
	}
	end.Code, end.Signal = rep.Code, rep.Signal
	return nil
}

func startReason(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.String()
	}
	return "unknown reason"
}

// attributes starts the supervisor in a group, and where the level has them in
// namespaces, of its own. Root maps to nobody, so that not even the owner of
// the server's files is there inside.
func attributes(level isolation) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if !level.Namespaces {
		return attr
	}
	attr.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
	uid, gid := os.Getuid(), os.Getgid()
	if level.DropUser {
		uid, gid = nobody, nobody
		attr.GidMappingsEnableSetgroups = true
		attr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	} else {
		attr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody, NoSetGroups: true}
	}
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: uid, Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: gid, Size: 1}}
	return attr
}

func signalName(n int) string {
	if name := unix.SignalName(syscall.Signal(n)); name != "" {
		return name
	}
	return fmt.Sprint(n)
}
