//go:build unix

package storetest

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// unprivileged lets root run a command as another user, which PostgreSQL
// insists on, and keeps the terminal's interrupt from it: the guard ends it.
func unprivileged(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if uid, gid, ok := unprivilegedUser(); ok {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
}

// chownToUser makes that user the owner of a folder; it does nothing where the
// process is not root's.
func chownToUser(dir string) error {
	uid, gid, ok := unprivilegedUser()
	if !ok {
		return nil
	}
	return os.Chown(dir, int(uid), int(gid))
}

// unprivilegedUser returns the user that root's servers run as: postgres, or nobody.
// ok is false where the process is not root's, or neither exists.
func unprivilegedUser() (uid, gid uint32, ok bool) {
	if os.Geteuid() != 0 {
		return 0, 0, false
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return uint32(uid), uint32(gid), true
		}
	}
	return 0, 0, false
}
