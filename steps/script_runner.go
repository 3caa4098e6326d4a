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

// ScriptMode says how scripts are run (HEDDLE_SCRIPTS).
type ScriptMode string

// The modes. Sandbox, the default, refuses scripts where nothing can hide the
// database and the keys from them. Unconfined keeps the limits and nothing
// else.
const (
	Sandbox    ScriptMode = "sandbox"
	Off        ScriptMode = "off"
	Unconfined ScriptMode = "unconfined"
)

// Scripts is how the operator wants scripts to be run. Zero values stand for
// the defaults.
type Scripts struct {
	Mode   ScriptMode
	Limits Limits
	// Python is the interpreter of python scripts; default the first python3
	// of /usr/local/bin, /usr/bin and PATH that runs.
	Python string
	// Hide lists files (the database, the key) that no script may read. The
	// sandbox refuses to run where it would grant one of them.
	Hide []string
	// TempDir holds the scripts' directories; default os.TempDir(). A server
	// that runs as root uses /tmp where other users cannot enter TempDir.
	TempDir string
	// Cgroup is the directory of cgroups v2 in which each script gets one, "off",
	// or "auto", the default: what was delegated to this process, if anything.
	Cgroup string
}

// Limits bound one script. Zero values stand for the defaults in brackets.
type Limits struct {
	Output    int64 // bytes of stdout, and of stderr [1 MiB]
	Memory    int64 // bytes of address space of each process, and of memory of all in its cgroup [512 MiB]
	Processes int64 // of the script's user, and in its cgroup, at once [256]
	FileSize  int64 // bytes of each file written [1 GiB]
	OpenFiles int64 // descriptors of each process [1024]
	CPU       int64 // seconds of each process [the attempt's timeout, else an hour]
}

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

// scriptRunner runs scripts in the mode that the operator chose. What is
// possible here is found out at the first script and kept.
type scriptRunner struct {
	cfg Scripts
	log *slog.Logger

	self string // this program's file, which runs scripts under another name

	groupsOnce sync.Once
	groups     *cgroups
	noGroups   error // why groups is nil

	mu     sync.Mutex // guards found and python, and is held while they are found out
	found  *isolation // the level in force; nil until a probe succeeded
	python string     // the interpreter of python scripts; "": not found yet
}

func newScriptRunner(cfg Scripts, log *slog.Logger) *scriptRunner {
	if cfg.Mode == "" {
		cfg.Mode = Sandbox
	}
	if cfg.TempDir == "" {
		cfg.TempDir = os.TempDir()
	}
	if cfg.Mode == Sandbox && os.Getuid() == 0 && !passable(cfg.TempDir) {
		cfg.TempDir = "/tmp"
	}
	cfg.Limits = cfg.Limits.withDefaults()
	return &scriptRunner{cfg: cfg, log: log, self: "/proc/self/exe"}
}

// passable reports whether every user may go through a directory and all above.
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

// isolation is a combination of means. The zero value confines nothing but
// keeps the limits.
type isolation struct {
	Namespaces bool // own user, process, network and IPC namespaces
	Landlock   int  // ABI version in use; 0: not used
	DropUser   bool // run as an unprivileged user; only root can
	Seccomp    bool // no sockets and none of the kernel's odder calls
}

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

// isolation returns the level in force; an error refuses all scripts.
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
	r.found = &level
	r.log.Info("scripts are confined", "by", level.String())
	return level, nil
}

// pythons lists where a Python may be.
func (r *scriptRunner) pythons() []string {
	if r.cfg.Python != "" {
		return []string{r.cfg.Python}
	}
	candidates := []string{"/usr/local/bin/python3", "/usr/bin/python3"}
	if path, err := exec.LookPath("python3"); err == nil && path != candidates[0] && path != candidates[1] {
		candidates = append(candidates, path)
	}
	return candidates
}

// run runs a program to its end, or to the end of ctx.
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

// workspace is a script's own directory: the program's text beside an empty
// directory to work in.
func (r *scriptRunner) workspace(p program) (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp(r.cfg.TempDir, "heddle-script-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { r.remove(dir) }
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

// remove deletes a script's directory.
func (r *scriptRunner) remove(dir string) {
	if err := removeTree(dir); err != nil {
		r.log.Warn("a script's directory could not be removed", "dir", dir, "err", err)
	}
}

// removeTree deletes a directory, also one that its owner closed up.
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
