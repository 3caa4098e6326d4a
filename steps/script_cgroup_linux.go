package steps

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// cgroups makes a cgroup for each script below a directory of cgroups v2 that this
// server may divide. It does not change after openCgroups and is safe for concurrent
// use.
type cgroups struct{ dir string }

// groupPrefix begins the name of a script's cgroup; the server's process id, "-" and a
// random number follow.
const groupPrefix = "heddle-script-"

// ownLeaf is the cgroup into which the server moves itself where it has to: a cgroup
// that has processes of its own cannot limit those below it.
const ownLeaf = "heddle-server"

// openCgroups finds the directory that the setting names, prepares it and removes what
// servers that died left in it. The setting is "off", "auto" (also "") or a path. An
// error says, in words for operators, why no script has a cgroup.
func openCgroups(setting string) (*cgroups, error) {
	switch setting {
	case "off":
		return nil, errors.New("switched off (HEDDLE_SCRIPT_CGROUP)")
	case "", "auto":
		dir, own, err := ownCgroup()
		if err != nil {
			return nil, err
		}
		return divide(dir, own)
	}
	return divide(setting, false)
}

// ownCgroup returns a cgroup that was delegated to this process: its own (own is true)
// or the one above, which is where systemd's DelegateSubgroup leaves it. The one above
// comes first, because it needs no move of the server.
func ownCgroup() (dir string, own bool, err error) {
	mount, root, err := cgroupMount()
	if err != nil {
		return "", false, err
	}
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", false, errors.New("cgroups are not shown here")
	}
	for line := range strings.Lines(string(text)) {
		// Hierarchy 0 is that of version 2 (cgroups(7)).
		path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok {
			continue
		}
		dir = filepath.Join(mount, strings.TrimPrefix(path, strings.TrimSuffix(root, "/")))
		switch {
		case dir != mount && delegated(filepath.Dir(dir)):
			return filepath.Dir(dir), false, nil
		case delegated(dir) || dir == mount && ofContainer(dir):
			return dir, true, nil
		}
	}
	return "", false, errors.New("no cgroup was delegated to this server; HEDDLE_SCRIPT_CGROUP can name one")
}

// cgroupMount returns where cgroups v2 is mounted, and which cgroup is the root of that
// mount ("/" unless this is a container). The format is that of /proc/self/mountinfo,
// proc(5).
func cgroupMount() (mount, root string, err error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", "", errors.New("mounts are not shown here")
	}
	for line := range strings.Lines(string(text)) {
		// Optional fields make the position of the type vary; the dash ends them.
		before, after, _ := strings.Cut(line, " - ")
		if fields := strings.Fields(before); len(fields) > 4 && strings.HasPrefix(after, "cgroup2 ") {
			return fields[4], fields[3], nil
		}
	}
	return "", "", errors.New("cgroups v2 is not mounted here")
}

// delegated reports whether systemd delegated a cgroup, so that this process may divide
// it. That it is writable is not enough: root can write all of them, and users those
// that the manager of their session keeps.
func delegated(dir string) bool {
	for _, mark := range []string{"user.delegate", "trusted.delegate"} {
		value := make([]byte, 8)
		if n, err := unix.Getxattr(dir, mark, value); err == nil && string(value[:n]) == "1" {
			return writable(dir)
		}
	}
	return false
}

// ofContainer reports whether the root of the mount is a cgroup of a container, which
// belongs to the container, and writable. The root of the whole hierarchy has no
// cgroup.type.
func ofContainer(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "cgroup.type"))
	return err == nil && writable(dir)
}

// writable reports whether this process may make cgroups in dir and move processes into
// them.
func writable(dir string) bool {
	for _, name := range []string{"", "cgroup.procs", "cgroup.subtree_control"} {
		if unix.Access(filepath.Join(dir, name), unix.W_OK) != nil {
			return false
		}
	}
	return true
}

// divide prepares dir so that cgroups below it can limit memory and processes. It
// removes leftovers and makes one cgroup on trial, so that an obstacle shows here and
// not at the first script. own says that dir is this process's own cgroup (enable).
func divide(dir string, own bool) (*cgroups, error) {
	have, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return nil, fmt.Errorf("%s is not a directory of cgroups v2", dir)
	}
	if !hasWords(string(have), "memory", "pids") {
		return nil, fmt.Errorf("the controllers memory and pids are not available in %s", dir)
	}
	if err := enable(dir, own); err != nil {
		return nil, err
	}
	c := &cgroups{dir: dir}
	// Before the trial: leftovers may use up the limits of dir.
	c.removeLeftovers()
	g, err := c.open(Limits{}.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("no cgroup can be made in %s: %w", dir, systemError(err))
	}
	g.close()
	return c, nil
}

