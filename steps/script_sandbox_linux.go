package steps

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// systemDirs returns the directories that confined scripts may read and execute from.
// Those that do not exist here are skipped (grant).
func systemDirs() []string {
	return []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store"}
}

// systemFiles returns the parts of /etc that interpreters and libc read. Nothing in them
// is secret; the rest of /etc stays closed.
func systemFiles() []string {
	return []string{
		"/etc/alternatives", "/etc/group", "/etc/hosts", "/etc/inputrc", "/etc/ld.so.cache",
		"/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/locale.alias", "/etc/localtime",
		"/etc/mime.types", "/etc/nsswitch.conf", "/etc/os-release", "/etc/passwd",
		"/etc/profile", "/etc/python3", "/etc/services", "/etc/timezone",
	}
}

// deviceFiles returns the devices that confined scripts may read and write.
func deviceFiles() []string {
	return []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}
}

// probe tries the levels, best first, and returns the first under which a script runs
// and cannot read a file that only the server's user may read. The permanent failure
// script_isolation_unavailable means that there is none. The caller holds r.mu.
func (r *scriptRunner) probe(ctx context.Context) (isolation, error) {
	canary, remove, err := r.canary()
	if err != nil {
		return isolation{}, transient("script_not_started", "The server could not make a directory for the script.")
	}
	defer remove()
	for _, level := range r.levels() {
		// Not even tried: it would hide the canary but not the database.
		if r.exposed(level) {
			continue
		}
		end, err := r.execute(ctx, level, interpreter{path: "/bin/sh"}, program{text: `if cat "$1"; then exit 9; fi`, args: []string{canary}})
		if ctx.Err() != nil {
			return isolation{}, stopped(ctx)
		}
		// The script exits with 9 if it could read the canary, and prints it.
		if err == nil && end.Code == 0 && len(end.stdout.data) == 0 {
			return level, nil
		}
		r.log.Debug("a way to confine scripts is not to be had", "level", level.String(), "err", err)
	}
	return isolation{}, permanent("script_isolation_unavailable",
		"Scripts are refused: nothing on this server can hide its database and keys from them. It needs Linux 6.2 or later with landlock, or to run as root; HEDDLE_SCRIPTS=unconfined runs scripts with limits alone.")
}

// canary makes a file that is as private as the server's own, in a directory that all
// may enter, so that nothing but the isolation keeps a script from it.
func (r *scriptRunner) canary() (path string, remove func(), err error) {
	dir, err := os.MkdirTemp(r.cfg.TempDir, "heddle-canary-")
	if err != nil {
		return "", nil, err
	}
	path = filepath.Join(dir, "canary")
	err = errors.Join(os.Chmod(dir, 0o755), os.WriteFile(path, []byte("sings"), 0o600)) //nolint:gosec // a script that could leave its confinement must be able to reach the file
	return path, func() { r.remove(dir) }, err
}

// levels returns the levels that may be possible here, best first. Each of them either
// has landlock or runs as a user that may not read the server's files; so a server
// without landlock that is not root has none.
func (r *scriptRunner) levels() []isolation {
	root, abi, seccomp := os.Getuid() == 0, landlockABI(), seccompAvailable()
	var levels []isolation
	// Namespaces may be forbidden to users, above all in containers.
	for _, namespaces := range []bool{true, false} {
		if abi > 0 {
			levels = append(levels, isolation{Namespaces: namespaces, Landlock: abi, DropUser: root, Seccomp: seccomp})
		}
	}
	if root {
		levels = append(levels,
			isolation{Namespaces: true, DropUser: true, Seccomp: seccomp},
			isolation{DropUser: true, Seccomp: seccomp})
	}
	return levels
}

// exposed reports whether a level would let scripts read a file of Scripts.Hide.
// Landlock hides a file unless it lies in a granted directory; another user hides it
// unless its mode lets others in.
func (r *scriptRunner) exposed(level isolation) bool {
	granted := append(systemDirs(), prefixOf(r.cfg.Python)...)
	for _, file := range r.cfg.Hide {
		closed := level.Landlock > 0 && !within(file, granted)
		private := level.DropUser && !open(file)
		if !closed && !private {
			return true
		}
	}
	return false
}

// within reports whether a file, links resolved, is below one of dirs. It is true where
// that cannot be found out, so that a doubt counts as exposed.
func within(file string, dirs []string) bool {
	path, err := filepath.Abs(file)
	if err != nil {
		return true
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	return slices.ContainsFunc(dirs, func(dir string) bool { return strings.HasPrefix(path, dir+"/") })
}

// open reports whether group or others have rights on a file. A file that does not exist
// yet will be made private.
func open(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().Perm()&0o077 != 0
}

// pythonAt returns the interpreter at a path, with the directories that it reads.
func pythonAt(path string) interpreter {
	return interpreter{path: path, readable: prefixOf(path)}
}
