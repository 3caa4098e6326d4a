//go:build linux

package sandbox

import (
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// A process that does not end is waited for until the given time and no longer; one that ends is
// reaped. It is not parallel: any child of this process may be reaped.
func TestAProcessThatDoesNotDieIsNotWaitedForWithoutEnd(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reapOne(time.Now().Add(20 * time.Millisecond))
	if err := syscall.Kill(cmd.Process.Pid, 0); err != nil {
		t.Errorf("the process is gone: %v", err)
	}
	_ = syscall.Kill(cmd.Process.Pid, syscall.SIGKILL)
	reapOne(time.Now().Add(time.Minute))
	if err := syscall.Kill(cmd.Process.Pid, 0); err != syscall.ESRCH { //nolint:errorlint // never wrapped
		t.Errorf("the process was not reaped: %v", err)
	}
	_ = cmd.Wait() // it was reaped already
}