// enable turns the controllers memory and pids on for the cgroups below dir. With own,
// dir is this process's own cgroup, and the kernel lets no cgroup with processes limit
// others: the server then moves into a leaf of it first, and back if that did not help.
func enable(dir string, own bool) error {
	control := filepath.Join(dir, "cgroup.subtree_control")
	// Another server, or an earlier start, has done it.
	if on, err := os.ReadFile(control); err == nil && hasWords(string(on), "memory", "pids") {
		return nil
	}
	err := put(control, "+memory +pids")
	if errors.Is(err, syscall.EBUSY) && own {
		leaf := filepath.Join(dir, ownLeaf)
		if err := os.Mkdir(leaf, 0o750); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("no cgroup can be made in %s: %w", dir, systemError(err))
		}
		if err := put(filepath.Join(leaf, "cgroup.procs"), strconv.Itoa(os.Getpid())); err != nil {
			return fmt.Errorf("the server cannot be moved within %s: %w", dir, systemError(err))
		}
		if err = put(control, "+memory +pids"); err != nil {
			_ = put(filepath.Join(dir, "cgroup.procs"), strconv.Itoa(os.Getpid()))
			_ = os.Remove(leaf)
		}
	}
	if errors.Is(err, syscall.EBUSY) {
		return fmt.Errorf("%s holds other processes and cannot be divided", dir)
	}
	if err != nil {
		return fmt.Errorf("%s cannot be divided: %w", dir, systemError(err))
	}
	return nil
}

// hasWords reports whether a list separated by white space has all of the words.
func hasWords(text string, words ...string) bool {
	have := " " + strings.Join(strings.Fields(text), " ") + " "
	for _, w := range words {
		if !strings.Contains(have, " "+w+" ") {
			return false
		}
	}
	return true
}

// put writes value to a file of the cgroup file system, in one write. It creates no
// file: one that the kernel does not have is os.ErrNotExist.
func put(path, value string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// systemError returns the error number in err, without the path that err names; err
// itself where there is none.
func systemError(err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return err
}

// processStart is just after this process began. removeLeftovers compares it with the
// times of cgroups.
var processStart = time.Now()

// removeLeftovers kills and removes the cgroups of servers that are gone, by the process
// id in their names. A cgroup with this process's own id is a leftover if it is older
// than the process: in a container every server may have the same id.
func (c *cgroups) removeLeftovers() {
	entries, _ := os.ReadDir(c.dir)
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), groupPrefix)
		if !ok {
			continue
		}
		owner, _, _ := strings.Cut(rest, "-")
		pid, err := strconv.Atoi(owner)
		if err != nil {
			continue
		}
		// Signal 0 only asks whether there is such a process.
		gone := errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
		if info, err := e.Info(); err == nil && pid == os.Getpid() {
			gone = info.ModTime().Before(processStart)
		}
		if gone {
			(&cgroup{dir: filepath.Join(c.dir, e.Name())}).close()
		}
	}
}

// cgroup is the cgroup of one script. One goroutine uses it.
type cgroup struct {
	dir   string
	procs *os.File // cgroup.procs: a process that writes 0 to it moves itself in; nil until open succeeded
}

// open makes a cgroup with the limits of one script. A kernel without the files for swap
// (memory.swap.max) or for killing the group as a whole (memory.oom.group) goes without
// them. The caller closes the cgroup. After an error none is left.
func (c *cgroups) open(l Limits) (*cgroup, error) {
	dir, err := os.MkdirTemp(c.dir, fmt.Sprintf("%s%d-", groupPrefix, os.Getpid()))
	if err != nil {
		return nil, err
	}
	g := &cgroup{dir: dir}
	// These two must hold; the others below are refinements.
	err = errors.Join(g.limit("memory.max", l.Memory), g.limit("pids.max", l.Processes))
	for _, where := range []struct {
		file  string
		value int64
	}{{"memory.swap.max", 0}, {"memory.oom.group", 1}} {
		if e := g.limit(where.file, where.value); e != nil && !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	if err == nil {
		g.procs, err = os.OpenFile(filepath.Join(g.dir, "cgroup.procs"), os.O_WRONLY, 0)
	}
	if err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// limit writes a number to one of the cgroup's files.
func (g *cgroup) limit(file string, n int64) error {
	return put(filepath.Join(g.dir, file), strconv.FormatInt(n, 10))
}

// outOfMemory reports whether the kernel killed a process of the cgroup because it
// reached its memory limit. It must be called before close.
func (g *cgroup) outOfMemory() bool {
	text, _ := os.ReadFile(filepath.Join(g.dir, "memory.events"))
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "oom_kill "); ok {
			return strings.TrimSpace(n) != "0"
		}
	}
	return false
}

// close kills what is left in the cgroup and removes it. It waits at most a second for
// the kernel to end the processes; what is left then stays until a server's next start
// (removeLeftovers).
func (g *cgroup) close() {
	if g.procs != nil {
		_ = g.procs.Close()
	}
	// Since Linux 5.14; on older kernels the supervisor has killed them already.
	_ = put(filepath.Join(g.dir, "cgroup.kill"), "1")
	// EBUSY: a process in it has not ended yet.
	for range 100 {
		if err := os.Remove(g.dir); !errors.Is(err, syscall.EBUSY) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
