package steps

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// ScriptMode says how scripts are run (HEDDLE_SCRIPTS). "" is Sandbox.
type ScriptMode string

// The modes. Sandbox, the default, refuses scripts where the database and the keys
// cannot be hidden from them. Off refuses all. Unconfined keeps the limits and nothing
// else.
const (
	Sandbox    ScriptMode = "sandbox"
	Off        ScriptMode = "off"
	Unconfined ScriptMode = "unconfined"
)

// Scripts is how the operator wants scripts to be run. Zero values stand for the
// defaults.
type Scripts struct {
	Mode   ScriptMode
	Limits Limits
	// Python is the interpreter of python scripts; "": the first python3 of
	// /usr/local/bin, /usr/bin and PATH that runs.
	Python string
	// Hide lists files (the database, the key) that no script may read. An isolation under
	// which a script could read one of them is not used.
	Hide []string
	// TempDir holds the scripts' directories; "": os.TempDir(). A server that runs as root
	// uses /tmp where other users cannot enter TempDir.
	TempDir string
	// Cgroup is the directory of cgroups v2 in which each script gets its own, or "off",
	// or "auto" (also ""): what was delegated to this process, if anything.
	Cgroup string
}

// Limits bound one script. Values of 0 or less stand for the defaults in brackets.
type Limits struct {
	Output    int64 // bytes of stdout, and of stderr [1 MiB]
	Memory    int64 // bytes of address space of each process, and of memory of all in its cgroup [512 MiB]
	Processes int64 // of the script's user, and in its cgroup, at once [256]
	FileSize  int64 // bytes of each file written [1 GiB]
	OpenFiles int64 // descriptors of each process [1024]
	CPU       int64 // seconds of each process [the attempt's timeout, else an hour]
}

// withDefaults returns the limits with the defaults filled in. CPU stays as it is: its
// default depends on the attempt (cpuSeconds).
func (l Limits) withDefaults() Limits {
	set := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.Output, 1<<20)
	set(&l.Memory, 512<<20)
	set(&l.Processes, 256)
	set(&l.FileSize, 1<<30)
	set(&l.OpenFiles, 1024)
	return l
}

// scriptRunner runs scripts in the mode that the operator chose. What this machine
// allows is found out at the first script and kept. It is safe for concurrent use;
// scripts that come while the level is being found out wait for it.
type scriptRunner struct {
	cfg Scripts
	log *slog.Logger

	self string // this program's file; started under sandbox.Name it runs a script

	groupsOnce sync.Once // guards groups and noGroups
	groups     *cgroups
	noGroups   error // why groups is nil

	mu     sync.Mutex // guards found and python, and is held while they are found out
	found  *isolation // the level in force; nil until a probe succeeded
	python string     // the interpreter of python scripts; "": not found yet
}

// newScriptRunner returns a runner with the defaults filled in. It starts nothing.
func newScriptRunner(cfg Scripts, log *slog.Logger) *scriptRunner {
	if cfg.Mode == "" {
		cfg.Mode = Sandbox
	}
	if cfg.TempDir == "" {
		cfg.TempDir = os.TempDir()
	}
	// The script runs as nobody then, and must be able to reach its directory.
	if cfg.Mode == Sandbox && os.Getuid() == 0 && !passable(cfg.TempDir) {
		cfg.TempDir = "/tmp"
	}
	cfg.Limits = cfg.Limits.withDefaults()
	return &scriptRunner{cfg: cfg, log: log, self: "/proc/self/exe"}
}

// passable reports whether every user may go through a directory and all above it. The
// unprivileged user must be able to reach its work directory.
func passable(dir string) bool {
	for path := filepath.Clean(dir); ; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if path == filepath.Dir(path) {
			return true
		}
	}
}

// isolation is a combination of means by which a script is confined. The zero value
// confines nothing; limits hold all the same.
type isolation struct {
	Namespaces bool // own user, process, network, IPC and host name namespaces
	Landlock   int  // ABI version in use; 0: not used
	DropUser   bool // run as an unprivileged user; only root can do that
	Seccomp    bool // no sockets and no rarely used system calls (refusedCalls)
}

