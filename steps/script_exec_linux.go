package steps

import (
	"context"
	"errors"
	"fmt"
	"heddle/internal/sandbox"
	"io"
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

// nobody is the unprivileged user and group that scripts run as where the
// server is root: by old convention the owner of nothing.
const nobody = 65534

// execute runs one program at a level and waits for its end. An error means
// that it could not be run; a stopped one ends with ctx's error.
func (r *scriptRunner) execute(ctx context.Context, level isolation, interp interpreter, p program) (*ending, error) {
	dir, remove, err := r.workspace(p)
	if err != nil {
		return nil, transient("script_not_started", "The server could not make a directory for the script.")
	}
	defer remove()
	if level.DropUser {
		if err := chownAll(dir); err != nil {
			return nil, transient("script_not_started", "The server could not hand the script's directory over.")
		}
	}
	o := r.newSpec(ctx, level, interp, dir, p)
	inherited, err := confinement(level, interp, dir, &o)
	defer func() { closeAll(inherited) }()
	if err != nil {
		return nil, transient("script_not_started", "The server could not confine the script: %s.", systemReason(err))
	}
	groups, _ := r.cgroups()
	if groups == nil {
		return r.supervise(ctx, level, o, inherited, p)
	}
	group, err := groups.open(r.cfg.Limits)
	if err != nil {
		return nil, transient("script_not_started", "The server could not make a cgroup for the script: %s.", systemReason(err))
	}
	defer group.close()
	o.CgroupFD = sandbox.FirstFD + len(inherited)
	end, err := r.supervise(ctx, level, o, append(inherited, group.procs), p)
	if err == nil && group.outOfMemory() {
		end.memory = r.cfg.Limits.Memory
	}
	return end, err
}

// cgroups returns what gives each script a cgroup, or why there is none. The
// first call finds out.
func (r *scriptRunner) cgroups() (*cgroups, error) {
	r.groupsOnce.Do(func() {
		r.groups, r.noGroups = openCgroups(r.cfg.Cgroup)
		if r.noGroups != nil && filepath.IsAbs(r.cfg.Cgroup) {
			r.log.Warn("scripts have no cgroups: their limits hold for each process", "err", r.noGroups)
		}
	})
	return r.groups, r.noGroups
}

// describeLimits says in a few words what bounds a script as a whole.
func (r *scriptRunner) describeLimits() string {
	if r.cfg.Mode == Off {
		return "scripts are refused"
	}
	groups, err := r.cgroups()
	if err != nil {
		return "limits hold for each process: " + err.Error()
	}
	return "memory and processes of a script are limited as a whole, by cgroups in " + groups.dir
}

// newSpec returns what the script's process is told. Where processes are counted per
// user (no PID namespace), the limit is raised by those that the user has already,
// for the kernel counts them all.
func (r *scriptRunner) newSpec(ctx context.Context, level isolation, interp interpreter, dir string, p program) sandbox.Spec {
	work := filepath.Join(dir, "work")
	env := []string{"PATH=" + scriptPath, "HOME=" + work, "TMPDIR=" + work}
	args := append([]string{filepath.Base(interp.path)}, interp.args...)
	o := sandbox.Spec{
		Path: interp.path, Args: append(append(args, "../script"), p.args...), Env: append(env, p.env...),
		Dir: work, Remove: dir, Namespaces: level.Namespaces,
		RulesetFD: sandbox.None, CgroupFD: sandbox.None,
	}
	limits := r.cfg.Limits
	if limits.CPU <= 0 {
		limits.CPU = cpuSeconds(ctx)
	}
	if !level.Namespaces {
		user := os.Getuid()
		if level.DropUser {
			user, o.User = nobody, nobody
		}
		limits.Processes += tasksOf(user)
	}
	o.Limits = rlimits(limits)
	if level.Seccomp {
		o.Filter = filterBytes(seccompFilter(auditArch(), refusedCalls()))
	}
	return o
}

// confinement adds to an order what needs descriptors, and returns these.
func confinement(level isolation, interp interpreter, dir string, o *sandbox.Spec) ([]*os.File, error) {
	var inherited []*os.File
	if level.Landlock > 0 {
		rules, err := landlockRuleset(level.Landlock, interp.readable, dir)
		if err != nil {
			return nil, fmt.Errorf("landlock: %w", err)
		}
		o.RulesetFD = sandbox.FirstFD + len(inherited)
		inherited = append(inherited, rules)
	}
	return inherited, nil
}

// closeAll closes files whose errors cannot matter any more.
func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// rlimits sets the address space last: what prepares the script needs memory
// until then.
func rlimits(l Limits) []sandbox.Limit {
	limit := func(resource int, soft, hard int64) sandbox.Limit {
		return sandbox.Limit{Resource: resource, Soft: uint64(soft), Hard: uint64(hard)}
	}
	return []sandbox.Limit{
		limit(unix.RLIMIT_CORE, 0, 0),
		limit(unix.RLIMIT_CPU, l.CPU, l.CPU+1), // SIGXCPU first, SIGKILL a second later
		limit(unix.RLIMIT_FSIZE, l.FileSize, l.FileSize),
		limit(unix.RLIMIT_NOFILE, l.OpenFiles, l.OpenFiles),
		limit(unix.RLIMIT_NPROC, l.Processes, l.Processes),
		limit(unix.RLIMIT_AS, l.Memory, l.Memory),
	}
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
		if e.Name()[0] < '0' || e.Name()[0] > '9' {
			continue
		}
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

// chownAll makes the unprivileged user the owner of a script's directory and of what
// is in it, so that the script can read its text and write in its work directory.
func chownAll(dir string) error {
	return errors.Join(
		os.Chown(filepath.Join(dir, "work"), nobody, nobody),
		os.Chown(filepath.Join(dir, "script"), nobody, nobody),
		os.Chown(dir, nobody, nobody),
	)
}

// supervise starts the process that runs the script, gives it its spec and
// waits. The script's own process is a child of that one.
func (r *scriptRunner) supervise(ctx context.Context, level isolation, o sandbox.Spec, inherited []*os.File, p program) (*ending, error) {
	pipes, err := newPipes()
	if err != nil {
		return nil, transient("script_not_started", "The server has no descriptors left for a script.")
	}
	defer pipes.close()
	end := &ending{stdout: capped{limit: int(r.cfg.Limits.Output)}, stderr: capped{limit: int(r.cfg.Limits.Output)}}
	ownStderr := capped{limit: 4096}
	cmd := exec.CommandContext(ctx, r.self) //nolint:gosec // r.self is this program's own file
	cmd.Args = []string{sandbox.Name}
	// GORACE: under the race detector each process would sleep a second before it ends.
	cmd.Env = []string{"GOMAXPROCS=1", "GOGC=off", "GOTRACEBACK=none", "GORACE=atexit_sleep_ms=0"}
	cmd.Dir = "/"
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(p.stdin), end.stdout.tee(p.stdout), &ownStderr
	cmd.ExtraFiles = append([]*os.File{pipes.orders, pipes.answer, pipes.stderr}, inherited...)
	cmd.SysProcAttr = attributes(level)
	cmd.Cancel = pipes.lifeline.Close
	cmd.WaitDelay = drain
	err = cmd.Start()
	pipes.handedOver()
	if err != nil {
		return nil, transient("script_not_started", "The script could not be started: %s.", systemReason(err))
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(end.stderr.tee(p.stderr), pipes.errors)
	}()
	_, _ = pipes.lifeline.Write(o.Encode())
	waitErr := cmd.Wait()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what a supervisor that was killed left behind
	_ = pipes.errors.SetReadDeadline(time.Now().Add(drain))
	<-copied
	_ = pipes.reports.SetReadDeadline(time.Now().Add(drain))
	rep := sandbox.ReadReport(pipes.reports)
	if len(ownStderr.data) > 0 {
		r.log.Warn("the process that runs a script was in trouble", "said", string(ownStderr.text()), "err", waitErr)
	}
	return end, applyReport(end, rep, waitErr)
}

// pipes connect the server with the process that runs a script.
type pipes struct {
	orders, lifeline *os.File
	reports, answer  *os.File
	errors, stderr   *os.File
}

// newPipes returns three pipes. On an error none is left open.
func newPipes() (*pipes, error) {
	p := &pipes{}
	for _, ends := range [][2]**os.File{{&p.orders, &p.lifeline}, {&p.reports, &p.answer}, {&p.errors, &p.stderr}} {
		r, w, err := os.Pipe()
		if err != nil {
			p.close()
			return nil, err
		}
		*ends[0], *ends[1] = r, w
	}
	return p, nil
}

// handedOver closes the ends that the other process has now.
func (p *pipes) handedOver() {
	closeAll([]*os.File{p.orders, p.answer, p.stderr})
}

func (p *pipes) close() {
	closeAll([]*os.File{p.orders, p.lifeline, p.reports, p.answer, p.errors, p.stderr})
}

// applyReport puts the report into end, or returns why there was no script to end.
func applyReport(end *ending, rep sandbox.Report, cause error) error {
	switch {
	case rep.Ended:
		end.Code, end.Signal = rep.Code, rep.Signal
		return nil
	case rep.Started: // and killed with all that it started
		end.Code, end.Signal, end.lost = -1, int(syscall.SIGKILL), true
		return nil
	case rep.Failed == sandbox.Executing:
		return notExecuted(rep.Errno)
	case rep.Failed != 0:
		return transient("script_not_started", "The script could not be started: %s: %s.", rep.Failed, errnoText(rep.Errno))
	}
	return transient("script_not_started", "The script could not be started: the process that was to run it ended early (%s).", systemReason(cause))
}

// notExecuted is the failure of a script whose interpreter could not be
// executed.
func notExecuted(errno syscall.Errno) error {
	switch errno {
	case syscall.E2BIG:
		return permanent("arguments_too_large", "args and env are larger than a program can be given: "+
			"the system takes at most 128 KiB for each of them and about 2 MiB together. Pass large values by stdin.")
	case syscall.ENOENT, syscall.ENOTDIR, syscall.EACCES, syscall.EPERM, syscall.ENOEXEC, syscall.ELOOP:
		return permanent("interpreter_not_found", "The script's interpreter cannot be executed on this server: %s.", errnoText(errno))
	}
	return transient("script_not_started", "The script could not be started: %s.", errnoText(errno))
}

// errnoText returns the system's words for an error number. ESRCH stands for a child
// that was killed before it could report (sandbox.Preparing).
func errnoText(errno syscall.Errno) string {
	if errno == syscall.ESRCH {
		return "it was killed"
	}
	return errno.Error()
}

// systemReason is the system's part of an error, without the paths and names of the
// server's.
func systemReason(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
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

// signalName returns SIGKILL for 9; a number for a signal without a name.
func signalName(n int) string {
	if name := unix.SignalName(syscall.Signal(n)); name != "" {
		return name
	}
	return fmt.Sprint(n)
}
