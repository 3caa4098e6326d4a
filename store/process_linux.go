package store

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// machineName is the boot and the namespace in which process numbers hold.
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

// processStartTime is when a process began, in the kernel's ticks since the boot;
// "" where that cannot be read.
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

func processMissing(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
