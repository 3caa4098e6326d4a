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
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// drain bounds how long the pipes of a supervisor that has ended, or was told to stop,
// are still read. A process that escaped with a pipe's write end open must not hold up
// the attempt.
const drain = 5 * time.Second

// nobody is the unprivileged user and group id that scripts run as where the server is
// root. By convention it owns no file.
const nobody = 65534

// execute runs one program at an isolation level and waits for its end. An error means
// that the program could not be run, and is the failure script_not_started,
// interpreter_not_found or arguments_too_large; a program that ran and failed is an
// ending. An attempt that is stopped also ends here as an ending or an error, so callers
// look at ctx.Err() first. The script's directory and cgroup are removed before execute
// returns. It may be called concurrently.
func (r *scriptRunner) execute(ctx context.Context, level isolation, interp interpreter, p program) (*ending, error) {
	// Each attempt has a directory of its own, so attempts of one step cannot meet.
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
	// Without cgroups the limits hold for each process alone, which describeLimits tells
	// the operator.
	groups, _ := r.cgroups()
	if groups == nil {
		return r.supervise(ctx, level, o, inherited, p)
	}
	group, err := groups.open(r.cfg.Limits)
	if err != nil {
		return nil, transient("script_not_started", "The server could not make a cgroup for the script: %s.", systemReason(err))
	}
	defer group.close()
	// The descriptors of ExtraFiles are numbered in their order: those of confinement
	// first, then the cgroup's.
	o.CgroupFD = sandbox.FirstFD + len(inherited)
	end, err := r.supervise(ctx, level, o, append(inherited, group.procs), p)
	// Read before the group is closed: its events go with it.
	if err == nil && group.outOfMemory() {
		end.memory = r.cfg.Limits.Memory
	}
	return end, err
}

// cgroups returns the maker of the scripts' cgroups, or the reason why scripts have
// none. The first call finds out, and its result is kept for the life of the process. A
// warning is logged only where the operator named a directory: with "auto", a server
// without cgroups is usual.
func (r *scriptRunner) cgroups() (*cgroups, error) {
	r.groupsOnce.Do(func() {
		r.groups, r.noGroups = openCgroups(r.cfg.Cgroup)
		if r.noGroups != nil && filepath.IsAbs(r.cfg.Cgroup) {
			r.log.Warn("scripts have no cgroups: their limits hold for each process", "err", r.noGroups)
		}
	})
	return r.groups, r.noGroups
}

// describeLimits describes, for operators, whether memory and processes are limited for
// a script as a whole, and if not, why.
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

// newSpec returns the spec of the script's process, without the descriptors that
// confinement and execute add. The program runs as "../script" relative to its work
// directory, so that its own path names nothing of the server's. The environment holds
// PATH, HOME and TMPDIR, then the program's variables; nothing of the server's own
// environment is passed on.
//
// Without a PID namespace the kernel counts processes per user, so the limit is raised
// by the number of tasks that the user has already.
func (r *scriptRunner) newSpec(ctx context.Context, level isolation, interp interpreter, dir string, p program) sandbox.Spec {
	work := filepath.Join(dir, "work")
	env := withDefaults(p.env, "PATH="+scriptPath, "HOME="+work, "TMPDIR="+work)
	args := append([]string{filepath.Base(interp.path)}, interp.args...)
	o := sandbox.Spec{
		Path: interp.path, Args: append(append(args, "../script"), p.args...), Env: env,
		Dir: work, Remove: dir, Namespaces: level.Namespaces,
		RulesetFD: sandbox.None, CgroupFD: sandbox.None,
	}
	limits := r.cfg.Limits
	// Not more than the attempt has left, so that a script that escapes its timeout ends
	// too.
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
	// Built here and not in the child, which must not allocate.
	if level.Seccomp {
		o.Filter = filterBytes(seccompFilter(auditArch(), refusedCalls()))
	}
	return o
}

// confinement adds to a spec what needs descriptors, today the landlock ruleset, and
// returns the files behind them in the order of their numbers. The caller closes them,
// also after an error.
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

// closeAll closes files whose errors no longer matter. A nil file or one that is closed
// already is harmless.
func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// rlimits returns the limits in the order in which the child sets them. The address
// space comes last, because the preparation of the script needs memory until then.
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

