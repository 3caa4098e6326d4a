package store

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// machineName names the boot of this machine and the namespace in which its
// process numbers hold; "" where /proc does not say.
func machineName() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + space
}

// processStartTime returns when a process began, in the kernel's clock ticks
// since the boot (proc_pid_stat(5), field 22); "" where that cannot be read.
func processStartTime(pid int) string {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	// The second field is the program's name in brackets and may hold anything.
	_, rest, _ := strings.Cut(string(stat[max(strings.LastIndexByte(string(stat), ')'), 0):]), " ")
	f := strings.Fields(rest)
	const began = 22 - 3 // the fields count from 1, and rest begins with the third
	if len(f) <= began {
		return ""
	}
	return f[began]
}

// processMissing reports whether no process has the number. One that this user
// may not signal exists.
func processMissing(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