// String returns the means in words, for operators; "none" for none.
func (i isolation) String() string {
	var means []string
	if i.Namespaces {
		means = append(means, "namespaces (user, pid, network, ipc)")
	}
	if i.Landlock > 0 {
		means = append(means, "landlock")
	}
	if i.DropUser {
		means = append(means, "unprivileged user")
	}
	if i.Seccomp {
		means = append(means, "seccomp")
	}
	if len(means) == 0 {
		return "none"
	}
	return strings.Join(means, " + ")
}

// describe describes, for operators, how scripts are confined. It may try the levels
// out, which starts processes.
func (r *scriptRunner) describe(ctx context.Context) string {
	switch r.cfg.Mode {
	case Off:
		return "off: scripts are refused"
	case Unconfined:
		return "unconfined: limits only"
	default: // nothing to do for the others
	}
	level, err := r.isolation(ctx)
	if err != nil {
		return "unavailable: scripts are refused"
	}
	return "sandbox: " + level.String() + ", limits"
}

// isolation returns the level in force. An error refuses all scripts: scripts_off, or
// script_isolation_unavailable where nothing here hides the server's files. A level that
// was found is kept; after an error the next call tries again.
func (r *scriptRunner) isolation(ctx context.Context) (isolation, error) {
	switch r.cfg.Mode {
	case Off:
		return isolation{}, permanent("scripts_off", "Scripts are switched off on this server (HEDDLE_SCRIPTS).")
	case Unconfined:
		return isolation{}, nil
	default: // nothing to do for the others
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.found != nil {
		return *r.found, nil
	}
	level, err := r.probe(ctx)
	if err != nil {
		return isolation{}, err
	}
	// Only a success is kept: what prevented the sandbox may pass.
	r.found = &level
	r.log.Info("scripts are confined", "by", level.String())
	return level, nil
}

// pythons returns the paths where a Python may be, the likeliest first; only the
// operator's where one is set.
func (r *scriptRunner) pythons() []string {
	if r.cfg.Python != "" {
		return []string{r.cfg.Python}
	}
	candidates := []string{"/usr/local/bin/python3", "/usr/bin/python3"}
	// The server's PATH may have one that the two usual directories do not.
	if path, err := exec.LookPath("python3"); err == nil && path != candidates[0] && path != candidates[1] {
		candidates = append(candidates, path)
	}
	return candidates
}

// run runs a program to its end. Where ctx ends first, the program is killed and the
// failure is that of stopped.
func (r *scriptRunner) run(ctx context.Context, p program) (*ending, error) {
	level, err := r.isolation(ctx)
	if err != nil {
		return nil, err
	}
	interp, err := r.interpreter(ctx, level, p)
	if err != nil {
		return nil, err
	}
	end, err := r.execute(ctx, level, interp, p)
	if ctx.Err() != nil {
		return nil, stopped(ctx)
	}
	return end, err
}

// workspace makes a script's directory: the program's text beside an empty directory to
// work in. remove deletes it with all that the script left in it; after an error nothing
// is left.
func (r *scriptRunner) workspace(p program) (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp(r.cfg.TempDir, "heddle-script-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { r.remove(dir) }
	// Private, as the text may hold what other users must not read; chownAll hands it
	// over.
	err = os.WriteFile(filepath.Join(dir, "script"), []byte(p.text), 0o600)
	if err == nil {
		err = os.Mkdir(filepath.Join(dir, "work"), 0o700)
	}
	if err != nil {
		remove()
		return "", nil, err
	}
	return dir, remove, nil
}

// remove deletes a script's directory. A failure is logged and changes nothing for the
// attempt.
func (r *scriptRunner) remove(dir string) {
	if err := removeTree(dir); err != nil {
		r.log.Warn("a script's directory could not be removed", "dir", dir, "err", err)
	}
}

// removeTree deletes a directory, also where a script took away the rights on a
// directory inside.
func removeTree(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) //nolint:gosec // as the script's user, in its own directory, after its last process has ended
		}
		return nil
	})
	return os.RemoveAll(dir)
}