// tasksOf counts the threads of a user's processes from /proc. RLIMIT_NPROC counts
// threads too, not only processes. It returns 1024 where /proc cannot be read, so that
// the limit is too high rather than one that lets nothing start. It reads a directory
// for each process of the machine.
func tasksOf(uid int) int64 {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 1024
	}
	var n int64
	for _, e := range entries {
		// Only directories named by a number are processes.
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

// cpuSeconds returns the CPU time for a script, in seconds: what is left until ctx's
// deadline and two seconds more, so that the timeout is met first; an hour without a
// deadline.
func cpuSeconds(ctx context.Context) int64 {
	at, ok := ctx.Deadline()
	if !ok {
		return 3600
	}
	return int64(time.Until(at)/time.Second) + 2
}

// prefixOf returns the directory that an interpreter outside the system's directories
// needs to read: the one above its bin, with links resolved. nil where the system's
// directories hold it, where it would be the root, or where the path cannot be resolved.
func prefixOf(interpreter string) []string {
	// A virtual environment's interpreter is a link to the real one.
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
	// To grant the root would grant everything.
	if dir == "/" {
		return nil
	}
	return []string{dir}
}

// chownAll makes the unprivileged user the owner of a script's directory and its
// contents, so that the script can read its text and write to its work directory. The
// directory itself comes last.
func chownAll(dir string) error {
	return errors.Join(
		os.Chown(filepath.Join(dir, "work"), nobody, nobody),
		os.Chown(filepath.Join(dir, "script"), nobody, nobody),
		os.Chown(dir, nobody, nobody),
	)
}

// supervise starts the process that runs the script (package sandbox), sends it the spec
// and waits. The script is a child of that process. inherited become the descriptors
// from sandbox.FirstFD on; the caller still closes its own copies.
//
// The end of ctx closes the lifeline, on which the supervisor kills everything that the
// script started. One that does not end within drain is killed as well.
func (r *scriptRunner) supervise(ctx context.Context, level isolation, o sandbox.Spec, inherited []*os.File, p program) (*ending, error) {
	pipes, err := newPipes()
	if err != nil {
		return nil, transient("script_not_started", "The server has no descriptors left for a script.")
	}
	defer pipes.close()
	end := &ending{stdout: capped{limit: int(r.cfg.Limits.Output)}, stderr: capped{limit: int(r.cfg.Limits.Output)}}
	ownStderr := capped{limit: 4096}
	cmd := exec.CommandContext(ctx, r.self) //nolint:gosec // r.self is this program's own file
	// The name makes the copy of this program run as the supervisor (sandbox.Name).
	cmd.Args = []string{sandbox.Name}
	// GORACE: under the race detector each process would sleep a second before it ends.
	cmd.Env = []string{"GOMAXPROCS=1", "GOGC=off", "GOTRACEBACK=none", "GORACE=atexit_sleep_ms=0"}
	cmd.Dir = "/" // no directory of the server's is kept busy
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(p.stdin), end.stdout.tee(p.stdout), &ownStderr
	cmd.ExtraFiles = append([]*os.File{pipes.orders, pipes.answer, pipes.stderr}, inherited...)
	cmd.SysProcAttr = attributes(level)
	cmd.Cancel = pipes.lifeline.Close
	cmd.WaitDelay = drain
	err = cmd.Start()
	pipes.handedOver() // also after an error, or a read would never see the end
	if err != nil {
		return nil, transient("script_not_started", "The script could not be started: %s.", systemReason(err))
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(end.stderr.tee(p.stderr), pipes.errors)
	}()
	// An error is left to the report: a process that did not read its spec says why, or
	// nothing.
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

// pipes connect the server with the process that runs a script. Of each pair the server
// keeps the first of lifeline, reports and errors, and the other process the other end.
type pipes struct {
	orders, lifeline *os.File // the spec to the process; closing lifeline stops it
	reports, answer  *os.File // what the process reports (sandbox.ReadReport)
	errors, stderr   *os.File // the script's standard error
}

// newPipes opens the three pipes. After an error none is left open.
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

// handedOver closes the ends that belong to the other process from now on. Until then a
// read of reports or errors cannot end.
func (p *pipes) handedOver() {
	closeAll([]*os.File{p.orders, p.answer, p.stderr})
}

// close closes every end that is still open.
func (p *pipes) close() {
	closeAll([]*os.File{p.orders, p.lifeline, p.reports, p.answer, p.errors, p.stderr})
}

// applyReport copies a report into end, or returns the failure of a script that never
// ran. cause is the error of waiting for the supervisor; it is used only where the
// report says nothing.
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

// notExecuted returns the failure of a script whose interpreter could not be executed:
// permanent where it would fail again (arguments_too_large, interpreter_not_found),
// otherwise script_not_started, for a machine that is short of something.
func notExecuted(errno syscall.Errno) error {
	switch errno {
	// The kernel's limit of one argument is 32 pages, of all of them a quarter of the
	// stack.
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

// systemReason returns the system's part of an error: the words for an error number or
// for how a process ended. Paths and names of the server's stay out of it, because a
// step's error is shown to tenants.
func systemReason(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.String()
	}
	return "unknown reason"
}

// attributes returns how the supervisor is started: in a process group of its own, so
// that the whole group can be killed, and, where the level has them, in new namespaces.
// In the user namespace only nobody is mapped, to the unprivileged user where the server
// is root and to the server's own user otherwise. So root does not exist inside, and no
// capability survives the exec.
func attributes(level isolation) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if !level.Namespaces {
		return attr
	}
	attr.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
	uid, gid := os.Getuid(), os.Getgid()
	if level.DropUser {
		uid, gid = nobody, nobody
		// Root may set groups, so that the script keeps none of the server's.
		attr.GidMappingsEnableSetgroups = true
		attr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	} else {
		// An unprivileged parent may map its own group only if setgroups stays denied.
		attr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody, NoSetGroups: true}
	}
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: uid, Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: gid, Size: 1}}
	return attr
}

// signalName returns a signal's name, such as SIGKILL for 9, or its number in decimal
// where the system has no name for it.
func signalName(n int) string {
	if name := unix.SignalName(syscall.Signal(n)); name != "" {
		return name
	}
	return fmt.Sprint(n)
}

// withDefaults returns the defaults that env does not set, and env: programs differ
// in which of two variables of one name they read.
func withDefaults(env []string, defaults ...string) []string {
	own := func(d string) bool {
		name, _, _ := strings.Cut(d, "=")
		return slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	}
	return append(slices.DeleteFunc(defaults, own), env...)
}
