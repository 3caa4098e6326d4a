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

// cgroups makes a cgroup for each script below a directory of cgroups v2 that
// this server may divide. Safe for concurrent use.
type cgroups struct{ dir string }

// groupPrefix begins the name of a script's cgroup; the server's process id and
// a number follow.
const groupPrefix = "heddle-script-"

// ownLeaf is where the server moves itself, for a cgroup that has processes of
// its own cannot limit those below it.
const ownLeaf = "heddle-server"

// openCgroups finds the directory that the setting names, divides it and
// removes what servers that died left there. An error says why no script has a
// cgroup.
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

// ownCgroup returns a cgroup that was delegated to this process: its own, or
// the one above it, as systemd's DelegateSubgroup makes it.
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

// cgroupMount returns where cgroups v2 is mounted, and which part of it.
func cgroupMount() (mount, root string, err error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", "", errors.New("mounts are not shown here")
	}
	for line := range strings.Lines(string(text)) {
		before, after, _ := strings.Cut(line, " - ")
		if fields := strings.Fields(before); len(fields) > 4 && strings.HasPrefix(after, "cgroup2 ") {
			return fields[4], fields[3], nil
		}
	}
	return "", "", errors.New("cgroups v2 is not mounted here")
}

// delegated reports whether systemd gave a cgroup to this process to divide.
// That it can be written is not enough: root writes all of them, and users those
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

// ofContainer reports whether a cgroup that is mounted as the root is not the
// true one, which has no type.
func ofContainer(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "cgroup.type"))
	return err == nil && writable(dir)
}

// writable reports whether this process may make cgroups in dir and move processes
// into them.
func writable(dir string) bool {
	for _, name := range []string{"", "cgroup.procs", "cgroup.subtree_control"} {
		if unix.Access(filepath.Join(dir, name), unix.W_OK) != nil {
			return false
		}
	}
	return true
}

// divide makes a cgroup limit memory and processes of those below it.
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
	c.removeLeftovers()
	g, err := c.open(Limits{}.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("no cgroup can be made in %s: %w", dir, systemError(err))
	}
	g.close()
	return c, nil
}

// enable turns the controllers memory and pids on for the cgroups below dir. With
// own, dir is this process's own cgroup, which the kernel does not let limit others
// while it has processes: then the server moves into a leaf of it first, and back
// when that did not help.
func enable(dir string, own bool) error {
	control := filepath.Join(dir, "cgroup.subtree_control")
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

// hasWords reports whether a list separated by spaces has all of the words.
func hasWords(text string, words ...string) bool {
	have := " " + strings.Join(strings.Fields(text), " ") + " "
	for _, w := range words {
		if !strings.Contains(have, " "+w+" ") {
			return false
		}
	}
	return true
}

// put writes a file of the cgroup file system, which must be there.
func put(path, value string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// systemError returns the error number in err, without the path that it names; err
// itself where there is none.
func systemError(err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return err
}

// processStart is just after this process began.
var processStart = time.Now()

// removeLeftovers kills and removes the cgroups of servers that are gone. One
// with this process's own id, as every server in a container may have it, is
// older than the process.
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
		gone := errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
		if info, err := e.Info(); err == nil && pid == os.Getpid() {
			gone = info.ModTime().Before(processStart)
		}
		if gone {
			(&cgroup{dir: filepath.Join(c.dir, e.Name())}).close()
		}
	}
}

// cgroup is one script's.
type cgroup struct {
	dir   string
	procs *os.File // what is written here enters
}

// open makes a cgroup with the limits of one script. Swap and the killing of the
// whole group at once are limited where the kernel knows them. The caller closes it.
func (c *cgroups) open(l Limits) (*cgroup, error) {
	dir, err := os.MkdirTemp(c.dir, fmt.Sprintf("%s%d-", groupPrefix, os.Getpid()))
	if err != nil {
		return nil, err
	}
	g := &cgroup{dir: dir}
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

func (g *cgroup) limit(file string, n int64) error {
	return put(filepath.Join(g.dir, file), strconv.FormatInt(n, 10))
}

// outOfMemory reports whether the kernel killed a process for the limit.
func (g *cgroup) outOfMemory() bool {
	text, _ := os.ReadFile(filepath.Join(g.dir, "memory.events"))
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "oom_kill "); ok {
			return strings.TrimSpace(n) != "0"
		}
	}
	return false
}

// close kills what is left and removes the cgroup. What the kernel does not let
// die within a second stays for the next start.
func (g *cgroup) close() {
	if g.procs != nil {
		_ = g.procs.Close()
	}
	_ = put(filepath.Join(g.dir, "cgroup.kill"), "1")
	for range 100 {
		if err := os.Remove(g.dir); !errors.Is(err, syscall.EBUSY) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
