//go:build unix

package main

import (
	"syscall"
	"time"
)

// processCPU returns the user and system time that this process has used.
func processCPU() (time.Duration, bool) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err == nil
}
